//! Recovery codes that people keep: hashes, each once.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row, for_update};
use crate::write::Write;
use crate::{audit, vals};

struct Settled(Timestamp);

impl FromRow for Settled {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.time().map(Self)
    }
}

/// From when a code of an account counts without waiting. `None`: it has no such code, or used it.
pub(crate) async fn find_good(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    hash: &Hash,
) -> Result<Option<Timestamp>> {
    const SQL: &str = "SELECT settled_ms FROM recovery_codes \
         WHERE realm_id = $1 AND account_id = $2 AND hash = $3 AND used_ms IS NULL";
    Ok(c.one(SQL, vals![realm, account, hash]).await?.map(|Settled(at)| at))
}

/// Removes the codes of an account that were made on its password alone: whoever knew that may have made them.
pub(crate) async fn remove_of_password(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<()> {
    const SQL: &str = "DELETE FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND settled_ms > created_ms";
    c.exec(SQL, vals![realm, account]).await.map(drop)
}

/// Uses up a code; `false`: it was, or never was.
pub(crate) async fn use_up(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    hash: &Hash,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE recovery_codes SET used_ms = $4 \
         WHERE realm_id = $1 AND account_id = $2 AND hash = $3 AND used_ms IS NULL";
    Ok(c.exec(SQL, vals![realm, account, hash, now]).await? == 1)
}

const DELETE: &str = "DELETE FROM recovery_codes WHERE realm_id = $1 AND account_id = $2";

/// Gives an account new codes; the old ones are worth nothing any more. `false`: it is gone or switched off.
#[derive(Clone, Debug)]
pub struct ReplaceRecoveryCodes {
    pub realm: RealmId,
    pub account: AccountId,
    pub hashes: Vec<Hash>,
    /// From when they count without waiting: later than now where a password alone was enough to make them.
    pub settled: Timestamp,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for ReplaceRecoveryCodes {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const INSERT: &str = "INSERT INTO recovery_codes (realm_id, account_id, hash, created_ms, settled_ms) \
             VALUES ($1, $2, $3, $4, $5)";
        // Two sets made at once queue here: the later one counts, whole.
        let account =
            for_update!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2 AND state = 'active'");
        if !c.lock(account, vals![self.realm, &self.account]).await? {
            return Ok(false);
        }
        c.exec(DELETE, vals![self.realm, &self.account]).await?;
        for hash in &self.hashes {
            c.exec(INSERT, vals![self.realm, &self.account, hash, self.now, self.settled]).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}

/// Removes all codes of an account, used ones too; how many. Nothing is written when there was none.
#[derive(Clone, Debug)]
pub struct RemoveRecoveryCodes {
    pub realm: RealmId,
    pub account: AccountId,
    pub audit: Audit,
}

impl Write for RemoveRecoveryCodes {
    type Out = u64;

    async fn run(&self, c: &mut Conn) -> Result<u64> {
        let removed = c.exec(DELETE, vals![self.realm, &self.account]).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(removed)
    }

    fn keeps(removed: &u64) -> bool {
        *removed > 0
    }
}
