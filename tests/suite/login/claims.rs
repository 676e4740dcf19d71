//! What a sign-in amounts to in the ID token: acr, amr, auth_time, from the session's own events alone.

use idp_core::passkey::policy::{Mode, PerType, Requirement};
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::world::acts::{PASSWORD, key};
use crate::world::{Person, World};

fn unverified(options: Options) -> Options {
    Options { uv: false, ..options }
}

/// Signs in from `/authorize` with the first passkey; the claims.
async fn claims(w: &World, person: &mut Person) -> Value {
    let rp = w.rp(&format!("app{}", crate::world::number())).await;
    w.tokens(&mut w.browser(), person, &rp).await.claims
}

async fn discourage_uv(w: &World) {
    w.policy(|p| {
        p.user_verification = PerType::all(Requirement::Discouraged);
        p.resident_key = PerType::all(Requirement::Discouraged);
    })
    .await;
}

#[tokio::test]
async fn a_passkey_with_user_verification() {
    let w = World::sqlite().await;
    for (name, options, kind) in [
        ("bound", Options::platform(), "hwk"),
        ("key", Options::security_key(), "hwk"),
        ("synced", Options::synced(), "swk"),
    ] {
        let mut person = w.person_with_key(name, options).await;
        let claims = claims(&w, &mut person).await;
        assert_eq!(claims["acr"], "phr", "{name}");
        assert_eq!(claims["amr"], json!([kind, "pop", "user", "mfa"]), "{name}");
        assert_eq!(claims["auth_time"], w.clock.now().secs(), "{name}");
    }
}

#[tokio::test]
async fn a_lone_passkey_without_user_verification_is_neither_mfa_nor_phr() {
    let w = World::sqlite().await;
    discourage_uv(&w).await;
    for (name, options, kind) in
        [("bound", unverified(Options::platform()), "hwk"), ("synced", unverified(Options::synced()), "swk")]
    {
        let mut person = w.person_with_key(name, options).await;
        let found = claims(&w, &mut person).await;
        assert_eq!(found["acr"], "http://idmanagement.gov/ns/assurance/aal/1", "{name}");
        assert_eq!(found["amr"], json!([kind, "pop", "user"]), "{name}");
    }
    w.set_settings(|s| s.phr_requires_uv = false).await;
    let mut person = w.person_with_key("lenient", unverified(Options::platform())).await;
    let found = claims(&w, &mut person).await;
    assert_eq!((&found["acr"], &found["amr"]), (&json!("phr"), &json!(["hwk", "pop", "user"])));
}

#[tokio::test]
async fn user_verification_need_not_count_as_a_second_factor() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.uv_counts_as_second_factor = false).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let found = claims(&w, &mut ann).await;
    assert_eq!((&found["acr"], &found["amr"]), (&json!("phr"), &json!(["hwk", "pop", "user"])));
    // Password and passkey are two factors in any case.
    let rp = w.rp("both").await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let found = w.claims(&mut browser, &rp).await;
    assert_eq!((&found["acr"], &found["amr"]), (&json!("phr"), &json!(["pwd", "hwk", "pop", "user", "mfa"])));
}

#[tokio::test]
async fn hwk_can_be_kept_for_attested_hardware() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.hwk_requires_attestation = true).await;
    let mut ann = w.person("ann").await;
    assert_eq!(claims(&w, &mut ann).await["amr"], json!(["pop", "user", "mfa"]));
    let mut sue = w.person_with_key("sue", Options::synced()).await;
    assert_eq!(claims(&w, &mut sue).await["amr"], json!(["swk", "pop", "user", "mfa"]));
}

#[tokio::test]
async fn a_password_alone_is_one_factor() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.try_password("carl", PASSWORD).await;
    let found = w.claims(&mut browser, &rp).await;
    assert_eq!(found["acr"], "http://idmanagement.gov/ns/assurance/aal/1");
    assert_eq!(found["amr"], json!(["pwd"]));
}

#[tokio::test]
async fn password_and_unverified_passkey_are_two_factors() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    discourage_uv(&w).await;
    w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    let mut ann = w.person_with_both("ann", Options::u2f()).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    w.clock.advance(30);
    assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    let found = w.claims(&mut browser, &rp).await;
    assert_eq!((&found["acr"], &found["amr"]), (&json!("phr"), &json!(["pwd", "hwk", "pop", "user", "mfa"])));
    assert_eq!(found["auth_time"], w.clock.now().secs() - 30, "the oldest event of the set");
}

#[tokio::test]
async fn a_session_is_stepped_up_and_auth_time_is_its_oldest_event() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.try_password("carl", PASSWORD).await;
    let (begun, before) = (w.clock.now().secs(), w.claims(&mut browser, &rp).await);
    w.add_passkey(&mut carl, Options::synced()).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    w.clock.advance(40);
    let ask = rp.ask().with("acr_values", "https://refeds.org/profile/mfa");
    let page = browser.open(&ask.url()).await;
    let (sealed, mut old) = (page.sealed().unwrap(), browser.clone());
    // At step-up the account is known: its ids are listed.
    let options = browser.json("/webauthn/authenticate/options", &json!({ "request": sealed })).await.value();
    assert_eq!(options["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
    let next = browser.sign_in_with_passkey(&mut carl, Some(&sealed)).await;
    let code = crate::world::Answer::of(&browser.open(&next).await).code();
    let found = w.accept(&rp, &ask, &code, &rp.redeem(&w, &ask, &code).await).await.claims;
    assert_eq!(found["acr"], "https://refeds.org/profile/mfa");
    assert_eq!(found["sid"], before["sid"], "the session is the same");
    // The passkey alone meets the demand, and more recently than together with the password.
    let amr = found["amr"].as_array().unwrap();
    let oldest = if amr.contains(&json!("pwd")) { begun } else { w.clock.now().secs() };
    assert_eq!(found["auth_time"], oldest, "{found}");
    assert!(!old.is_signed_in().await, "the cookie of before is dead");
}

#[tokio::test]
async fn what_happens_elsewhere_does_not_change_a_session() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.try_password("carl", PASSWORD).await;
    let before = w.claims(&mut browser, &rp).await;
    w.clock.advance(60);
    // A passkey comes, by a pass, and signs in on another device.
    w.policy(|p| p.mode = Mode::Optional).await;
    w.add_passkey(&mut carl, Options::synced()).await;
    let mut elsewhere = w.browser();
    assert_eq!(elsewhere.try_passkey(&mut carl.keys[0], &Faults::default()).await.stand(), "complete");
    assert_eq!(w.claims(&mut elsewhere, &rp).await["acr"], "phr");
    w.clock.advance(60);
    let after = w.claims(&mut browser, &rp).await;
    for claim in ["sid", "acr", "amr", "auth_time", "sub"] {
        assert_eq!(after[claim], before[claim], "{claim}");
    }
}

#[tokio::test]
async fn whoever_has_just_enrolled_signs_in_once_with_the_new_passkey() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let ann = w.account("ann", None).await;
    let mut browser = w.browser();
    let mut new = key(Options::platform());
    browser.enrol(&w.access_pass(&ann).await, &mut new, &Faults::default()).await;
    let page = browser.open(&rp.ask().url()).await;
    assert!(page.has("login-submit") || page.has("passkey-login"), "nobody is signed in: {}", page.body);
    assert_eq!(browser.try_passkey(&mut new, &Faults::default()).await.stand(), "complete");
    assert_eq!(w.claims(&mut browser, &rp).await["acr"], "phr");
}
