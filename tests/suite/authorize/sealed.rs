//! The sealed request that travels through the pages: small, tamper-proof, bound to its realm, over after an hour
//! (case 2).

use idp_core::client::ClientState;

use crate::rules::rule;
use crate::world::{Answer, World};

#[tokio::test]
async fn a_tampered_or_foreign_text_is_refused_by_a_page() {
    let (w, elsewhere) = (World::sqlite().await, World::sqlite().await);
    let rp = w.rp("app").await;
    let sealed = w.browser().get(&rp.ask().url()).await.sealed().unwrap();
    let foreign = elsewhere.browser().get(&elsewhere.rp("app").await.ask().url()).await.sealed().unwrap();
    let mut texts = vec![foreign, String::new(), "x".to_owned(), format!("{sealed}A"), sealed[1..].to_owned()];
    texts.push(format!("{sealed}%3D"));
    for at in [0, 5, sealed.len() / 2, sealed.len() - 1] {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        texts.push(String::from_utf8(bytes).unwrap());
    }
    for text in texts {
        for path in ["/authorize/resume", "/login", "/login/choose", "/login/second-factor", "/consent"] {
            if text.is_empty() && path.starts_with("/login") {
                continue; // a sign-in without a request is one of the product's own
            }
            let page = w.browser().get(&format!("{path}?request={text}")).await;
            assert_eq!((page.status, page.next()), (400, None), "{path}?request={text}");
            assert_eq!(page.code().as_deref(), Some("request_invalid"), "{path}?request={text}");
        }
        let body = serde_json::json!({ "request": text });
        let page = w.browser().json("/webauthn/authenticate/options", &body).await;
        assert!(page.status == 400 || text.is_empty(), "{}", page.body);
    }
}

#[tokio::test]
async fn a_request_of_another_realm_is_refused() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let sealed = w.browser().get(&rp.ask().url()).await.sealed().unwrap();
    w.second_realm("other.example").await;
    let mut browser = w.browser();
    browser.headers.insert("host", "other.example".parse().unwrap());
    assert_eq!(browser.get("/login").await.status, 200, "the other realm answers at its host");
    let page = browser.get(&format!("/authorize/resume?request={sealed}")).await;
    assert_eq!((page.status, page.code().as_deref()), (400, Some("request_invalid")));
    let page = browser.get(&rp.ask().url()).await;
    assert_eq!(page.code().as_deref(), Some("client_unknown"), "clients are their realm's own");
}

#[tokio::test]
async fn an_expired_request_names_the_application_to_go_back_to() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let sealed = browser.get(&rp.ask().url()).await.sealed().unwrap();
    w.clock.advance(3600);
    assert!(browser.get(&format!("/login?request={sealed}")).await.has("login-submit"));
    w.clock.advance(1);
    browser.sign_in_with_passkey(&mut ann, None).await;
    for path in ["/authorize/resume", "/login", "/consent"] {
        let page = browser.get(&format!("{path}?request={sealed}")).await;
        assert_eq!((page.status, page.code().as_deref(), page.next()), (400, Some("request_expired"), None));
        assert!(page.body.contains("Application app") && page.body.contains("https://app.example/"), "{}", page.body);
    }
}

#[tokio::test]
async fn an_honest_request_fits_a_header_buffer_and_a_huge_one_is_refused() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let full = rp
        .ask()
        .with("scope", "openid profile email")
        .with("state", &"s".repeat(512))
        .with("nonce", &"n".repeat(256))
        .with("login_hint", &"h".repeat(254))
        .with("acr_values", "phrh phr aal3 aal2 https://refeds.org/profile/mfa")
        .with("max_age", "3600")
        .with("ui_locales", "de en fr");
    let location = w.browser().get(&full.url()).await.location().unwrap().to_owned();
    let sealed = location.strip_prefix("/login?request=").unwrap();
    assert!(sealed.len() <= 2048, "{} bytes", sealed.len());
    for (name, length) in
        [("login_hint", 60_000), ("state", 1025), ("state", 60_000), ("claims", 60_000), ("foo", 60_000)]
    {
        let ask = rp.ask().with(name, &"x".repeat(length));
        let page = w.browser().post("/authorize", &ask.fields()).await;
        let next = page.next().unwrap();
        let refused = Answer::of(&page);
        let harmless = matches!(name, "login_hint" | "foo");
        assert_eq!(refused.error() == "invalid_request", !harmless, "{}: {name}", rule("params.length"));
        assert!(!harmless || next.len() < 2200, "{name}: {} bytes", next.len());
    }
    let values = (0..16).map(|n| format!("{n:0>100}")).collect::<Vec<_>>();
    let claims = serde_json::json!({ "id_token": { "acr": { "values": values } } }).to_string();
    let ask = rp.ask().with("claims", &claims).with("state", &"ü".repeat(256));
    let answer = Answer::of(&w.browser().get(&ask.url()).await);
    assert_eq!(answer.error(), "invalid_request", "{}: more than 2 KiB sealed", rule("params.length"));
}

#[tokio::test]
async fn a_million_values_are_refused_and_the_process_lives() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    for (name, value) in [
        ("ui_locales", "de ".repeat(20_000)),
        ("scope", "openid ".repeat(9_000)),
        ("prompt", "login ".repeat(10_000)),
        ("acr_values", "phr ".repeat(15_000)),
        ("claims", "[".repeat(20_000)),
        ("claims", format!("{{\"id_token\":{}", "{\"a\":".repeat(700))),
        ("max_age", "9".repeat(60_000)),
    ] {
        let page = w.browser().post("/authorize", &rp.ask().with(name, &value).fields()).await;
        let answer = Answer::of(&page);
        assert!(!answer.error().is_empty() || name == "prompt", "{name}: {:.200}", answer.url);
    }
    let many: String = (0..5_000).map(|n| format!("&p{n}=1")).collect();
    let page = w.browser().get(&format!("{}{many}", rp.ask().url())).await;
    assert!(page.status < 500, "{}", page.status);
}

#[tokio::test]
async fn a_client_disabled_meanwhile_gets_neither_user_nor_code() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let sealed = page.sealed().unwrap();
    w.set_client_state(&rp, ClientState::Disabled).await;
    let cancelled = browser.submit(&page, "/login/cancel", &[]).await;
    assert_eq!((cancelled.status, cancelled.next()), (400, None));
    let begun = browser.json("/webauthn/authenticate/options", &serde_json::json!({ "request": sealed })).await;
    assert_eq!(begun.status, 400, "{}", begun.body);
    browser.sign_in_with_passkey(&mut ann, None).await;
    for path in ["/authorize/resume", "/login", "/consent", "/login/choose"] {
        let page = browser.get(&format!("{path}?request={sealed}")).await;
        assert_eq!((page.status, page.next(), page.code().as_deref()), (400, None, Some("client_disabled")), "{path}");
    }
}
