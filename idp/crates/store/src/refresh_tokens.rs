//! Refresh tokens: used once and followed by a successor, or kept (RFC 6749 §6, RFC 9700 §4.14).
//!
//! The family of a token is its grant. A used token stays, so that its return is noticed and kills the family.

use idp_core::audit::{Audit, AuditEvent};
use idp_core::grant::{Grant, RefreshToken};
use idp_core::id::{GrantId, RealmId};
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::grants::{GrantStatus, grant_columns, grant_depends, grant_joins};
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, sessions, vals};

/// A refresh token about to be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// SHA-256 of the token.
    pub hash: Hash,
    pub issued: Timestamp,
    /// Its absolute end, the same for its whole family.
    pub expires: Timestamp,
}

/// A presented refresh token with its grant.
#[derive(Clone, Debug)]
pub struct FoundRefreshToken {
    pub status: GrantStatus,
    pub token: RefreshToken,
}

impl FromRow for FoundRefreshToken {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            status: GrantStatus::from_row(row)?,
            token: RefreshToken { active: row.time()?, used: row.time_or_null()?, expires: row.time()? },
        })
    }
}

impl Store {
    /// A refresh token and its grant with what it depends on, in one statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_refresh_token(&self, realm: RealmId, hash: &Hash) -> Result<Option<FoundRefreshToken>> {
        const SQL: &str = concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            grant_depends!(),
            ", r.active_ms, r.used_ms, r.expires_ms FROM refresh_tokens r \
             JOIN grants g ON g.realm_id = r.realm_id AND g.grant_id = r.grant_id ",
            grant_joins!(),
            " WHERE r.realm_id = $1 AND r.hash = $2"
        );
        self.one(SQL, vals![realm, hash]).await
    }
}

/// Writes a token; a successor that is there already is left as it is.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, grant: &GrantId, token: &NewRefreshToken) -> Result<()> {
    const SQL: &str = "INSERT INTO refresh_tokens (realm_id, hash, grant_id, active_ms, expires_ms) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    c.exec(SQL, vals![realm, &token.hash, grant, token.issued, token.expires]).await.map(drop)
}

/// Uses a refresh token that was found good.
#[derive(Clone, Debug)]
pub struct UseRefreshToken {
    pub realm: RealmId,
    /// SHA-256 of the token presented.
    pub presented: Hash,
    /// Its grant, as it was found.
    pub grant: Grant,
    /// The successor; `None`: the client keeps its token.
    pub successor: Option<NewRefreshToken>,
    pub now: Timestamp,
    /// A session used before this moment is over; for grants that end with their session.
    pub session_since: Timestamp,
    /// The same successor is given again if the token was used after this moment.
    pub grace_since: Timestamp,
    /// [`AuditEvent::TokenRefreshed`]; becomes [`AuditEvent::RefreshReused`] if it turns out to be that.
    pub audit: Audit,
}

/// What became of [`UseRefreshToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Used now.
    Done,
    /// Used a moment ago, and its successor is unused: the same successor again.
    Repeated,
    /// It came back after its successor was used, or too late: the family is revoked.
    Reused,
    /// Grant, session, account or client do not permit it any more; nothing was written.
    Gone,
}

impl Write for UseRefreshToken {
    type Out = Refreshed;

    async fn run(&self, c: &mut Conn) -> Result<Refreshed> {
        // Locks the grant, so that a revocation comes before or after, never between.
        const GRANT: &str = "UPDATE grants SET state = state WHERE realm_id = $1 AND grant_id = $2 AND state = 'live' \
             AND EXISTS (SELECT 1 FROM clients c WHERE c.realm_id = $1 AND c.client_id = grants.client_id \
             AND c.state = 'active') \
             AND EXISTS (SELECT 1 FROM accounts a WHERE a.realm_id = $1 AND a.account_id = grants.account_id \
             AND a.state = 'active')";
        let (realm, grant) = (self.realm, &self.grant);
        if !grant.offline && !sessions::touch(c, realm, grant.sid.as_ref(), self.now, self.session_since).await? {
            return Ok(Refreshed::Gone);
        }
        if c.exec(GRANT, vals![realm, &grant.id]).await? == 0 {
            return Ok(Refreshed::Gone);
        }
        let done = match &self.successor {
            Some(successor) => self.follow(c, &grant.id, successor).await?,
            None => self.keep(c).await?,
        };
        let outcome = if done { Refreshed::Done } else { self.returned(c, &grant.id).await? };
        let event = if outcome == Refreshed::Reused { AuditEvent::RefreshReused } else { self.audit.event };
        audit::insert_as(c, realm, &self.audit, event).await?;
        Ok(outcome)
    }

    fn keeps(out: &Refreshed) -> bool {
        !matches!(out, Refreshed::Gone)
    }
}

impl UseRefreshToken {
    async fn follow(&self, c: &mut Conn, grant: &GrantId, successor: &NewRefreshToken) -> Result<bool> {
        const USE: &str = "UPDATE refresh_tokens SET used_ms = $3, successor = $4 \
             WHERE realm_id = $1 AND hash = $2 AND used_ms IS NULL AND expires_ms > $3";
        if c.exec(USE, vals![self.realm, &self.presented, self.now, &successor.hash]).await? == 0 {
            return Ok(false);
        }
        insert(c, self.realm, grant, successor).await?;
        Ok(true)
    }

    async fn keep(&self, c: &mut Conn) -> Result<bool> {
        const KEEP: &str = "UPDATE refresh_tokens SET active_ms = $3 \
             WHERE realm_id = $1 AND hash = $2 AND used_ms IS NULL AND expires_ms > $3";
        Ok(c.exec(KEEP, vals![self.realm, &self.presented, self.now]).await? == 1)
    }

    /// A token that had been used: two requests of one client at once, or a thief.
    async fn returned(&self, c: &mut Conn, grant: &GrantId) -> Result<Refreshed> {
        const UNUSED_SUCCESSOR: &str = "SELECT r.realm_id FROM refresh_tokens r \
             JOIN refresh_tokens n ON n.realm_id = r.realm_id AND n.hash = r.successor AND n.used_ms IS NULL \
             WHERE r.realm_id = $1 AND r.hash = $2 AND r.used_ms >= $3";
        const REVOKE: &str =
            "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND grant_id = $2 AND state = 'live'";
        let values = vals![self.realm, &self.presented, self.grace_since];
        if self.successor.is_some() && c.one::<i64>(UNUSED_SUCCESSOR, values).await?.is_some() {
            return Ok(Refreshed::Repeated);
        }
        c.exec(REVOKE, vals![self.realm, grant]).await?;
        Ok(Refreshed::Reused)
    }
}
