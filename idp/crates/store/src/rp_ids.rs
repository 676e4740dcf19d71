//! How many passkeys and accounts hang on an RP ID: what a change of it is planned and followed by.

use idp_core::id::RealmId;

use crate::error::Result;
use crate::sql::{FromRow, Row};
use crate::store::Store;
use crate::vals;

/// Active passkeys of one RP ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRpId {
    pub rp_id: String,
    pub passkeys: i64,
    /// Accounts that have them.
    pub accounts: i64,
}

impl FromRow for OfRpId {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { rp_id: row.text()?.to_owned(), passkeys: row.i64()?, accounts: row.i64()? })
    }
}

/// Accounts with an active passkey of an old RP ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moving {
    /// Those that have one of the new RP ID too.
    pub moved: i64,
    /// Those that have none.
    pub left: i64,
    /// Of them, those without a password: nothing else lets them in.
    pub passkey_alone: i64,
}

impl FromRow for Moving {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { moved: row.i64()?, left: row.i64()?, passkey_alone: row.i64()? })
    }
}

impl Store {
    /// The RP IDs that active passkeys of a realm were made for, served or not.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_by_rp_id(&self, realm: RealmId) -> Result<Vec<OfRpId>> {
        const SQL: &str = "SELECT rp_id, COUNT(*), COUNT(DISTINCT account_id) FROM passkeys \
             WHERE realm_id = $1 AND state = 'active' GROUP BY rp_id ORDER BY rp_id";
        self.list(SQL, vals![realm]).await
    }

    /// How far the accounts of an RP ID have moved to another one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_moving(&self, realm: RealmId, from: &str, to: &str) -> Result<Moving> {
        const SQL: &str = "SELECT COUNT(CASE WHEN n.account_id IS NOT NULL THEN 1 END), \
             COUNT(CASE WHEN n.account_id IS NULL THEN 1 END), \
             COUNT(CASE WHEN n.account_id IS NULL AND a.password_hash IS NULL THEN 1 END) \
             FROM (SELECT DISTINCT account_id FROM passkeys \
                   WHERE realm_id = $1 AND rp_id = $2 AND state = 'active') o \
             JOIN accounts a ON a.realm_id = $1 AND a.account_id = o.account_id \
             LEFT JOIN (SELECT DISTINCT account_id FROM passkeys \
                        WHERE realm_id = $1 AND rp_id = $3 AND state = 'active') n ON n.account_id = o.account_id";
        let all: Vec<Moving> = self.list(SQL, vals![realm, from, to]).await?;
        Ok(all.into_iter().next().unwrap_or(Moving { moved: 0, left: 0, passkey_alone: 0 }))
    }

    /// User names of accounts that have not moved, in their order; `most` of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_not_moved(&self, realm: RealmId, from: &str, to: &str, most: i64) -> Result<Vec<String>> {
        const SQL: &str = "SELECT a.username FROM accounts a WHERE a.realm_id = $1 \
             AND EXISTS (SELECT 1 FROM passkeys p WHERE p.realm_id = $1 AND p.account_id = a.account_id \
                         AND p.rp_id = $2 AND p.state = 'active') \
             AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.realm_id = $1 AND p.account_id = a.account_id \
                         AND p.rp_id = $3 AND p.state = 'active') \
             ORDER BY a.username_key LIMIT $4";
        self.list(SQL, vals![realm, from, to, most]).await
    }
}
