//! What a browser gets for a `request_uri`.

use futures_util::future::join_all;
use idp_core::client::{ClientState, ConsentMode};

use super::confidential;
use crate::both;
use crate::rules::rule;
use crate::world::{Answer, Browser, Page, World, encode};

async fn refused(browser: &mut Browser, path: &str, code: &str) -> Page {
    let page = browser.get(path).await;
    assert_eq!((page.status, page.next(), page.code().as_deref()), (400, None, Some(code)), "{path}: {}", page.body);
    page
}

#[tokio::test]
async fn only_client_and_request_uri_count() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    let ask = rp.ask().with("response_mode", "fragment");
    let beside = encode(&[
        ("redirect_uri", "https://evil.example/"),
        ("state", "other"),
        ("nonce", "other"),
        ("scope", "openid email"),
        ("response_mode", "query"),
        ("response_type", "token"),
        ("prompt", "login"),
        ("request", "x"),
        ("code_challenge", "x"),
    ]);
    let url = format!("{}&{beside}", rp.pushed(&w, &ask).await);
    let answer = Answer::of(&browser.get(&url).await);
    assert!(answer.url.starts_with("https://app.example/cb#code="), "{}: {}", rule("par.bound"), answer.url);
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    let tokens = rp.redeem(&w, &ask, &answer.code()).await;
    assert_eq!(tokens.value()["scope"], "openid", "{}", tokens.body);
    w.accept(&rp, &ask, &answer.code(), &tokens).await;
}

#[tokio::test]
async fn what_another_pushed_or_nobody_is_refused_by_a_page() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp_with("app", confidential).await, w.rp_with("other", confidential).await);
    let mut browser = w.browser();
    let url = rp.pushed(&w, &rp.ask()).await;
    let uri = url.split_once("request_uri=").unwrap().1;
    refused(&mut browser, &format!("/authorize?client_id=other&request_uri={uri}"), "invalid_request_uri").await;
    refused(&mut browser, &format!("/authorize?request_uri={uri}"), "client_id_missing").await;
    refused(&mut browser, &format!("/authorize?client_id=nobody&request_uri={uri}"), "client_unknown").await;
    refused(&mut browser, &format!("{url}&request_uri={uri}"), "parameter_twice").await;
    for text in ["", "x", "%00", "\u{fc}", &"A".repeat(43), &"A".repeat(8_000), &format!("{uri}A")] {
        let url = other.with_uri(&format!("urn:ietf:params:oauth:request_uri:{text}"));
        refused(&mut browser, &url, "invalid_request_uri").await;
    }
    let page = browser
        .post("/authorize", &[("client_id", "other"), ("request_uri", "urn:ietf:params:oauth:request_uri:x")])
        .await;
    assert_eq!((page.status, page.next()), (400, None));
    // The other client's attempt spoiled nothing.
    assert!(browser.get(&url).await.location().unwrap().starts_with("/login?request="), "{}", rule("par.bound"));
    w.set_client_state(&rp, ClientState::Disabled).await;
    refused(&mut browser, &url, "client_disabled").await;
}

#[tokio::test]
async fn it_is_opened_within_90_seconds_and_then_lives_as_long_as_any_request() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let ask = rp.ask();
    let url = rp.pushed(&w, &ask).await;
    w.clock.advance(90);
    let login = browser.open(&url).await;
    w.clock.advance(1);
    refused(&mut w.browser(), &url, "invalid_request_uri").await;
    w.clock.advance(3590);
    let next = browser.sign_in_with_passkey(&mut ann, login.sealed().as_deref()).await;
    let code = Answer::of(&browser.open(&next).await).code();
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200, "{}", rule("par.fresh"));
    let url = rp.pushed(&w, &ask).await;
    let sealed = w.browser().get(&url).await.sealed().unwrap();
    w.clock.advance(3601);
    let page = refused(&mut browser, &format!("/authorize/resume?request={sealed}"), "request_expired").await;
    assert!(page.body.contains("Application app"));
}

#[tokio::test]
async fn it_may_be_opened_again_until_its_code_is_issued_and_then_never() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| (confidential(s), s.consent = ConsentMode::Ask).1).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let ask = rp.ask();
    let url = rp.pushed(&w, &ask).await;
    let uri = url.split_once("request_uri=").unwrap().1.replace("%3A", ":");
    for _ in 0..3 {
        assert!(w.browser().open(&url).await.has("login-submit"), "{}", rule("par.once"));
    }
    let posted = browser.post("/authorize", &[("client_id", "app"), ("request_uri", &uri)]).await;
    assert_eq!(posted.status, 303);
    let login = browser.follow(posted).await;
    let next = browser.sign_in_with_passkey(&mut ann, login.sealed().as_deref()).await;
    let consent = browser.open(&next).await;
    // Saying no uses nothing up.
    let denied = browser.submit(&consent, "/consent", &[("decision", "deny")]).await;
    assert_eq!(Answer::of(&denied).error(), "access_denied");
    let consent = browser.open(&url).await;
    let other_tab = browser.open(&url).await;
    let agreed = browser.submit(&consent, "/consent", &[("decision", "allow")]).await;
    let code = Answer::of(&agreed).code();
    refused(&mut browser, &url, "invalid_request_uri").await;
    let sealed = other_tab.sealed().unwrap();
    refused(&mut browser, &format!("/authorize/resume?request={sealed}"), "invalid_request_uri").await;
    let late = browser.submit(&other_tab, "/consent", &[("decision", "allow")]).await;
    assert_eq!((late.status, late.next()), (400, None), "{}: {}", rule("par.once"), late.body);
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200);
}

#[tokio::test]
async fn a_long_request_travels_as_a_short_reference_with_what_happened_on_the_way() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    let claims: Vec<String> = (0..40).map(|n| format!("\"claim{n:0>90}\":null")).collect();
    let claims = format!("{{\"userinfo\":{{{}}}}}", claims.join(","));
    let ask = rp.ask().with("claims", &claims).with("prompt", "select_account").with("state", &"s".repeat(512));
    assert_eq!(Answer::of(&browser.get(&ask.url()).await).error(), "invalid_request", "{}", rule("params.length"));
    let choose = browser.open(&rp.pushed(&w, &ask).await).await;
    assert!(choose.sealed().unwrap().len() < 250, "{:?}", choose.sealed());
    let chosen = browser.submit(&choose, "/login/select", &[]).await;
    let answer = Answer::of(&browser.follow(chosen).await);
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    let tokens = rp.redeem(&w, &ask, &answer.code()).await.value();
    let detail = crate::authorize::claims::detail_of(&w, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(detail.claims.userinfo.len(), 40);
}

both! {
    async fn of_64_at_once_one_gets_the_code(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", confidential).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        w.tokens(&mut browser, &mut ann, &rp).await;
        let ask = rp.ask();
        let url = rp.pushed(&w, &ask).await;
        let before = w.commits();
        let pages = join_all((0..64).map(|_| { let mut tab = browser.clone(); let url = &url; async move { tab.get(url).await } })).await;
        let codes: Vec<_> = pages.iter().filter(|page| page.location().is_some()).map(|page| Answer::of(page).code()).collect();
        assert_eq!(codes.len(), 1, "{}", rule("par.once"));
        assert!(pages.iter().all(|p| p.status == 303 || (p.status, p.code().as_deref()) == (400, Some("invalid_request_uri"))));
        assert_eq!(w.commits() - before, 1, "the one that used it up");
        assert_eq!(rp.redeem(&w, &ask, &codes[0]).await.status, 200);
    }
}
