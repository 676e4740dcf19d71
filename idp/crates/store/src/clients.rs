//! Clients: the applications people sign in to.

use idp_core::audit::Audit;
use idp_core::client::Client;
use idp_core::id::{ClientId, RealmId};
use idp_core::time::Timestamp;

use crate::audit;
use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::vals;
use crate::words::Word as _;
use crate::write::Write;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT client_id, state, secret_hash, registration_hash, settings, created_ms, updated_ms FROM clients \
             WHERE realm_id = $1 ",
            $rest
        )
    };
}

impl FromRow for Client {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.client_id("clients.client_id")?,
            state: row.word("clients.state")?,
            secret_hash: row.hash_or_null("clients.secret_hash")?,
            registration_hash: row.hash_or_null("clients.registration_hash")?,
            settings: row.json("clients.settings")?,
            created: row.time()?,
            updated: row.time()?,
        })
    }
}

impl Store {
    /// A client, whatever its state; see [`Store::cached_client`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_client(&self, realm: RealmId, id: &ClientId) -> Result<Option<Client>> {
        self.one(select!("AND client_id = $2"), vals![realm, id]).await
    }

    /// All clients of a realm, by identifier.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_clients(&self, realm: RealmId) -> Result<Vec<Client>> {
        self.list(select!("ORDER BY client_id"), vals![realm]).await
    }
}

/// Inserts a client. `false`: the identifier is taken.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, client: &Client) -> Result<bool> {
    const SQL: &str = "INSERT INTO clients \
         (realm_id, client_id, state, secret_hash, registration_hash, settings, created_ms, updated_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let (state, secret) = (client.state.word(), client.secret_hash.as_ref());
    let registration = client.registration_hash.as_ref();
    let settings = json(&client.settings, "clients.settings")?;
    let values = vals![realm, &client.id, state, secret, registration, &settings, client.created, client.updated];
    Ok(c.exec(SQL, values).await? > 0)
}

/// Makes a client. `false`: the identifier is taken.
#[derive(Clone, Debug)]
pub struct CreateClient {
    pub realm: RealmId,
    pub client: Client,
    pub audit: Audit,
}

impl Write for CreateClient {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        if !insert(c, self.realm, &self.client).await? {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(created: &bool) -> bool {
        *created
    }
}

/// Changes a client: its state, secret and settings.
#[derive(Clone, Debug)]
pub struct UpdateClient {
    pub realm: RealmId,
    /// As it shall be; `updated` is now.
    pub client: Client,
    /// `updated` of the client that was seen, so that nobody's change is overwritten unread.
    pub seen: Timestamp,
    pub audit: Audit,
}

/// What became of [`UpdateClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientUpdated {
    Updated,
    /// Somebody changed or deleted it since it was seen.
    Changed,
}

impl Write for UpdateClient {
    type Out = ClientUpdated;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<ClientUpdated> {
        const SQL: &str = "UPDATE clients SET state = $3, secret_hash = $4, registration_hash = $5, settings = $6, \
             updated_ms = $7 WHERE realm_id = $1 AND client_id = $2 AND updated_ms = $8";
        let client = &self.client;
        let settings = json(&client.settings, "clients.settings")?;
        let (state, secret) = (client.state.word(), client.secret_hash.as_ref());
        let registration = client.registration_hash.as_ref();
        let values = vals![self.realm, &client.id, state, secret, registration, &settings, client.updated, self.seen];
        if c.exec(SQL, values).await? == 0 {
            return Ok(ClientUpdated::Changed);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(ClientUpdated::Updated)
    }

    fn keeps(out: &ClientUpdated) -> bool {
        matches!(out, ClientUpdated::Updated)
    }
}

/// Deletes a client, revokes what it was granted and forgets the consents to it. `false`: no such client.
#[derive(Clone, Debug)]
pub struct DeleteClient {
    pub realm: RealmId,
    pub id: ClientId,
    pub audit: Audit,
}

impl Write for DeleteClient {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const DELETE: &str = "DELETE FROM clients WHERE realm_id = $1 AND client_id = $2";
        const REVOKE: &str =
            "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND client_id = $2 AND state = 'live'";
        const FORGET: &str = "DELETE FROM consents WHERE realm_id = $1 AND client_id = $2";
        if c.exec(DELETE, vals![self.realm, &self.id]).await? == 0 {
            return Ok(false);
        }
        c.exec(REVOKE, vals![self.realm, &self.id]).await?;
        c.exec(FORGET, vals![self.realm, &self.id]).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(deleted: &bool) -> bool {
        *deleted
    }
}
