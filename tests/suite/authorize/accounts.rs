//! As whom: the account chooser, "not you?", `login_hint`, `id_token_hint`. OIDC Core §3.1.2.1.

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Person, Rp, World};

async fn sub_of(w: &World, rp: &Rp, ask: &Ask, code: &str) -> String {
    let answer = rp.redeem(w, ask, code).await;
    w.accept(rp, ask, code, &answer).await.claims["sub"].as_str().unwrap().to_owned()
}

async fn signed_in(w: &World, rp: &Rp, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    w.tokens(&mut browser, person, rp).await;
    browser
}

#[tokio::test]
async fn select_account_shows_who_is_signed_in_and_goes_on_as_them() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &rp, &mut ann).await;
    let ask = rp.ask().with("prompt", "select_account");
    let page = browser.open(&ask.url()).await;
    assert!(page.has("choose-current") && page.body.contains("ann"), "{}", rule("login.select_account"));
    let page = browser.submit(&page, "/login/select", &[]).await;
    let code = Answer::of(&browser.follow(page).await).code();
    assert_eq!(sub_of(&w, &rp, &ask, &code).await, ann.sub());
    // The choice was for that request alone.
    assert!(browser.open(&rp.ask().with("prompt", "select_account").url()).await.has("choose-current"));
}

#[tokio::test]
async fn somebody_else_can_sign_in_instead() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = idp_core::client::ConsentMode::Ask).await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    for prompt in ["select_account", "consent"] {
        let mut browser = signed_in(&w, &rp, &mut ann).await;
        let ask = rp.ask().with("prompt", prompt);
        let page = browser.open(&ask.url()).await;
        let sealed = page.sealed().unwrap();
        // "Not you?" leads to the chooser, which leads to the sign-in page.
        let page = if prompt == "consent" {
            assert!(page.has("consent-allow") && page.body.contains("/login/choose?request="), "not you?");
            browser.get(&format!("/login/choose?request={sealed}")).await
        } else {
            page
        };
        let sealed = page.sealed().unwrap();
        let page = browser.get(&format!("/login?switch=1&request={sealed}")).await;
        assert!(page.has("login-submit"), "{}", page.body);
        let next = browser.sign_in_with_passkey(&mut bob, page.sealed().as_deref()).await;
        let page = browser.open(&next).await;
        assert!(page.has("consent-allow"), "bob did not agree to anything yet: {}", page.body);
        let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        let code = Answer::of(&browser.follow(page).await).code();
        assert_eq!(sub_of(&w, &rp, &ask, &code).await, bob.sub());
        // The next round begins without bob's consent.
        bob = w.person(&format!("bob-{prompt}")).await;
    }
}

#[tokio::test]
async fn a_login_hint_fills_in_the_name_and_is_inert() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let page = w.browser().open(&rp.ask().with("login_hint", "ann@example.org").url()).await;
    assert!(page.body.contains("value=\"ann@example.org\""), "{}", page.body);
    let page = w.browser().open(&rp.ask().with("login_hint", "\"><script>alert(1)</script>").url()).await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let page = w.browser().open(&rp.ask().with("login_hint", &"x".repeat(5000)).url()).await;
    assert!(page.has("login-submit"));
}

#[tokio::test]
async fn an_id_token_hint_of_somebody_else_asks_for_that_person() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let bobs = w.tokens(&mut w.browser(), &mut bob, &rp).await.id_token;
    let mut browser = signed_in(&w, &rp, &mut ann).await;
    let ask = rp.ask().with("id_token_hint", &bobs);
    let page = browser.open(&ask.url()).await;
    assert!(page.has("login-submit"), "{}", rule("login.hint"));
    // Ann signs in once more: still not bob.
    let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
    let page = browser.open(&next).await;
    assert!(page.has("login-submit"), "{}", rule("login.hint"));
    let next = browser.sign_in_with_passkey(&mut bob, page.sealed().as_deref()).await;
    let code = Answer::of(&browser.open(&next).await).code();
    assert_eq!(sub_of(&w, &rp, &ask, &code).await, bob.sub());
}

#[tokio::test]
async fn a_hint_of_ours_is_good_however_old_and_by_whichever_key() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let hint = w.tokens(&mut browser, &mut ann, &rp).await.id_token;
    w.clock.advance(3 * 3600);
    w.rotate_key(SigningAlg::RS256).await;
    let ask = rp.ask().with("id_token_hint", &hint).with("prompt", "none");
    Answer::of(&browser.get(&ask.url()).await).code();
}

#[tokio::test]
async fn a_hint_that_does_not_verify_is_refused() {
    let (w, elsewhere) = (World::sqlite().await, World::sqlite().await);
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let good = w.tokens(&mut w.browser(), &mut ann, &rp).await.id_token;
    let mut zoe = elsewhere.person("zoe").await;
    let foreign = elsewhere.tokens(&mut elsewhere.browser(), &mut zoe, &elsewhere.rp("app").await).await.id_token;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let none = format!("{}.{}.", base64url(r#"{"alg":"none"}"#), head.split_once('.').unwrap().1);
    let tampered = format!("{head}A.{signature}");
    for hint in [foreign.as_str(), &none, &tampered, head, "x", &"x.".repeat(20_000)] {
        for prompt in ["", "none"] {
            let ask = rp.ask().with("prompt", prompt).with("id_token_hint", hint);
            // Long ones do not fit a query that every proxy passes; a form has room.
            let answer = Answer::of(&w.browser().post("/authorize", &ask.fields()).await);
            assert_eq!(answer.error(), "invalid_request", "{}: {hint:.40}", rule("id_token_hint.ours"));
        }
    }
}
