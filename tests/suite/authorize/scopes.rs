//! Which scopes are granted. RFC 6749 §3.3, OIDC Core §5.4 and §11.

use idp_core::client::{ConsentMode, GrantType};
use serde_json::Value;

use crate::rules::rule;
use crate::world::{Answer, Browser, Person, Rp, World};

/// What the token answer says was granted for `asked`.
async fn granted(w: &World, browser: &mut Browser, person: &mut Person, rp: &Rp, asked: &str) -> Value {
    let ask = rp.ask().with("scope", asked);
    let code = w.authorize(browser, person, &ask).await.code();
    rp.redeem(w, &ask, &code).await.value()
}

#[tokio::test]
async fn unknown_scopes_are_dropped_and_the_order_is_ours() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (mut ann, mut browser) = (w.person("ann").await, w.browser());
    let told = granted(&w, &mut browser, &mut ann, &rp, "phone shoe_size email openid openid address").await;
    assert_eq!(told["scope"], "openid email address phone");
}

#[tokio::test]
async fn a_client_gets_no_scope_beyond_those_set_for_it() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.scopes = Some(vec!["openid".into(), "email".into()])).await;
    let (mut ann, mut browser) = (w.person("ann").await, w.browser());
    let told = granted(&w, &mut browser, &mut ann, &rp, "openid profile email address").await;
    assert_eq!(told["scope"], "openid email");
    let machine = w.rp_with("machine", |s| s.scopes = Some(vec!["orders".into()])).await;
    let refused = Answer::of(&browser.open(&machine.ask().url()).await);
    assert_eq!(refused.error(), "invalid_scope", "{}", rule("scope.openid"));
}

#[tokio::test]
async fn offline_access_is_ignored_without_refresh_tokens() {
    let w = World::sqlite().await;
    let without = w.rp("without").await;
    let with = w.rp_with("with", |s| s.grant_types.push(GrantType::RefreshToken)).await;
    let (mut ann, mut browser) = (w.person("ann").await, w.browser());
    let told = granted(&w, &mut browser, &mut ann, &without, "openid offline_access").await;
    assert_eq!((&told["scope"], &told["refresh_token"]), (&Value::from("openid"), &Value::Null));
    let told = granted(&w, &mut browser, &mut ann, &with, "openid offline_access").await;
    assert_eq!(told["scope"], "openid offline_access");
    assert!(told["refresh_token"].is_string());
}

#[tokio::test]
async fn the_consent_page_says_what_each_scope_gives() {
    let w = World::sqlite().await;
    let rp = w
        .rp_with("app", |s| {
            s.consent = ConsentMode::Ask;
            s.grant_types.push(GrantType::RefreshToken);
        })
        .await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.open(&rp.ask().with("scope", "openid phone address offline_access").url()).await;
    for words in ["+41 44 123 45 67", "Zürich", "Access while you are away"] {
        assert!(page.body.contains(words), "{words}");
    }
    let page = browser.open(&rp.ask().with("scope", "openid phone").url()).await;
    assert!(!page.body.contains("Zürich") && !page.body.contains("away"));
}
