//! Request objects by value, rule by rule. RFC 9101, OIDC Core §6.

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::id::ClientId;
use idp_core::jose::jwk::JwkSet;
use idp_core::oauth::authorize::jar::{Expected, open};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use serde_json::{Value, json};

use crate::assertion::ISSUER;
use crate::support::{NOW, Party, with};

pub fn expected<'a>(client_id: &'a ClientId, keys: &'a JwkSet) -> Expected<'a> {
    let (algs, keys) = (SigningAlg::ALL, Some(keys));
    Expected { client_id, issuer: ISSUER, keys, algs, unsigned: false, aud_required: false, now: NOW }
}

pub fn claims() -> Value {
    json!({ "iss": "app", "aud": ISSUER, "client_id": "app", "response_type": "code", "scope": "openid", "state": "s" })
}

fn judge(members: Value, change: impl FnOnce(&mut Expected<'_>)) -> Result<RawParams, OAuthError> {
    let party = Party::new(SigningAlg::ES256);
    let header = party.header("oauth-authz-req+jwt").to_string();
    let token = party.sign(&header, &with(&claims(), members).to_string());
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    let mut expected = expected(&id, &keys);
    change(&mut expected);
    open(&token, &expected)
}

fn rule(result: Result<RawParams, OAuthError>) -> &'static str {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequestObject);
    error.rule
}

#[test]
fn its_claims_become_the_parameters_they_would_be_in_a_query() {
    let members = json!({
        "max_age": 300, "claims": { "userinfo": { "email": null } }, "prompt": "", "nonce": "n&=%", "exp": NOW.secs() + 9,
        "jti": "x", "ui_locales": null, "resource": ["https://a.example", "https://b.example", 7], "flag": true
    });
    let params = judge(members, |_| ()).unwrap();
    for (name, value) in [
        ("client_id", Some("app")),
        ("response_type", Some("code")),
        ("max_age", Some("300")),
        ("claims", Some(r#"{"userinfo":{"email":null}}"#)),
        ("prompt", None),
        ("nonce", Some("n&=%")),
        ("ui_locales", None),
        ("flag", Some("true")),
        ("resource", Some("https://a.example")),
    ] {
        assert_eq!(params.one(name), value, "{name}");
    }
    for of_the_jwt in ["iss", "aud", "exp", "jti"] {
        assert_eq!(params.one(of_the_jwt), None);
    }
    assert_eq!(params.doubled(), None);
    assert_eq!(judge(json!({ "client_id": null }), |_| ()).unwrap().one("client_id"), Some("app"));
}

#[test]
fn form_key_and_signature_are_the_clients() {
    let (party, other) = (Party::new(SigningAlg::PS256), Party::new(SigningAlg::PS256));
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    let payload = claims().to_string();
    for typ in [json!("oauth-authz-req+jwt"), json!("application/oauth-authz-req+jwt"), json!("JWT"), json!(null)] {
        let header = with(&party.header(""), json!({ "typ": typ })).to_string();
        assert!(open(&party.sign(&header, &payload), &expected(&id, &keys)).is_ok(), "{typ}");
    }
    let of = |typ: &str| party.sign(&party.header(typ).to_string(), &payload);
    for typ in ["client-authentication+jwt", "dpop+jwt", "at+jwt"] {
        assert_eq!(rule(open(&of(typ), &expected(&id, &keys))), "jar.form");
    }
    let narrow = Expected { algs: &[SigningAlg::ES256], ..expected(&id, &keys) };
    assert_eq!(rule(open(&of("JWT"), &narrow)), "jar.form");
    assert_eq!(rule(open(&of("JWT"), &Expected { keys: None, ..expected(&id, &keys) })), "jar.key");
    let stranger = other.sign(&other.header("JWT").to_string(), &payload);
    assert_eq!(rule(open(&stranger, &expected(&id, &keys))), "jar.key");
    let forged = other.sign(&party.header("JWT").to_string(), &payload);
    assert_eq!(rule(open(&forged, &expected(&id, &keys))), "jar.signature");
}

#[test]
fn none_is_good_only_for_a_client_that_registered_it() {
    let party = Party::new(SigningAlg::ES256);
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    let registered = Expected { unsigned: true, algs: &[], ..expected(&id, &keys) };
    let object =
        |alg: &str| format!("{}.{}.", base64url(json!({ "alg": alg }).to_string()), base64url(claims().to_string()));
    assert!(open(&object("none"), &registered).is_ok());
    assert!(open(&object("none"), &Expected { keys: None, ..registered }).is_ok());
    assert_eq!(rule(open(&object("none"), &expected(&id, &keys))), "jar.form");
    for alg in ["nOnE", "NONE", "HS256", "ES256"] {
        assert_eq!(rule(open(&object(alg), &registered)), "jar.form", "{alg}");
    }
    let signed = party.sign(&party.header("JWT").to_string(), &claims().to_string());
    assert_eq!(rule(open(&signed, &registered)), "jar.form", "and then nothing else");
    assert_eq!(rule(open(&format!("{}AAAA", object("none")), &registered)), "jar.signature");
}

#[test]
fn it_is_this_clients_and_no_assertion() {
    for members in [
        json!({ "client_id": "b" }),
        json!({ "iss": "b" }),
        json!({ "client_id": ["app"] }),
        json!({ "sub": "app" }),
        json!({ "iss": 1 }),
    ] {
        assert_eq!(rule(judge(members.clone(), |_| ())), "jar.client", "{members}");
    }
    assert!(judge(json!({ "iss": null }), |_| ()).is_ok());
}

#[test]
fn it_is_for_this_issuer() {
    assert!(judge(json!({ "aud": ["https://other.example", ISSUER] }), |_| ()).is_ok());
    assert!(judge(json!({ "aud": null }), |_| ()).is_ok());
    assert_eq!(rule(judge(json!({ "aud": null }), |e| e.aud_required = true)), "jar.audience");
    for aud in [json!("https://op.example/"), json!([]), json!(""), json!([[ISSUER]]), json!({ "a": ISSUER })] {
        assert_eq!(rule(judge(json!({ "aud": aud }), |_| ())), "jar.audience", "{aud}");
    }
}

#[test]
fn it_is_of_now_if_it_says_when() {
    let now = NOW.secs();
    assert!(judge(json!({ "exp": now - 29, "nbf": now + 30, "iat": now + 30 }), |_| ()).is_ok());
    for bad in [json!({ "exp": now - 30 }), json!({ "nbf": now + 31 }), json!({ "iat": now + 61 })] {
        assert_eq!(rule(judge(bad.clone(), |_| ())), "jar.time", "{bad}");
    }
    assert_eq!(rule(judge(json!({ "exp": "1800000060" }), |_| ())), "jar.form");
}

#[test]
fn it_nests_no_other() {
    for name in ["request", "request_uri"] {
        for value in ["x", ""] {
            assert_eq!(rule(judge(json!({ name: value }), |_| ())), "jar.nested");
        }
    }
}
