//! Passes: one-time links to enrol with, issued and used up.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::pass::Pass;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row, for_share};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, vals};

impl FromRow for Pass {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            hash: row.id("passes.hash")?,
            kind: row.word("passes.kind")?,
            account_id: row.id_or_null("passes.account_id")?,
            created: row.time()?,
            expires: row.time()?,
            used: row.time_or_null()?,
            browser: row.hash_or_null("passes.browser")?,
        })
    }
}

impl Store {
    /// A pass by the hash of its secret, used and expired ones too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_pass(&self, realm: RealmId, hash: &Hash) -> Result<Option<Pass>> {
        const SQL: &str = "SELECT hash, kind, account_id, created_ms, expires_ms, used_ms, browser \
             FROM passes WHERE realm_id = $1 AND hash = $2";
        self.one(SQL, vals![realm, hash]).await
    }
}

/// Uses up a pass: an access pass of `account`, a set-up link without. `false`: it is not to be used (any more).
pub(crate) async fn use_up(
    c: &mut Conn,
    realm: RealmId,
    hash: &Hash,
    account: Option<&AccountId>,
    now: Timestamp,
) -> Result<bool> {
    const ACCESS: &str = "UPDATE passes SET used_ms = $3 WHERE realm_id = $1 AND hash = $2 \
         AND used_ms IS NULL AND expires_ms > $3 AND kind = 'access' AND account_id = $4";
    // Of several links one makes the owner, also when their holders finish at the same time: one statement uses all
    // of them up, so that on PostgreSQL the second one finds none left and neither waits in a circle.
    const SETUP: &str = "UPDATE passes SET used_ms = $3 WHERE realm_id = $1 AND kind = 'setup' AND used_ms IS NULL \
         AND EXISTS (SELECT 1 FROM passes AS this WHERE this.realm_id = $1 AND this.hash = $2 \
         AND this.used_ms IS NULL AND this.expires_ms > $3 AND this.kind = 'setup')";
    let used = match account {
        Some(account) => c.exec(ACCESS, vals![realm, hash, now, account]).await?,
        None => c.exec(SETUP, vals![realm, hash, now]).await?,
    };
    Ok(used > 0)
}

/// Whether a pass was opened by a recovery.
pub(crate) async fn is_recovery(c: &mut Conn, realm: RealmId, hash: &Hash) -> Result<bool> {
    const SQL: &str = "SELECT realm_id FROM passes WHERE realm_id = $1 AND hash = $2 AND browser IS NOT NULL";
    Ok(c.one::<i64>(SQL, vals![realm, hash]).await?.is_some())
}

/// Inserts a pass; `false`: there is one with its secret.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, pass: &Pass) -> Result<bool> {
    const SQL: &str = "INSERT INTO passes \
         (realm_id, hash, kind, account_id, created_ms, expires_ms, used_ms, browser) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let browser = pass.browser.as_ref().map(|hash| &hash[..]);
    let values = vals![
        realm,
        &pass.hash,
        pass.kind.word(),
        pass.account_id.as_ref(),
        pass.created,
        pass.expires,
        pass.used,
        browser,
    ];
    Ok(c.exec(SQL, values).await? == 1)
}

/// Issues a pass. `false`: its account is gone.
#[derive(Clone, Debug)]
pub struct IssuePass {
    pub realm: RealmId,
    pub pass: Pass,
    pub audit: Audit,
}

impl Write for IssuePass {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        let pass = &self.pass;
        if let Some(account) = &pass.account_id {
            let sql = for_share!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2");
            if !c.lock(sql, vals![self.realm, account]).await? {
                return Ok(false);
            }
        }
        if !insert(c, self.realm, pass).await? {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(issued: &bool) -> bool {
        *issued
    }
}
