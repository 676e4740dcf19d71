//! Authenticator apps: one an account, its secret sealed, each step once.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId, Sid};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::held::WayIn;
use crate::sql::{Conn, FromRow, Row, for_share};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, passkeys, sessions, vals};

/// An authenticator app as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// The newest step that was used (RFC 6238 §5.2).
    pub last_step: i64,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
}

impl FromRow for Totp {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            sealed: row.blob()?.to_vec(),
            last_step: row.i64()?,
            created: row.time()?,
            last_used: row.time_or_null()?,
        })
    }
}

impl Store {
    /// The authenticator app of an account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_totp(&self, realm: RealmId, account: &AccountId) -> Result<Option<Totp>> {
        const SQL: &str = "SELECT secret_sealed, last_step, created_ms, last_used_ms FROM totp \
             WHERE realm_id = $1 AND account_id = $2";
        self.one(SQL, vals![realm, account]).await
    }
}

/// What a code that was right changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpUse {
    pub step: i64,
    /// The secret, sealed anew: so it outlives a change of the key-encryption key.
    pub sealed: Vec<u8>,
}

/// Marks a step as used; `false`: it or a later one was, or the app is gone.
pub(crate) async fn use_step(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    totp: &TotpUse,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE totp SET last_step = $3, secret_sealed = $4, last_used_ms = $5 \
         WHERE realm_id = $1 AND account_id = $2 AND last_step < $3";
    Ok(c.exec(SQL, vals![realm, account, totp.step, &totp.sealed, now]).await? == 1)
}

/// Keeps an authenticator app in place of the one before. `false`: the account is gone or switched off.
#[derive(Clone, Debug)]
pub struct SetTotp {
    pub realm: RealmId,
    pub account: AccountId,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// The step of the code that confirmed it: used up.
    pub step: i64,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for SetTotp {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "INSERT INTO totp (realm_id, account_id, secret_sealed, last_step, created_ms, last_used_ms) \
             VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (realm_id, account_id) DO UPDATE SET \
             secret_sealed = $3, last_step = $4, created_ms = $5, last_used_ms = NULL";
        let account =
            for_share!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2 AND state = 'active'");
        if !c.lock(account, vals![self.realm, &self.account]).await? {
            return Ok(false);
        }
        c.exec(SQL, vals![self.realm, &self.account, &self.sealed, self.step, self.now]).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(kept: &bool) -> bool {
        *kept
    }
}

/// What became of removing a factor; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorRemoved {
    Done,
    /// Nothing that is left would let the account in or recover it.
    LastWayIn,
    /// There is none.
    Gone,
}

/// Removes the app of an account; `false`: it has none.
pub(crate) async fn remove(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<bool> {
    const SQL: &str = "DELETE FROM totp WHERE realm_id = $1 AND account_id = $2";
    Ok(c.exec(SQL, vals![realm, account]).await? > 0)
}

/// Removes the authenticator app of an account, ends the sessions that its codes helped to open, and revokes what was
/// granted in them.
#[derive(Clone, Debug)]
pub struct RemoveTotp {
    pub realm: RealmId,
    pub account: AccountId,
    /// What must remain; `None`: an operator knows why.
    pub way_in: Option<WayIn>,
    /// The session of whoever removes it, to stay.
    pub keep: Option<Sid>,
    pub audit: Audit,
}

impl Write for RemoveTotp {
    type Out = FactorRemoved;

    async fn run(&self, c: &mut Conn) -> Result<FactorRemoved> {
        // Two who remove two factors at once queue here.
        if !passkeys::lock_account(c, self.realm, &self.account).await? || !remove(c, self.realm, &self.account).await?
        {
            return Ok(FactorRemoved::Gone);
        }
        if let Some(way_in) = &self.way_in
            && !way_in.remains(c, self.realm, &self.account).await?
        {
            return Ok(FactorRemoved::LastWayIn);
        }
        sessions::end_by_totp(c, self.realm, &self.account, self.keep.as_ref(), self.audit.at).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(FactorRemoved::Done)
    }

    fn keeps(out: &FactorRemoved) -> bool {
        matches!(out, FactorRemoved::Done)
    }
}
