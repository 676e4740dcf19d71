//! Recovery codes that people keep: hashes, each once.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row, for_update};
use crate::write::Write;
use crate::{audit, vals};

/// A code that was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// From when it counts without waiting.
    pub settled: Timestamp,
    /// A password alone was enough to make it.
    pub weak: bool,
}

impl FromRow for Kept {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let (settled, created) = (row.time()?, row.time()?);
        Ok(Self { settled, weak: settled > created })
    }
}

/// A code of an account. `None`: it has no such code, used it, or has a newer set that is settled.
pub(crate) async fn find_good(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    (hash, now): (&Hash, Timestamp),
) -> Result<Option<Kept>> {
    const SQL: &str = "SELECT settled_ms, created_ms FROM recovery_codes \
         WHERE realm_id = $1 AND account_id = $2 AND hash = $3 AND used_ms IS NULL AND created_ms >= COALESCE((\
         SELECT MAX(created_ms) FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND settled_ms <= $4), 0)";
    c.one(SQL, vals![realm, account, hash, now]).await
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

/// Gives an account new codes; the old ones are worth nothing once the new ones are settled: whoever has phished a
/// password takes nobody's codes away before the owner read the mail about it. `false`: it is gone or switched off.
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
        if self.settled > self.now {
            const UNSETTLED: &str = "DELETE FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND (settled_ms > $3 OR created_ms < (\
                 SELECT MAX(created_ms) FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND settled_ms <= $3))";
            c.exec(UNSETTLED, vals![self.realm, &self.account, self.now]).await?;
        } else {
            c.exec(DELETE, vals![self.realm, &self.account]).await?;
        }
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
