//! How an access token is presented, and which ones are refused. RFC 6750 §2 and §3.

use reqwest::Method;

use crate::both;
use crate::rules::rule;
use crate::world::{Browser, Page, Tokens, World};

async fn stage() -> (World, Tokens) {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    (w, tokens)
}

async fn post(browser: &mut Browser, header: Option<&str>, fields: &[(&str, &str)]) -> Page {
    let mut request = browser.request(Method::POST, "/userinfo");
    if let Some(token) = header {
        request = request.bearer_auth(token);
    }
    if !fields.is_empty() {
        let body = crate::world::encode(fields);
        request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    }
    browser.send(request).await
}

#[tokio::test]
async fn a_token_comes_in_the_header_or_in_a_form() {
    let (w, tokens) = stage().await;
    let token = tokens.access_token.as_str();
    for page in [
        w.userinfo(token).await,
        post(&mut w.browser(), Some(token), &[]).await,
        post(&mut w.browser(), None, &[("access_token", token)]).await,
    ] {
        assert_eq!((page.status, page.value()["sub"].clone()), (200, tokens.claims["sub"].clone()));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    let mut browser = w.browser();
    let request = browser.request(Method::GET, "/userinfo").header("authorization", format!("bEaReR {token}"));
    assert_eq!(browser.send(request).await.status, 200, "the scheme's case does not matter");
}

#[tokio::test]
async fn a_token_in_two_places_is_refused() {
    let (w, tokens) = stage().await;
    let token = tokens.access_token.as_str();
    for other in [token, "x"] {
        let page = post(&mut w.browser(), Some(token), &[("access_token", other)]).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}", rule("bearer.one_method"));
    }
    let page = post(&mut w.browser(), None, &[("access_token", token), ("access_token", token)]).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "twice in the form");
}

#[tokio::test]
async fn no_token_is_401_without_an_error_code() {
    let (w, tokens) = stage().await;
    // A token in the query is none: it would be in every log (RFC 9700 §4.3.2).
    for path in ["/userinfo".to_owned(), format!("/userinfo?access_token={}", tokens.access_token)] {
        let page = w.browser().get(&path).await;
        assert_eq!((page.status, page.header("www-authenticate"), page.body.as_str()), (401, Some("Bearer"), "{}"));
    }
    let page = post(&mut w.browser(), None, &[("other", "x")]).await;
    assert_eq!((page.status, page.header("www-authenticate")), (401, Some("Bearer")));
    let mut browser = w.browser();
    let request = browser.request(Method::GET, "/userinfo").basic_auth("app", Some("x"));
    assert_eq!(browser.send(request).await.status, 401);
}

#[tokio::test]
async fn a_wrong_token_is_401_and_says_so_in_the_challenge() {
    let (w, tokens) = stage().await;
    let elsewhere = stage().await.1.access_token;
    let good = &tokens.access_token;
    let tampered = format!("{}A", &good[..good.len() - 1]);
    let tampered = if tampered == *good { format!("{}B", &good[..good.len() - 1]) } else { tampered };
    for token in ["x", &elsewhere, &tampered, &good[1..], &format!("{good}A"), &tokens.id_token, &"x".repeat(7000)] {
        let page = w.userinfo(token).await;
        assert_eq!(
            (page.status, page.error().as_str()),
            (401, "invalid_token"),
            "{}: {token:.30}",
            rule("bearer.live")
        );
        let challenge = page.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    }
    assert_eq!(w.userinfo(good).await.status, 200);
}

both! {
    async fn a_token_ends_to_the_second(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        w.clock.advance_ms(599_999);
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
        w.clock.advance_ms(1);
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused_and_a_large_one_too() {
    let (w, tokens) = stage().await;
    let mut browser = w.browser();
    let request = browser.request(Method::POST, "/userinfo").header("content-type", "application/json").body("{}");
    assert_eq!(browser.send(request).await.status, 415);
    let page = post(&mut browser, None, &[("access_token", &tokens.access_token), ("x", &"x".repeat(70_000))]).await;
    assert_eq!(page.status, 413);
}
