//! Realms, keys, clients, and the caches over them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use idp_core::audit::AuditEvent;
use idp_core::client::{ClientState, SigningAlg};
use idp_core::id::{ClientId, RealmId};
use idp_core::jose::keyset::{KeyState, StoredKey};
use idp_core::passkey::policy::{Mode, Policy};
use idp_store::Store;
use idp_store::clients::{ClientUpdated, CreateClient, DeleteClient, UpdateClient};
use idp_store::keys::{EnsureKeys, RetireKey, RevokeKey, RotateKey};
use idp_store::realms::{RealmCreated, RealmUpdated, SetPolicy, Taken, UpdateRealm};

use crate::both;
use crate::fixtures::*;

fn key(kid: &str, alg: SigningAlg, state: KeyState) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        alg,
        state,
        public_jwk: "{}".to_owned(),
        private_sealed: vec![0xff; 40],
        created: NOW,
        activated: (state == KeyState::Active).then_some(NOW),
        retired: None,
    }
}

fn ensure(keys: Vec<StoredKey>) -> EnsureKeys {
    EnsureKeys { realm: REALM, keys, audit: audit(AuditEvent::KeyCreated) }
}

async fn states(store: &Store) -> Vec<(String, KeyState)> {
    store.list_signing_keys(REALM).await.unwrap().into_iter().map(|k| (k.kid, k.state)).collect()
}

both! {
    async fn makes_realms_apart_in_name_issuer_and_host(db) {
        let RealmCreated::Created(first) = db.store.write(create_realm("a")).await.unwrap() else { panic!() };
        let RealmCreated::Created(second) = db.store.write(create_realm("b")).await.unwrap() else { panic!() };
        assert_eq!((first, second), (RealmId(1), RealmId(2)));
        let again = || create_realm("a");
        assert_eq!(db.store.write(again()).await.unwrap(), RealmCreated::Taken(Taken::Name));
        let mut other = again();
        other.name = "c".to_owned();
        assert_eq!(db.store.write(other).await.unwrap(), RealmCreated::Taken(Taken::Issuer));
        let mut other = again();
        (other.name, other.issuer) = ("c".to_owned(), "https://c.example".to_owned());
        assert_eq!(db.store.write(other).await.unwrap(), RealmCreated::Taken(Taken::Host));
        assert_eq!(db.store.list_realms().await.unwrap().len(), 2);
        assert_eq!(count_audit(&db.store, AuditEvent::RealmCreated).await, 1, "one in this realm");
    }

    async fn makes_one_realm_when_many_make_it_at_once(db) {
        let results = join_all((0..16).map(|_| db.store.write(create_realm("a")))).await;
        let made = results.into_iter().filter(|r| matches!(r, Ok(RealmCreated::Created(_)))).count();
        assert_eq!((made, db.store.list_realms().await.unwrap().len()), (1, 1));
    }

    async fn updates_a_realm_and_its_policy_apart(db) {
        db.store.write(create_realm("a")).await.unwrap();
        db.store.write(create_realm("b")).await.unwrap();
        let mut realm = db.store.find_realm("a").await.unwrap().unwrap();
        realm.display_name = "Example".to_owned();
        realm.settings.session_idle_s = 60;
        let update = |realm| UpdateRealm { realm, audit: audit(AuditEvent::RealmChanged) };
        assert_eq!(db.store.write(update(realm.clone())).await.unwrap(), RealmUpdated::Updated);
        let policy = Policy { mode: Mode::PasskeyOnly, ..Policy::default() };
        let set = |realm| SetPolicy { realm, policy: Policy { mode: Mode::PasskeyOnly, ..Policy::default() }, audit: audit(AuditEvent::PolicyChanged) };
        assert!(db.store.write(set(realm.id)).await.unwrap());
        assert!(!db.store.write(set(RealmId(99))).await.unwrap());
        let read = db.store.find_realm("a").await.unwrap().unwrap();
        assert_eq!((read.display_name.as_str(), read.settings.session_idle_s), ("Example", 60));
        assert_eq!(*read.policy, policy);
        realm.issuer = "https://b.example".to_owned();
        assert_eq!(db.store.write(update(realm.clone())).await.unwrap(), RealmUpdated::Taken(Taken::Issuer));
        realm.id = RealmId(99);
        (realm.name, realm.issuer) = ("z".to_owned(), "https://z.example".to_owned());
        realm.relying_parties.clear();
        assert_eq!(db.store.write(update(realm)).await.unwrap(), RealmUpdated::Gone);
    }

    async fn makes_each_key_once_however_many_processes_start(db) {
        let other = db.other().await;
        let starts = (0..16).map(|n| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(ensure(vec![
                key(&format!("rsa-{n}"), SigningAlg::RS256, KeyState::Active),
                key(&format!("ec-{n}"), SigningAlg::ES256, KeyState::Active),
            ]))
        });
        let inserted: usize = join_all(starts).await.into_iter().map(Result::unwrap).sum();
        assert_eq!(inserted, 2);
        assert_eq!(db.store.list_signing_keys(REALM).await.unwrap().len(), 2);
    }

    async fn rotates_to_the_next_key_and_retires_the_old_one(db) {
        let rotate = || RotateKey { realm: REALM, alg: SigningAlg::ES256, now: NOW, audit: audit(AuditEvent::KeyRetired) };
        db.store.write(ensure(vec![key("1", SigningAlg::ES256, KeyState::Active)])).await.unwrap();
        assert!(!db.store.write(rotate()).await.unwrap(), "without a next key nothing happens");
        assert_eq!(states(&db.store).await, [("1".to_owned(), KeyState::Active)]);
        db.store.write(ensure(vec![key("2", SigningAlg::ES256, KeyState::Next)])).await.unwrap();
        assert!(db.store.write(rotate()).await.unwrap());
        assert_eq!(states(&db.store).await, [("1".to_owned(), KeyState::Retired), ("2".to_owned(), KeyState::Active)]);
        let retire = || RetireKey { realm: REALM, kid: "2".to_owned(), now: NOW, audit: audit(AuditEvent::KeyRetired) };
        assert!(db.store.write(retire()).await.unwrap());
        assert!(!db.store.write(retire()).await.unwrap());
        assert_eq!(db.store.list_signing_keys(REALM).await.unwrap()[1].retired, Some(NOW));
    }

    async fn revokes_a_key_and_lets_another_sign(db) {
        let alg = SigningAlg::ES256;
        let revoke = |kid: &str, replacement: &str| RevokeKey {
            realm: REALM,
            kid: kid.to_owned(),
            replacement: key(replacement, alg, KeyState::Active),
            now: NOW,
            audit: audit(AuditEvent::KeyRevoked),
        };
        let named = |states: &[(&str, KeyState)]| states.iter().map(|(k, s)| ((*k).to_owned(), *s)).collect::<Vec<_>>();
        use KeyState::{Active, Next, Revoked};
        db.store.write(ensure(vec![key("1", alg, Active)])).await.unwrap();
        assert!(db.store.write(revoke("1", "2")).await.unwrap(), "no next key: the replacement signs");
        assert_eq!(states(&db.store).await, named(&[("1", Revoked), ("2", Active)]));
        assert!(!db.store.write(revoke("1", "x")).await.unwrap(), "once");
        db.store.write(ensure(vec![key("3", alg, Next)])).await.unwrap();
        assert!(db.store.write(revoke("2", "x")).await.unwrap(), "the next key signs");
        assert_eq!(states(&db.store).await, named(&[("1", Revoked), ("2", Revoked), ("3", Active)]));
        db.store.write(ensure(vec![key("4", alg, Next)])).await.unwrap();
        assert!(db.store.write(revoke("4", "x")).await.unwrap(), "a next key that leaked: the active one stays");
        assert_eq!(states(&db.store).await[2..], named(&[("3", Active), ("4", Revoked)]));
    }

    async fn creates_updates_and_deletes_a_client(db) {
        let mut client = make_client(&db.store, "app").await;
        let again = CreateClient { realm: REALM, client: client.clone(), audit: audit(AuditEvent::ClientCreated) };
        assert!(!db.store.write(again).await.unwrap());
        assert_eq!(db.store.find_client(REALM, &client.id).await.unwrap().as_ref(), Some(&client));
        (client.state, client.secret_hash, client.updated) = (ClientState::Disabled, None, NOW.plus_s(1));
        let update = |client| UpdateClient { realm: REALM, client, seen: NOW, audit: audit(AuditEvent::ClientChanged) };
        assert_eq!(db.store.write(update(client.clone())).await.unwrap(), ClientUpdated::Updated);
        assert_eq!(db.store.write(update(client.clone())).await.unwrap(), ClientUpdated::Changed, "seen before it changed");
        assert_eq!(db.store.list_clients(REALM).await.unwrap(), [client.clone()]);
        let delete = || DeleteClient { realm: REALM, id: client.id.clone(), audit: audit(AuditEvent::ClientDeleted) };
        assert!(db.store.write(delete()).await.unwrap());
        assert!(!db.store.write(delete()).await.unwrap());
        assert_eq!(db.store.find_client(REALM, &client.id).await.unwrap(), None);
    }

    async fn keeps_the_clients_of_realms_apart(db) {
        let client = make_client(&db.store, "app").await;
        assert_eq!(db.store.find_client(RealmId(2), &client.id).await.unwrap(), None);
        assert!(db.store.cached_client(REALM, &client.id).await.unwrap().is_some());
        assert!(db.store.cached_client(RealmId(2), &client.id).await.unwrap().is_none());
    }

    async fn asks_the_database_nothing_for_a_thousand_starts(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let client = make_client(&db.store, "app").await;
        let start = async || {
            let realm = db.store.cached_realm_by_host("A.example").await.unwrap().unwrap();
            assert!(db.store.cached_client(realm.id, &client.id).await.unwrap().is_some());
            db.store.cached_signing_keys(realm.id).await.unwrap();
        };
        tokio::time::sleep(Duration::from_millis(600)).await;
        start().await;
        let before = db.store.counts();
        for _ in 0..1000 { start().await }
        assert_eq!(db.store.counts(), before);
    }

    async fn sees_its_own_changes_at_once(db) {
        let id = ClientId::parse("app").unwrap();
        assert!(db.store.cached_client(REALM, &id).await.unwrap().is_none());
        let mut client = make_client(&db.store, "app").await;
        assert!(db.store.cached_client(REALM, &id).await.unwrap().is_some());
        (client.state, client.updated) = (ClientState::Disabled, NOW.plus_s(1));
        db.store.write(UpdateClient { realm: REALM, client, seen: NOW, audit: audit(AuditEvent::ClientChanged) }).await.unwrap();
        assert_eq!(db.store.cached_client(REALM, &id).await.unwrap().unwrap().state, ClientState::Disabled);
    }

    async fn sees_the_changes_of_another_process_within_a_second(db) {
        let other = db.other().await;
        let id = ClientId::parse("app").unwrap();
        make_client(&db.store, "app").await;
        let begun = Instant::now();
        while other.cached_client(REALM, &id).await.unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let begun = Instant::now();
        db.store.write(DeleteClient { realm: REALM, id: id.clone(), audit: audit(AuditEvent::ClientDeleted) }).await.unwrap();
        while other.cached_client(REALM, &id).await.unwrap().is_some() {
            assert!(begun.elapsed() < Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn keeps_its_caches_while_people_sign_in(db) {
        let other = db.other().await;
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let before = (db.store.generation(), other.generation());
        db.store.write(sign_in(&passkey)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!((db.store.generation(), other.generation()), before);
    }
}
