//! Answering: only where the code was entered, by somebody who signed in for it, knowing who asks. RFC 8628 §5.4.

use idp_core::audit::AuditEvent;
use idp_core::client::ConsentMode;
use idp_core::passkey::policy::Mode;
use idp_softkey::Options;
use serde_json::json;

use crate::both;
use crate::rules::rule;
use crate::world::World;
use crate::world::acts::PASSWORD;

both! {
    async fn the_page_says_who_asks_from_where_and_for_what(db) {
        let w = World::start(db).await;
        // Nobody is asked for this client's sake elsewhere; here everybody is.
        let tv = w.tv_with("tv", |s| s.consent = ConsentMode::Skip).await;
        let mut ann = w.person("ann").await;
        let device = w.begin_device(&tv).await;
        w.clock.advance(120);
        let mut browser = w.browser();
        let page = browser.approach(&mut ann, &device.user_code).await;
        for text in ["Application tv", &device.user_code, "127.0.0.1", "2 minutes ago", "ann@example.org", "tv.example"] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
        let commits = w.commits();
        browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
        assert_eq!(w.commits() - commits, 1);
        let consent = w.app.store.find_consent(w.realm, &ann.id, &tv.client.id).await.unwrap().unwrap();
        assert_eq!(consent.scope, "openid email");
        let rows = w.audit_rows(&ann, AuditEvent::DeviceApproved).await;
        assert_eq!(rows.len(), 1);
        let expected = json!({ "scope": "openid email", "device_address": "127.0.0.1", "place": "127.0.0.*" });
        assert_eq!(rows[0].detail, expected);
    }

    async fn a_session_that_never_entered_the_code_gets_403(db) {
        let w = World::start(db).await;
        let device = w.begin_device(&w.tv("tv").await).await;
        let mut mallory = w.browser();
        let theirs = mallory.enter(&device.user_code).await.sealed().unwrap();
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        // Ann even signs in for the request that somebody sent her.
        let next = browser.sign_in_with_passkey(&mut ann, Some(&theirs)).await;
        let page = browser.open(&next).await;
        assert_eq!((page.status, page.code().as_deref()), (403, Some("device_not_entered")), "{}", rule("device.entered"));
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        for decision in ["allow", "deny"] {
            let fields = [("csrf", csrf.as_str()), ("request", &theirs), ("decision", decision)];
            let page = browser.post("/device/confirm", &fields).await;
            assert_eq!((page.status, page.code().as_deref()), (403, Some("device_not_entered")), "{decision}");
        }
        // Nor does having entered another one help.
        let own = w.begin_device(&w.tv("own").await).await;
        browser.enter(&own.user_code).await;
        let page = browser.get(&format!("/device/confirm?request={theirs}")).await;
        assert_eq!(page.status, 403);
        assert_eq!(device.poll(&w).await.error(), "authorization_pending");
    }
}

#[tokio::test]
async fn a_page_of_another_site_answers_nothing() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let sealed = browser.approach(&mut ann, &device.user_code).await.sealed().unwrap();
    let page = browser.post("/device/confirm", &[("request", &sealed), ("decision", "allow")]).await;
    assert_eq!((page.status, page.code().as_deref()), (403, Some("csrf_mismatch")));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = browser.post("/device/confirm", &[("csrf", &csrf), ("request", &sealed)]).await;
    assert_eq!((page.status, page.code().as_deref()), (400, Some("decision_missing")));
    let request = browser.get(&w.rp("web").await.ask().with("prompt", "login").url()).await.sealed().unwrap();
    let page = browser.get(&format!("/device/confirm?request={request}")).await;
    assert_eq!((page.status, page.code().as_deref()), (400, Some("request_invalid")), "another request is no device's");
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
}

#[tokio::test]
async fn whoever_answers_has_just_signed_in_for_it() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let device = w.begin_device(&tv).await;
    let page = browser.enter(&device.user_code).await;
    assert!(page.has("passkey-login") && page.body.contains("Confirm that it"), "{}", rule("device.signed_in"));
    let sealed = page.sealed().unwrap();
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("request", &sealed), ("decision", "allow")];
    let page = browser.post("/device/confirm", &fields).await;
    assert!(page.next().unwrap().starts_with("/login?"), "{}: {}", rule("device.signed_in"), page.body);
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
    let next = browser.sign_in_with_passkey(&mut ann, Some(&sealed)).await;
    let page = browser.open(&next).await;
    // A page left open for longer than a sign-in counts is worth nothing.
    w.clock.advance(301);
    let late = browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    assert!(late.next().unwrap().starts_with("/login?"), "{}", late.body);
    assert_eq!(w.app.store.list_sessions(w.realm, &ann.id, w.clock.now(), 3600).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_is_enough_where_the_policy_says_so_and_never_more_than_it_is() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let device = w.begin_device(&tv).await;
    let mut browser = w.browser();
    let sealed = browser.enter(&device.user_code).await.sealed().unwrap();
    let page = browser.sign_in_with_password(&carl, Some(&sealed)).await;
    browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    let tokens = device.poll(&w).await.value();
    let claims = w.verify(&tv, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["amr"], json!(["pwd", "mca"]));
    assert_eq!(claims["acr"], "http://idmanagement.gov/ns/assurance/aal/1");
    // The policy that demands a passkey demands it here too.
    w.policy(|p| p.mode = Mode::PasskeyOnly).await;
    let device = w.begin_device(&tv).await;
    let mut browser = w.browser();
    let page = browser.enter(&device.user_code).await;
    let sealed = page.sealed().unwrap();
    let page = browser.submit(&page, "/login", &[("username", "carl")]).await;
    assert!(!page.has("password"), "{}", page.body);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("request", &sealed), ("username", "carl"), ("password", PASSWORD)];
    let page = browser.post("/login/password", &fields).await;
    let page = browser.follow(page).await;
    assert!(!page.has("device-allow"), "{}", rule("device.signed_in"));
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
}

#[tokio::test]
async fn a_synced_passkey_is_not_phishing_resistant_here_either() {
    let w = World::sqlite().await;
    let tv = w.tv_with("tv", |s| s.default_acr_values = vec!["phr".to_owned(), "aal2".to_owned()]).await;
    let mut ann = w.person_with_key("ann", Options::synced()).await;
    let device = w.allowed_device(&tv, &mut w.browser(), &mut ann).await;
    let tokens = device.poll(&w).await.value();
    let claims = w.verify(&tv, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["acr"], "aal2", "{}: the first wish that can be met", rule("device.acr"));
    assert_eq!(claims["amr"], json!(["swk", "pop", "user", "mfa", "mca"]));
}

#[tokio::test]
async fn a_client_that_insists_on_more_is_refused() {
    let w = World::sqlite().await;
    let strict = w
        .tv_with("tv", |s| {
            s.default_acr_values = vec!["phr".to_owned()];
            s.acr_binding = true;
        })
        .await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&strict).await;
    let mut browser = w.browser();
    let sealed = browser.enter(&device.user_code).await.sealed().unwrap();
    let next = browser.sign_in_with_passkey(&mut ann, Some(&sealed)).await;
    let page = browser.open(&next).await;
    assert!(page.has("device-code") && page.body.contains("stronger proof"), "{}: {}", rule("device.acr"), page.body);
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
}

#[tokio::test]
async fn leaving_the_sign_in_allows_nothing() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut browser = w.browser();
    let page = browser.enter(&device.user_code).await;
    assert!(!page.body.contains("go back to Application"), "there is no way back to a device");
    let page = browser.submit(&page, "/login/cancel", &[]).await;
    let page = browser.follow(page).await;
    assert!(page.has("device-code") && page.body.contains("Nothing was allowed"), "{}", page.body);
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
}

#[tokio::test]
async fn two_tabs_answer_for_two_devices() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let (first, second) = (w.begin_device(&tv).await, w.begin_device(&tv).await);
    let one = browser.approach(&mut ann, &first.user_code).await;
    let two = browser.approach(&mut ann, &second.user_code).await;
    // The sign-in in the second tab changed the browser's token: the first one is loaded again, as its page says.
    let one = browser.get(&format!("/device/confirm?request={}", one.sealed().unwrap())).await;
    for page in [&one, &two] {
        let done = browser.submit(page, "/device/confirm", &[("decision", "allow")]).await;
        assert!(done.body.contains("Your device is connected"), "{}", done.body);
    }
    assert_eq!((first.poll(&w).await.status, second.poll(&w).await.status), (200, 200));
}

#[tokio::test]
async fn another_account_can_be_chosen() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let device = w.begin_device(&tv).await;
    let mut browser = w.browser();
    let page = browser.approach(&mut ann, &device.user_code).await;
    let sealed = page.sealed().unwrap();
    let choose = browser.get(&format!("/login/choose?request={sealed}")).await;
    assert!(choose.has("choose-other") && choose.body.contains("Continue as ann"), "{}", choose.body);
    let next = browser.sign_in_with_passkey(&mut bob, Some(&sealed)).await;
    let page = browser.open(&next).await;
    browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    let tokens = device.poll(&w).await.value();
    assert_eq!(w.verify(&tv, tokens["id_token"].as_str().unwrap()).await["sub"], bob.sub());
}
