//! Groups, traits and scopes of the realm: what claims are made of, set through the store's verbs.

use idp_core::account::Profile;
use idp_core::audit::AuditEvent;
use idp_core::oidc::mapping::CustomScope;
use idp_store::accounts::{AccountChange, UpdateAccount};
use idp_store::groups::{AddMember, CreateGroup, Group, Membership, RemoveMember};
use serde_json::Value;

use super::{Person, World};

impl World {
    /// Puts a person into groups, made where they are missing.
    pub async fn join(&self, person: &Person, groups: &[&str]) {
        for name in groups {
            let (name, created) = ((*name).to_owned(), self.clock.now());
            let group = Group { name: name.clone(), display_name: name.clone(), created };
            let audit = self.audit(AuditEvent::GroupChanged);
            self.app.store.write(CreateGroup { realm: self.realm, group, audit }).await.unwrap();
            let audit = self.audit(AuditEvent::GroupChanged);
            let op = AddMember { realm: self.realm, group: name, account: person.id, audit };
            assert_eq!(self.app.store.write(op).await.unwrap(), Membership::Done);
        }
    }

    /// Takes a person out of a group.
    pub async fn leave(&self, person: &Person, group: &str) {
        let audit = self.audit(AuditEvent::GroupChanged);
        let op = RemoveMember { realm: self.realm, group: group.to_owned(), account: person.id, audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), Membership::Done);
    }

    /// Changes the profile of a person.
    pub async fn set_profile(&self, person: &Person, change: impl FnOnce(&mut Profile)) {
        let account = self.app.store.find_account(self.realm, &person.id).await.unwrap().unwrap();
        let mut profile = account.profile;
        change(&mut profile);
        assert_eq!(profile.trait_problems(), Vec::<String>::new(), "the traits can be saved");
        let (seen, now) = (account.updated, self.clock.now());
        let audit = self.audit(AuditEvent::AccountChanged);
        let op = UpdateAccount { realm: self.realm, id: person.id, profile, seen, now, audit };
        assert_eq!(self.app.store.write(op).await.unwrap(), AccountChange::Done);
    }

    /// Sets the realm's own scopes from their JSON form.
    pub async fn set_scopes(&self, scopes: Value) {
        let scopes: Vec<CustomScope> = serde_json::from_value(scopes).unwrap();
        self.set_settings(|settings| settings.scopes = scopes).await;
        assert_eq!(self.realm().await.settings.check(), Vec::<String>::new(), "the scopes can be saved");
    }
}
