//! Back-channel logout: every end of a session leaves word for its clients, once; who takes it, and when it comes back.

use futures_util::future::join_all;
use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::id::{AccountId, ClientId, Sid};
use idp_core::secret::Secret;
use idp_store::Store;
use idp_store::accounts::{DeleteAccount, SetAccountState};
use idp_store::codes::Redeemed;
use idp_store::logout_deliveries::*;
use idp_store::passkey_removal::{RemovePasskey, SuspendPasskey};
use idp_store::passwords::{Keep, SetPassword};
use idp_store::sessions::{EndAccountSessions, EndSession};

use crate::both;
use crate::fixtures::*;

fn claim(client: &ClientId, seconds: i64) -> ClaimLogoutDeliveries {
    let now = NOW.plus_s(seconds);
    ClaimLogoutDeliveries { realm: REALM, client: client.clone(), now, until: now.plus_s(20), most: 4 }
}

fn settle(client: &ClientId, sid: Sid) -> SettleLogoutDelivery {
    let audit = Some(audit(AuditEvent::LogoutDelivered));
    SettleLogoutDelivery { realm: REALM, client: client.clone(), sid, again: None, audit }
}

fn end(account: AccountId, sid: Sid) -> EndSession {
    EndSession { realm: REALM, sid, account, audit: audit(AuditEvent::SessionEnded) }
}

/// A session in which two codes were redeemed for a client that hears of logout, and one for a client that does not.
async fn heard(store: &Store, name: &str) -> SignedInWorld {
    let account = make_account(store, name).await;
    let passkey = make_passkey(store, &account).await;
    let client = make_client(store, &format!("app-{name}")).await;
    let deaf = make_client(store, &format!("deaf-{name}")).await;
    let op = sign_in(&passkey);
    let sid = op.session.sid;
    store.write(op).await.unwrap();
    let world = SignedInWorld { account, passkey, client, sid };
    for (hears, client) in [(true, &world.client), (true, &world.client), (false, &deaf)] {
        let mut grant = world.grant();
        (grant.hears_of_logout, grant.client_id) = (hears, client.id.clone());
        assert_eq!(store.write(redeem_code(&grant)).await.unwrap(), Redeemed::Redeemed);
    }
    let told = store.list_clients_of_session(REALM, &sid).await.unwrap();
    assert_eq!(told, std::slice::from_ref(&world.client.id));
    world
}

/// Ends a session in one of the ways there are; `false`: there are no more.
async fn ends(store: &Store, world: &SignedInWorld, way: usize) -> bool {
    let (realm, account, sid) = (REALM, world.account.id, world.sid);
    let credential_id = world.passkey.credential_id.clone();
    let act = |event| audit(event);
    match way {
        0 => drop(store.write(end(account, sid)).await.unwrap()),
        1 => {
            let audit = act(AuditEvent::SessionEnded);
            store.write(EndAccountSessions { realm, account, keep: None, audit }).await.unwrap();
        }
        2 | 3 => {
            let state = if way == 2 { AccountState::Disabled } else { AccountState::Locked };
            let op = SetAccountState { realm, id: account, state, now: NOW, audit: act(AuditEvent::AccountChanged) };
            store.write(op).await.unwrap();
        }
        4 => {
            let op = DeleteAccount { realm, id: account, audit: act(AuditEvent::AccountDeleted) };
            store.write(op).await.unwrap();
        }
        5 => {
            let (way_in, audit) = (None, act(AuditEvent::PasskeyRemoved));
            store.write(RemovePasskey { realm, account, credential_id, way_in, audit }).await.unwrap();
        }
        6 => {
            let audit = act(AuditEvent::PasskeyCloned);
            let (reason, tell) = ("counter".to_owned(), Vec::new());
            store.write(SuspendPasskey { realm, account, credential_id, reason, tell, audit }).await.unwrap();
        }
        7 => {
            let op = SetPassword {
                realm,
                account,
                hash: Some(Secret::new("$argon2id$x".to_owned())),
                seen_version: world.account.password_version,
                keep: Keep::None,
                way_in: None,
                clear: Vec::new(),
                now: NOW,
                audit: act(AuditEvent::PasswordSet),
            };
            store.write(op).await.unwrap();
        }
        8 => {
            // Somebody else signs in in the same browser.
            let other = make_account(store, "other").await;
            let mut op = sign_in(&make_passkey(store, &other).await);
            op.replaces = Some((sid, account));
            store.write(op).await.unwrap();
        }
        _ => return false,
    }
    true
}

both! {
    async fn every_kind_of_end_leaves_word_for_each_client_once(db) {
        let mut ways = 0;
        loop {
            let world = heard(&db.store, &format!("user{ways}")).await;
            if !ends(&db.store, &world, ways).await {
                break;
            }
            assert!(!is_live(&db.store, &world.account.id, &world.sid).await, "way {ways}");
            let taken = db.store.write(claim(&world.client.id, 0)).await.unwrap();
            let expected =
                LogoutDelivery { sid: world.sid, account_id: world.account.id, attempts: 1, created: NOW };
            assert_eq!(taken, [expected], "way {ways}");
            assert!(db.store.write(settle(&world.client.id, world.sid)).await.unwrap());
            // What has ended cannot end again.
            ends(&db.store, &world, 0).await;
            assert_eq!(db.store.list_due_logouts(NOW.plus_s(3600), 10).await.unwrap(), [], "way {ways}");
            ways += 1;
        }
        assert_eq!(ways, 9);
        assert_eq!(count_audit(&db.store, AuditEvent::LogoutDelivered).await, 9);
    }

    async fn a_delivery_is_taken_by_one_process_and_comes_back_when_that_one_dies(db) {
        let world = heard(&db.store, "ann").await;
        db.store.write(end(world.account.id, world.sid)).await.unwrap();
        let (other, client) = (db.other().await, &world.client.id);
        let claims = (0..32).map(|n| if n % 2 == 0 { &db.store } else { &other }).map(|store| store.write(claim(client, 0)));
        let taken: usize = join_all(claims).await.into_iter().map(|taken| taken.unwrap().len()).sum();
        assert_eq!(taken, 1);
        assert_eq!(other.list_due_logouts(NOW.plus_s(19), 10).await.unwrap(), []);
        assert_eq!(other.list_due_logouts(NOW.plus_s(20), 10).await.unwrap(), [(REALM, client.clone())]);
        let again = other.write(claim(client, 20)).await.unwrap();
        assert_eq!(again[0].attempts, 2);
        let later = SettleLogoutDelivery { again: Some(NOW.plus_s(500)), audit: None, ..settle(client, world.sid) };
        assert!(other.write(later).await.unwrap());
        assert_eq!(other.write(claim(client, 499)).await.unwrap(), []);
        assert_eq!(other.write(claim(client, 500)).await.unwrap().len(), 1);
        assert!(other.write(settle(client, world.sid)).await.unwrap());
        assert!(!db.store.write(settle(client, world.sid)).await.unwrap(), "it is over");
        assert_eq!(count_audit(&db.store, AuditEvent::LogoutDelivered).await, 1);
    }

    async fn a_client_with_many_is_listed_once_and_served_a_few_at_a_time(db) {
        let world = heard(&db.store, "ann").await;
        for _ in 0..5 {
            let op = sign_in(&world.passkey);
            let mut grant = world.grant();
            (grant.hears_of_logout, grant.sid) = (true, Some(op.session.sid));
            db.store.write(op).await.unwrap();
            db.store.write(redeem_code(&grant)).await.unwrap();
        }
        let audit = audit(AuditEvent::SessionEnded);
        let all = EndAccountSessions { realm: REALM, account: world.account.id, keep: None, audit };
        assert_eq!(db.store.write(all).await.unwrap(), 6);
        let client = &world.client.id;
        assert_eq!(db.store.list_due_logouts(NOW, 10).await.unwrap(), [(REALM, client.clone())]);
        for left in [4, 2, 0] {
            assert_eq!(db.store.write(claim(client, 0)).await.unwrap().len(), left);
        }
    }

    async fn a_code_redeemed_while_the_session_ends_is_told_of_or_refused(db) {
        for round in 0..10 {
            let world = heard(&db.store, &format!("user{round}")).await;
            let late = make_client(&db.store, &format!("late{round}")).await;
            let mut grant = world.grant();
            (grant.hears_of_logout, grant.client_id) = (true, late.id.clone());
            let (redeemed, ended) = tokio::join!(
                db.store.write(redeem_code(&grant)),
                db.store.write(end(world.account.id, world.sid))
            );
            assert!(ended.unwrap());
            let told = db.store.write(claim(&late.id, 0)).await.unwrap().len();
            assert_eq!(told == 1, redeemed.unwrap() == Redeemed::Redeemed);
        }
    }
}
