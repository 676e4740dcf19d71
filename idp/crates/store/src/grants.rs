//! Grants: a code redeemed once, burnt, found reused; what tokens rest on.
//!
//! The row is keyed by the random id inside the code's seal, so a second redemption meets the first
//! (RFC 6749 §4.1.2, RFC 9700 §4.5).

use idp_core::audit::{Audit, AuditEvent};
use idp_core::grant::{Grant, GrantState};
use idp_core::id::{GrantId, RealmId};

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, vals};

impl FromRow for Grant {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("grants.grant_id")?,
            client_id: row.client_id("grants.client_id")?,
            account_id: row.id("grants.account_id")?,
            sid: row.id("grants.sid")?,
            scope: row.text()?.to_owned(),
            state: row.word("grants.state")?,
            created: row.time()?,
            expires: row.time()?,
        })
    }
}

/// A grant and whether those it concerns are still what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantStatus {
    pub grant: Grant,
    pub account_active: bool,
    pub client_active: bool,
    /// The session it was granted in has not been ended. Running out by time does not end it here: tokens have
    /// an end of their own.
    pub session_live: bool,
}

impl GrantStatus {
    /// Whether tokens that rest on it are good, their own lifetime apart.
    pub fn is_good(&self) -> bool {
        self.grant.state == GrantState::Live && self.account_active && self.client_active && self.session_live
    }
}

impl FromRow for GrantStatus {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            grant: Grant::from_row(row)?,
            account_active: row.text_or_null()? == Some("active"),
            client_active: row.text_or_null()? == Some("active"),
            session_live: row.text_or_null()? == Some("live"),
        })
    }
}

impl Store {
    /// A grant with what it depends on, in one statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_grant(&self, realm: RealmId, id: &GrantId) -> Result<Option<GrantStatus>> {
        const SQL: &str = "SELECT g.grant_id, g.client_id, g.account_id, g.sid, g.scope, g.state, g.created_ms, \
             g.expires_ms, a.state, c.state, s.state FROM grants g \
             LEFT JOIN accounts a ON a.realm_id = g.realm_id AND a.account_id = g.account_id \
             LEFT JOIN clients c ON c.realm_id = g.realm_id AND c.client_id = g.client_id \
             LEFT JOIN sessions s ON s.realm_id = g.realm_id AND s.sid = g.sid \
             WHERE g.realm_id = $1 AND g.grant_id = $2";
        self.one(SQL, vals![realm, id]).await
    }
}

/// Redeems a code: inserts its grant.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    pub realm: RealmId,
    /// As it shall be; its state is live and `created` is now.
    pub grant: Grant,
    /// [`AuditEvent::CodeRedeemed`]; becomes [`AuditEvent::CodeReused`] if it turns out to be that.
    pub audit: Audit,
}

/// What became of [`RedeemCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    Redeemed,
    /// The code came before: what it bought has been revoked, for ever.
    Reused,
    /// Account, session or client do not permit it any more; nothing was written.
    Gone,
}

impl Write for RedeemCode {
    type Out = Redeemed;

    async fn run(&self, c: &mut Conn) -> Result<Redeemed> {
        // Records the activity and, by that, locks the session: who ends it comes before or after, never between,
        // and parallel redemptions of one code queue here.
        const SESSION: &str = "UPDATE sessions SET active_ms = CASE WHEN $4 > active_ms THEN $4 ELSE active_ms END \
             WHERE realm_id = $1 AND sid = $2 AND account_id = $3 AND state = 'live' AND expires_ms > $4";
        const INSERT: &str = "INSERT INTO grants \
             (realm_id, grant_id, client_id, account_id, sid, scope, state, created_ms, expires_ms) \
             SELECT $1, $2, $3, $4, $5, $6, 'live', $7, $8 \
             WHERE EXISTS (SELECT 1 FROM accounts WHERE realm_id = $1 AND account_id = $4 AND state = 'active') \
             AND EXISTS (SELECT 1 FROM clients WHERE realm_id = $1 AND client_id = $3 AND state = 'active') \
             ON CONFLICT DO NOTHING";
        let (realm, g) = (self.realm, &self.grant);
        let live = c.exec(SESSION, vals![realm, &g.sid, &g.account_id, g.created]).await? == 1;
        let values = vals![realm, &g.id, &g.client_id, &g.account_id, &g.sid, &g.scope, g.created, g.expires];
        if live && c.exec(INSERT, values).await? == 1 {
            audit::insert(c, realm, &self.audit).await?;
            return Ok(Redeemed::Redeemed);
        }
        if revoke_reused(c, realm, &g.id).await? {
            audit::insert_as(c, realm, &self.audit, AuditEvent::CodeReused).await?;
            return Ok(Redeemed::Reused);
        }
        Ok(Redeemed::Gone)
    }

    fn keeps(out: &Redeemed) -> bool {
        !matches!(out, Redeemed::Gone)
    }
}

/// Revokes a live grant whose code came again; whether there is such a grant at all.
async fn revoke_reused(c: &mut Conn, realm: RealmId, id: &GrantId) -> Result<bool> {
    const SQL: &str = "UPDATE grants SET state = CASE WHEN state = 'live' THEN 'revoked' ELSE state END \
         WHERE realm_id = $1 AND grant_id = $2";
    Ok(c.exec(SQL, vals![realm, id]).await? == 1)
}

/// Burns a code that came with a wrong client, redirect URI or verifier, so that it can never be redeemed; if it
/// was, what it bought is revoked.
#[derive(Clone, Debug)]
pub struct BurnCode {
    pub realm: RealmId,
    /// What the code would have granted; `expires` must not be before the code's own end.
    pub grant: Grant,
    /// [`AuditEvent::CodeBurnt`]; becomes [`AuditEvent::CodeReused`] if it turns out to be that.
    pub audit: Audit,
}

/// What became of [`BurnCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeBurnt {
    Burnt,
    /// It had been redeemed or burnt before; a grant has been revoked.
    Reused,
}

impl Write for BurnCode {
    type Out = CodeBurnt;

    async fn run(&self, c: &mut Conn) -> Result<CodeBurnt> {
        const INSERT: &str = "INSERT INTO grants \
             (realm_id, grant_id, client_id, account_id, sid, scope, state, created_ms, expires_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        let (realm, g) = (self.realm, &self.grant);
        let burnt = GrantState::Burnt.word();
        let values = vals![realm, &g.id, &g.client_id, &g.account_id, &g.sid, &g.scope, burnt, g.created, g.expires];
        if c.exec(INSERT, values).await? == 1 {
            audit::insert(c, realm, &self.audit).await?;
            return Ok(CodeBurnt::Burnt);
        }
        revoke_reused(c, realm, &g.id).await?;
        audit::insert_as(c, realm, &self.audit, AuditEvent::CodeReused).await?;
        Ok(CodeBurnt::Reused)
    }
}

/// Revokes a grant. `false`: it was not live.
#[derive(Clone, Debug)]
pub struct RevokeGrant {
    pub realm: RealmId,
    pub id: GrantId,
    pub audit: Audit,
}

impl Write for RevokeGrant {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str =
            "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND grant_id = $2 AND state = 'live'";
        if c.exec(SQL, vals![self.realm, &self.id]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(revoked: &bool) -> bool {
        *revoked
    }
}
