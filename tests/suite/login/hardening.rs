//! Ways around that a review found, each closed.

use std::time::Duration;

use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};
use idp_store::audit::AuditFilter;
use poem::http::Method;

use crate::world::World;
use crate::world::acts::PASSWORD;

#[tokio::test]
async fn a_neighbours_odd_cookie_hides_none_of_ours() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let ours = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let mut odd = b"city=K\xf6ln; ".to_vec();
    odd.extend_from_slice(ours.as_bytes());
    let mut stranger = w.browser();
    let request = stranger
        .request(Method::GET, "/webauthn/session")
        .header("cookie", poem::http::HeaderValue::from_bytes(&odd).unwrap());
    assert_eq!(stranger.send(request).await.value()["signed_in"], true);
}

#[tokio::test]
async fn guesses_at_a_name_do_not_tell_whose_an_address_is() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    for _ in 0..5 {
        w.browser().try_password("carl", "wrong").await;
    }
    assert_eq!(w.browser().try_password("carl", "wrong").await.status, 429);
    assert_eq!(w.browser().try_password("carl@example.org", "wrong").await.status, 401);
    assert_eq!(w.browser().try_password("nobody@example.org", "wrong").await.status, 401);
}

#[tokio::test]
async fn a_guess_counts_though_its_caller_hangs_up() {
    let w = World::sqlite().await;
    let mut browser = w.browser();
    browser.get("/login").await;
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    // A caller may hang up before its guess is read at all; one that was read is counted, whoever waits for it.
    for n in 0..40 {
        let (mut caller, name) = (browser.clone(), format!("carl{n}"));
        let fields = [("csrf", csrf.as_str()), ("username", name.as_str()), ("password", "wrong")];
        let hung_up = tokio::time::timeout(Duration::from_millis(12), caller.post("/login/password", &fields)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let rows = w.app.store.list_audit(w.realm, &AuditFilter::default(), 50).await.unwrap();
        if hung_up.is_err() && rows.iter().any(|row| row.event == "sign_in.failed") {
            return;
        }
        assert!(hung_up.is_err(), "a guess takes longer than this caller waits");
    }
    panic!("none of forty guesses was counted");
}

#[tokio::test]
async fn a_factor_more_never_prolongs_a_session() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let lifetime_s = w.realm().await.settings.session_lifetime_s;
    w.set_settings(|s| s.session_idle_s = s.session_lifetime_s).await;
    w.clock.advance(lifetime_s - 60);
    assert_eq!(browser.try_password("ann", PASSWORD).await.status, 200);
    assert!(browser.is_signed_in().await);
    w.clock.advance(61);
    assert!(!browser.is_signed_in().await, "the session ends when it would have ended");
}

#[tokio::test]
async fn a_passkey_set_aside_between_two_factors_opens_nothing() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    w.policy(|p| p.mode = Mode::PasskeyThenSecondFactor).await;
    let mut browser = w.browser();
    let page = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(page.value()["status"], "second_factor");
    w.suspend(&ann, 0).await;
    assert_eq!(browser.try_password("ann", PASSWORD).await.status, 403);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_first_passkey_is_marked_as_used_when_the_second_factor_completes_it() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    w.policy(|p| p.mode = Mode::PasskeyThenSecondFactor).await;
    let mut browser = w.browser();
    assert_eq!(w.passkey(&ann, 0).await.last_used, None);
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(browser.try_password("ann", PASSWORD).await.status, 200);
    assert!(browser.is_signed_in().await);
    assert!(w.passkey(&ann, 0).await.last_used.is_some());
}

#[tokio::test]
async fn whoever_signs_in_on_anothers_browser_ends_that_session() {
    let w = World::sqlite().await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let mut copy = browser.clone();
    browser.sign_in_with_passkey(&mut bob, None).await;
    assert!(browser.is_signed_in().await);
    assert!(!copy.is_signed_in().await, "a copy of the cookie that was replaced is worth nothing");
}
