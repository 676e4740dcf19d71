//! Device authorizations: begun within limits, answered once, fetched once (RFC 8628).

use futures_util::future::join_all;
use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::client::ClientState;
use idp_core::grant::{AuthContext, Grant, GrantState};
use idp_core::id::FlowId;
use idp_core::oauth::device::*;
use idp_core::oauth::scope::Scopes;
use idp_store::Store;
use idp_store::accounts::SetAccountState;
use idp_store::clients::UpdateClient;
use idp_store::consents::{Consent, DeleteConsent};
use idp_store::devices::*;
use idp_store::refresh_tokens::NewRefreshToken;
use idp_store::sessions::EndSession;
use idp_store::sweep::Sweep;

use crate::both;
use crate::fixtures::*;

fn device(world: &SignedInWorld) -> DeviceCode {
    let hash = hash();
    DeviceCode {
        hash,
        user_code: user_code(hash[..16].try_into().unwrap()),
        client_id: world.client.id.clone(),
        request: DeviceRequest {
            scope: Scopes::from_stored("openid email"),
            resources: vec!["https://api.example".to_owned()],
            address: "192.0.2.7".to_owned(),
        },
        state: DeviceState::Waiting,
        approval: None,
        interval_s: INTERVAL_S,
        polled: None,
        expires: NOW.plus_s(LIFETIME_S),
    }
}

fn start(device: &DeviceCode, network: &str) -> StartDevice {
    let audit = audit(AuditEvent::DeviceStarted);
    StartDevice { realm: REALM, device: device.clone(), network: network.to_owned(), now: NOW, audit }
}

fn approval(world: &SignedInWorld) -> Approval {
    let auth = AuthContext { acr: Some("aal1".to_owned()), amr: vec!["mca".to_owned()], auth_time: NOW };
    Approval { account_id: world.account.id, sid: world.sid, auth }
}

fn approve(world: &SignedInWorld, device: &DeviceCode) -> ApproveDevice {
    ApproveDevice {
        realm: REALM,
        hash: device.hash,
        approval: approval(world),
        consent: Consent {
            account_id: world.account.id,
            client_id: world.client.id.clone(),
            scope: "openid email".to_owned(),
            flow: FlowId::from_bytes([1; 16]),
            updated: NOW,
        },
        now: NOW.plus_s(1),
        audit: audit(AuditEvent::DeviceApproved),
    }
}

fn deny(device: &DeviceCode) -> DenyDevice {
    DenyDevice { realm: REALM, hash: device.hash, now: NOW.plus_s(1), audit: audit(AuditEvent::DeviceDenied) }
}

fn redeem(device: &DeviceCode, grant: Grant) -> RedeemDevice {
    let refresh = Some(NewRefreshToken { hash: hash(), issued: NOW, expires: NOW.plus_s(3600) });
    RedeemDevice { realm: REALM, hash: device.hash, grant, refresh, audit: audit(AuditEvent::DeviceRedeemed) }
}

async fn started(store: &Store, world: &SignedInWorld) -> DeviceCode {
    let device = device(world);
    assert_eq!(store.write(start(&device, "192.0.2.7")).await.unwrap(), DeviceStarted::Started);
    device
}

async fn approved(store: &Store, world: &SignedInWorld) -> DeviceCode {
    let device = started(store, world).await;
    assert!(store.write(approve(world, &device)).await.unwrap());
    device
}

async fn state(store: &Store, device: &DeviceCode) -> DeviceState {
    store.find_device_code(REALM, &device.hash).await.unwrap().unwrap().state
}

both! {
    async fn reads_what_was_begun_by_either_code(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = started(&db.store, &world).await;
        let by_hash = db.store.find_device_code(REALM, &device.hash).await.unwrap();
        let by_user_code = db.store.find_user_code(REALM, &device.user_code).await.unwrap();
        assert_eq!((by_hash.as_ref(), by_user_code.as_ref()), (Some(&device), Some(&device)));
        assert_eq!(db.store.find_user_code(REALM, "BBBBBBBB").await.unwrap(), None);
        assert_eq!(db.store.find_device_code(REALM, &hash()).await.unwrap(), None);
        assert_eq!(count_audit(&db.store, AuditEvent::DeviceStarted).await, 1);
    }

    async fn begins_no_two_with_one_user_code_and_no_more_than_may_wait(db) {
        let world = SignedInWorld::make(&db.store).await;
        let first = started(&db.store, &world).await;
        let twin = DeviceCode { user_code: first.user_code.clone(), ..device(&world) };
        assert_eq!(db.store.write(start(&twin, "192.0.2.9")).await.unwrap(), DeviceStarted::Taken);
        for _ in 1..MOST_WAITING.0 {
            started(&db.store, &world).await;
        }
        assert_eq!(db.store.write(start(&device(&world), "192.0.2.7")).await.unwrap(), DeviceStarted::Full);
        assert_eq!(db.store.write(start(&device(&world), "192.0.2.8")).await.unwrap(), DeviceStarted::Started);
        assert!(db.store.write(deny(&first)).await.unwrap());
        started(&db.store, &world).await;
        let later = StartDevice { now: NOW.plus_s(LIFETIME_S), ..start(&device(&world), "192.0.2.7") };
        assert_eq!(db.store.write(later).await.unwrap(), DeviceStarted::Started, "what expired waits no more");
    }

    async fn takes_one_of_many_answers(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = started(&db.store, &world).await;
        let (yes, no) = tokio::join!(
            join_all((0..8).map(|_| db.store.write(approve(&world, &device)))),
            join_all((0..8).map(|_| db.store.write(deny(&device)))),
        );
        let taken = yes.into_iter().chain(no).filter(|answer| *answer.as_ref().unwrap()).count();
        assert_eq!(taken, 1);
        assert_ne!(state(&db.store, &device).await, DeviceState::Waiting);
    }

    async fn keeps_who_said_yes_and_what_they_agreed_to(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = approved(&db.store, &world).await;
        let found = db.store.find_device_code(REALM, &device.hash).await.unwrap().unwrap();
        assert_eq!((found.state, found.approval), (DeviceState::Approved, Some(approval(&world))));
        let consent = db.store.find_consent(REALM, &world.account.id, &world.client.id).await.unwrap().unwrap();
        assert_eq!(consent.scope, "openid email");
        assert!(!db.store.write(deny(&device)).await.unwrap(), "it was answered");
    }

    async fn takes_no_answer_after_its_time_nor_from_a_session_that_ended(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = started(&db.store, &world).await;
        let late = NOW.plus_s(LIFETIME_S);
        assert!(!db.store.write(ApproveDevice { now: late, ..approve(&world, &device) }).await.unwrap());
        assert!(!db.store.write(DenyDevice { now: late, ..deny(&device) }).await.unwrap());
        let end = audit(AuditEvent::SessionEnded);
        db.store.write(EndSession { realm: REALM, sid: world.sid, account: world.account.id, audit: end }).await.unwrap();
        assert!(!db.store.write(approve(&world, &device)).await.unwrap());
        assert_eq!(state(&db.store, &device).await, DeviceState::Waiting);
        assert!(db.store.find_consent(REALM, &world.account.id, &world.client.id).await.unwrap().is_none());
    }

    async fn notes_one_of_two_polls_at_once(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = started(&db.store, &world).await;
        let note = |seen, now, interval_s| NotePoll { realm: REALM, hash: device.hash, seen, interval_s, now };
        let polls = join_all((0..16).map(|_| db.store.write(note(None, NOW.plus_s(1), 5)))).await;
        assert_eq!(polls.into_iter().filter(|noted| *noted.as_ref().unwrap()).count(), 1);
        assert!(db.store.write(note(Some(NOW.plus_s(1)), NOW.plus_s(2), 10)).await.unwrap());
        let found = db.store.find_device_code(REALM, &device.hash).await.unwrap().unwrap();
        assert_eq!((found.polled, found.interval_s), (Some(NOW.plus_s(2)), 10));
        db.store.write(deny(&device)).await.unwrap();
        assert!(!db.store.write(note(Some(NOW.plus_s(2)), NOW.plus_s(3), 5)).await.unwrap());
    }

    async fn fetches_once_of_64_at_once_by_two_processes(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = approved(&db.store, &world).await;
        let grants: Vec<Grant> = (0..64).map(|_| world.grant()).collect();
        let other = db.other().await;
        let tries = grants.iter().enumerate().map(|(n, g)| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(redeem(&device, g.clone()))
        });
        let results = join_all(tries).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == DeviceRedeemed::Redeemed).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == DeviceRedeemed::Used).count(), 63);
        let mut begun = 0;
        for grant in &grants {
            let status = db.store.find_grant(REALM, &grant.id).await.unwrap();
            begun += usize::from(status.is_some_and(|s| s.grant.state == GrantState::Live && s.is_good()));
        }
        assert_eq!(begun, 1);
        assert_eq!(state(&db.store, &device).await, DeviceState::Used);
        assert_eq!(count_audit(&db.store, AuditEvent::DeviceRedeemed).await, 1);
    }

    async fn fetches_nothing_before_the_answer_nor_after_its_time(db) {
        let world = SignedInWorld::make(&db.store).await;
        let waiting = started(&db.store, &world).await;
        assert_eq!(db.store.write(redeem(&waiting, world.grant())).await.unwrap(), DeviceRedeemed::Used);
        let device = approved(&db.store, &world).await;
        let late = Grant { created: NOW.plus_s(LIFETIME_S), ..world.grant() };
        assert_eq!(db.store.write(redeem(&device, late)).await.unwrap(), DeviceRedeemed::Used);
        assert_eq!(state(&db.store, &device).await, DeviceState::Approved);
    }

    async fn fetches_nothing_after_consent_account_client_or_session_went(db) {
        for case in 0..4 {
            let db = if db.url.starts_with("sqlite") { Db::sqlite().await } else { Db::postgres().await };
            let world = SignedInWorld::make(&db.store).await;
            let device = approved(&db.store, &world).await;
            let (realm, account) = (REALM, world.account.id);
            match case {
                0 => {
                    let audit = audit(AuditEvent::ConsentWithdrawn);
                    db.store.write(DeleteConsent { realm, account, client: world.client.id.clone(), audit }).await.map(drop)
                }
                1 => {
                    let audit = audit(AuditEvent::AccountChanged);
                    let op = SetAccountState { realm, id: account, state: AccountState::Disabled, now: NOW, audit };
                    db.store.write(op).await.map(drop)
                }
                2 => {
                    let mut client = world.client.clone();
                    (client.state, client.updated) = (ClientState::Disabled, NOW.plus_s(1));
                    let audit = audit(AuditEvent::ClientChanged);
                    db.store.write(UpdateClient { realm, client, seen: NOW, audit }).await.map(drop)
                }
                _ => {
                    let audit = audit(AuditEvent::SessionEnded);
                    db.store.write(EndSession { realm, sid: world.sid, account, audit }).await.map(drop)
                }
            }
            .unwrap();
            let grant = world.grant();
            assert_eq!(db.store.write(redeem(&device, grant.clone())).await.unwrap(), DeviceRedeemed::Gone, "{case}");
            assert!(db.store.find_grant(REALM, &grant.id).await.unwrap().is_none(), "{case}");
            assert_eq!(state(&db.store, &device).await, DeviceState::Approved, "{case}: nothing was written");
        }
    }

    async fn is_swept_an_hour_after_its_end(db) {
        let world = SignedInWorld::make(&db.store).await;
        let device = started(&db.store, &world).await;
        let sweep = |now| Sweep { now, batch: 100, keep_s: 7 * 86_400, throttle_window_s: 3600 };
        assert_eq!(db.store.write(sweep(device.expires.plus_s(3600))).await.unwrap().device_codes, 0);
        assert_eq!(db.store.write(sweep(device.expires.plus_s(3601))).await.unwrap().device_codes, 1);
    }
}
