//! Case 9: {allowed device, its access token, its refresh token} × what they rest on ended: refused at once.

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::client::ClientState;
use idp_store::consents::DeleteConsent;
use idp_store::sessions::EndAccountSessions;

use crate::both;
use crate::rules::rule;
use crate::world::{Browser, Person, Rp, World};

/// Something that ends what somebody allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    UserDisabled,
    UserLocked,
    UserDeleted,
    ConsentWithdrawn,
    ClientDisabled,
    ClientDeleted,
    SessionsRevoked,
    SignedOut,
    PasskeyRemoved,
}

const CHANGES: &[Change] = &[
    Change::UserDisabled,
    Change::UserLocked,
    Change::UserDeleted,
    Change::ConsentWithdrawn,
    Change::ClientDisabled,
    Change::ClientDeleted,
    Change::SessionsRevoked,
    Change::SignedOut,
    Change::PasskeyRemoved,
];

async fn change(w: &World, what: Change, ann: &Person, tv: &Rp, browser: &mut Browser) {
    let (realm, account) = (w.realm, ann.id);
    match what {
        Change::UserDisabled => w.set_account_state(ann, AccountState::Disabled).await,
        Change::UserLocked => w.set_account_state(ann, AccountState::Locked).await,
        Change::UserDeleted => w.delete_account(ann).await,
        Change::ConsentWithdrawn => {
            let audit = w.audit(AuditEvent::ConsentWithdrawn);
            let op = DeleteConsent { realm, account, client: tv.client.id.clone(), audit };
            assert!(w.app.store.write(op).await.unwrap());
        }
        Change::ClientDisabled => w.set_client_state(tv, ClientState::Disabled).await,
        Change::ClientDeleted => w.delete_client(tv).await,
        Change::SessionsRevoked => {
            let audit = w.audit(AuditEvent::SessionEnded);
            assert!(w.app.store.write(EndAccountSessions { realm, account, keep: None, audit }).await.unwrap() > 0);
        }
        Change::SignedOut => {
            let page = browser.get("/logout").await;
            assert_eq!(browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await.status, 200);
        }
        Change::PasskeyRemoved => w.remove_passkey(ann, 0).await,
    }
}

both! {
    async fn nothing_is_good_after_what_it_rests_on_ended(db) {
        let w = World::start(db).await;
        for (n, what) in CHANGES.iter().enumerate() {
            let tv = w.tv(&format!("tv{n}")).await;
            let mut ann = w.person(&format!("ann{n}")).await;
            let mut browser = w.browser();
            let used = w.allowed_device(&tv, &mut browser, &mut ann).await;
            let tokens = used.poll(&w).await.value();
            let allowed = w.allowed_device(&tv, &mut browser, &mut ann).await;
            let access = tokens["access_token"].as_str().unwrap();
            assert_eq!(w.userinfo(access).await.status, 200);
            change(&w, *what, &ann, &tv, &mut browser).await;
            assert_eq!(w.userinfo(access).await.status, 401, "{what:?}");
            let client = matches!(what, Change::ClientDisabled | Change::ClientDeleted);
            let expected = if client { (401, "invalid_client") } else { (400, "invalid_grant") };
            for _ in 0..2 {
                let poll = allowed.poll(&w).await;
                assert_eq!((poll.status, poll.error().as_str()), expected, "{}: {what:?}", rule("device_code.session"));
            }
            let refresh = tv.refresh(&w, tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!((refresh.status, refresh.error().as_str()), expected, "{what:?}");
        }
    }
}

#[tokio::test]
async fn a_client_switched_off_is_not_named_on_the_page() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&tv).await;
    let mut browser = w.browser();
    let page = browser.approach(&mut ann, &device.user_code).await;
    w.set_client_state(&tv, ClientState::Disabled).await;
    let answer = browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    assert_eq!((answer.status, answer.code().as_deref()), (400, Some("client_disabled")));
}

#[tokio::test]
async fn who_left_the_group_gets_no_tokens() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let device = w.allowed_device(&tv, &mut w.browser(), &mut ann).await;
    let mut client = w.app.store.find_client(w.realm, &tv.client.id).await.unwrap().unwrap();
    let seen = client.updated;
    client.settings.allowed_groups = vec!["family".to_owned()];
    client.updated = w.clock.now().plus_s(1);
    let audit = w.audit(AuditEvent::ClientChanged);
    w.app.store.write(idp_store::clients::UpdateClient { realm: w.realm, client, seen, audit }).await.unwrap();
    let poll = device.poll(&w).await;
    assert_eq!((poll.status, poll.error().as_str()), (400, "invalid_grant"), "{}", rule("device_code.session"));
}
