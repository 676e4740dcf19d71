//! RP IDs: what is counted when one changes, and that passkeys of one nobody serves let nobody in.

use idp_core::audit::AuditEvent;
use idp_core::passkey::record::PasskeyState;
use idp_core::realm::{Realm, RelyingParty};
use idp_core::secret::Secret;
use idp_store::Store;
use idp_store::passkey_removal::*;
use idp_store::passkeys::*;
use idp_store::passwords::{Keep, SetPassword};
use idp_store::realms::{RealmUpdated, UpdateRealm};
use idp_store::rp_ids::{Moving, OfRpId};

use crate::both;
use crate::fixtures::*;

const OLD: &str = "a.example";
const NEW: &str = "new.example";

async fn serve(store: &Store, rp_ids: &[&str]) {
    let mut realm: Realm = store.list_realms().await.unwrap().remove(0);
    realm.relying_parties = rp_ids.iter().map(|id| RelyingParty::new(id, "https", vec![(*id).to_owned()])).collect();
    let op = UpdateRealm { realm, audit: audit(AuditEvent::RealmChanged) };
    assert_eq!(store.write(op).await.unwrap(), RealmUpdated::Updated);
}

async fn user(store: &Store, username: &str, rp_ids: &[&str]) -> idp_core::account::Account {
    let account = make_account(store, username).await;
    for rp_id in rp_ids {
        let mut passkey = passkey(account.id);
        passkey.rp_id = (*rp_id).to_owned();
        assert_eq!(store.write(register(&passkey)).await.unwrap(), PasskeyRegistered::Registered);
    }
    account
}

both! {
    async fn counts_who_has_moved_and_who_has_not(db) {
        let store = &db.store;
        user(store, "moved", &[OLD, NEW]).await;
        user(store, "new", &[NEW]).await;
        user(store, "left", &[OLD, OLD]).await;
        user(store, "none", &[]).await;
        let with_password = user(store, "has-password", &[OLD]).await;
        let op = SetPassword {
            realm: REALM, account: with_password.id, hash: Some(Secret::new("hash".to_owned())), seen_version: 0,
            keep: Keep::None, way_in: None, clear: Vec::new(), now: NOW,
            audit: audit(AuditEvent::PasswordSet),
        };
        store.write(op).await.unwrap();
        // What is suspended moves nobody.
        let suspended = user(store, "suspended", &[OLD]).await;
        let mut passkey = passkey(suspended.id);
        (passkey.rp_id, passkey.state) = (NEW.to_owned(), PasskeyState::Suspended);
        store.write(register(&passkey)).await.unwrap();

        let counts = store.count_by_rp_id(REALM).await.unwrap();
        let expected = [(OLD, 5, 4), (NEW, 2, 2)].map(|(id, passkeys, accounts)| OfRpId { rp_id: id.to_owned(), passkeys, accounts });
        assert_eq!(counts, expected);
        let moving = store.count_moving(REALM, OLD, NEW).await.unwrap();
        assert_eq!(moving, Moving { moved: 1, left: 3, passkey_alone: 2 });
        assert_eq!(store.list_not_moved(REALM, OLD, NEW, 9).await.unwrap(), ["has-password", "left", "suspended"]);
        assert_eq!(store.list_not_moved(REALM, OLD, NEW, 1).await.unwrap(), ["has-password"]);
        let nobody = store.count_moving(REALM, "other.example", NEW).await.unwrap();
        assert_eq!(nobody, Moving { moved: 0, left: 0, passkey_alone: 0 });
    }

    async fn a_passkey_of_an_rp_id_that_nobody_serves_is_no_way_in(db) {
        let store = &db.store;
        store.write(create_realm("a")).await.unwrap();
        serve(store, &[NEW, OLD]).await;
        let account = user(store, "alice", &[OLD, NEW]).await;
        let passkeys = store.list_passkeys(REALM, &account.id).await.unwrap();
        let new = passkeys.iter().find(|p| p.rp_id == NEW).unwrap();
        let remove = || RemovePasskey {
            realm: REALM, account: account.id, credential_id: new.credential_id.clone(),
            way_in: Some(way_in()), audit: audit(AuditEvent::PasskeyRemoved),
        };
        serve(store, &[NEW]).await;
        assert_eq!(store.write(remove()).await.unwrap(), PasskeyRemoved::LastWayIn);
        serve(store, &[NEW, OLD]).await;
        assert_eq!(store.write(remove()).await.unwrap(), PasskeyRemoved::Done { sessions: 0 });
    }
}
