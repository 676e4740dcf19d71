//! What ends while a device waits. The matrix of what ends what: `matrix.rs`.

use idp_core::audit::AuditEvent;
use idp_core::client::ClientState;

use crate::rules::rule;
use crate::world::World;

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
async fn who_is_not_in_the_group_cannot_allow() {
    let w = World::sqlite().await;
    let tv = w.tv_with("tv", |s| s.allowed_groups = vec!["family".to_owned()]).await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&tv).await;
    let mut browser = w.browser();
    let sealed = browser.enter(&device.user_code).await.sealed().unwrap();
    let next = browser.sign_in_with_passkey(&mut ann, Some(&sealed)).await;
    let page = browser.open(&next).await;
    assert!(page.has("device-code") && page.body.contains("not for your account"), "{}", rule("client.groups"));
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
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
