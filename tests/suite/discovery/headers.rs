//! Headers, methods and statuses of every route. RFC 9110 §9, RFC 9700 §4.12, §4.16.

use idp::http::ROUTES;
use reqwest::Method;

use crate::world::World;

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_none_is_a_307() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut paths: Vec<(Method, String)> =
        ROUTES.iter().map(|r| (r.method.clone(), r.path.replace("*path", "idp.css"))).collect();
    paths.extend([(Method::GET, rp.ask().url()), (Method::GET, "/no/such/page".to_owned())]);
    for (method, path) in paths {
        let mut browser = w.browser();
        let request = browser.request(method.clone(), &path);
        let page = browser.send(request).await;
        assert_ne!(page.status, 307, "{method} {path}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{method} {path}");
        assert!(page.header("referrer-policy").is_some(), "{method} {path}");
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{method} {path}: {policy}");
        let cache = page.header("cache-control").unwrap_or_default();
        let public = path.starts_with("/.well-known/") || path.starts_with("/assets/");
        assert!(cache.contains("no-store") || public, "{method} {path}: {cache}");
    }
}

#[tokio::test]
async fn unknown_methods_get_405_and_the_allowed_ones() {
    let w = World::sqlite().await;
    for (method, path, allowed) in [
        (Method::GET, "/token", "OPTIONS, POST"),
        (Method::PUT, "/userinfo", "GET, HEAD, OPTIONS, POST"),
        (Method::DELETE, "/authorize", "GET, HEAD, POST"),
        (Method::POST, "/.well-known/jwks.json", "GET, HEAD, OPTIONS"),
        (Method::GET, "/login/password", "POST"),
        (Method::TRACE, "/login", "GET, HEAD, POST"),
    ] {
        let mut browser = w.browser();
        let request = browser.request(method.clone(), path);
        let page = browser.send(request).await;
        assert_eq!((page.status, page.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    // The front page is an address like any other.
    assert_eq!(w.browser().get("/").await.status, 303);
    // A machine gets JSON where the address speaks JSON.
    assert_eq!(w.browser().get("/token").await.error(), "invalid_request");
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let w = World::sqlite().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/login", "/assets/idp.css"] {
        let mut browser = w.browser();
        let get = browser.get(path).await;
        let request = browser.request(Method::HEAD, path);
        let head = browser.send(request).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_with_404() {
    let w = World::sqlite().await;
    for path in
        ["/no/such/page", "/authorize/", "/authorize/..;/login", "//authorize", "/assets/..%2fCargo.toml", "/%00"]
    {
        let page = w.browser().get(path).await;
        assert_eq!((page.status, page.location()), (404, None), "{path}");
    }
}
