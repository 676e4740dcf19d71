//! `response_mode`: query, fragment, form_post, for codes and errors alike.
//! OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2.

use idp_core::client::ConsentMode;

use crate::rules::rule;
use crate::world::{Answer, Page, World};

#[tokio::test]
async fn an_answer_travels_as_the_request_asks() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (mode, begins) in [
        ("", "https://app.example/cb?code="),
        ("query", "https://app.example/cb?code="),
        ("fragment", "https://app.example/cb#code="),
        ("form_post", "https://app.example/cb"),
    ] {
        let ask = rp.ask().with("response_mode", mode);
        let answer = w.authorize(&mut browser, &mut ann, &ask).await;
        assert!(answer.url.starts_with(begins), "{mode}: {}", answer.url);
        assert_eq!(answer.url.contains('?'), mode.is_empty() || mode == "query", "{mode}: {}", answer.url);
        assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"), "{mode}");
        assert_eq!((answer.params["iss"].as_str(), answer.params.len()), (w.issuer.as_str(), 3), "{mode}");
        assert_eq!(rp.redeem(&w, &ask, &answer.code()).await.status, 200, "{mode}");
        // Errors go the same way.
        let ask = ask.with("prompt", "none").with("max_age", "0");
        w.clock.advance(1);
        let refused = Answer::of(&browser.get(&ask.url()).await);
        assert_eq!(refused.error(), "login_required", "{mode}: {}", refused.url);
        assert!(refused.url.starts_with(begins.trim_end_matches("code=")), "{mode}: {}", refused.url);
        let refused = Answer::of(&browser.get(&ask.with("prompt", "nobody").url()).await);
        assert_eq!(refused.error(), "invalid_request", "{mode}: {}", refused.url);
        assert!(refused.url.starts_with(begins.trim_end_matches("code=")), "{mode}: {}", refused.url);
    }
}

fn policy(page: &Page) -> Vec<String> {
    let all: Vec<_> = page.headers.get_all("content-security-policy").iter().collect();
    assert_eq!(all.len(), 1, "two policies would both hold");
    all[0].to_str().unwrap().split("; ").map(str::to_owned).collect()
}

#[tokio::test]
async fn a_form_may_go_to_the_client_and_nowhere_else_and_runs_no_script_of_the_request() {
    let w = World::sqlite().await;
    for (n, uri, allowed) in [
        (1, "https://rp.example:8443/cb?a=b&c=d", "form-action https:"),
        (2, "http://localhost:9/cb", "form-action http:"),
        (3, "http://127.0.0.1/cb", "form-action http:"),
        (4, "http://[::1]/cb", "form-action http:"),
    ] {
        let rp = w.rp_with(&format!("app{n}"), |s| s.redirect_uris = vec![uri.to_owned()]).await;
        let state = "\"><script>alert(1)</script>&amp;'\u{1F511}";
        let ask = rp.ask().with("response_mode", "form_post").with("prompt", "none").with("state", state);
        let page = w.browser().get(&ask.url()).await;
        assert_eq!((page.status, page.location()), (200, None), "{uri}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let policy = policy(&page);
        assert!(policy.iter().any(|p| p == allowed) && policy.iter().any(|p| p == "default-src 'self'"), "{policy:?}");
        assert!(policy.iter().any(|p| p == "frame-ancestors 'none'"), "{policy:?}");
        assert!(!page.body.contains("<script>") && page.has("form-post-submit"), "{}", page.body);
        assert_eq!(page.posted().unwrap().0, uri);
        assert_eq!(page.posted().unwrap().1.iter().find(|(n, _)| n == "state").unwrap().1, state, "{}", page.body);
        assert!(page.body.contains("/assets/form-post.js?v="));
    }
    assert!(policy(&w.browser().get("/login").await).iter().any(|p| p == "form-action 'self'"), "no other page");
}

#[tokio::test]
async fn an_address_that_takes_no_form_is_told_so_by_query() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.redirect_uris = vec!["com.example.app:/cb".to_owned()]).await;
    let answer = Answer::of(&w.browser().get(&rp.ask().with("response_mode", "form_post").url()).await);
    assert!(answer.url.starts_with("com.example.app:/cb?error=invalid_request"), "{}", answer.url);
    assert!(answer.url.contains("response_mode"), "{}: {}", rule("response_mode.known"), answer.url);
    let ask = rp.ask().with("response_mode", "fragment").with("prompt", "none");
    let answer = Answer::of(&w.browser().get(&ask.url()).await);
    assert!(answer.url.starts_with("com.example.app:/cb#error=login_required"), "{}", answer.url);
}

#[tokio::test]
async fn the_mode_outlives_the_pages_in_between() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = ConsentMode::Ask).await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().with("response_mode", "form_post");
    let mut browser = w.browser();
    let login = browser.open(&ask.url()).await;
    let cancelled = browser.submit(&login, "/login/cancel", &[]).await;
    assert_eq!(Answer::of(&cancelled).error(), "access_denied");
    assert!(cancelled.posted().is_some(), "{}", cancelled.body);
    let next = browser.sign_in_with_passkey(&mut ann, login.sealed().as_deref()).await;
    let consent = browser.open(&next).await;
    let denied = browser.submit(&consent, "/consent", &[("decision", "deny")]).await;
    assert_eq!((Answer::of(&denied).error(), denied.posted().is_some()), ("access_denied", true));
    let agreed = browser.submit(&consent, "/consent", &[("decision", "allow")]).await;
    let code = Answer::of(&agreed).code();
    assert!(agreed.posted().is_some(), "{}", agreed.body);
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200);
}

#[tokio::test]
async fn discovery_lists_the_modes() {
    let w = World::sqlite().await;
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert_eq!(metadata["response_modes_supported"], serde_json::json!(["query", "fragment", "form_post"]));
}
