//! Realms: issuers with their hosts, settings and passkey policy.

use std::sync::Arc;

use idp_core::audit::Audit;
use idp_core::id::RealmId;
use idp_core::passkey::policy::Policy;
use idp_core::realm::{Realm, RealmSettings, RelyingParty};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::passkey_names::{self, NameClash};
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT realm_id, name, issuer, display_name, relying_parties, settings, policy FROM realms ", $rest)
    };
}

impl FromRow for Realm {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: RealmId(row.i64()?),
            name: row.text()?.to_owned(),
            issuer: row.text()?.to_owned(),
            display_name: row.text()?.to_owned(),
            relying_parties: row.json("realms.relying_parties")?,
            settings: row.json("realms.settings")?,
            policy: Arc::new(row.json("realms.policy")?),
            // Read beside: see [`crate::group_policies`].
            group_policies: Vec::new(),
        })
    }
}

impl Store {
    /// All realms, in the order they were made.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_realms(&self) -> Result<Vec<Realm>> {
        let mut realms: Vec<Realm> = self.list(select!("ORDER BY realm_id"), &[]).await?;
        for (id, of_group) in self.list_group_policies().await? {
            if let Some(realm) = realms.iter_mut().find(|realm| realm.id == id) {
                realm.group_policies.push(of_group);
            }
        }
        Ok(realms)
    }

    /// A realm by its short name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_realm(&self, name: &str) -> Result<Option<Realm>> {
        Ok(self.list_realms().await?.into_iter().find(|realm| realm.name == name))
    }
}

/// The relying parties of a realm, as the transaction sees them.
pub(crate) async fn relying_parties(c: &mut Conn, id: RealmId) -> Result<Option<Vec<RelyingParty>>> {
    let realm: Option<Realm> = c.one(select!("WHERE realm_id = $1"), vals![id]).await?;
    Ok(realm.map(|realm| realm.relying_parties))
}

/// What a realm and another one must not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Name,
    Issuer,
    /// One of the hosts: a request is told apart by it.
    Host,
}

/// Looks at the other realms. Changes of configuration queue, so what is free now stays free until the commit.
async fn taken(
    c: &mut Conn,
    id: Option<RealmId>,
    name: &str,
    issuer: &str,
    rps: &[RelyingParty],
) -> Result<Option<Taken>> {
    let all: Vec<Realm> = c.all(select!("ORDER BY realm_id"), &[]).await?;
    let mut hosts = rps.iter().flat_map(|rp| &rp.hosts);
    let others = || all.iter().filter(|realm| Some(realm.id) != id);
    Ok(if others().any(|realm| realm.name == name) {
        Some(Taken::Name)
    } else if others().any(|realm| realm.issuer == issuer) {
        Some(Taken::Issuer)
    } else if hosts.any(|host| others().any(|realm| realm.relying_party(host).is_some())) {
        Some(Taken::Host)
    } else {
        None
    })
}

/// Makes a realm.
#[derive(Clone, Debug)]
pub struct CreateRealm {
    pub name: String,
    pub issuer: String,
    pub display_name: String,
    pub relying_parties: Vec<RelyingParty>,
    pub settings: RealmSettings,
    pub policy: Policy,
    pub now: Timestamp,
    pub audit: Audit,
}

/// What became of [`CreateRealm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmCreated {
    Created(RealmId),
    Taken(Taken),
}

impl Write for CreateRealm {
    type Out = RealmCreated;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<RealmCreated> {
        const SQL: &str = "INSERT INTO realms \
             (realm_id, name, issuer, display_name, relying_parties, settings, policy, created_ms) \
             SELECT COALESCE(MAX(realm_id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM realms \
             WHERE true ON CONFLICT DO NOTHING RETURNING realm_id";
        if let Some(what) = taken(c, None, &self.name, &self.issuer, &self.relying_parties).await? {
            return Ok(RealmCreated::Taken(what));
        }
        let parties = json(&self.relying_parties, "realms.relying_parties")?;
        let (settings, policy) = (json(&self.settings, "realms.settings")?, json(&self.policy, "realms.policy")?);
        let values = vals![&self.name, &self.issuer, &self.display_name, &parties, &settings, &policy, self.now];
        let Some(id) = c.one::<i64>(SQL, values).await? else { return Ok(RealmCreated::Taken(Taken::Name)) };
        audit::insert(c, RealmId(id), &self.audit).await?;
        Ok(RealmCreated::Created(RealmId(id)))
    }

    fn keeps(out: &RealmCreated) -> bool {
        matches!(out, RealmCreated::Created(_))
    }
}

/// Changes all of a realm but its policy: issuer, hosts, names, settings.
#[derive(Clone, Debug)]
pub struct UpdateRealm {
    pub realm: Realm,
    pub audit: Audit,
}

/// What became of [`UpdateRealm`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealmUpdated {
    Updated,
    Taken(Taken),
    /// Two users would have one name in their authenticators.
    NamesClash(Vec<NameClash>),
    Gone,
}

impl Write for UpdateRealm {
    type Out = RealmUpdated;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<RealmUpdated> {
        const SQL: &str = "UPDATE realms SET name = $2, issuer = $3, display_name = $4, relying_parties = $5, \
             settings = $6 WHERE realm_id = $1";
        let realm = &self.realm;
        if let Some(what) = taken(c, Some(realm.id), &realm.name, &realm.issuer, &realm.relying_parties).await? {
            return Ok(RealmUpdated::Taken(what));
        }
        let before = passkey_names::settings(c, realm.id).await?;
        let parties = json(&realm.relying_parties, "realms.relying_parties")?;
        let settings = json(&realm.settings, "realms.settings")?;
        let values = vals![realm.id, &realm.name, &realm.issuer, &realm.display_name, &parties, &settings];
        if c.exec(SQL, values).await? == 0 {
            return Ok(RealmUpdated::Gone);
        }
        let names = |s: &RealmSettings| (s.passkey_username_pattern.clone(), s.user_schema.clone());
        if names(&before) != names(&realm.settings) {
            let clashes = passkey_names::rename_all(c, realm.id, &realm.settings).await?;
            if !clashes.is_empty() {
                return Ok(RealmUpdated::NamesClash(clashes));
            }
        }
        audit::insert(c, realm.id, &self.audit).await?;
        Ok(RealmUpdated::Updated)
    }

    fn keeps(out: &RealmUpdated) -> bool {
        matches!(out, RealmUpdated::Updated)
    }
}

/// Sets the passkey policy of a realm. `true`: done; `false`: no such realm.
#[derive(Clone, Debug)]
pub struct SetPolicy {
    pub realm: RealmId,
    pub policy: Policy,
    pub audit: Audit,
}

impl Write for SetPolicy {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        let policy = json(&self.policy, "realms.policy")?;
        if c.exec("UPDATE realms SET policy = $2 WHERE realm_id = $1", vals![self.realm, &policy]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}
