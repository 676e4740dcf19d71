//! Grants: what tokens rest on, and whether that is still good.

use idp_core::account::Account;
use idp_core::audit::Audit;
use idp_core::grant::{Grant, GrantState};
use idp_core::id::{AccountId, ClientId, GrantId, RealmId};
use idp_core::time::Timestamp;

use crate::accounts::account_columns;
use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Locking, Row, for_share};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, vals};

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

/// What an application may do for an account now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub client_id: ClientId,
    /// Space-separated scopes.
    pub scope: String,
    /// Also while nobody is signed in.
    pub offline: bool,
}

impl FromRow for Granted {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { client_id: row.client_id("grants.client_id")?, scope: row.text()?.to_owned(), offline: row.bool()? })
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

/// A grant with what it depends on, and its account where that is active.
impl FromRow for (GrantStatus, Option<Account>) {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let status = GrantStatus::from_row(row)?;
        let account = if status.account_active { Some(Account::from_row(row)?) } else { None };
        Ok((status, account))
    }
}

impl Store {
    /// What was granted in the live sessions of an account, or for good, by client.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_granted(&self, realm: RealmId, account: &AccountId, now: Timestamp) -> Result<Vec<Granted>> {
        const SQL: &str = "SELECT client_id, scope, offline FROM grants \
             WHERE realm_id = $1 AND account_id = $2 AND offline = 1 AND state = 'live' AND expires_ms > $3 \
             UNION SELECT g.client_id, g.scope, g.offline FROM sessions s \
             JOIN grants g ON g.realm_id = s.realm_id AND g.sid = s.sid \
             WHERE s.realm_id = $1 AND s.account_id = $2 AND s.state = 'live' AND s.expires_ms > $3 \
             AND g.state = 'live' AND g.expires_ms > $3 ORDER BY client_id, scope";
        self.list(SQL, vals![realm, account, now]).await
    }

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

    /// The same with its account, where it has one and that is active.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_grant_with_account(
        &self,
        realm: RealmId,
        id: &GrantId,
    ) -> Result<Option<(GrantStatus, Option<Account>)>> {
        const SQL: &str = concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            grant_depends!(),
            ", ",
            account_columns!(),
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
         OR EXISTS (SELECT 1 FROM accounts WHERE realm_id = $1 AND account_id = $4 AND state = 'active')))) \
         ON CONFLICT DO NOTHING";
    // Locked until the commit, so that a withdrawal comes before or after, never between.
    const CONSENT: Locking =
        for_share!("SELECT realm_id FROM consents WHERE realm_id = $1 AND account_id = $2 AND client_id = $3");
    if guard == Guard::Consent && !c.lock(CONSENT, vals![realm, g.account_id.as_ref(), &g.client_id]).await? {
        return Ok(false);
    }
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
    ];
    Ok(c.exec(SQL, values).await? == 1)
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
