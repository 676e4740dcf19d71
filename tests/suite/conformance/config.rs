//! Plan config: the discovery document. `oidcc-config-certification-test-plan`;
//! OIDC Discovery §3 and §4, RFC 8414 §2.

use serde_json::Value;

use super::op::{Mode, Op};

/// What must be there, as an address of the issuer's own origin (with an https issuer: https).
const ENDPOINTS: &[&str] = &["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];

/// Members that the suite knows and we may have; another one would be a warning.
const KNOWN: &[&str] = &[
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "require_pushed_authorization_requests",
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "code_challenge_methods_supported",
    "acr_values_supported",
    "claims_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "require_signed_request_object",
    "prompt_values_supported",
    "display_values_supported",
    "claim_types_supported",
    "ui_locales_supported",
    "claims_locales_supported",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "dpop_signing_alg_values_supported",
    "op_policy_uri",
    "op_tos_uri",
    "service_documentation",
    "client_id_metadata_document_supported",
];

/// Every address of the document is below the issuer: with an https issuer, https.
pub fn endpoints_are_of_the_issuer(op: &Op) {
    for (name, value) in op.metadata.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let address = value.as_str().unwrap();
            assert!(address.starts_with(&format!("{}/", op.w.issuer)), "{name}: {address}");
        }
    }
}

/// `GET /.well-known/openid-configuration`: 200, JSON, the required members with the required values, published keys
/// of the right form, no private ones.
#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let op = Op::start(Mode::Query).await;
    let page = op.w.browser().get("/.well-known/openid-configuration").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("application/json"));
    assert_eq!(op.metadata["issuer"], op.w.issuer, "OIDC Discovery §4.3: the issuer byte for byte");
    for name in ENDPOINTS {
        op.metadata_text(name);
    }
    let strange: Vec<_> = op.metadata.as_object().unwrap().keys().filter(|n| !KNOWN.contains(&n.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
    endpoints_are_of_the_issuer(&op);
    assert!(op.lists("response_types_supported", "code"));
    assert!(op.lists("id_token_signing_alg_values_supported", "RS256"), "OIDC Discovery §3");
    assert!(op.lists("scopes_supported", "openid"));
    assert!(op.lists("subject_types_supported", "public"));
    assert!(op.lists("grant_types_supported", "authorization_code"));
    let methods = op.metadata["code_challenge_methods_supported"].as_array().unwrap();
    assert_eq!(methods, &[Value::from("S256")], "RFC 7636 §4.3");
    for name in ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"] {
        assert!(op.metadata[name].is_boolean(), "{name}");
    }
    lists_are_lists_of_texts(&op.metadata);
    if op.metadata["request_parameter_supported"] == true {
        assert!(op.lists("request_object_signing_alg_values_supported", "RS256"), "OIDC Discovery §3: should");
    }
    for scope in op.metadata["scopes_supported"].as_array().unwrap() {
        let allowed = |c: char| matches!(c, '!' | '#'..='[' | ']'..='~');
        assert!(scope.as_str().unwrap().chars().all(allowed), "RFC 6749 §A.4");
    }
    for locale in op.metadata["ui_locales_supported"].as_array().unwrap() {
        let tag = locale.as_str().unwrap().split('-').next().unwrap();
        assert!((2..=3).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_lowercase()), "BCP 47: {locale}");
    }
    keys_are_public(&op).await;
}

/// Lists are not empty, hold texts, none twice.
fn lists_are_lists_of_texts(metadata: &Value) {
    for (name, value) in metadata.as_object().unwrap() {
        let Some(list) = value.as_array() else {
            assert!(!name.ends_with("_supported") || value.is_boolean(), "{name}");
            continue;
        };
        let mut texts: Vec<&str> = list.iter().map(|v| v.as_str().unwrap_or_else(|| panic!("{name}: {v}"))).collect();
        assert!(!texts.is_empty(), "RFC 8414 §2: {name} is left out instead");
        let length = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), length, "{name}");
    }
}

/// Keys: unpadded base64url, a `kid` of their own, a use, nothing private.
async fn keys_are_public(op: &Op) {
    let page = op.w.browser().get(op.metadata_text("jwks_uri")).await;
    assert_eq!(page.status, 200);
    let jwks = page.value();
    let keys = jwks["keys"].as_array().unwrap();
    let mut kids = Vec::new();
    for key in keys {
        let key = key.as_object().unwrap();
        for name in ["n", "e", "x", "y"] {
            if let Some(text) = key.get(name) {
                let text = text.as_str().unwrap();
                assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "RFC 7518 §6: {name}");
            }
        }
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!key.contains_key(private), "RFC 7518 §6.3.2: {private}");
        }
        assert!(["RSA", "EC", "OKP"].contains(&key["kty"].as_str().unwrap()));
        assert_eq!(key["use"], "sig");
        kids.push(key["kid"].as_str().expect("OIDC Core §10.1: a kid").to_owned());
    }
    let count = kids.len();
    kids.sort_unstable();
    kids.dedup();
    assert_eq!(kids.len(), count, "RFC 7517 §4.5");
}
