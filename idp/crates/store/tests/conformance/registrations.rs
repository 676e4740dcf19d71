//! Clients that register themselves: what allows it is used up, and what they take is bounded.

use futures_util::future::join_all;
use idp_core::audit::AuditEvent;
use idp_core::client::Client;
use idp_core::id::{ClientId, FlowId, RealmId};
use idp_core::oauth::registration::policy::MOST_UNVERIFIED;
use idp_core::pass::{Pass, PassKind};
use idp_core::secret::Hash;
use idp_store::Store;
use idp_store::clients::CreateClient;
use idp_store::consents::{Consent, SaveConsent};
use idp_store::passes::IssuePass;
use idp_store::registrations::{RegisterClient, Registered, SweepRegistrations};
use idp_store::throttles::RecordFailure;

use crate::both;
use crate::fixtures::*;

fn unverified(id: &str) -> Client {
    let mut client = Client { registration_hash: Some(hash()), ..client(id) };
    client.settings.unverified = true;
    client
}

fn register(id: &str, pass: Option<Hash>) -> RegisterClient {
    let audit = audit(AuditEvent::ClientRegistered);
    RegisterClient { realm: REALM, client: unverified(id), pass, throttle: None, now: NOW, audit }
}

async fn invite(store: &Store, kind: PassKind) -> Hash {
    let pass =
        Pass { hash: hash(), kind, account_id: None, created: NOW, expires: NOW.plus_s(60), used: None, browser: None };
    let hash = pass.hash;
    assert!(store.write(IssuePass { realm: REALM, pass, audit: audit(AuditEvent::PassIssued) }).await.unwrap());
    hash
}

both! {
    async fn uses_up_what_allows_one_registration_with_the_client_it_makes(db) {
        let other = db.other().await;
        let pass = invite(&db.store, PassKind::Registration).await;
        make_client(&db.store, "taken").await;
        assert_eq!(db.store.write(register("taken", Some(pass))).await.unwrap(), Registered::Taken, "and is not used up");
        let writes = (0..64).map(|n| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(register(&format!("c{n}"), Some(pass)))
        });
        let results: Vec<_> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results.iter().filter(|r| **r == Registered::Done).count(), 1);
        assert!(results.iter().all(|r| matches!(r, Registered::Done | Registered::Spent)));
        assert_eq!(db.store.list_clients(REALM).await.unwrap().len(), 2);
        assert_eq!(count_audit(&db.store, AuditEvent::ClientRegistered).await, 1);
        assert_eq!(db.store.find_pass(REALM, &pass).await.unwrap().unwrap().used, Some(NOW));
    }

    async fn takes_a_pass_for_many_until_it_expires_and_no_other_kind(db) {
        let many = invite(&db.store, PassKind::Registrations).await;
        for id in ["a", "b"] {
            assert_eq!(db.store.write(register(id, Some(many))).await.unwrap(), Registered::Done);
        }
        let late = RegisterClient { now: NOW.plus_s(60), ..register("c", Some(many)) };
        assert_eq!(db.store.write(late).await.unwrap(), Registered::Spent);
        let elsewhere = RegisterClient { realm: RealmId(2), ..register("c", Some(many)) };
        assert_eq!(db.store.write(elsewhere).await.unwrap(), Registered::Spent);
        for kind in [PassKind::Setup, PassKind::Access] {
            let pass = invite(&db.store, kind).await;
            assert_eq!(db.store.write(register("c", Some(pass))).await.unwrap(), Registered::Spent);
        }
    }

    async fn holds_so_many_unverified_clients_and_counts_each(db) {
        let bucket = |id| RegisterClient {
            throttle: Some(RecordFailure { realm: REALM, buckets: vec![7], window_s: 60, now: NOW, audit: None }),
            ..register(id, None)
        };
        assert_eq!(db.store.write(bucket("first")).await.unwrap(), Registered::Done);
        assert_eq!(db.store.find_throttles(REALM, &[7]).await.unwrap()[0].failures, 1);
        // Those of an admin and those that somebody looked at do not count.
        make_client(&db.store, "admins").await;
        let mut looked_at = unverified("looked-at");
        looked_at.settings.unverified = false;
        looked_at.settings.name = r#""unverified":true"#.to_owned();
        let create = |client| CreateClient { realm: REALM, client, audit: audit(AuditEvent::ClientCreated) };
        assert!(db.store.write(create(looked_at)).await.unwrap());
        let names: Vec<_> = (2..=MOST_UNVERIFIED).map(|n| format!("c{n}")).collect();
        for some in names.chunks(100) {
            let made = join_all(some.iter().map(|id| db.store.write(create(unverified(id))))).await;
            assert!(made.into_iter().all(Result::unwrap));
        }
        assert_eq!(db.store.write(bucket("more")).await.unwrap(), Registered::Full);
        assert_eq!(db.store.find_throttles(REALM, &[7]).await.unwrap()[0].failures, 1, "rolled back");
        let elsewhere = RegisterClient { realm: RealmId(2), ..register("more", None) };
        assert_eq!(db.store.write(elsewhere).await.unwrap(), Registered::Done);
    }

    async fn sweeps_those_that_nobody_agreed_to(db) {
        let account = make_account(&db.store, "alice").await;
        make_client(&db.store, "admins").await;
        for id in ["unused", "used"] {
            assert_eq!(db.store.write(register(id, None)).await.unwrap(), Registered::Done);
        }
        let consent = Consent {
            account_id: account.id,
            client_id: ClientId::parse("used").unwrap(),
            scope: "openid".to_owned(),
            flow: FlowId::from_bytes([3; 16]),
            updated: NOW,
        };
        db.store.write(SaveConsent { realm: REALM, consent, audit: audit(AuditEvent::ConsentGiven) }).await.unwrap();
        let sweep = |realm, before| SweepRegistrations { realm, before, audit: audit(AuditEvent::ClientDeleted) };
        assert_eq!(db.store.write(sweep(REALM, NOW)).await.unwrap(), 0, "not yet");
        assert_eq!(db.store.write(sweep(RealmId(2), NOW.plus_s(1))).await.unwrap(), 0);
        assert_eq!(db.store.write(sweep(REALM, NOW.plus_s(1))).await.unwrap(), 1);
        let left: Vec<_> = db.store.list_clients(REALM).await.unwrap().iter().map(|c| c.id.to_string()).collect();
        assert_eq!(left, ["admins", "used"]);
        assert_eq!(count_audit(&db.store, AuditEvent::ClientDeleted).await, 1);
    }
}
