//! What an operator does to a running product, through the store's verbs.

use idp::start;
use idp_core::account::{AccountState, Role};
use idp_core::audit::{Audit, AuditEvent};
use idp_core::client::{Client, ClientState, SigningAlg};
use idp_core::id::Sid;
use idp_core::jose::keyset::KeyState;
use idp_core::passkey::policy::{ClientPolicy, Policy};
use idp_core::passkey::reach;
use idp_core::realm::{Realm, RealmSettings};
use idp_store::accounts::{AccountChange, DeleteAccount, SetAccountState, SetRole};
use idp_store::clients::{ClientUpdated, DeleteClient, UpdateClient};
use idp_store::group_policies::{GroupPolicySet, SetGroupPolicy};
use idp_store::keys::{EnsureKeys, RotateKey};
use idp_store::passkey_removal::{PasskeyRemoved, RemovePasskey};
use idp_store::realms::{RealmUpdated, SetPolicy, UpdateRealm};
use idp_store::sessions::EndSession;
use serde_json::json;

use super::{Person, Rp, World};

impl World {
    /// An audit row for an operator's act.
    pub fn audit(&self, event: AuditEvent) -> Audit {
        start::audit(&self.app, event, json!({}))
    }

    /// The realm as it is now.
    pub async fn realm(&self) -> Realm {
        self.app.store.find_realm("default").await.unwrap().unwrap()
    }

    pub async fn set_policy(&self, policy: Policy) {
        let op = SetPolicy { realm: self.realm, policy, audit: self.audit(AuditEvent::RealmChanged) };
        assert!(self.app.store.write(op).await.unwrap());
    }

    /// Gives a group that exists a policy of its own.
    pub async fn set_group_policy(&self, group: &str, priority: i64, policy: Policy) {
        let audit = self.audit(AuditEvent::PolicyChanged);
        let op = SetGroupPolicy { realm: self.realm, group: group.to_owned(), policy: Some((priority, policy)), audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), GroupPolicySet::Done);
    }

    pub async fn unset_group_policy(&self, group: &str) {
        let audit = self.audit(AuditEvent::PolicyChanged);
        let op = SetGroupPolicy { realm: self.realm, group: group.to_owned(), policy: None, audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), GroupPolicySet::Done);
    }

    /// Sets what a client demands of passkeys, from words.
    pub async fn set_demands(&self, rp: &Rp, demands: &[(&str, &str)]) {
        let mut policy = ClientPolicy::default();
        for (name, value) in demands {
            policy.set(name, value).unwrap();
        }
        assert_eq!(reach::problems(&self.realm().await, &policy), [], "the demands can be saved");
        self.change_client(rp, |client| client.settings.policy = policy).await;
    }

    pub async fn set_settings(&self, change: impl FnOnce(&mut RealmSettings)) {
        let mut realm = self.realm().await;
        change(&mut realm.settings);
        let op = UpdateRealm { realm, audit: self.audit(AuditEvent::RealmChanged) };
        assert_eq!(self.app.store.write(op).await.unwrap(), RealmUpdated::Updated);
    }

    pub async fn set_account_state(&self, person: &Person, state: AccountState) {
        let audit = self.audit(AuditEvent::AccountChanged);
        let op = SetAccountState { realm: self.realm, id: person.id, state, now: self.clock.now(), audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), AccountChange::Done);
    }

    /// Makes somebody an owner of the realm.
    pub async fn make_owner(&self, person: &Person) {
        let (role, audit) = (Role::Owner, self.audit(AuditEvent::AccountChanged));
        let op = SetRole { realm: self.realm, id: person.id, role, now: self.clock.now(), audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), AccountChange::Done);
    }

    pub async fn delete_account(&self, person: &Person) {
        let op = DeleteAccount { realm: self.realm, id: person.id, audit: self.audit(AuditEvent::AccountDeleted) };
        assert_eq!(self.app.store.write(op).await.unwrap(), AccountChange::Done);
    }

    pub async fn end_session(&self, person: &Person, sid: Sid) {
        let audit = self.audit(AuditEvent::SessionEnded);
        assert!(self.app.store.write(EndSession { realm: self.realm, sid, account: person.id, audit }).await.unwrap());
    }

    pub async fn set_client_state(&self, rp: &Rp, state: ClientState) {
        self.change_client(rp, |client| client.state = state).await;
    }

    async fn change_client(&self, rp: &Rp, change: impl FnOnce(&mut Client)) {
        let mut client = self.app.store.find_client(self.realm, &rp.client.id).await.unwrap().unwrap();
        let seen = client.updated;
        change(&mut client);
        client.updated = self.clock.now().max(seen).plus_s(1);
        let op = UpdateClient { realm: self.realm, client, seen, audit: self.audit(AuditEvent::ClientChanged) };
        assert_eq!(self.app.store.write(op).await.unwrap(), ClientUpdated::Updated);
    }

    pub async fn delete_client(&self, rp: &Rp) {
        let op =
            DeleteClient { realm: self.realm, id: rp.client.id.clone(), audit: self.audit(AuditEvent::ClientChanged) };
        assert!(self.app.store.write(op).await.unwrap());
    }

    /// Removes one of a person's passkeys, as an operator: the last one too.
    pub async fn remove_passkey(&self, person: &Person, number: usize) {
        let op = RemovePasskey {
            realm: self.realm,
            account: person.id,
            credential_id: person.keys[number].credential_id.clone(),
            way_in: None,
            audit: self.audit(AuditEvent::PasskeyRemoved),
        };
        assert!(matches!(self.app.store.write(op).await.unwrap(), PasskeyRemoved::Done { .. }));
    }

    /// Retires the active key of an algorithm in favour of a new one.
    pub async fn rotate_key(&self, alg: SigningAlg) {
        let app = &self.app;
        let mut key = idp::keys::make(alg, self.realm, app.sealer(), app.random(), app.now()).unwrap();
        (key.state, key.activated) = (KeyState::Next, None);
        let op = EnsureKeys { realm: self.realm, keys: vec![key], audit: self.audit(AuditEvent::KeyCreated) };
        assert_eq!(app.store.write(op).await.unwrap(), 1);
        let op = RotateKey { realm: self.realm, alg, now: app.now(), audit: self.audit(AuditEvent::KeyRetired) };
        assert!(app.store.write(op).await.unwrap());
    }
}

impl World {
    /// A second realm, with keys, at another host of the same process.
    pub async fn second_realm(&self, host: &str) {
        let plan = idp::start::RealmPlan {
            name: host.to_owned(),
            issuer: format!("https://{host}"),
            display_name: host.to_owned(),
            relying_parties: None,
            rewrite: false,
        };
        start::ensure_realm(&self.app, plan).await.unwrap();
    }
}
