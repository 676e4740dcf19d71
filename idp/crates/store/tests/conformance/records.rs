//! Consents, throttles, the audit trail, and what is swept.

use futures_util::future::join_all;
use idp_core::audit::{Audit, AuditEvent};
use idp_core::grant::Grant;
use idp_core::id::{AccountId, ClientId, FlowId, RealmId};
use idp_core::pass::{Pass, PassKind};
use idp_store::audit::{AuditFilter, RecordAudit};
use idp_store::codes::Redeemed;
use idp_store::consents::{Consent, DeleteConsent, SaveConsent};
use idp_store::passes::IssuePass;
use idp_store::sessions::EndSession;
use idp_store::sweep::Sweep;
use idp_store::throttles::{ClearThrottles, RecordFailure};

use crate::both;
use crate::fixtures::*;

fn consent(world: &SignedInWorld, scope: &str) -> Consent {
    Consent {
        account_id: world.account.id,
        client_id: world.client.id.clone(),
        scope: scope.to_owned(),
        flow: FlowId::from_bytes([3; 16]),
        updated: NOW,
    }
}

fn fail(buckets: &[i64], now: idp_core::time::Timestamp) -> RecordFailure {
    RecordFailure { realm: REALM, buckets: buckets.to_vec(), window_s: 60, now, audit: None }
}

both! {
    async fn saves_a_consent_by_two_first_answers_at_once(db) {
        let world = SignedInWorld::make(&db.store).await;
        let save = |scope| SaveConsent { realm: REALM, consent: consent(&world, scope), audit: audit(AuditEvent::ConsentGiven) };
        let (a, b) = tokio::join!(db.store.write(save("openid email")), db.store.write(save("openid profile")));
        assert!(a.is_ok() && b.is_ok());
        db.store.write(save("openid")).await.unwrap();
        let found = db.store.find_consent(REALM, &world.account.id, &world.client.id).await.unwrap();
        assert_eq!(found.map(|c| c.scope).as_deref(), Some("openid profile email"), "neither undoes the other");
        assert_eq!(db.store.list_consents(REALM, &world.account.id).await.unwrap().len(), 1);
    }

    async fn revokes_grants_with_a_consent_that_is_withdrawn(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        // One outlives its session, one is of another client.
        let offline = Grant { id: grant_id(), offline: true, ..grant.clone() };
        let other = Grant { id: grant_id(), client_id: ClientId::parse("other").unwrap(), ..grant.clone() };
        make_client(&db.store, "other").await;
        db.store.write(SaveConsent { realm: REALM, consent: consent(&world, "openid"), audit: audit(AuditEvent::ConsentGiven) }).await.unwrap();
        for grant in [&grant, &offline, &other] {
            db.store.write(redeem_code(grant)).await.unwrap();
        }
        let delete = || DeleteConsent { realm: REALM, account: world.account.id, client: world.client.id.clone(), audit: audit(AuditEvent::ConsentGiven) };
        assert!(db.store.write(delete()).await.unwrap() && !db.store.write(delete()).await.unwrap());
        for (grant, good) in [(&grant, false), (&offline, false), (&other, true)] {
            assert_eq!(db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap().is_good(), good);
        }
    }

    async fn counts_every_failure_of_many_at_once(db) {
        let results = join_all((0..40).map(|n| db.store.write(fail(if n % 2 == 0 { &[1, 2] } else { &[2, 1, 1] }, NOW)))).await;
        assert!(results.iter().all(Result::is_ok));
        let found = db.store.find_throttles(REALM, &[2, 3, 4, 5, 1]).await.unwrap();
        assert_eq!(found.iter().map(|t| (t.bucket, t.failures)).collect::<Vec<_>>(), [(2, 40), (1, 40)]);
        assert!(db.store.find_throttles(REALM, &[]).await.unwrap().is_empty());
    }

    async fn begins_a_bucket_anew_after_its_window(db) {
        db.store.write(fail(&[1], NOW)).await.unwrap();
        assert_eq!(db.store.write(fail(&[1], NOW.plus_s(60))).await.unwrap()[0].failures, 2);
        assert_eq!(db.store.write(fail(&[1], NOW.plus_s(121))).await.unwrap()[0].failures, 1);
        db.store.write(ClearThrottles { realm: REALM, buckets: vec![1] }).await.unwrap();
        assert!(db.store.find_throttles(REALM, &[1]).await.unwrap().is_empty());
    }

    async fn lists_audit_rows_newest_first_by_page_and_filter(db) {
        let alice = AccountId::from_bytes([1; 16]);
        for n in 0..6 {
            let mut row = audit(if n % 2 == 0 { AuditEvent::SignIn } else { AuditEvent::SessionEnded });
            row.account_id = (n < 4).then_some(alice);
            row.detail = serde_json::json!({ "n": n });
            db.store.write(RecordAudit { realm: REALM, audit: row }).await.unwrap();
        }
        let list = async |filter: AuditFilter, limit| -> Vec<i64> {
            let rows = db.store.list_audit(REALM, &filter, limit).await.unwrap();
            rows.iter().map(|row| row.detail["n"].as_i64().unwrap()).collect()
        };
        let all = AuditFilter::default();
        assert_eq!(list(all, 4).await, [5, 4, 3, 2]);
        let page = db.store.list_audit(REALM, &all, 4).await.unwrap();
        assert_eq!(list(AuditFilter { before: Some(page[3].id), ..all }, 4).await, [1, 0]);
        assert_eq!(list(AuditFilter { event: Some(AuditEvent::SignIn), ..all }, 9).await, [4, 2, 0]);
        let both = AuditFilter { event: Some(AuditEvent::SignIn), account: Some(alice), ..all };
        assert_eq!(list(both, 9).await, [2, 0]);
        assert!(db.store.list_audit(RealmId(2), &all, 9).await.unwrap().is_empty());
    }

    async fn sweeps_what_is_over_in_batches_and_nothing_else(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        let redeemed = db.store.write(redeem_code(&grant)).await;
        assert_eq!(redeemed.unwrap(), Redeemed::Redeemed);
        for n in 0..5 { db.store.write(fail(&[n], NOW)).await.unwrap(); }
        let pass = Pass { hash: hash(), kind: PassKind::Setup, account_id: None, created: NOW, expires: NOW.plus_s(60), used: None, browser: None };
        db.store.write(IssuePass { realm: REALM, pass, audit: audit(AuditEvent::PassIssued) }).await.unwrap();
        let sweep = |after_s| Sweep { now: NOW.plus_s(after_s), batch: 3, keep_s: 60, throttle_window_s: 86_400 };
        assert_eq!(db.store.write(sweep(60)).await.unwrap().total(), 0);
        let swept = db.store.write(sweep(500)).await.unwrap();
        // one challenge of the registration, one of the sign-in
        assert_eq!((swept.once, swept.passes, swept.grants, swept.sessions, swept.throttles), (2, 1, 0, 0, 0));
        let later = db.store.write(sweep(700)).await.unwrap();
        assert_eq!((later.grants, later.sessions), (1, 0));
        let last = db.store.write(sweep(2 * 86_400)).await.unwrap();
        assert_eq!((last.sessions, last.throttles, last.is_full()), (1, 3, true));
        assert_eq!(db.store.write(sweep(2 * 86_400)).await.unwrap().throttles, 2);
        assert!(db.store.list_sessions(REALM, &world.account.id, NOW, IDLE_S).await.unwrap().is_empty());
    }

    async fn shows_an_account_what_concerns_it_and_nothing_else(db) {
        let account = make_account(&db.store, "ada").await;
        let other = make_account(&db.store, "bob").await;
        for event in AuditEvent::ALL {
            for id in [account.id, other.id] {
                let audit = Audit { account_id: Some(id), ..audit(*event) };
                db.store.write(RecordAudit { realm: REALM, audit }).await.unwrap();
            }
        }
        let rows = db.store.list_activity(REALM, &account.id, None, 1000).await.unwrap();
        let mut shown: Vec<_> = rows.iter().map(|row| row.event.as_str()).collect();
        let mut expected: Vec<_> = AuditEvent::ALL.iter().filter(|e| e.is_activity()).map(|e| e.text()).collect();
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected);
        assert!(rows.iter().all(|row| row.account_id == Some(account.id)));
        let older = db.store.list_activity(REALM, &account.id, Some(&rows[2].id), 2).await.unwrap();
        assert_eq!(older.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[3].id, rows[4].id]);
    }

    async fn lists_what_applications_may_do_now(db) {
        let world = SignedInWorld::make(&db.store).await;
        let granted = async |now| db.store.list_granted(REALM, &world.account.id, now).await.unwrap();
        let grant = world.grant();
        db.store.write(redeem_code(&grant)).await.unwrap();
        let mut offline = world.grant();
        (offline.offline, offline.scope) = (true, "openid offline_access".to_owned());
        db.store.write(redeem_code(&offline)).await.unwrap();
        let found: Vec<_> = granted(NOW).await.into_iter().map(|g| (g.client_id, g.scope, g.offline)).collect();
        let id = world.client.id.clone();
        assert_eq!(found, [(id.clone(), offline.scope.clone(), true), (id, grant.scope.clone(), false)], "by scope");
        let end = EndSession { realm: REALM, sid: world.sid, account: world.account.id, audit: audit(AuditEvent::SessionEnded) };
        assert!(db.store.write(end).await.unwrap());
        assert_eq!(granted(NOW).await.len(), 1, "what was granted for good outlives the session");
        let revoke = || DeleteConsent {
            realm: REALM,
            account: world.account.id,
            client: world.client.id.clone(),
            audit: audit(AuditEvent::ConsentWithdrawn),
        };
        assert!(db.store.write(revoke()).await.unwrap(), "also where nobody had to agree");
        assert!(granted(NOW).await.is_empty() && !db.store.write(revoke()).await.unwrap());
    }
}
