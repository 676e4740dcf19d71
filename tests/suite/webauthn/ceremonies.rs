//! What binds a ceremony: browser, origin, token, purpose, request, five minutes, one use. WebAuthn L3 §13.4.3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp_core::encoding::from_base64url;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::acts::{key, refused};
use crate::world::{Browser, Page, World};

const OPTIONS: [&str; 2] = ["/webauthn/register/options", "/webauthn/authenticate/options"];
const FINISH: [&str; 2] = ["/webauthn/register", "/webauthn/authenticate"];

/// A call with exactly these headers and a valid body for the options routes.
async fn call(browser: &mut Browser, path: &str, headers: &[(&str, &str)], body: String) -> Page {
    let mut request = browser.request(reqwest::Method::POST, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(body)).await
}

#[tokio::test]
async fn calls_from_other_origins_are_refused() {
    let w = World::sqlite().await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let (csrf, issuer) = (browser.csrf.clone(), w.issuer.clone());
    let finish = json!({ "ceremony": begun["ceremony"], "credential": {} }).to_string();
    let foreign =
        ["https://evil.example", "null", "http://localhost", "", &format!("{issuer}/"), &format!("{issuer}.evil")];
    for path in OPTIONS.iter().chain(&FINISH) {
        for origin in foreign {
            let headers = [("content-type", "application/json"), ("x-csrf-token", &csrf), ("origin", origin)];
            let answer = call(&mut browser, path, &headers, finish.clone()).await;
            assert_eq!(answer.verdict(), refused(403, "origin_mismatch"), "{path} from {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        let headers = [("content-type", "application/json"), ("x-csrf-token", csrf.as_str())];
        let answer = call(&mut browser, path, &headers, finish.clone()).await;
        assert_eq!(answer.verdict(), refused(403, "origin_mismatch"), "{path} without Origin");
    }
}

#[tokio::test]
async fn finishing_needs_the_token_of_the_same_browser() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let mut other = w.browser();
    other.begin_sign_in().await;
    let body = json!({ "ceremony": begun["ceremony"], "credential": ann.keys[0].get(&begun, &w.issuer) }).to_string();
    for path in FINISH {
        for token in [None, Some(""), Some("x"), Some(other.csrf.as_str())] {
            let mut headers = vec![("content-type", "application/json"), ("origin", w.issuer.as_str())];
            headers.extend(token.map(|t| ("x-csrf-token", t)));
            let answer = call(&mut browser, path, &headers, body.clone()).await;
            assert_eq!(answer.verdict(), refused(403, "csrf_mismatch"), "{path} with {token:?}");
        }
    }
    assert_eq!(browser.cookie("session"), None);
}

#[tokio::test]
async fn bodies_are_json_of_a_bounded_size() {
    let w = World::sqlite().await;
    let mut browser = w.browser();
    browser.begin_sign_in().await;
    let csrf = browser.csrf.clone();
    for path in OPTIONS.iter().chain(&FINISH) {
        let common = [("origin", w.issuer.as_str()), ("x-csrf-token", csrf.as_str())];
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")] {
            let mut headers = common.to_vec();
            headers.extend(kind.map(|k| ("content-type", k)));
            let answer = call(&mut browser, path, &headers, "{}".to_owned()).await;
            assert_eq!(answer.verdict(), refused(415, "content_type"), "{path} as {kind:?}");
        }
        let headers = [common[0], common[1], ("content-type", "application/json")];
        let huge = format!("{{\"ceremony\":\"{}\"}}", "x".repeat(70_000));
        let answer = call(&mut browser, path, &headers, huge).await;
        assert_eq!(answer.verdict(), refused(413, "body_too_large"), "{path}");
    }
    let headers = [("origin", w.issuer.as_str()), ("content-type", "application/json; charset=utf-8")];
    assert_eq!(call(&mut browser, OPTIONS[1], &headers, "{}".to_owned()).await.status, 200);
}

#[tokio::test]
async fn another_browser_cannot_finish_a_ceremony() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let (mut one, mut other) = (w.browser(), w.browser());
    let begun = one.begin_sign_in().await;
    other.begin_sign_in().await;
    let answer = other.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "ceremony_foreign"));
    assert_eq!(other.cookie("session"), None);

    let begun = one.begin_with_pass(&w.access_pass(&ann).await).await.value();
    let answer = other.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "ceremony_foreign"));
}

#[tokio::test]
async fn a_ceremony_is_finished_at_its_own_route() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let sign_in = browser.begin_sign_in().await;
    let enrol = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
    let mut key = key(Options::platform());
    let credential = key.create(&enrol, &w.issuer);
    let body = json!({ "ceremony": sign_in["ceremony"], "credential": credential });
    assert_eq!(browser.json("/webauthn/register", &body).await.verdict(), refused(400, "ceremony_invalid"));
    let assertion = ann.keys[0].get(&sign_in, &w.issuer);
    let body = json!({ "ceremony": enrol["ceremony"], "credential": assertion });
    assert_eq!(browser.json("/webauthn/authenticate", &body).await.verdict(), refused(400, "ceremony_invalid"));
}

#[tokio::test]
async fn a_tampered_ceremony_is_refused() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let sealed = begun["ceremony"].as_str().unwrap().to_owned();
    let page = browser.get("/login").await;
    let csrf_seal = page.form("/login").into_iter().map(|(_, v)| v).next().unwrap();
    let mut bad = vec![
        String::new(),
        "x".to_owned(),
        csrf_seal,
        format!("{sealed}A"),
        format!("{sealed}="),
        sealed[1..].to_owned(),
    ];
    for at in [0, sealed.len() / 2, sealed.len() - 1] {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(bytes).unwrap());
    }
    for ceremony in bad {
        let begun = json!({ "ceremony": ceremony, "publicKey": begun["publicKey"] });
        let answer = browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(400, "ceremony_invalid"), "{ceremony}");
    }
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn a_ceremony_lives_five_minutes() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let (late, last) = (browser.begin_sign_in().await, browser.begin_sign_in().await);
    w.clock.advance(299);
    assert_eq!(browser.clone().assert_with(&last, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    w.clock.advance(2);
    let answer = browser.assert_with(&late, &mut ann.keys[0], &Faults::default()).await;
    let id = rule("webauthn.assertion.ceremony_expired");
    assert_eq!(answer.verdict(), refused(400, "ceremony_expired"), "{id}");

    let begun = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
    w.clock.advance(301);
    let answer = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    let id = rule("webauthn.registration.ceremony_expired");
    assert_eq!(answer.verdict(), refused(400, "ceremony_expired"), "{id}");
}

#[tokio::test]
async fn a_ceremony_is_finished_once() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    // A copy of the jar as it was: the sign-in gives the browser new cookies.
    let (mut thief, body) = (browser.clone(), browser.assertion(&mut ann.keys[0], &begun, None));
    assert_eq!(browser.json("/webauthn/authenticate", &body).await.stand(), "complete");
    let again = thief.json("/webauthn/authenticate", &body).await;
    assert_eq!(again.verdict(), refused(409, "ceremony_used"));
    assert_eq!(thief.cookie("session"), None);
    // In the same browser the cookie it was bound to is gone.
    let again = browser.json("/webauthn/authenticate", &body).await;
    assert_eq!(again.verdict(), refused(403, "csrf_mismatch"));
    // Another assertion over the same challenge is a replay too.
    let other = thief.assertion(&mut ann.keys[0], &begun, None);
    assert_eq!(thief.json("/webauthn/authenticate", &other).await.verdict(), refused(409, "ceremony_used"));
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_registration_is_kept_once() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let begun = browser.json("/webauthn/register/options", &json!({})).await.value();
    let mut other = browser.clone();
    assert_eq!(browser.register(&begun, &mut key(Options::synced()), &Faults::default()).await.status, 201);
    let again = other.register(&begun, &mut key(Options::synced()), &Faults::default()).await;
    assert_eq!(again.verdict(), refused(409, "ceremony_used"));
    assert_eq!(w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_ceremony_answers_only_the_request_it_was_begun_for() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let mut sealed = Vec::new();
    for _ in 0..2 {
        sealed.push(browser.open(&rp.ask().url()).await.sealed().unwrap());
    }
    let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": sealed[0] })).await.value();
    for request in [Some(sealed[1].as_str()), None] {
        let body = browser.assertion(&mut ann.keys[0], &begun, request);
        let answer = browser.json("/webauthn/authenticate", &body).await;
        assert_eq!(answer.verdict(), refused(400, "ceremony_invalid"), "{request:?}");
    }
    let body = browser.assertion(&mut ann.keys[0], &begun, Some(&sealed[0]));
    assert_eq!(browser.json("/webauthn/authenticate", &body).await.stand(), "complete");
}

#[tokio::test]
async fn plain_base64_is_understood() {
    fn plain(value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(bytes) = from_base64url(text).filter(|b| b.len() > 16) {
                    *text = STANDARD.encode(bytes);
                }
            }
            Value::Object(members) => members.values_mut().for_each(plain),
            _ => {}
        }
    }
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut browser = w.browser();
    let mut key = key(Options::platform());
    let begun = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
    let mut credential = key.create(&begun, &w.issuer);
    plain(&mut credential);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    assert_eq!(browser.json("/webauthn/register", &body).await.status, 201);
    let begun = browser.begin_sign_in().await;
    let mut credential = key.get(&begun, &w.issuer);
    plain(&mut credential);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    assert_eq!(browser.json("/webauthn/authenticate", &body).await.stand(), "complete");
}

#[tokio::test]
async fn beginning_writes_nothing() {
    let w = World::sqlite().await;
    let ann = w.person("ann").await;
    let pass = w.access_pass(&ann).await;
    let before = w.commits();
    let mut browser = w.browser();
    for _ in 0..20 {
        browser.begin_sign_in().await;
        browser.begin_with_pass(&pass).await;
        browser.json("/webauthn/authenticate/options", &json!({ "username": "ann" })).await;
    }
    assert_eq!(w.commits(), before);
}
