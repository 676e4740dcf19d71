//! `acr_values` (voluntary) and essential `acr`: stepped up to, gone on without, or refused; never claimed.
//! OIDC Core §5.5.1.1, OpenID Connect Core Error Code unmet_authentication_requirements.

use idp_softkey::Options;
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Person, Rp, World};

const PASSWORD: &str = "correct horse battery";

fn essential(ask: Ask, values: &[&str]) -> Ask {
    ask.with("claims", &json!({ "id_token": { "acr": { "essential": true, "values": values } } }).to_string())
}

async fn claims(w: &World, rp: &Rp, ask: &Ask, code: &str) -> Value {
    let answer = rp.redeem(w, ask, code).await;
    w.accept(rp, ask, code, &answer).await.claims
}

struct Stage {
    w: World,
    rp: Rp,
    person: Person,
    browser: Browser,
}

/// Somebody with a password who is signed in by it alone; afterwards, if `passkey`, with a passkey too.
async fn by_password(passkey: bool) -> Stage {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut person = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.sign_in_with_password(&person, None).await;
    assert!(browser.cookie("session").is_some(), "signed in by password");
    if passkey {
        w.add_passkey(&mut person, Options::synced()).await;
        // With a passkey at hand the default policy no longer lets a lone password in.
        w.set_policy(idp_core::passkey::policy::Policy {
            mode: idp_core::passkey::policy::Mode::Optional,
            ..Default::default()
        })
        .await;
    }
    Stage { w, rp, person, browser }
}

#[tokio::test]
async fn a_requested_value_that_is_satisfied_is_the_one_emitted() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (asked, emitted) in [
        ("phr", "phr"),
        ("aal2 phr", "aal2"),
        ("phrh phr", "phr"),
        ("unknown http://idmanagement.gov/ns/assurance/aal/2", "http://idmanagement.gov/ns/assurance/aal/2"),
        ("https://refeds.org/profile/mfa", "https://refeds.org/profile/mfa"),
        ("unknown", "phr"),
        ("phrh", "phr"),
        ("aal3", "phr"),
    ] {
        let ask = rp.ask().with("acr_values", asked);
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        assert_eq!(claims(&w, &rp, &ask, &code).await["acr"], emitted, "{asked}");
    }
}

#[tokio::test]
async fn a_voluntary_value_is_stepped_up_to() {
    let mut s = by_password(true).await;
    let ask = s.rp.ask().with("acr_values", "phr");
    let page = s.browser.open(&ask.url()).await;
    assert!(page.has("login-continue"), "{}: {}", rule("step_up.voluntary"), page.body);
    let next = s.browser.sign_in_with_passkey(&mut s.person, page.sealed().as_deref()).await;
    let code = Answer::of(&s.browser.open(&next).await).code();
    let claims = claims(&s.w, &s.rp, &ask, &code).await;
    assert_eq!(claims["acr"], "phr");
    let amr: Vec<_> = claims["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(amr.contains(&"mfa") && amr.contains(&"swk") && !amr.contains(&"hwk"), "{amr:?}");
}

#[tokio::test]
async fn a_voluntary_value_can_be_declined_and_is_then_not_claimed() {
    let mut s = by_password(true).await;
    let ask = s.rp.ask().with("acr_values", "phr");
    let page = s.browser.open(&ask.url()).await;
    let page = s.browser.submit(&page, "/login/continue", &[]).await;
    let code = Answer::of(&s.browser.follow(page).await).code();
    let claims = claims(&s.w, &s.rp, &ask, &code).await;
    assert_eq!(claims["acr"], "http://idmanagement.gov/ns/assurance/aal/1", "{}", rule("step_up.voluntary"));
    assert_eq!(claims["amr"], json!(["pwd"]));
}

#[tokio::test]
async fn a_voluntary_value_out_of_reach_asks_nothing() {
    let mut s = by_password(false).await;
    let ask = s.rp.ask().with("acr_values", "phr phrh");
    let code = Answer::of(&s.browser.open(&ask.url()).await).code();
    assert_eq!(claims(&s.w, &s.rp, &ask, &code).await["amr"], json!(["pwd"]), "{}", rule("step_up.voluntary"));
}

#[tokio::test]
async fn an_essential_value_is_stepped_up_to_and_cannot_be_declined() {
    let mut s = by_password(true).await;
    let ask = essential(s.rp.ask(), &["phr"]);
    let page = s.browser.open(&ask.url()).await;
    assert!(!page.has("login-continue") && page.body.contains("data-passkey"), "{}", rule("step_up.essential"));
    // The form of the voluntary page, forged.
    let sealed = page.sealed().unwrap();
    let csrf = page.form("/login/cancel").into_iter().find(|(n, _)| n == "csrf").unwrap().1;
    let forged = s.browser.post("/login/continue", &[("csrf", &csrf), ("request", &sealed)]).await;
    assert_eq!((forged.status, forged.next()), (403, None), "{}", rule("step_up.essential"));
    let next = s.browser.sign_in_with_passkey(&mut s.person, Some(&sealed)).await;
    let code = Answer::of(&s.browser.open(&next).await).code();
    assert_eq!(claims(&s.w, &s.rp, &ask, &code).await["acr"], "phr");
}

#[tokio::test]
async fn an_essential_value_out_of_reach_is_an_error_without_a_code() {
    let mut s = by_password(false).await;
    for values in [&["phr"][..], &["phrh", "aal3"], &["unknown"]] {
        let answer = Answer::of(&s.browser.open(&essential(s.rp.ask(), values).url()).await);
        assert_eq!(answer.error(), "unmet_authentication_requirements", "{}: {values:?}", rule("step_up.essential"));
        assert_eq!(answer.params.get("code"), None);
        assert_eq!(answer.params["iss"], s.w.issuer);
    }
    // A passkey does not reach what needs a verified attestation either.
    let mut ann = s.w.person("ann").await;
    let answer = s.w.authorize(&mut s.w.browser(), &mut ann, &essential(s.rp.ask(), &["phrh"])).await;
    assert_eq!(answer.error(), "unmet_authentication_requirements", "{}", rule("step_up.essential"));
}

#[tokio::test]
async fn an_essential_value_that_is_met_goes_through() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for values in [&["phr"][..], &["phrh", "aal2"]] {
        let ask = essential(rp.ask(), values);
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let claims = claims(&w, &rp, &ask, &code).await;
        assert!(values.contains(&claims["acr"].as_str().unwrap()), "{claims}");
    }
}

#[tokio::test]
async fn the_policy_asks_for_the_factor_that_is_missing() {
    use idp_core::passkey::policy::{Mode, Policy};
    let mut s = by_password(true).await;
    s.w.set_policy(Policy { mode: Mode::PasswordThenPasskey, ..Policy::default() }).await;
    let page = s.browser.open(&s.rp.ask().url()).await;
    assert!(page.body.contains("data-passkey") && !page.has("login-continue"), "{}", rule("step_up.policy"));
    let next = s.browser.sign_in_with_passkey(&mut s.person, page.sealed().as_deref()).await;
    Answer::of(&s.browser.open(&next).await).code();
}
