//! Sign-ins and the sessions they open.

use futures_util::future::join_all;
use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::session::Method;
use idp_store::accounts::SetAccountState;
use idp_store::sessions::{EndAccountSessions, EndSession};
use idp_store::sign_in::SignedIn;
use idp_store::throttles::RecordFailure;

use crate::both;
use crate::fixtures::*;

both! {
    async fn opens_a_session_with_its_event_in_one_commit(db) {
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        let op = sign_in(&passkey);
        let before = db.store.counts().commits;
        assert_eq!(db.store.write(op.clone()).await.unwrap(), SignedIn::Done(op.session.sid));
        assert_eq!(db.store.counts().commits - before, 1);
        let session = db.store.find_visitor(REALM, &op.session.cookie_hash, NOW, IDLE_S).await.unwrap().unwrap().0;
        assert_eq!((session.sid, session.account_id), (op.session.sid, account.id));
        assert_eq!((session.events, session.expires), (op.events, op.session.expires));
        let used = find_passkey(&db.store, &passkey.credential_id).await.unwrap();
        assert!(used.uv_initialized && used.last_used == Some(NOW));
        assert_eq!(used.last_used_client.as_deref(), Some("Firefox on Linux"));
        assert_eq!(count_audit(&db.store, AuditEvent::SignIn).await, 1);
    }

    async fn takes_a_challenge_once_of_64_at_once(db) {
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        let challenge = challenge();
        let ops: Vec<_> = (0..64).map(|_| { let mut op = sign_in(&passkey); op.challenge = Some(challenge); op }).collect();
        let results = join_all(ops.into_iter().map(|op| db.store.write(op))).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| matches!(o, SignedIn::Done(_))).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| matches!(o, SignedIn::Replayed)).count(), 63);
        assert_eq!(db.store.list_sessions(REALM, &account.id, NOW, IDLE_S).await.unwrap().len(), 1);
        assert_eq!(count_audit(&db.store, AuditEvent::SignIn).await, 1);
    }

    async fn finishes_two_sign_ins_of_one_passkey_and_keeps_the_higher_counter(db) {
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        for counter in [6, 5] {
            let mut op = sign_in(&passkey);
            op.passkey.as_mut().unwrap().counter = counter;
            op.passkey.as_mut().unwrap().user_verified = counter == 6;
            assert!(matches!(db.store.write(op).await.unwrap(), SignedIn::Done(_)));
        }
        let read = find_passkey(&db.store, &passkey.credential_id).await.unwrap();
        assert_eq!((read.counter, read.uv_initialized), (6, true));
    }

    async fn strengthens_a_session_and_changes_its_cookie(db) {
        let world = SignedInWorld::make(&db.store).await;
        let mut op = sign_in(&world.passkey);
        (op.session.sid, op.session.exists, op.events[0].at) = (world.sid, true, NOW.plus_s(1));
        assert_eq!(db.store.write(op.clone()).await.unwrap(), SignedIn::Done(world.sid));
        let session = db.store.find_visitor(REALM, &op.session.cookie_hash, NOW, IDLE_S).await.unwrap().unwrap().0;
        assert_eq!(session.events.len(), 2);
        assert!(session.events[0].at < session.events[1].at, "oldest first");
        assert_eq!(db.store.list_sessions(REALM, &world.account.id, NOW, IDLE_S).await.unwrap().len(), 1);
    }

    async fn does_not_strengthen_a_session_that_is_over_or_somebody_elses(db) {
        let world = SignedInWorld::make(&db.store).await;
        let bob = make_account(&db.store, "bob").await;
        let mut theirs = sign_in(&make_passkey(&db.store, &bob).await);
        (theirs.session.sid, theirs.session.exists) = (world.sid, true);
        assert_eq!(db.store.write(theirs).await.unwrap(), SignedIn::SessionGone);
        let mut late = sign_in(&world.passkey);
        (late.session.sid, late.session.exists, late.now) = (world.sid, true, NOW.plus_s(24 * 3600));
        assert_eq!(db.store.write(late).await.unwrap(), SignedIn::SessionGone);
        let end = || EndSession { realm: REALM, sid: world.sid, account: world.account.id, audit: audit(AuditEvent::SessionEnded) };
        assert!(db.store.write(end()).await.unwrap());
        assert!(!db.store.write(end()).await.unwrap());
        let mut ended = sign_in(&world.passkey);
        (ended.session.sid, ended.session.exists) = (world.sid, true);
        assert_eq!(db.store.write(ended).await.unwrap(), SignedIn::SessionGone);
        assert_eq!(count_audit(&db.store, AuditEvent::SessionEnded).await, 1);
    }

    async fn finds_no_session_that_expired_idled_or_ended(db) {
        let world = SignedInWorld::make(&db.store).await;
        let op = sign_in(&world.passkey);
        db.store.write(op.clone()).await.unwrap();
        let found = async |now, idle| db.store.find_visitor(REALM, &op.session.cookie_hash, now, idle).await.unwrap().is_some();
        assert!(found(NOW.plus_s(60), 61).await);
        assert!(!found(NOW.plus_s(60), 60).await, "idle");
        assert!(!found(op.session.expires, 100_000).await, "expired");
        let end = EndAccountSessions { realm: REALM, account: world.account.id, keep: Some(world.sid), audit: audit(AuditEvent::SessionEnded) };
        assert_eq!(db.store.write(end.clone()).await.unwrap(), 1);
        assert_eq!(db.store.write(end).await.unwrap(), 0);
        assert!(!found(NOW, IDLE_S).await, "ended");
        assert!(is_live(&db.store, &world.account.id, &world.sid).await);
    }

    async fn finds_a_visitor_and_the_owner_of_a_passkey_in_one_statement(db) {
        let world = SignedInWorld::make(&db.store).await;
        let mut op = sign_in(&world.passkey);
        (op.session.sid, op.session.exists, op.events[0].at) = (world.sid, true, NOW.plus_s(1));
        db.store.write(op.clone()).await.unwrap();
        let before = db.store.counts().statements;
        let found = db.store.find_visitor(REALM, &op.session.cookie_hash, NOW, IDLE_S).await.unwrap();
        let (session, account) = found.unwrap();
        assert_eq!((session.sid, session.events.len(), account.id), (world.sid, 2, world.account.id));
        let (passkey, owner) =
            db.store.find_passkey_with_account(REALM, &world.passkey.credential_id).await.unwrap().unwrap();
        assert_eq!((passkey.credential_id, owner.username), (world.passkey.credential_id, world.account.username));
        assert_eq!(db.store.counts().statements - before, 2);
        assert!(db.store.find_visitor(REALM, &hash(), NOW, IDLE_S).await.unwrap().is_none());
        assert!(db.store.find_passkey_with_account(REALM, b"unknown").await.unwrap().is_none());
    }

    async fn signs_in_by_five_statements(db) {
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        let before = db.store.counts().statements;
        assert!(matches!(db.store.write(sign_in(&passkey)).await.unwrap(), SignedIn::Done(_)));
        assert_eq!(db.store.counts().statements - before, 5, "challenge, session, passkey, event, audit");
    }

    async fn signs_nobody_in_whose_account_or_password_changed_meanwhile(db) {
        let account = make_account(&db.store, "alice").await;
        let passkey = make_passkey(&db.store, &account).await;
        assert_eq!(db.store.write(password_sign_in(&account, 7)).await.unwrap(), SignedIn::AccountGone);
        let off = SetAccountState { realm: REALM, id: account.id, state: AccountState::Disabled, now: NOW, audit: audit(AuditEvent::AccountChanged) };
        db.store.write(off).await.unwrap();
        assert_eq!(db.store.write(sign_in(&passkey)).await.unwrap(), SignedIn::AccountGone);
        assert!(db.store.list_sessions(REALM, &account.id, NOW, IDLE_S).await.unwrap().is_empty());
        assert_eq!(count_audit(&db.store, AuditEvent::SignIn).await, 0);
    }

    async fn clears_the_throttles_of_who_signed_in(db) {
        let account = make_account(&db.store, "alice").await;
        let fail = RecordFailure { realm: REALM, buckets: vec![1, 2], window_s: 60, now: NOW, audit: None };
        db.store.write(fail).await.unwrap();
        let mut op = password_sign_in(&account, 0);
        op.clear = vec![2];
        assert!(matches!(db.store.write(op.clone()).await.unwrap(), SignedIn::Done(_)));
        let left: Vec<_> = db.store.find_throttles(REALM, &[1, 2]).await.unwrap().iter().map(|t| t.bucket).collect();
        assert_eq!(left, [1]);
        let session = db.store.find_visitor(REALM, &op.session.cookie_hash, NOW, IDLE_S).await.unwrap().unwrap().0;
        assert_eq!(session.events[0].method, Method::Password);
    }
}
