//! Back-channel logout: which clients are still to be told that a session ended. OIDC Back-Channel Logout §2.5.
//!
//! A row is written in the commit that ends the session and goes when its client was told or refused to hear, so that
//! nothing is lost to a crash in between.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, ClientId, RealmId, Sid};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

/// Notes that the clients of a session are to be told. After the session's row was locked by its end: a redemption
/// came before that and is seen here, or finds the session ended.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, account: &AccountId, sid: &Sid, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO logout_deliveries \
         (realm_id, sid, client_id, account_id, attempts, due_ms, created_ms) \
         SELECT DISTINCT g.realm_id, g.sid, g.client_id, g.account_id, 0, $4, $4 FROM grants g \
         WHERE g.realm_id = $1 AND g.sid = $2 AND g.account_id = $3 AND g.hears_of_logout = 1 \
         AND g.state <> 'burnt' ON CONFLICT DO NOTHING";
    c.exec(SQL, vals![realm, sid, account, now]).await.map(drop)
}

/// One client that is to be told of one session's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutDelivery {
    pub sid: Sid,
    /// Whose session it was; perhaps deleted since.
    pub account_id: AccountId,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// When the session ended.
    pub created: Timestamp,
}

impl FromRow for LogoutDelivery {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            sid: row.id("logout_deliveries.sid")?,
            account_id: row.id("logout_deliveries.account_id")?,
            attempts: row.i64()?,
            created: row.time()?,
        })
    }
}

/// A client of a session.
struct Told(ClientId);

impl FromRow for Told {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.client_id("grants.client_id").map(Self)
    }
}

/// A client with deliveries that are due.
struct Due((RealmId, ClientId));

impl FromRow for Due {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self((RealmId(row.i64()?), row.client_id("logout_deliveries.client_id")?)))
    }
}

impl Store {
    /// Clients of all realms for which something is due, those that wait longest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_due_logouts(&self, now: Timestamp, most: i64) -> Result<Vec<(RealmId, ClientId)>> {
        const SQL: &str = "SELECT realm_id, client_id FROM logout_deliveries WHERE due_ms <= $1 \
             GROUP BY realm_id, client_id ORDER BY MIN(due_ms) LIMIT $2";
        let due: Vec<Due> = self.look(SQL, vals![now, most]).await?;
        Ok(due.into_iter().map(|due| due.0).collect())
    }

    /// Clients that hear of the end of a session, ended or not: for its front channel.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_clients_of_session(&self, realm: RealmId, sid: &Sid) -> Result<Vec<ClientId>> {
        const SQL: &str = "SELECT DISTINCT client_id FROM grants \
             WHERE realm_id = $1 AND sid = $2 AND hears_of_logout = 1 AND state <> 'burnt' ORDER BY client_id";
        let told: Vec<Told> = self.list(SQL, vals![realm, sid]).await?;
        Ok(told.into_iter().map(|told| told.0).collect())
    }
}

/// Takes deliveries of one client that are due. They are due again at `until`: whoever dies meanwhile loses none, and
/// no other process takes them before.
#[derive(Clone, Debug)]
pub struct ClaimLogoutDeliveries {
    pub realm: RealmId,
    pub client: ClientId,
    pub now: Timestamp,
    pub until: Timestamp,
    pub most: i64,
}

impl Write for ClaimLogoutDeliveries {
    type Out = Vec<LogoutDelivery>;

    async fn run(&self, c: &mut Conn) -> Result<Vec<LogoutDelivery>> {
        // The outer condition on time is asked again of a row that another process was taking.
        const SQL: &str = "UPDATE logout_deliveries SET due_ms = $4, attempts = attempts + 1 \
             WHERE realm_id = $1 AND client_id = $2 AND due_ms <= $3 AND sid IN \
             (SELECT sid FROM logout_deliveries WHERE realm_id = $1 AND client_id = $2 AND due_ms <= $3 \
             ORDER BY due_ms, sid LIMIT $5) \
             RETURNING sid, account_id, attempts, created_ms";
        c.all(SQL, vals![self.realm, &self.client, self.now, self.until, self.most]).await
    }

    fn keeps(taken: &Vec<LogoutDelivery>) -> bool {
        !taken.is_empty()
    }
}

/// Ends a delivery, or puts it off. `false`: it had ended before; nothing is written.
#[derive(Clone, Debug)]
pub struct SettleLogoutDelivery {
    pub realm: RealmId,
    pub client: ClientId,
    pub sid: Sid,
    /// When to try again; `None`: never.
    pub again: Option<Timestamp>,
    pub audit: Option<Audit>,
}

impl Write for SettleLogoutDelivery {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const DELETE: &str = "DELETE FROM logout_deliveries WHERE realm_id = $1 AND sid = $2 AND client_id = $3";
        const LATER: &str = "UPDATE logout_deliveries SET due_ms = $4 \
             WHERE realm_id = $1 AND sid = $2 AND client_id = $3";
        let settled = match self.again {
            None => c.exec(DELETE, vals![self.realm, &self.sid, &self.client]).await?,
            Some(again) => c.exec(LATER, vals![self.realm, &self.sid, &self.client, again]).await?,
        };
        if settled == 0 {
            return Ok(false);
        }
        if let Some(audit) = &self.audit {
            audit::insert(c, self.realm, audit).await?;
        }
        Ok(true)
    }

    fn keeps(settled: &bool) -> bool {
        *settled
    }
}
