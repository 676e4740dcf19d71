//! Cross-origin calls: documents for anyone, token and userinfo for the client's own pages, nothing else.

use reqwest::Method;

use crate::world::{Browser, Page, World, encode};

const FOREIGN: &str = "https://evil.example";

async fn from(browser: &mut Browser, origin: &str, method: Method, path: &str) -> Page {
    let request = browser.request(method, path).header("origin", origin);
    browser.send(request).await
}

#[tokio::test]
async fn anyone_may_read_the_public_documents() {
    let w = World::sqlite().await;
    for path in
        ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"]
    {
        let page = from(&mut w.browser(), FOREIGN, Method::GET, path).await;
        assert_eq!(page.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(page.header("access-control-allow-credentials"), None, "{path}");
        let preflight = from(&mut w.browser(), FOREIGN, Method::OPTIONS, path).await;
        assert_eq!(preflight.status, 204, "{path}");
    }
}

#[tokio::test]
async fn pages_and_authorize_are_closed_to_other_origins() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let ask = rp.ask().url();
    for path in
        [ask.as_str(), "/authorize/resume?request=x", "/login", "/logout", "/account", "/webauthn/session", "/setup"]
    {
        for method in [Method::GET, Method::OPTIONS] {
            let page = from(&mut w.browser(), "https://app.example", method.clone(), path).await;
            for name in page.headers.keys() {
                assert!(!name.as_str().starts_with("access-control-"), "{method} {path}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn token_and_userinfo_are_readable_by_the_clients_own_origins_alone() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.web_origins.push("https://web.example".to_owned())).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (origin, allowed) in [
        ("https://app.example", true),
        ("https://web.example", true),
        (FOREIGN, false),
        ("null", false),
        ("http://app.example", false),
        ("https://app.example.evil.example", false),
        (w.issuer.as_str(), false),
    ] {
        let expected = allowed.then_some(origin);
        let ask = rp.ask();
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let mut params = rp.code_params(&ask, &code);
        params.push(("client_id", rp.id()));
        let mut page = w.browser();
        let request = page.request(Method::POST, "/token").header("origin", origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&params));
        let bought = page.send(request).await;
        assert_eq!((bought.status, bought.header("access-control-allow-origin")), (200, expected), "token, {origin}");
        // A refusal is readable too, so that the client's page can act on it.
        let request = page.request(Method::POST, "/token").header("origin", origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&params));
        let refused = page.send(request).await;
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (400, expected), "{origin}");
        let ask = rp.ask();
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let tokens = rp.redeem(&w, &ask, &code).await.value();
        let request = page.request(Method::GET, "/userinfo").header("origin", origin);
        let told = page.send(request.bearer_auth(tokens["access_token"].as_str().unwrap())).await;
        assert_eq!((told.status, told.header("access-control-allow-origin")), (200, expected), "userinfo, {origin}");
        for answer in [bought, refused, told] {
            assert_eq!(answer.header("access-control-allow-credentials"), None, "never with credentials");
            assert!(answer.header("vary").is_some_and(|v| v.contains("Origin")), "caches must tell origins apart");
        }
    }
}
