//! Grants: a code redeemed once, burnt, found reused; a client's own; what tokens rest on.
//!
//! The row is keyed by the random id inside the code's seal, so a second redemption meets the first
//! (RFC 6749 §4.1.2, RFC 9700 §4.5).

use idp_core::audit::{Audit, AuditEvent};
use idp_core::grant::{Grant, GrantState};
use idp_core::id::{GrantId, RealmId};

use crate::error::Result;
use crate::refresh_tokens::{self, NewRefreshToken};
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, sessions, vals};

/// The columns of a grant, as [`Grant`] reads them.
macro_rules! grant_columns {
    () => {
        "g.grant_id, g.client_id, g.account_id, g.sid, g.scope, g.detail, g.offline, g.hears_of_logout, g.state, \
         g.created_ms, g.expires_ms"
    };
}

/// What a grant depends on, as [`GrantStatus`] reads it.
macro_rules! grant_depends {
    () => {
        "a.state, c.state, s.state"
    };
}

/// The rows a grant depends on.
macro_rules! grant_joins {
    () => {
        "LEFT JOIN accounts a ON a.realm_id = g.realm_id AND a.account_id = g.account_id \
         LEFT JOIN clients c ON c.realm_id = g.realm_id AND c.client_id = g.client_id \
         LEFT JOIN sessions s ON s.realm_id = g.realm_id AND s.sid = g.sid"
    };
}

pub(crate) use {grant_columns, grant_depends, grant_joins};

impl FromRow for Grant {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("grants.grant_id")?,
            client_id: row.client_id("grants.client_id")?,
            account_id: row.id_or_null("grants.account_id")?,
            sid: row.id_or_null("grants.sid")?,
            scope: row.text()?.to_owned(),
            detail: row.json("grants.detail")?,
            offline: row.bool()?,
            hears_of_logout: row.bool()?,
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
    pub const fn is_good(&self) -> bool {
        let grant = &self.grant;
        matches!(grant.state, GrantState::Live)
            && self.client_active
            && (self.account_active || grant.account_id.is_none())
            && (self.session_live || grant.offline || grant.sid.is_none())
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
        const SQL: &str = concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            grant_depends!(),
            " FROM grants g ",
            grant_joins!(),
            " WHERE g.realm_id = $1 AND g.grant_id = $2"
        );
        self.one(SQL, vals![realm, id]).await
    }
}

/// What must still hold when a grant begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Account (if any) and client are good.
    Parties,
    /// The same, and the account's consent to the client was not withdrawn meanwhile.
    Consent,
    /// Nothing: it is burnt.
    Nothing,
}

/// Inserts a grant where `guard` holds; whether it did. A grant whose client is to hear of the session's end stays as
/// long as the session.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, g: &Grant, guard: Guard) -> Result<bool> {
    const SQL: &str = "INSERT INTO grants (realm_id, grant_id, client_id, account_id, sid, scope, detail, offline, \
         hears_of_logout, state, created_ms, expires_ms) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         CASE WHEN $9 = 1 AND s.expires_ms > $12 THEN s.expires_ms ELSE $12 END \
         FROM clients c LEFT JOIN sessions s ON s.realm_id = $1 AND s.sid = $5 \
         WHERE c.realm_id = $1 AND c.client_id = $3 AND ($10 = 'burnt' OR (c.state = 'active' AND ($4 IS NULL \
         OR EXISTS (SELECT 1 FROM accounts WHERE realm_id = $1 AND account_id = $4 AND state = 'active')) \
         AND ($13 = 0 \
         OR EXISTS (SELECT 1 FROM consents WHERE realm_id = $1 AND account_id = $4 AND client_id = $3)))) \
         ON CONFLICT DO NOTHING";
    let state = if guard == Guard::Nothing { GrantState::Burnt } else { GrantState::Live };
    let detail = json(&g.detail, "grants.detail")?;
    let values = vals![
        realm,
        &g.id,
        &g.client_id,
        g.account_id.as_ref(),
        g.sid.as_ref(),
        &g.scope,
        &detail,
        g.offline,
        g.hears_of_logout,
        state.word(),
        g.created,
        g.expires,
        guard == Guard::Consent,
    ];
    Ok(c.exec(SQL, values).await? == 1)
}

/// Redeems a code: inserts its grant, and its first refresh token where it gets one.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    pub realm: RealmId,
    /// As it shall be; its state is live and `created` is now.
    pub grant: Grant,
    pub refresh: Option<NewRefreshToken>,
    pub guard: Guard,
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
        let (realm, g) = (self.realm, &self.grant);
        let live = sessions::touch(c, realm, g.sid.as_ref(), g.created, g.created).await?;
        if live && insert(c, realm, g, self.guard).await? {
            if let Some(refresh) = &self.refresh {
                refresh_tokens::insert(c, realm, &g.id, refresh).await?;
            }
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

/// Begins the grant of a client that acts for itself (RFC 6749 §4.4). `false`: the client may not any more.
#[derive(Clone, Debug)]
pub struct StartGrant {
    pub realm: RealmId,
    pub grant: Grant,
    pub audit: Audit,
}

impl Write for StartGrant {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        if !insert(c, self.realm, &self.grant, Guard::Parties).await? {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(started: &bool) -> bool {
        *started
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
        let (realm, g) = (self.realm, &self.grant);
        if insert(c, realm, g, Guard::Nothing).await? {
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
