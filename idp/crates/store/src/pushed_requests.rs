//! Pushed authorization requests, kept under the hash of their `request_uri` (RFC 9126).
//!
//! They are consumed when their code is issued, not when they are looked at (FAPI 2.0 §5.3.2.2).

use idp_core::id::{ClientId, RealmId};
use idp_core::oauth::authorize::par::Pushed;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::vals;
use crate::write::Write;

impl FromRow for Pushed {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            client_id: row.client_id("pushed_requests.client_id")?,
            request: row.text()?.to_owned(),
            used: row.time_or_null()?.is_some(),
        })
    }
}

impl Store {
    /// A pushed request that is still there, used ones too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_pushed_request(&self, realm: RealmId, hash: &Hash, now: Timestamp) -> Result<Option<Pushed>> {
        const SQL: &str = "SELECT client_id, request, used_ms FROM pushed_requests \
             WHERE realm_id = $1 AND hash = $2 AND expires_ms >= $3";
        self.one(SQL, vals![realm, hash, now]).await
    }
}

/// Keeps a pushed request.
#[derive(Clone, Debug)]
pub struct PushRequest {
    pub realm: RealmId,
    /// SHA-256 of the secret part of its `request_uri`.
    pub hash: Hash,
    pub client_id: ClientId,
    pub request: String,
    /// When no flow that opened it can still be under way.
    pub expires: Timestamp,
}

impl Write for PushRequest {
    type Out = ();

    async fn run(&self, c: &mut Conn) -> Result<()> {
        const SQL: &str = "INSERT INTO pushed_requests (realm_id, hash, client_id, request, expires_ms) \
             VALUES ($1, $2, $3, $4, $5)";
        c.exec(SQL, vals![self.realm, &self.hash, &self.client_id, &self.request, self.expires]).await.map(drop)
    }
}

/// Consumes a pushed request, for the code that is about to be issued. `false`: somebody was faster.
#[derive(Clone, Debug)]
pub struct UsePushedRequest {
    pub realm: RealmId,
    pub hash: Hash,
    pub now: Timestamp,
}

impl Write for UsePushedRequest {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE pushed_requests SET used_ms = $3 \
             WHERE realm_id = $1 AND hash = $2 AND used_ms IS NULL AND expires_ms >= $3";
        Ok(c.exec(SQL, vals![self.realm, &self.hash, self.now]).await? == 1)
    }

    fn keeps(used: &bool) -> bool {
        *used
    }
}
