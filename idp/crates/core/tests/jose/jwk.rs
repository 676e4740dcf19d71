//! Public keys of others. RFC 7517, RFC 7518 §6, RFC 8037, RFC 7638.

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use idp_core::client::SigningAlg;
use idp_core::encoding::{base64url, from_base64url};
use idp_core::jose::jwk::{InvalidJwk, JwkSet, PublicJwk};
use serde_json::{Value, json};

use crate::support::{Party, with};

fn parse(jwk: &Value) -> Result<PublicJwk, InvalidJwk> {
    PublicJwk::parse(&jwk.to_string())
}

#[test]
fn the_thumbprints_are_those_of_the_specifications() {
    // RFC 7638 §3.1, RFC 8037 §A.3
    let rsa = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn\
              jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM\
              QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz\
              KnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
    });
    let key = parse(&rsa).unwrap();
    assert_eq!(base64url(key.thumbprint), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert!(key.fits(SigningAlg::RS256) && !key.fits(SigningAlg::PS256), "`alg` binds");
    assert!(parse(&with(&rsa, json!({ "alg": null }))).unwrap().fits(SigningAlg::PS256));
    let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let key = parse(&ed).unwrap();
    assert_eq!(base64url(key.thumbprint), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert!(key.fits(SigningAlg::EdDSA) && !key.fits(SigningAlg::ES256));
}

#[test]
fn refuses_what_is_no_public_key_for_signatures_with_the_reason() {
    let ec = Party::new(SigningAlg::ES256).jwk;
    let rsa = Party::new(SigningAlg::RS256).jwk;
    let ed = Party::new(SigningAlg::EdDSA).jwk;
    let x = from_base64url(ec["x"].as_str().unwrap()).unwrap();
    let n = from_base64url(rsa["n"].as_str().unwrap()).unwrap();
    let cases = [
        (with(&ec, json!({ "d": "AA" })), InvalidJwk::Private),
        (with(&rsa, json!({ "qi": "AA" })), InvalidJwk::Private),
        (json!({ "kty": "oct", "k": "AA" }), InvalidJwk::Private),
        (with(&ec, json!({ "crv": "P-384" })), InvalidJwk::Kind),
        (with(&ec, json!({ "kty": "OKP" })), InvalidJwk::Kind),
        (with(&ec, json!({ "alg": "RS256" })), InvalidJwk::Algorithm),
        (with(&ec, json!({ "alg": "none" })), InvalidJwk::Algorithm),
        (with(&rsa, json!({ "alg": "HS256" })), InvalidJwk::Algorithm),
        (with(&ec, json!({ "use": "enc" })), InvalidJwk::Use),
        (with(&ec, json!({ "key_ops": ["sign"] })), InvalidJwk::Use),
        (with(&ec, json!({ "key_ops": "verify" })), InvalidJwk::Use),
        (with(&ec, json!({ "kid": 1 })), InvalidJwk::Member),
        (with(&ec, json!({ "kty": null })), InvalidJwk::Member),
        (with(&ec, json!({ "y": null })), InvalidJwk::Member),
        (with(&ec, json!({ "x": format!("{}=", ec["x"].as_str().unwrap()) })), InvalidJwk::Member),
        (with(&ec, json!({ "y": ec["x"] })), InvalidJwk::Point),
        (with(&ec, json!({ "x": base64url([&[0], x.as_slice()].concat()) })), InvalidJwk::Point),
        (with(&ed, json!({ "x": "AAAA" })), InvalidJwk::Point),
        (with(&rsa, json!({ "e": "AQ" })), InvalidJwk::Rsa),
        (with(&rsa, json!({ "e": "Ag" })), InvalidJwk::Rsa),
        (with(&rsa, json!({ "n": base64url(&n[..255]) })), InvalidJwk::Rsa),
        (with(&rsa, json!({ "n": base64url([&[0], n.as_slice()].concat()) })), InvalidJwk::Rsa),
        (with(&rsa, json!({ "n": base64url([&[1], vec![255; 1024].as_slice()].concat()) })), InvalidJwk::Rsa),
    ];
    for (jwk, reason) in cases {
        assert_eq!(parse(&jwk).err(), Some(reason), "{jwk}");
    }
    for text in ["", "[]", "null", r#"{"kty":"RSA","kty":"EC"}"#] {
        assert_eq!(PublicJwk::parse(text).err(), Some(InvalidJwk::Json), "{text}");
    }
    assert_eq!(PublicJwk::parse(&" ".repeat(70_000)).err(), Some(InvalidJwk::Long));
    assert!(parse(&with(&ec, json!({ "key_ops": ["verify"], "use": "sig" }))).is_ok());
    assert!(parse(&with(&ec, json!({ "use": null, "alg": null, "kid": null }))).is_ok());
}

#[test]
fn an_rsa_key_has_2048_to_8192_bits() {
    let large = KeyPair::generate(KeySize::Rsa8192).unwrap();
    let n = large.public_key().modulus().big_endian_without_leading_zero().to_vec();
    assert!(parse(&json!({ "kty": "RSA", "n": base64url(n), "e": "AQAB" })).is_ok());
}

#[test]
fn a_set_leaves_out_what_it_does_not_know_and_is_bounded() {
    let ec = Party::new(SigningAlg::ES256).jwk;
    let set = |keys: &Value| JwkSet::parse(&json!({ "keys": keys }).to_string());
    let foreign = [
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }),
        with(&ec, json!({ "use": "enc" })),
        json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
        json!("a text"),
    ];
    let mut keys = foreign.to_vec();
    keys.push(ec.clone());
    assert!(set(&json!(keys)).is_ok());
    assert_eq!(set(&json!(foreign)).err(), Some(InvalidJwk::Kind), "no key is left");
    assert_eq!(set(&json!([ec, with(&ec, json!({ "d": "AA" }))])).err(), Some(InvalidJwk::Private));
    assert_eq!(set(&json!([])).err(), Some(InvalidJwk::Keys));
    assert!(set(&json!(vec![&ec; 50])).is_ok());
    assert_eq!(set(&json!(vec![&ec; 51])).err(), Some(InvalidJwk::Keys));
    assert_eq!(set(&json!({ "a": 1 })).err(), Some(InvalidJwk::Keys));
    assert_eq!(JwkSet::parse("<html>").err(), Some(InvalidJwk::Json));
    assert_eq!(JwkSet::parse(r#"{"keys":[],"keys":[]}"#).err(), Some(InvalidJwk::Json));
    assert_eq!(JwkSet::parse(&" ".repeat(64 * 1024 + 1)).err(), Some(InvalidJwk::Long));
}
