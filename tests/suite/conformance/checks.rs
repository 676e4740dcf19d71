//! What the suite checks in every module: answers, errors, tokens, claims.
//! RFC 6749 §4.1.2 and §5, OIDC Core §2, §3.1.3.7 and §5.1, RFC 9207 §2.

use idp_core::encoding::{base64url, from_base64url};
use idp_core::secret::sha256;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::op::Callback;
use crate::world::{Ask, Page, Rp, Tokens, World};

/// A success: state unchanged, the issuer, a code of at least 128 bits, nothing unknown.
pub fn success(issuer: &str, ask: &Ask, callback: &Callback) -> String {
    assert_eq!(callback.one("error"), None, "{callback:?}");
    assert_eq!(callback.one("state"), ask.one("state"), "OIDC Core §3.1.2.5");
    assert_eq!(callback.one("iss"), Some(issuer), "RFC 9207 §2");
    let expected = ["code", "state", "iss", "dummy1", "dummy2"];
    assert!(callback.params.keys().all(|name| expected.contains(&name.as_str())), "{callback:?}");
    let code = callback.one("code").unwrap_or_default().to_owned();
    assert!(entropy(&code) > 128.0, "RFC 6749 §10.10: {code}");
    code
}

/// An error: one of `codes`, state unchanged, the issuer, no code, a description of allowed characters.
pub fn failure(issuer: &str, ask: &Ask, callback: &Callback, codes: &[&str]) {
    let error = callback.one("error").unwrap_or_default();
    assert!(codes.contains(&error), "{codes:?}: {callback:?}");
    assert_eq!(callback.one("state"), ask.one("state"), "OIDC Core §3.1.2.6");
    assert_eq!(callback.one("iss"), Some(issuer), "RFC 9207 §2");
    let expected = ["error", "error_description", "error_uri", "state", "iss", "dummy1", "dummy2"];
    assert!(callback.params.keys().all(|name| expected.contains(&name.as_str())), "{callback:?}");
    described(callback.one("error_description"));
}

/// RFC 6749 §5.2: an error that a client can read, with a status of a client's fault.
pub fn refused(page: &Page, statuses: &[u16], codes: &[&str]) {
    assert!(statuses.contains(&page.status), "{statuses:?}: {} {}", page.status, page.body);
    is_json(page);
    assert!(codes.contains(&page.error().as_str()), "{codes:?}: {}", page.body);
    described(page.value()["error_description"].as_str());
    // RFC 6749 §5.2: 401 for a client that tried the header, 400 else; `invalid_client` may be either.
    assert!(page.status != 401 || page.error() == "invalid_client", "{}", page.body);
}

fn described(text: Option<&str>) {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(text.is_none_or(|text| text.chars().all(allowed)), "RFC 6749 §4.1.2.1: {text:?}");
}

/// The answer is JSON that nobody may keep.
pub fn is_json(page: &Page) {
    let media_type = page.header("content-type").unwrap_or_default().split(';').next().unwrap();
    assert_eq!(media_type, "application/json", "{}", page.body);
    assert!(page.header("cache-control").is_some_and(|value| value.contains("no-store")), "RFC 6749 §5.1");
    page.value();
}

/// A token answer: 200, bearer, lifetime, and an ID token that verifies.
pub async fn tokens(w: &World, client: &Rp, ask: &Ask, code: &str, page: &Page) -> Tokens {
    access_token(page, "Bearer");
    let tokens = w.accept(client, ask, code, page).await;
    id_token(&tokens);
    tokens
}

/// What RFC 6749 §5.1 asks of a token answer.
pub fn access_token(page: &Page, token_type: &str) {
    assert_eq!(page.status, 200, "{}", page.body);
    is_json(page);
    let body = page.value();
    assert_eq!(body.get("error"), None);
    let kind = body["token_type"].as_str().unwrap_or_default();
    assert!(kind.eq_ignore_ascii_case(token_type), "{kind}");
    assert!(body["expires_in"].as_i64().is_some_and(|s| s > 0 && s < 10 * 365 * 86400), "RFC 6749 §5.1");
    let token = body["access_token"].as_str().unwrap_or_default();
    assert!(token.chars().all(|c| c.is_ascii_graphic()), "RFC 6749 §A.12");
    assert!(entropy(token) > 96.0, "RFC 6749 §10.10");
    if let Some(refresh) = body.get("refresh_token") {
        let refresh = refresh.as_str().unwrap();
        assert!(refresh.chars().all(|c| matches!(c, ' '..='~')) && entropy(refresh) > 128.0, "RFC 6749 §A.17");
    }
}

/// The claims of a verified ID token: subject, types, hashes; nothing about the person that was not asked for.
pub fn id_token(tokens: &Tokens) {
    let claims = &tokens.claims;
    assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.is_ascii() && sub.len() <= 255));
    standard_claims(claims);
    let header = decode_header(&tokens.id_token).unwrap();
    assert!(header.kid.is_some(), "OIDC Core §10.1");
    let hash = |text: &str| base64url(&sha256(text.as_bytes())[..16]);
    for (claim, value) in [("at_hash", &tokens.access_token), ("c_hash", &tokens.code)] {
        if let Some(told) = claims.get(claim) {
            assert_eq!(told, &hash(value), "OIDC Core §3.1.3.6: {claim}");
        }
    }
    for claim in ["name", "email", "address", "phone_number"] {
        assert_eq!(claims.get(claim), None, "OIDC Core §5.4: scope claims come from userinfo");
    }
}

/// Standard claims have the type of OIDC Core §5.1 and are never empty.
pub fn standard_claims(claims: &Value) {
    const TEXTS: &[&str] = &[
        "sub",
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
    ];
    for (name, value) in claims.as_object().unwrap() {
        let good = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.as_i64().is_some_and(|s| s > 631_152_000 && s < 10_000_000_000),
            "address" => {
                value.as_object().is_some_and(|a| a.values().all(|v| v.as_str().is_some_and(|s| !s.is_empty())))
            }
            text if TEXTS.contains(&text) => value.as_str().is_some_and(|text| !text.is_empty()),
            _ => true,
        };
        assert!(good, "OIDC Core §5.1: {name}: {value}");
    }
}

/// `GET /userinfo`: JSON about the subject of the ID token.
pub async fn userinfo(w: &World, tokens: &Tokens) -> Value {
    told(&w.userinfo(&tokens.access_token).await, tokens)
}

/// An answer of the userinfo endpoint.
pub fn told(page: &Page, tokens: &Tokens) -> Value {
    assert_eq!(page.status, 200, "{}", page.body);
    is_json(page);
    let claims = page.value();
    assert_eq!(claims["sub"], tokens.claims["sub"], "OIDC Core §5.3.2");
    standard_claims(&claims);
    claims
}

/// What a refresh brought: an ID token about the same sign-in, if any. OIDC Core §12.2.
pub fn refreshed(answer: &Value, first: &Tokens) {
    assert_ne!(answer["access_token"], first.access_token.as_str());
    let Some(id_token) = answer["id_token"].as_str() else { return };
    let claims = claims_of(id_token);
    for name in ["iss", "sub", "aud", "auth_time", "azp"] {
        assert_eq!(claims.get(name), first.claims.get(name), "{name}");
    }
    assert!(claims["iat"].as_i64() > first.claims["iat"].as_i64(), "iat is of the refresh");
    assert!(claims.get("nonce").is_none_or(|nonce| Some(nonce) == first.claims.get("nonce")));
}

/// The claims of a token of the realm to this client whose age does not matter, its signature verified.
pub async fn signed_by_the_realm(w: &World, client: &Rp, token: &str) -> Value {
    let jwks = w.browser().get("/.well-known/jwks.json").await.value();
    let jwks: JwkSet = serde_json::from_value(jwks).unwrap();
    let header = decode_header(token).unwrap();
    let jwk = jwks.find(header.kid.as_deref().expect("a kid")).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[&w.issuer]);
    validation.set_audience(&[client.id()]);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap().claims
}

/// Claims of an ID token without verifying it.
fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&from_base64url(claims).unwrap()).unwrap()
}

/// Shannon entropy of a text in bits, as the suite estimates it.
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let length = text.chars().count() as f64;
    let of_one: f64 = counts.values().map(|n| f64::from(*n) / length).map(|p| -p * p.log2()).sum();
    of_one * length
}
