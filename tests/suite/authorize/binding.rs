//! `acr_values` that bind: for a client set up so, and where a resource server asked. RFC 9470 §5.

use idp_core::client::ClientSettings;
use idp_softkey::Options;

use crate::rules::rule;
use crate::world::acts::PASSWORD;
use crate::world::{Answer, Ask, World};

const API: &str = "https://api.example/";

type Settings = fn(&mut ClientSettings);
type Change = fn(Ask) -> Ask;

/// Why the same values bind.
const REASONS: &[(&str, Settings, Change)] = &[
    ("setup", |s| s.acr_binding = true, |ask| ask),
    ("resource", |s| s.resources = vec![API.to_owned()], |ask| ask.with("resource", API)),
];

#[tokio::test]
async fn an_unmet_value_is_an_error_and_never_a_lower_one() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.sign_in_with_password(&carl, None).await;
    for (id, settings, change) in REASONS {
        let rp = w.rp_with(id, settings).await;
        let ask = change(rp.ask().with("acr_values", "phrh phr"));
        let answer = Answer::of(&browser.open(&ask.url()).await);
        assert_eq!(answer.error(), "unmet_authentication_requirements", "{}: {id}", rule("step_up.essential"));
        let answer = Answer::of(&browser.get(&ask.with("prompt", "none").url()).await);
        assert_eq!(answer.error(), "login_required", "{}: {id}", rule("step_up.essential"));
        // What is met is given; asking for nothing binds to nothing.
        for ask in [change(rp.ask().with("acr_values", "phr aal1")), change(rp.ask())] {
            Answer::of(&browser.open(&ask.url()).await).code();
        }
        // A `claims` that says voluntary takes the place of the parameter (OIDC Core §5.5.1.1).
        let voluntary = r#"{"id_token":{"acr":{"values":["phr"]}}}"#;
        let ask = change(rp.ask().with("acr_values", "phr").with("claims", voluntary));
        Answer::of(&browser.open(&ask.url()).await).code();
    }
}

#[tokio::test]
async fn a_factor_at_hand_is_asked_for_and_cannot_be_declined() {
    let w = World::sqlite().await;
    let mut carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    browser.sign_in_with_password(&carl, None).await;
    w.add_passkey(&mut carl, Options::synced()).await;
    w.policy(|p| p.mode = idp_core::passkey::policy::Mode::Optional).await;
    for (id, settings, change) in REASONS {
        let rp = w.rp_with(id, settings).await;
        let ask = change(rp.ask().with("acr_values", "phr"));
        let page = browser.clone().open(&ask.url()).await;
        assert!(page.body.contains("data-passkey") && !page.has("login-continue"), "{}", rule("step_up.essential"));
        let answer = Answer::of(&browser.get(&ask.with("prompt", "none").url()).await);
        assert_eq!(answer.error(), "login_required", "{}: {id}", rule("step_up.essential"));
    }
    let rp = w.rp_with("app", |s| s.acr_binding = true).await;
    let ask = rp.ask().with("acr_values", "phr");
    let page = browser.open(&ask.url()).await;
    let next = browser.sign_in_with_passkey(&mut carl, page.sealed().as_deref()).await;
    let code = Answer::of(&browser.open(&next).await).code();
    let answer = rp.redeem(&w, &ask, &code).await;
    assert_eq!(w.accept(&rp, &ask, &code, &answer).await.claims["acr"], "phr");
}
