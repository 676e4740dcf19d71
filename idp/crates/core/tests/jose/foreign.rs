//! A compact JWS by somebody else: only what the caller asked for is accepted. RFC 7515 §5.2, RFC 8725 §3.

use aws_lc_rs::hmac;
use idp_core::client::SigningAlg;
use idp_core::encoding::{base64url, from_base64url};
use idp_core::jose::foreign::{Claims, Demand, InvalidJws, Unverified, peek, unsigned};
use idp_core::jose::jwk::{InvalidJwk, JwkSet};
use serde_json::{Value, json};

use crate::support::{Party, set, with};

const ANY: Demand<'_> = Demand { algs: SigningAlg::ALL, types: &["JWT", "x+jwt"], untyped: true };

fn verify(token: &str, demand: &Demand<'_>, keys: &JwkSet) -> Result<Claims, InvalidJws> {
    Unverified::read(token, demand)?.by_one_of(keys)
}

#[test]
fn accepts_each_algorithm_and_reads_the_claims() {
    for &alg in SigningAlg::ALL {
        let party = Party::new(alg);
        let token = party.sign(&party.header("JWT").to_string(), r#"{"iss":"a","exp":12.5,"n":[1]}"#);
        let claims = verify(&token, &ANY, &party.set()).unwrap();
        assert_eq!((claims.text("iss"), claims.exp.unwrap().ms()), (Some("a"), 12_500));
        assert_eq!(claims.members["n"], json!([1]));
        assert_eq!((claims.nbf, claims.iat, claims.text("n")), (None, None, None));
        assert_eq!(peek(&token, "iss").as_deref(), Some("a"));
        let only = Demand { algs: &[alg], ..ANY };
        assert!(verify(&token, &only, &party.set()).is_ok());
        let others: Vec<_> = SigningAlg::ALL.iter().copied().filter(|a| *a != alg).collect();
        assert_eq!(verify(&token, &Demand { algs: &others, ..ANY }, &party.set()), Err(InvalidJws::Alg));
    }
}

#[test]
fn refuses_every_other_algorithm_and_spelling() {
    let party = Party::new(SigningAlg::RS256);
    for alg in ["none", "nOnE", "None", "HS256", "rs256", "RS256 ", "RS384", "ES384", "Ed25519", ""] {
        let header = with(&party.header("JWT"), json!({ "alg": alg }));
        assert_eq!(verify(&party.sign(&header.to_string(), "{}"), &ANY, &party.set()), Err(InvalidJws::Alg), "{alg}");
        let message = format!("{}.{}.", base64url(header.to_string()), base64url("{}"));
        assert_eq!(verify(&message, &ANY, &party.set()), Err(InvalidJws::Alg), "{alg} unsigned");
    }
    for alg in [json!(1), json!(["RS256"]), json!({})] {
        let header = with(&party.header("JWT"), json!({ "alg": alg }));
        assert_eq!(verify(&party.sign(&header.to_string(), "{}"), &ANY, &party.set()), Err(InvalidJws::Header));
    }
    let header = with(&party.header("JWT"), json!({ "alg": null }));
    assert_eq!(verify(&party.sign(&header.to_string(), "{}"), &ANY, &party.set()), Err(InvalidJws::Alg));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let party = Party::new(SigningAlg::RS256);
    let modulus = from_base64url(party.jwk["n"].as_str().unwrap()).unwrap();
    for secret in [party.jwk.to_string().into_bytes(), modulus] {
        for alg in ["HS256", "RS256"] {
            let header = with(&party.header("JWT"), json!({ "alg": alg }));
            let message = format!("{}.{}", base64url(header.to_string()), base64url("{}"));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            let token = format!("{message}.{}", base64url(tag.as_ref()));
            assert!(matches!(verify(&token, &ANY, &party.set()), Err(InvalidJws::Alg | InvalidJws::Signature)));
        }
    }
}

#[test]
fn a_key_signs_by_its_own_algorithm_alone() {
    let (rs, ps) = (Party::new(SigningAlg::RS256), Party::new(SigningAlg::PS256));
    let header = with(&rs.header("JWT"), json!({ "alg": "PS256" }));
    assert_eq!(verify(&rs.sign(&header.to_string(), "{}"), &ANY, &rs.set()), Err(InvalidJws::UnknownKey));
    let header = with(&rs.header("JWT"), json!({ "kid": ps.kid() }));
    let both = set(&[&rs.jwk, &ps.jwk]);
    assert_eq!(verify(&rs.sign(&header.to_string(), "{}"), &ANY, &both), Err(InvalidJws::UnknownKey));
}

#[test]
fn the_key_is_the_one_named_or_one_that_fits() {
    let parties: Vec<_> = (0..6).map(|_| Party::new(SigningAlg::ES256)).collect();
    let keys: Vec<_> = parties.iter().map(|p| &p.jwk).collect();
    let (few, many) = (set(&keys[..4]), set(&keys));
    let unnamed = r#"{"alg":"ES256"}"#;
    assert!(verify(&parties[3].sign(unnamed, "{}"), &ANY, &few).is_ok());
    assert_eq!(verify(&parties[4].sign(unnamed, "{}"), &ANY, &few), Err(InvalidJws::Signature));
    assert_eq!(verify(&parties[5].sign(unnamed, "{}"), &ANY, &many), Err(InvalidJws::Signature), "four are tried");
    assert!(verify(&parties[5].sign(&parties[5].header("JWT").to_string(), "{}"), &ANY, &many).is_ok());
    // Somebody else's name, a path, a query: a `kid` is compared and nothing else.
    for kid in [parties[1].kid(), "../../dev/null", "' OR 1=1 --", "https://evil.example/jwks", ""] {
        let header = with(&parties[0].header("JWT"), json!({ "kid": kid }));
        let error = verify(&parties[0].sign(&header.to_string(), "{}"), &ANY, &few).unwrap_err();
        let reason = if kid == parties[1].kid() { InvalidJws::Signature } else { InvalidJws::UnknownKey };
        assert_eq!(error, reason, "{kid}");
    }
    let header = with(&parties[0].header("JWT"), json!({ "kid": 7 }));
    assert_eq!(verify(&parties[0].sign(&header.to_string(), "{}"), &ANY, &few), Err(InvalidJws::Header));
}

#[test]
fn keys_that_a_token_brings_or_names_are_ignored() {
    let (client, evil) = (Party::new(SigningAlg::ES256), Party::new(SigningAlg::ES256));
    let brought =
        json!({ "jwk": evil.jwk, "jku": "https://evil.example/jwks", "x5u": "http://127.0.0.1/", "x5c": ["AA"] });
    let header = with(&client.header("JWT"), brought).to_string();
    assert_eq!(verify(&evil.sign(&header, "{}"), &ANY, &client.set()), Err(InvalidJws::Signature));
    assert!(verify(&client.sign(&header, "{}"), &ANY, &client.set()).is_ok());
}

#[test]
fn the_own_key_of_a_token_proves_itself_and_is_public() {
    let (party, other) = (Party::new(SigningAlg::EdDSA), Party::new(SigningAlg::EdDSA));
    let own = |jwk: &Value| {
        let header = json!({ "alg": "EdDSA", "typ": "x+jwt", "jwk": jwk });
        let token = party.sign(&header.to_string(), "{}");
        Unverified::read(&token, &ANY).unwrap().by_its_own_key().map(|(key, _)| base64url(key.thumbprint))
    };
    assert_eq!(own(&party.jwk).as_deref(), Ok(party.kid()));
    assert_eq!(own(&other.jwk), Err(InvalidJws::Signature));
    assert_eq!(own(&with(&party.jwk, json!({ "d": "AA" }))), Err(InvalidJws::Key(InvalidJwk::Private)));
    assert_eq!(own(&json!({ "kty": "oct", "k": "AA" })), Err(InvalidJws::Key(InvalidJwk::Private)));
    assert_eq!(own(&json!("text")), Err(InvalidJws::Header));
    let token = party.sign(&party.header("JWT").to_string(), "{}");
    assert_eq!(Unverified::read(&token, &ANY).unwrap().by_its_own_key().err(), Some(InvalidJws::Header));
}

#[test]
fn extensions_and_foreign_types_are_refused() {
    let party = Party::new(SigningAlg::ES256);
    let error = |members: Value, demand: &Demand<'_>| {
        let header = with(&party.header("JWT"), members);
        verify(&party.sign(&header.to_string(), "{}"), demand, &party.set()).err()
    };
    for member in [json!({ "crit": ["exp"] }), json!({ "crit": [] }), json!({ "b64": false }), json!({ "b64": true })] {
        assert_eq!(error(member, &ANY), Some(InvalidJws::Critical));
    }
    for typ in ["JWT", "jwt", "application/jwt", "APPLICATION/X+jwt", "x+JWT"] {
        assert_eq!(error(json!({ "typ": typ }), &ANY), None, "{typ}");
    }
    for typ in ["at+jwt", "application/", "text/jwt", "application/application/jwt", "", "JWT "] {
        assert_eq!(error(json!({ "typ": typ }), &ANY), Some(InvalidJws::Typ), "{typ}");
    }
    assert_eq!(error(json!({ "typ": null }), &ANY), None);
    assert_eq!(error(json!({ "typ": null }), &Demand { untyped: false, ..ANY }), Some(InvalidJws::Typ));
    assert_eq!(error(json!({ "typ": 1 }), &ANY), Some(InvalidJws::Header));
}

#[test]
fn no_member_comes_twice() {
    let party = Party::new(SigningAlg::ES256);
    let kid = party.kid();
    for header in [
        format!(r#"{{"alg":"ES256","alg":"ES256","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"none","kid":"{kid}","\u0061lg":"ES256"}}"#),
        "[]".to_owned(),
        "{".to_owned(),
        "{} ".repeat(2),
    ] {
        assert_eq!(verify(&party.sign(&header, "{}"), &ANY, &party.set()), Err(InvalidJws::Header), "{header}");
    }
    let header = party.header("JWT").to_string();
    for payload in [r#"{"sub":"a","sub":"b"}"#, r#"{"a":{"b":1,"b":1}}"#] {
        assert_eq!(verify(&party.sign(&header, payload), &ANY, &party.set()), Err(InvalidJws::Payload), "{payload}");
    }
}

#[test]
fn a_payload_is_an_object_with_dates_that_are_dates() {
    let party = Party::new(SigningAlg::ES256);
    let header = party.header("JWT").to_string();
    let error = |payload: &str| verify(&party.sign(&header, payload), &ANY, &party.set()).err();
    for payload in ["[]", "null", "1", "\"{}\"", "", "{", "{}{}", "\u{feff}{}", r#"{"exp":1e400}"#, r#"{"exp":-1e400}"#]
    {
        assert_eq!(error(payload), Some(InvalidJws::Payload), "{payload}");
    }
    assert_eq!(error(&format!("{}1{}", "[".repeat(4000), "]".repeat(4000))), Some(InvalidJws::Payload));
    for name in ["exp", "nbf", "iat"] {
        let numbers = ["-1", "-0.001", "9007199254740992", "18446744073709551615", "1e300", "-1e300"];
        for value in numbers.iter().chain(&["\"1800000000\"", "null", "[]", "[1800000000]", "{}", "true", "\"\""]) {
            let payload = format!(r#"{{"{name}":{value}}}"#);
            assert_eq!(error(&payload), Some(InvalidJws::Date(name)), "{payload}");
        }
        for value in ["0", "-0.0", "1.8e9", "1800000000.999", "9007199254740991"] {
            assert_eq!(error(&format!(r#"{{"{name}":{value}}}"#)), None, "{value}");
        }
    }
}

#[test]
fn only_the_compact_form_in_its_one_spelling_is_read() {
    let party = Party::new(SigningAlg::ES256);
    let good = party.sign(&party.header("JWT").to_string(), r#"{"a":1}"#);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    for bad in [
        String::new(),
        "..".to_owned(),
        message.to_owned(),
        format!("{good}."),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{}.{signature}", base64url("{}")),
        format!("{header}.{payload}.{signature}.x.y"),
        good.replace('.', ".."),
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
    ] {
        let error = verify(&bad, &ANY, &party.set()).unwrap_err();
        assert!(matches!(error, InvalidJws::Form | InvalidJws::Header), "{bad}: {error}");
    }
    // Detached payload (RFC 7515 appendix F), no signature, and one that is cut.
    for bad in [format!("{header}..{signature}"), format!("{message}."), format!("{message}.AAAA")] {
        assert_eq!(verify(&bad, &ANY, &party.set()), Err(InvalidJws::Signature));
    }
    let long = party.sign(&party.header("JWT").to_string(), &json!({ "a": "x".repeat(13_000) }).to_string());
    assert_eq!(verify(&long, &ANY, &party.set()), Err(InvalidJws::Long));
    assert_eq!(peek(&long, "a"), None);
}

#[test]
fn an_unsigned_token_is_read_only_where_it_was_asked_for() {
    let token = |header: &str, rest: &str| format!("{}.{}{rest}", base64url(header), base64url(r#"{"a":"b"}"#));
    let none = r#"{"alg":"none"}"#;
    assert_eq!(unsigned(&token(none, "."), &ANY).unwrap().text("a"), Some("b"));
    assert_eq!(unsigned(&token(none, ".AAAA"), &ANY), Err(InvalidJws::Signature));
    assert_eq!(unsigned(&token(none, ""), &ANY), Err(InvalidJws::Form));
    assert_eq!(unsigned(&token(r#"{"alg":"none","typ":"at+jwt"}"#, "."), &ANY), Err(InvalidJws::Typ));
    for alg in ["nOnE", "NONE", "", "RS256"] {
        assert_eq!(unsigned(&token(&json!({ "alg": alg }).to_string(), "."), &ANY), Err(InvalidJws::Alg), "{alg}");
    }
}
