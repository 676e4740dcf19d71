//! Consents: what people said yes to (OIDC Core §3.1.2.4).

use idp_core::audit::Audit;
use idp_core::id::{AccountId, ClientId, FlowId, RealmId};
use idp_core::oauth::scope::Scopes;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Locking, Row, for_update};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

/// One account's consent to one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub account_id: AccountId,
    pub client_id: ClientId,
    /// Space-separated scopes.
    pub scope: String,
    /// The authorization request it was last given for, so that `prompt=consent` is met by it.
    pub flow: FlowId,
    pub updated: Timestamp,
}

impl FromRow for Consent {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            account_id: row.id("consents.account_id")?,
            client_id: row.client_id("consents.client_id")?,
            scope: row.text()?.to_owned(),
            flow: row.id("consents.flow_id")?,
            updated: row.time()?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account_id, client_id, scope, flow_id, updated_ms FROM consents \
             WHERE realm_id = $1 AND account_id = $2 ",
            $rest
        )
    };
}

impl Store {
    /// What an account consented to for a client.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_consent(
        &self,
        realm: RealmId,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<Option<Consent>> {
        self.one(select!("AND client_id = $3"), vals![realm, account, client]).await
    }

    /// All consents of an account, by client.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_consents(&self, realm: RealmId, account: &AccountId) -> Result<Vec<Consent>> {
        self.few(select!("ORDER BY client_id"), vals![realm, account]).await
    }
}

/// Saves a consent; its scope is added to that of one that is there.
#[derive(Clone, Debug)]
pub struct SaveConsent {
    pub realm: RealmId,
    /// Its scope is what is consented to now.
    pub consent: Consent,
    pub audit: Audit,
}

impl Write for SaveConsent {
    type Out = ();

    async fn run(&self, c: &mut Conn) -> Result<()> {
        save(c, self.realm, &self.consent).await?;
        audit::insert(c, self.realm, &self.audit).await
    }
}

/// Writes a consent, or adds its scope to that of one that is there.
pub(crate) async fn save(c: &mut Conn, realm: RealmId, consent: &Consent) -> Result<()> {
    const INSERT: &str = "INSERT INTO consents (realm_id, account_id, client_id, scope, flow_id, updated_ms) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    const LOCK: Locking =
        for_update!("SELECT realm_id FROM consents WHERE realm_id = $1 AND account_id = $2 AND client_id = $3");
    const UPDATE: &str = "UPDATE consents SET scope = $4, flow_id = $5, updated_ms = $6 \
             WHERE realm_id = $1 AND account_id = $2 AND client_id = $3";
    let Consent { account_id: account, client_id: client, flow, updated, .. } = consent;
    let now = Scopes::from_stored(&consent.scope);
    if c.exec(INSERT, vals![realm, account, client, now.as_str(), flow, *updated]).await? == 0 {
        // Read under a lock: of two tabs that agree at once neither undoes the other.
        c.lock(LOCK, vals![realm, account, client]).await?;
        let before: Option<Consent> = c.one(select!("AND client_id = $3"), vals![realm, account, client]).await?;
        let all = before.map_or(now.clone(), |before| Scopes::from_stored(&before.scope).union(&now));
        c.exec(UPDATE, vals![realm, account, client, all.as_str(), flow, *updated]).await?;
    }
    Ok(())
}

/// Withdraws a consent and revokes what was granted to the client, which perhaps never had to ask. `false`: there was
/// neither.
#[derive(Clone, Debug)]
pub struct DeleteConsent {
    pub realm: RealmId,
    pub account: AccountId,
    pub client: ClientId,
    pub audit: Audit,
}

impl Write for DeleteConsent {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const DELETE: &str = "DELETE FROM consents WHERE realm_id = $1 AND account_id = $2 AND client_id = $3";
        // Two ways, each with its index: those that outlive their session, and by way of the account's sessions.
        const OFFLINE: &str = "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND account_id = $2 \
             AND offline = 1 AND client_id = $3 AND state = 'live'";
        const REVOKE: &str = "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND client_id = $3 \
             AND account_id = $2 AND state = 'live' \
             AND sid IN (SELECT sid FROM sessions WHERE realm_id = $1 AND account_id = $2)";
        let consents = c.exec(DELETE, vals![self.realm, &self.account, &self.client]).await?;
        let offline = c.exec(OFFLINE, vals![self.realm, &self.account, &self.client]).await?;
        let grants = c.exec(REVOKE, vals![self.realm, &self.account, &self.client]).await?;
        if consents + offline + grants == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(deleted: &bool) -> bool {
        *deleted
    }
}
