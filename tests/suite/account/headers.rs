//! What every page and every error carries.

use idp_softkey::Faults;

use crate::world::{Page, World};

fn hardened(page: &Page, what: &str) {
    let csp = page.header("content-security-policy").unwrap_or_else(|| panic!("{what} has no policy"));
    for part in
        ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
    {
        assert!(csp.contains(part), "{what}: {csp}");
    }
    assert!(!csp.contains("unsafe"), "{what}: {csp}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!(page.header("x-frame-options"), Some("DENY"), "{what}");
    assert!(matches!(page.header("referrer-policy"), Some("same-origin" | "no-referrer")), "{what}");
    assert_eq!(page.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(page.header("access-control-allow-origin"), None, "{what}");
    assert!(page.header("x-request-id").is_some_and(|id| id.len() == 16), "{what}");
    assert_eq!(page.header("server"), None, "{what}");
}

#[tokio::test]
async fn pages_are_neither_kept_nor_framed_nor_scripted_from_elsewhere() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = idp_core::client::ConsentMode::Ask).await;
    let mut ann = w.person("ann").await;
    let pass = w.access_pass(&ann).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    hardened(&page, "login");
    let sealed = page.sealed().unwrap();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    for path in [
        "/account/security",
        "/setup/done",
        "/logout",
        "/webauthn/session",
        "/nothing-here",
        "/authorize",
        &rp.ask().url(),
        &format!("/setup?token={pass}"),
        "/setup?token=x",
        &format!("/login/choose?request={sealed}"),
        &format!("/consent?request={sealed}"),
        "/token",
    ] {
        hardened(&browser.open(path).await, path);
    }
}

#[tokio::test]
async fn errors_say_their_request_id_and_code() {
    let w = World::sqlite().await;
    let mut browser = w.browser();
    for (path, status, code) in [
        ("/nothing-here", 404, "not_found"),
        ("/authorize/resume?request=x", 400, "request_invalid"),
        ("/setup?token=x", 403, "link_over"),
        ("/login/password", 405, "method_not_allowed"),
    ] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.code().as_deref()), (status, Some(code)), "{path}");
        assert!(page.has("error-page"), "{path}: {}", page.body);
        assert!(page.body.contains(page.header("x-request-id").unwrap()), "{path}: {}", page.body);
    }
    let page = browser.get("/token").await;
    assert_eq!((page.status, page.value()["error"].as_str()), (405, Some("invalid_request")));
    assert_eq!(page.value()["request_id"].as_str(), page.header("x-request-id"));
    let answer = browser.json("/webauthn/authenticate", &serde_json::json!({})).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.value()["request_id"].as_str(), answer.header("x-request-id"));
}
