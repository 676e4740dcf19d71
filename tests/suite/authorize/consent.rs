//! What the user's answer on the consent page does to the request. OIDC Core §3.1.2.1 and §3.1.2.4.

use idp_core::client::ConsentMode;

use crate::rules::rule;
use crate::world::{Answer, Browser, Person, Rp, World};

async fn stage(consent: ConsentMode) -> (World, Rp, Person, Browser) {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = consent).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    (w, rp, ann, browser)
}

#[tokio::test]
async fn prompt_consent_asks_again_and_once_a_request() {
    for mode in [ConsentMode::Ask, ConsentMode::Skip] {
        let (_w, rp, _ann, mut browser) = stage(mode).await;
        for _ in 0..2 {
            let ask = rp.ask().with("prompt", "consent");
            let page = browser.open(&ask.url()).await;
            assert!(page.has("consent-allow"), "{}: {mode:?}", rule("consent.asked"));
            let resume = format!("/authorize/resume?request={}", page.sealed().unwrap());
            let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
            Answer::of(&browser.follow(page).await).code();
            Answer::of(&browser.open(&resume).await).code();
        }
    }
}

#[tokio::test]
async fn a_no_goes_back_to_the_client_and_is_not_remembered() {
    let (w, rp, _ann, mut browser) = stage(ConsentMode::Ask).await;
    let ask = rp.ask();
    let page = browser.open(&ask.url()).await;
    let before = w.commits();
    let answer = Answer::of(&browser.submit(&page, "/consent", &[("decision", "deny")]).await);
    assert_eq!((answer.error(), &answer.params["iss"]), ("access_denied", &w.issuer));
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    assert_eq!(w.commits(), before);
    assert!(browser.open(&rp.ask().url()).await.has("consent-allow"), "{}", rule("consent.given"));
}

#[tokio::test]
async fn the_address_cannot_be_changed_in_the_form() {
    let (_w, rp, _ann, mut browser) = stage(ConsentMode::Ask).await;
    let page = browser.open(&rp.ask().url()).await;
    let fields =
        [("decision", "allow"), ("redirect_uri", "https://evil.example/"), ("client_id", "evil"), ("scope", "x")];
    let page = browser.submit(&page, "/consent", &fields).await;
    let answer = Answer::of(&browser.follow(page).await);
    assert!(answer.url.starts_with("https://app.example/cb?code="), "{}", answer.url);
}

#[tokio::test]
async fn cancelling_the_sign_in_is_access_denied() {
    let (w, rp, ..) = stage(ConsentMode::Ask).await;
    let mut browser = w.browser();
    let ask = rp.ask();
    let page = browser.open(&ask.url()).await;
    let answer = Answer::of(&browser.submit(&page, "/login/cancel", &[]).await);
    assert_eq!((answer.error(), &answer.params["iss"]), ("access_denied", &w.issuer));
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
}
