//! What a BLOB would do to the passkeys there are, before it does it.

use std::collections::HashMap;

use idp_core::account::Role;
use idp_core::id::{AccountId, RealmId};
use idp_core::passkey::mds::blob::Blob;
use idp_core::passkey::mds::{Entry, Model, ModelKey};
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::{Passkey, PasskeyState};
use idp_core::realm::Realm;
use idp_store::mds::Alike;

use super::MdsError;
use crate::app::App;

/// What it would do in all realms.
pub(super) struct Weight {
    pub realms: Vec<RealmWeight>,
}

/// What it would do in one.
pub(super) struct RealmWeight {
    pub id: RealmId,
    name: String,
    /// Passkeys that may sign in.
    active: i64,
    /// What becomes known of models.
    pub updates: Vec<(Alike, Model)>,
    pub suspensions: Vec<Suspension>,
    /// Owners whose last passkey is among them.
    owners: Vec<String>,
}

/// A passkey whose model has a status that its owner's policy refuses.
pub(super) struct Suspension {
    pub passkey: Passkey,
    pub statuses: Vec<&'static str>,
}

/// Weighs a BLOB against every realm.
///
/// # Errors
/// Those of the database.
pub(super) async fn weigh(app: &App, blob: &Blob) -> Result<Weight, MdsError> {
    let entries: HashMap<ModelKey, &Entry> = blob.entries.iter().map(|(key, entry)| (*key, entry)).collect();
    let mut realms = Vec::new();
    for realm in app.store.list_realms().await? {
        realms.push(weigh_realm(app, &realm, &entries).await?);
    }
    Ok(Weight { realms })
}

async fn weigh_realm(app: &App, realm: &Realm, entries: &HashMap<ModelKey, &Entry>) -> Result<RealmWeight, MdsError> {
    let mut weight = RealmWeight {
        id: realm.id,
        name: realm.name.clone(),
        active: app.store.count_active_passkeys(realm.id).await?,
        updates: Vec::new(),
        suspensions: Vec::new(),
        owners: Vec::new(),
    };
    for alike in app.store.list_registered_models(realm.id).await? {
        let entry = alike.key().and_then(|key| entries.get(&key).copied());
        let model = entry.map(|entry| entry.model(alike.root.as_ref())).unwrap_or_default();
        // Most policies refuse something, so that only models without any report need no look at their passkeys.
        if !model.statuses.is_empty() {
            for passkey in app.store.list_passkeys_of(realm.id, &alike).await? {
                let statuses = refused(&*app.policy_of(realm, &passkey.account_id).await?, &model);
                if !statuses.is_empty() {
                    weight.suspensions.push(Suspension { passkey, statuses });
                }
            }
        }
        if model != alike.model {
            weight.updates.push((alike, model));
        }
    }
    weight.owners = owners(app, &weight).await?;
    Ok(weight)
}

/// Statuses of the model that the policy refuses.
fn refused(policy: &Policy, model: &Model) -> Vec<&'static str> {
    model.statuses.iter().filter(|status| policy.mds_refuse_status.0.contains(status)).map(|s| s.text()).collect()
}

/// Owners who would be left without a passkey.
async fn owners(app: &App, weight: &RealmWeight) -> Result<Vec<String>, MdsError> {
    let is_hit =
        |passkey: &Passkey| weight.suspensions.iter().any(|hit| hit.passkey.credential_id == passkey.credential_id);
    let mut accounts: Vec<AccountId> = weight.suspensions.iter().map(|hit| hit.passkey.account_id).collect();
    accounts.sort();
    accounts.dedup();
    let mut owners = Vec::new();
    for id in accounts {
        let account = app.store.find_account(weight.id, &id).await?.filter(|account| account.role == Role::Owner);
        let Some(account) = account else { continue };
        let passkeys = app.store.list_passkeys(weight.id, &id).await?;
        if passkeys.iter().all(|passkey| passkey.state != PasskeyState::Active || is_hit(passkey)) {
            owners.push(account.username);
        }
    }
    Ok(owners)
}

impl Weight {
    /// Why an admin must look first, in words; `None`: it may act by itself.
    pub(super) fn too_heavy(&self, percent: u32) -> Option<String> {
        let reasons: Vec<String> = self.realms.iter().flat_map(|realm| realm.too_heavy(percent)).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl RealmWeight {
    fn too_heavy(&self, percent: u32) -> Vec<String> {
        let hit = i64::try_from(self.suspensions.len()).unwrap_or(i64::MAX);
        let mut reasons = Vec::new();
        if hit.saturating_mul(100) > self.active.saturating_mul(i64::from(percent)) {
            reasons.push(format!(
                "realm {}: {hit} of {} passkeys would be suspended, more than {percent} %",
                self.name, self.active
            ));
        }
        if !self.owners.is_empty() {
            reasons.push(format!(
                "realm {}: these owners would lose their last passkey: {}",
                self.name,
                self.owners.join(", ")
            ));
        }
        reasons
    }
}
