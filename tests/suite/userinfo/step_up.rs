//! A resource server that wants a stronger sign-in: what it challenges with, an application asks for. RFC 9470.

use idp_core::client::ClientAuthMethod;
use idp_core::passkey::policy::Mode;
use idp_softkey::Options;

use crate::world::acts::PASSWORD;
use crate::world::{Answer, World};

const API: &str = "https://api.example";

/// `acr_values` and `max_age` of a challenge (RFC 9470 §3), as an application reads them.
fn parameter(challenge: &str, name: &str) -> String {
    let (_, rest) = challenge.split_once(&format!("{name}=\"")).expect(name);
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_application_that_follows_the_challenge_gets_a_token_with_that_acr() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.resources = vec![API.to_owned()]).await;
    let api = w
        .rp_with("api", |s| {
            s.auth_method = ClientAuthMethod::ClientSecretBasic;
            s.serves = vec![API.to_owned()];
        })
        .await;
    // A password alone lets in, although there is a passkey.
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    let ask = rp.ask().with("resource", API);
    let code = Answer::of(&browser.open(&ask.url()).await).code();
    let weak = rp.redeem(&w, &ask, &code).await.value()["access_token"].as_str().unwrap().to_owned();
    let known = api.introspect(&w, &weak).await;
    assert_ne!(known["acr"], "phr", "{known}");
    // The resource server answers 401 with this; the application takes it into its next request.
    let challenge =
        "Bearer error=\"insufficient_user_authentication\", acr_values=\"phr\", max_age=\"60\", scope=\"openid\"";
    let stronger = rp
        .ask()
        .with("resource", API)
        .with("acr_values", &parameter(challenge, "acr_values"))
        .with("max_age", &parameter(challenge, "max_age"));
    w.clock.advance(120);
    let page = browser.open(&stronger.url()).await;
    let sealed = page.sealed().expect("the user is asked");
    let next = browser.sign_in_with_passkey(&mut ann, Some(&sealed)).await;
    let code = Answer::of(&browser.open(&next).await).code();
    let strong = rp.redeem(&w, &stronger, &code).await.value()["access_token"].as_str().unwrap().to_owned();
    let known = api.introspect(&w, &strong).await;
    assert_eq!((&known["active"], &known["acr"]), (&true.into(), &"phr".into()), "{known}");
    assert!(w.clock.now().secs() - known["auth_time"].as_i64().unwrap() <= 60, "{known}");
    // The session is stronger now; the weak token stays what it was.
    assert_ne!(api.introspect(&w, &weak).await["acr"], "phr");
}
