//! `prompt=none`: a code, or the matching error, and never a page. OIDC Core §3.1.2.6.

use idp_core::client::ConsentMode;

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, World};

async fn silently(browser: &mut Browser, ask: Ask) -> Answer {
    let ask = ask.with("prompt", "none");
    let page = browser.get(&ask.url()).await;
    assert_eq!(page.status, 303, "no page: {}", page.body);
    let answer = Answer::of(&page);
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    answer
}

#[tokio::test]
async fn says_login_required_where_nobody_is_signed_in() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let answer = silently(&mut w.browser(), rp.ask()).await;
    assert_eq!(answer.error(), "login_required", "{}", rule("login.session"));
    assert_eq!(answer.params["iss"], w.issuer);
}

#[tokio::test]
async fn issues_a_code_to_whoever_is_signed_in_and_keeps_sub_and_auth_time() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let before = w.tokens(&mut browser, &mut ann, &rp).await;
    w.clock.advance(100);
    for ask in [rp.ask(), rp.ask().with("id_token_hint", &before.id_token), rp.ask().with("max_age", "10000")] {
        let code = silently(&mut browser, ask.clone()).await.code();
        let answer = rp.redeem(&w, &ask, &code).await;
        let after = w.accept(&rp, &ask, &code, &answer).await;
        for claim in ["sub", "auth_time", "acr", "amr", "sid"] {
            assert_eq!(after.claims[claim], before.claims[claim], "{claim}");
        }
    }
}

#[tokio::test]
async fn says_consent_required_until_the_user_agreed_to_every_scope() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = ConsentMode::Ask).await;
    let first = w.rp("first").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &first).await;
    assert_eq!(silently(&mut browser, rp.ask()).await.error(), "consent_required", "{}", rule("consent.given"));
    w.tokens(&mut browser, &mut ann, &rp).await;
    silently(&mut browser, rp.ask()).await.code();
    let more = silently(&mut browser, rp.ask().with("scope", "openid email")).await;
    assert_eq!(more.error(), "consent_required", "{}", rule("consent.given"));
}

#[tokio::test]
async fn asks_everybody_at_an_address_that_anybody_could_pose_behind() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &w.rp("first").await).await;
    for (id, uri) in [("loopback", "http://127.0.0.1/cb"), ("scheme", "com.example.app:/cb")] {
        let rp = w.rp_with(id, |s| s.redirect_uris = vec![uri.to_owned()]).await;
        assert_eq!(rp.client.settings.consent, ConsentMode::Skip);
        assert_eq!(silently(&mut browser, rp.ask()).await.error(), "consent_required", "RFC 8252 §8.6: {uri}");
    }
}

#[tokio::test]
async fn says_login_required_where_the_session_does_not_do() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut browser = w.browser();
    let bobs = w.tokens(&mut w.browser(), &mut bob, &rp).await;
    w.tokens(&mut browser, &mut ann, &rp).await;
    w.clock.advance(11);
    for (id, ask) in [
        ("login.fresh", rp.ask().with("max_age", "10")),
        ("login.fresh", rp.ask().with("max_age", "0")),
        ("login.hint", rp.ask().with("id_token_hint", &bobs.id_token)),
    ] {
        assert_eq!(silently(&mut browser, ask).await.error(), "login_required", "{}", rule(id));
    }
    let by_password = w.person_with_password("carl", "correct horse battery").await;
    let mut browser = w.browser();
    browser.sign_in_with_password(&by_password, None).await;
    silently(&mut browser, rp.ask()).await.code();
    let ask = rp.ask().with("claims", r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#);
    let refused = silently(&mut browser, ask).await;
    assert!(
        ["login_required", "unmet_authentication_requirements"].contains(&refused.error()),
        "{}: {}",
        rule("step_up.essential"),
        refused.url
    );
    // A voluntary acr is no reason to refuse.
    silently(&mut browser, rp.ask().with("acr_values", "phr")).await.code();
}

#[tokio::test]
async fn a_policy_that_became_stricter_counts_for_sessions_of_before() {
    use idp_core::passkey::policy::{Mode, Policy};
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let carl = w.person_with_password("carl", "correct horse battery").await;
    let mut browser = w.browser();
    browser.sign_in_with_password(&carl, None).await;
    silently(&mut browser, rp.ask()).await.code();
    w.set_policy(Policy { mode: Mode::PasskeyOnly, ..Policy::default() }).await;
    let answer = silently(&mut browser, rp.ask()).await;
    assert_eq!(answer.error(), "login_required", "{}", rule("step_up.policy"));
}
