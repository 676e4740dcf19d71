//! `private_key_jwt`, rule by rule. RFC 7523 §3, OIDC Core §9.

use idp_core::client::{Client, ClientAuthMethod, ClientState, SigningAlg};
use idp_core::id::ClientId;
use idp_core::jose::jwk::JwkSet;
use idp_core::oauth::client_auth::assertion::{Assertion, AssertionAudience, Expected, TYPE, check, replayed};
use idp_core::oauth::client_auth::{authenticate, present, registered};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use serde_json::{Value, json};

use crate::support::{NOW, Party, with};

pub const ISSUER: &str = "https://op.example";
const ENDPOINT: &str = "https://op.example/token";

pub fn expected<'a>(client_id: &'a ClientId, keys: &'a JwkSet) -> Expected<'a> {
    let audience = AssertionAudience { issuer: ISSUER, also: &[], strict_string: false };
    Expected { client_id, keys, algs: SigningAlg::ALL, audience, now: NOW }
}

pub fn claims() -> Value {
    let (iat, exp) = (NOW.secs(), NOW.secs() + 60);
    json!({ "iss": "app", "sub": "app", "aud": ISSUER, "jti": "one", "iat": iat, "exp": exp })
}

/// What becomes of an assertion with these claims, and what else `change` sets.
fn judge(members: Value, change: impl FnOnce(&mut Expected<'_>)) -> Result<Assertion, OAuthError> {
    let party = Party::new(SigningAlg::ES256);
    let token = party.sign(&party.header("JWT").to_string(), &with(&claims(), members).to_string());
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    let mut expected = expected(&id, &keys);
    change(&mut expected);
    check(&token, &expected)
}

fn rule(result: Result<Assertion, OAuthError>) -> &'static str {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidClient);
    error.rule
}

#[test]
fn a_good_assertion_names_the_row_that_makes_it_work_once() {
    let good = judge(json!({}), |_| ()).unwrap();
    assert_eq!(good.expires.secs(), NOW.secs() + 60 + 20);
    assert_eq!(good.once, judge(json!({ "exp": NOW.secs() + 9 }), |_| ()).unwrap().once);
    assert_ne!(good.once, judge(json!({ "jti": "two" }), |_| ()).unwrap().once);
    let other =
        judge(json!({ "iss": "b", "sub": "b" }), |e| e.client_id = Box::leak(Box::new(ClientId::parse("b").unwrap())));
    assert_ne!(good.once, other.unwrap().once, "nobody takes another's jti");
    assert_eq!((replayed().rule, replayed().code), ("client.assertion.once", ErrorCode::InvalidClient));
}

#[test]
fn form_key_and_signature_are_the_clients() {
    let (party, other) = (Party::new(SigningAlg::PS256), Party::new(SigningAlg::PS256));
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    let payload = claims().to_string();
    let judge = |token: &str, algs| check(token, &Expected { algs, ..expected(&id, &keys) });
    for typ in [json!("JWT"), json!("client-authentication+jwt"), json!(null)] {
        let header = with(&party.header("JWT"), json!({ "typ": typ })).to_string();
        assert!(judge(&party.sign(&header, &payload), &[SigningAlg::PS256]).is_ok(), "{typ}");
    }
    let good = party.sign(&party.header("JWT").to_string(), &payload);
    assert_eq!(rule(judge(&good, &[SigningAlg::ES256])), "client.assertion.form");
    for typ in ["dpop+jwt", "oauth-authz-req+jwt", "at+jwt"] {
        let token = party.sign(&party.header(typ).to_string(), &payload);
        assert_eq!(rule(judge(&token, SigningAlg::ALL)), "client.assertion.form", "{typ}");
    }
    let stranger = other.sign(&other.header("JWT").to_string(), &payload);
    assert_eq!(rule(judge(&stranger, SigningAlg::ALL)), "client.assertion.key");
    let forged = other.sign(&party.header("JWT").to_string(), &payload);
    assert_eq!(rule(judge(&forged, SigningAlg::ALL)), "client.assertion.signature");
}

#[test]
fn issuer_and_subject_are_the_client() {
    for members in [
        json!({ "iss": "b" }),
        json!({ "sub": "b" }),
        json!({ "iss": "b", "sub": "b" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": ["app"] }),
        json!({ "iss": "APP" }),
    ] {
        assert_eq!(rule(judge(members.clone(), |_| ())), "client.assertion.names", "{members}");
    }
}

#[test]
fn the_audience_is_the_issuer_alone() {
    assert!(judge(json!({ "aud": [ISSUER] }), |_| ()).is_ok());
    for aud in [
        json!(null),
        json!(""),
        json!([]),
        json!("https://op.example/"),
        json!("https://OP.example"),
        json!(ENDPOINT),
        json!([ISSUER, "https://other.example"]),
        json!([ISSUER, ISSUER]),
        json!([[ISSUER]]),
        json!({ "a": ISSUER }),
    ] {
        assert_eq!(rule(judge(json!({ "aud": aud }), |_| ())), "client.assertion.audience", "{aud}");
    }
    let older = |e: &mut Expected<'_>| e.audience.also = &[ENDPOINT];
    assert!(judge(json!({ "aud": ENDPOINT }), older).is_ok());
    assert!(judge(json!({}), older).is_ok());
    assert_eq!(rule(judge(json!({ "aud": [ISSUER, ENDPOINT] }), older)), "client.assertion.audience");
    let strict = |e: &mut Expected<'_>| e.audience.strict_string = true;
    assert!(judge(json!({}), strict).is_ok());
    assert_eq!(rule(judge(json!({ "aud": [ISSUER] }), strict)), "client.assertion.audience");
}

#[test]
fn it_holds_now_and_not_for_long() {
    let now = NOW.secs();
    let at = |members: Value| judge(members, |_| ());
    for good in [
        json!({ "exp": now - 29 }),
        json!({ "iat": now + 30, "nbf": now + 30 }),
        json!({ "iat": null, "exp": now + 330 }),
        json!({ "iat": now - 299, "exp": now + 3600 }),
    ] {
        assert!(at(good.clone()).is_ok(), "{good}");
    }
    assert_eq!(at(json!({ "exp": now + 3600 })).unwrap().expires.secs(), now + 300 + 60, "not an hour");
    for bad in [
        json!({ "exp": null }),
        json!({ "exp": now - 30 }),
        json!({ "exp": 0 }),
        json!({ "nbf": now + 61 }),
        json!({ "iat": now + 61 }),
        json!({ "iat": now + 31 }),
        json!({ "iat": null, "exp": now + 3600 }),
        json!({ "iat": now - 331, "exp": now + 3600 }),
    ] {
        assert_eq!(rule(at(bad.clone())), "client.assertion.time", "{bad}");
    }
    for bad in [json!("1800000060"), json!(-1), json!([]), json!(1e300)] {
        assert_eq!(rule(at(json!({ "exp": bad }))), "client.assertion.form");
    }
}

#[test]
fn a_jti_is_there_and_short() {
    assert!(judge(json!({ "jti": "x".repeat(256) }), |_| ()).is_ok());
    for bad in [json!(null), json!(""), json!(7), json!("x".repeat(257))] {
        assert_eq!(rule(judge(json!({ "jti": bad }), |_| ())), "client.assertion.jti");
    }
}

fn body(params: &[(&str, &str)]) -> RawParams {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    RawParams::parse(text.as_bytes())
}

#[test]
fn a_request_presents_an_assertion_and_nothing_beside_it() {
    let party = Party::new(SigningAlg::ES256);
    let token = party.sign(&party.header("JWT").to_string(), &claims().to_string());
    let both = [("client_assertion", token.as_str()), ("client_assertion_type", TYPE)];
    for params in [both.to_vec(), [&both[..], &[("client_id", "app")]].concat()] {
        let presented = present(None, &body(&params)).unwrap();
        assert_eq!((presented.client_id.as_str(), presented.method), ("app", ClientAuthMethod::PrivateKeyJwt));
        assert_eq!(presented.assertion.as_ref().unwrap().expose(), &token);
        assert!(!format!("{presented:?}").contains(&token));
    }
    let more = |pair| [&both[..], &[pair]].concat();
    for (header, params, code, rule) in [
        (Some("Basic YTpi"), both.to_vec(), ErrorCode::InvalidRequest, "client.one_method"),
        (None, more(("client_secret", "x")), ErrorCode::InvalidRequest, "client.one_method"),
        (None, more(("client_id", "other")), ErrorCode::InvalidRequest, "client.one_method"),
        (None, both[..1].to_vec(), ErrorCode::InvalidClient, "client.assertion.type"),
        (None, both[1..].to_vec(), ErrorCode::InvalidClient, "client.assertion.type"),
        (
            None,
            vec![both[0], ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")],
            ErrorCode::InvalidClient,
            "client.assertion.type",
        ),
        (None, vec![("client_assertion", "a.b.c"), both[1]], ErrorCode::InvalidClient, "client.assertion.form"),
    ] {
        let error = present(header, &body(&params)).unwrap_err();
        assert_eq!((error.code, error.rule), (code, rule), "{params:?}");
    }
}

#[test]
fn a_client_is_authenticated_by_its_own_verified_assertion_alone() {
    let settings = json!({
        "name": "App", "redirect_uris": [], "auth_method": "private_key_jwt", "id_token_alg": "ES256", "consent": "ask"
    });
    let mut client = Client {
        id: ClientId::parse("app").unwrap(),
        state: ClientState::Active,
        secret_hash: None,
        registration_hash: None,
        settings: serde_json::from_value(settings).unwrap(),
        created: NOW,
        updated: NOW,
    };
    let party = Party::new(SigningAlg::ES256);
    let token = party.sign(&party.header("JWT").to_string(), &claims().to_string());
    let presented = present(None, &body(&[("client_assertion", &token), ("client_assertion_type", TYPE)])).unwrap();
    let mine = judge(json!({}), |_| ()).unwrap();
    assert!(authenticate(&presented, Some(&client), Some(&mine)).is_ok());
    let unproved = authenticate(&presented, Some(&client), None).unwrap_err();
    assert_eq!(unproved.rule, "client.private_key_jwt");
    let id = ClientId::parse("b").unwrap();
    let keys = party.set();
    let theirs =
        party.sign(&party.header("JWT").to_string(), &with(&claims(), json!({ "iss": "b", "sub": "b" })).to_string());
    let theirs = check(&theirs, &expected(&id, &keys)).unwrap();
    assert!(authenticate(&presented, Some(&client), Some(&theirs)).is_err());
    client.settings.auth_method = ClientAuthMethod::ClientSecretPost;
    assert_eq!(authenticate(&presented, Some(&client), Some(&mine)).unwrap_err().rule, "client.registered_method");
    client.settings.auth_method = ClientAuthMethod::PrivateKeyJwt;
    client.state = ClientState::Disabled;
    assert_eq!(registered(&presented, Some(&client)).unwrap_err().rule, "client.active");
    client.state = ClientState::Active;
    let secret = present(None, &body(&[("client_id", "app"), ("client_secret", "x")])).unwrap();
    assert_eq!(authenticate(&secret, Some(&client), Some(&mine)).unwrap_err().rule, "client.registered_method");
}
