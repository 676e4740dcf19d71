//! Each rule of the authorization request refuses at the right place: RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6.

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, World};

/// Rule, change of an honest request, `error`, part of `error_description`.
pub type Case = (&'static str, fn(Ask) -> Ask, &'static str, &'static str);

pub const CASES: &[Case] = &[
    ("params.once", |a| a.and("nonce", "x"), "invalid_request", "nonce came twice"),
    ("params.once", |a| a.and("scope", "openid"), "invalid_request", "scope came twice"),
    ("params.once", |a| a.and("response_type", "code"), "invalid_request", "response_type came twice"),
    ("params.once", |a| a.and("code_challenge_method", "plain"), "invalid_request", "code_challenge_method came twice"),
    ("params.once", |a| a.and("code_challenge", "x"), "invalid_request", "code_challenge came twice"),
    ("params.once", |a| a.and("prompt", "none").and("prompt", "login"), "invalid_request", "prompt came twice"),
    ("params.once", |a| a.and("unknown", "1").and("unknown", "2"), "invalid_request", "unknown came twice"),
    ("params.length", |a| a.with("state", &"s".repeat(1025)), "invalid_request", "state is longer"),
    ("params.length", |a| a.with("acr_values", &"s".repeat(257)), "invalid_request", "acr_values is longer"),
    (
        "params.length",
        |a| a.with("scope", &format!("openid {}", "s".repeat(1100))),
        "invalid_request",
        "scope is longer",
    ),
    ("request.refused", |a| a.with("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported", ""),
    ("request_uri.refused", |a| a.with("request_uri", "https://evil.example/r"), "request_uri_not_supported", ""),
    ("response_type.code", |a| a.without("response_type"), "invalid_request", "response_type is missing"),
    ("response_type.code", |a| a.with("response_type", ""), "invalid_request", "response_type is missing"),
    ("response_type.code", |a| a.with("response_type", "token"), "unsupported_response_type", ""),
    ("response_type.code", |a| a.with("response_type", "id_token"), "unsupported_response_type", ""),
    ("response_type.code", |a| a.with("response_type", "code id_token"), "unsupported_response_type", ""),
    ("response_type.code", |a| a.with("response_type", "CODE"), "unsupported_response_type", ""),
    ("response_mode.known", |a| a.with("response_mode", "query.jwt"), "invalid_request", "response_mode"),
    ("response_mode.known", |a| a.with("response_mode", "FORM_POST"), "invalid_request", "response_mode"),
    ("params.once", |a| a.with("response_mode", "query").and("response_mode", "fragment"), "invalid_request", "twice"),
    ("scope.openid", |a| a.without("scope"), "invalid_scope", "scope is missing"),
    ("scope.openid", |a| a.with("scope", "profile email"), "invalid_scope", "lacks openid"),
    ("scope.openid", |a| a.with("scope", "openid \"x\""), "invalid_scope", "characters"),
    ("nonce.length", |a| a.with("nonce", &"n".repeat(513)), "invalid_request", "nonce is longer"),
    ("pkce.method", |a| a.without("code_challenge_method"), "invalid_request", "must be S256"),
    ("pkce.method", |a| a.with("code_challenge_method", "plain"), "invalid_request", "must be S256"),
    ("pkce.method", |a| a.with("code_challenge_method", "s256"), "invalid_request", "must be S256"),
    ("pkce.method", |a| a.without("code_challenge"), "invalid_request", "without code_challenge"),
    ("pkce.challenge", |a| a.with("code_challenge", &"A".repeat(42)), "invalid_request", "SHA-256"),
    ("pkce.challenge", |a| a.with("code_challenge", &"A".repeat(44)), "invalid_request", "SHA-256"),
    ("pkce.challenge", |a| a.with("code_challenge", &"+".repeat(43)), "invalid_request", "SHA-256"),
    (
        "pkce.public",
        |a| a.without("code_challenge").without("code_challenge_method"),
        "invalid_request",
        "public client",
    ),
    ("display.known", |a| a.with("display", "hologram"), "invalid_request", "display"),
    ("prompt.known", |a| a.with("prompt", "create"), "invalid_request", "prompt"),
    ("prompt.known", |a| a.with("prompt", "none login"), "invalid_request", "combined"),
    ("max_age.seconds", |a| a.with("max_age", "-1"), "invalid_request", "max_age"),
    ("max_age.seconds", |a| a.with("max_age", "1.5"), "invalid_request", "max_age"),
    ("max_age.seconds", |a| a.with("max_age", "99999999999"), "invalid_request", "max_age"),
    ("claims.form", |a| a.with("claims", "{"), "invalid_request", "claims"),
    ("claims.form", |a| a.with("claims", "[]"), "invalid_request", "claims"),
    (
        "claims.form",
        |a| a.with("claims", r#"{"id_token":{"acr":{"essential":"yes"}}}"#),
        "invalid_request",
        "essential",
    ),
    ("claims.form", |a| a.with("claims", r#"{"userinfo":{"email":"yes"}}"#), "invalid_request", "neither null"),
    ("claims.form", |a| a.with("claims", &many_claims(51)), "invalid_request", "more than 50"),
    ("params.length", |a| a.with("claims", &many_claims(700)), "invalid_request", "claims is longer"),
    ("params.length", |a| a.with("ui_locales", &"de ".repeat(86)), "invalid_request", "ui_locales is longer"),
    ("params.length", |a| a.with("claims_locales", &"de ".repeat(86)), "invalid_request", "claims_locales is longer"),
    ("dpop_jkt.form", |a| a.with("dpop_jkt", &"A".repeat(42)), "invalid_request", "dpop_jkt"),
    ("dpop_jkt.form", |a| a.with("dpop_jkt", &"A".repeat(44)), "invalid_request", "dpop_jkt"),
    ("dpop_jkt.form", |a| a.with("dpop_jkt", &"=".repeat(43)), "invalid_request", "dpop_jkt"),
    ("resource.form", |a| a.with("resource", "api"), "invalid_target", "absolute URI"),
    ("resource.form", |a| a.with("resource", "https://api.example/#x"), "invalid_target", "without a fragment"),
    ("resource.allowed", |a| a.with("resource", "https://api.example/"), "invalid_target", "may not ask"),
    ("acr.form", |a| a.with("claims", r#"{"id_token":{"acr":{"values":[1]}}}"#), "invalid_request", "acr"),
    ("acr.form", |a| a.with("acr_values", &"a ".repeat(17)), "invalid_request", "too many"),
    ("id_token_hint.ours", |a| a.with("id_token_hint", "e30.e30.e30"), "invalid_request", "id_token_hint"),
];

fn many_claims(count: usize) -> String {
    let claims: Vec<String> = (0..count).map(|n| format!("\"claim{n}\":null")).collect();
    format!("{{\"userinfo\":{{{}}}}}", claims.join(","))
}

#[tokio::test]
async fn each_rule_answers_the_client_with_state_and_issuer() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    // Somebody is signed in: an honest request would be answered with a code at once.
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    for (id, change, error, says) in CASES {
        let ask = change(rp.ask());
        for answer in [browser.get(&ask.url()).await, browser.post("/authorize", &ask.fields()).await] {
            let answer = Answer::of(&answer);
            let rule = rule(id);
            assert!(answer.url.starts_with("https://app.example/cb?error="), "{rule}: {}", answer.url);
            assert_eq!(answer.error(), *error, "{rule}: {}", answer.url);
            assert!(answer.params["error_description"].contains(says), "{rule}: {}", answer.url);
            assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"), "{rule}");
            assert_eq!(answer.params["iss"], w.issuer, "{rule}");
            assert_eq!(answer.params.get("code"), None, "{rule}");
        }
    }
}

#[tokio::test]
async fn a_doubled_state_is_not_echoed() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let answer = Answer::of(&w.browser().get(&rp.ask().and("state", "other").url()).await);
    assert_eq!(answer.error(), "invalid_request", "{}", rule("params.once"));
    assert_eq!(answer.params.get("state"), None);
}

#[tokio::test]
async fn without_a_known_client_and_address_the_refusal_is_a_page() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp("app").await, w.rp("other").await);
    type Spoil = fn(Ask) -> Ask;
    let cases: &[(Spoil, &str)] = &[
        (|a| a.without("client_id"), "client_id_missing"),
        (|a| a.with("client_id", ""), "client_id_missing"),
        (|a| a.with("client_id", "nobody"), "client_unknown"),
        (|a| a.with("client_id", "no body\r\nx: y"), "client_unknown"),
        (|a| a.with("client_id", &"x".repeat(129)), "client_unknown"),
        (|a| a.and("client_id", "other"), "parameter_twice"),
        (|a| a.and("client_id", "app"), "parameter_twice"),
        (|a| a.without("redirect_uri"), "redirect_uri_missing"),
        (|a| a.with("redirect_uri", ""), "redirect_uri_missing"),
        (|a| a.and("redirect_uri", "https://evil.example/"), "parameter_twice"),
        (|a| a.with("client_id", "other"), "redirect_uri_mismatch"),
        // Whatever else is wrong, nobody is sent to an unchecked address.
        (|a| a.with("redirect_uri", "https://evil.example/").with("prompt", "none"), "redirect_uri_mismatch"),
        (|a| a.with("redirect_uri", "https://evil.example/").with("request", "x"), "redirect_uri_mismatch"),
    ];
    for (change, code) in cases {
        refused_by_a_page(&mut w.browser(), &change(rp.ask()), code).await;
    }
    w.set_client_state(&other, idp_core::client::ClientState::Disabled).await;
    refused_by_a_page(&mut w.browser(), &other.ask(), "client_disabled").await;
}

/// A page of ours with 400, no `Location`, the same for `POST`.
pub async fn refused_by_a_page(browser: &mut Browser, ask: &Ask, code: &str) {
    for page in [browser.get(&ask.url()).await, browser.post("/authorize", &ask.fields()).await] {
        assert_eq!((page.status, page.next()), (400, None), "{ask:?}: {}", page.body);
        assert_eq!(page.code().as_deref(), Some(code), "{ask:?}");
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_resource_may_repeat() {
    let w = World::sqlite().await;
    let resources = ["https://a.example/", "https://b.example/v1"].map(str::to_owned).to_vec();
    let rp = w.rp_with("app", |s| s.resources = resources).await;
    for ask in [
        rp.ask().with("extra", "1").with("ui_locales", "de fr").with("claims_locales", "de"),
        rp.ask().and("resource", "https://a.example/").and("resource", "https://b.example/v1"),
        rp.ask().with("claims", r#"{"userinfo":{"email":{"essential":true},"nickname":null},"other":1}"#),
        rp.ask().with("display", "popup").with("response_mode", "query").with("prompt", ""),
        rp.ask().without("state").without("nonce"),
    ] {
        let page = w.browser().get(&ask.url()).await;
        assert!(page.location().unwrap().starts_with("/login?request="), "{ask:?}: {:?}", page.location());
    }
}

#[tokio::test]
async fn a_confidential_client_may_do_without_pkce() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.auth_method = idp_core::client::ClientAuthMethod::ClientSecretBasic).await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().without("code_challenge").without("code_challenge_method");
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200, "{}", rule("pkce.public"));
}
