//! Whatever comes is judged, nothing panics, and no changed character of a good token is accepted.

use std::sync::LazyLock;

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::id::{AccountId, ClientId};
use idp_core::jose::foreign::{Demand, Unverified, peek, unsigned};
use idp_core::jose::jwk::{JwkSet, PublicJwk};
use idp_core::jose::jws::id_token_hint;
use idp_core::jose::keyset::{KeyState, SigningKey, StoredKey, TokenType, generate};
use idp_core::oauth::authorize::jar;
use idp_core::oauth::client_auth::{assertion, present};
use idp_core::oauth::params::RawParams;
use idp_core::oauth::scope::{STANDARD, Scopes};
use idp_core::oauth::{dpop, redirect};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::assertion::ISSUER;
use crate::support::{NOW, Party};

const ANY: Demand<'_> = Demand { algs: SigningAlg::ALL, types: &["JWT"], untyped: true };

/// One party an algorithm: making RSA keys takes long.
static PARTIES: LazyLock<Vec<Party>> = LazyLock::new(|| SigningAlg::ALL.iter().map(|&alg| Party::new(alg)).collect());

fn good_assertion(token: &str, party: &Party) -> bool {
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    assertion::check(token, &crate::assertion::expected(&id, &keys)).is_ok()
}

fn good_object(token: &str, party: &Party) -> bool {
    let (id, keys) = (ClientId::parse("app").unwrap(), party.set());
    jar::open(token, &jar::Expected { unsigned: true, ..crate::request_object::expected(&id, &keys) }).is_ok()
}

/// The key of this realm for each algorithm, and an ID token by each.
static OURS: LazyLock<(Vec<StoredKey>, Vec<String>)> = LazyLock::new(|| {
    let sub = AccountId::new(NOW, [1; 10]).to_string();
    let claims = json!({ "iss": ISSUER, "sub": sub, "aud": "app" });
    let one = |&alg: &SigningAlg| {
        let key = SigningKey::parse(alg, &generate(alg).unwrap()).unwrap();
        let stored = StoredKey {
            kid: key.kid.clone(),
            alg,
            state: KeyState::Retired,
            public_jwk: key.public_jwk().unwrap().to_string(),
            private_sealed: Vec::new(),
            created: NOW,
            activated: None,
            retired: None,
        };
        let others = [TokenType::AccessToken, TokenType::LogoutToken, TokenType::Introspection];
        for typ in others {
            let token = key.sign(typ, &claims).unwrap();
            assert!(id_token_hint(&token, ISSUER, std::slice::from_ref(&stored)).is_none(), "{typ:?} is no hint");
        }
        (stored, key.sign(TokenType::Jwt, &claims).unwrap())
    };
    SigningAlg::ALL.iter().map(one).unzip()
});

fn good_hint(token: &str) -> bool {
    id_token_hint(token, ISSUER, &OURS.0).is_some()
}

/// Every token that is good, with the judge it is good for.
fn good(which: usize, alg: usize) -> (String, fn(&str, usize) -> bool) {
    let party = &PARTIES[alg];
    match which {
        0 => (party.sign(&party.header("JWT").to_string(), &crate::assertion::claims().to_string()), |t, alg| {
            good_assertion(t, &PARTIES[alg])
        }),
        1 => (party.sign(&crate::dpop::header(party).to_string(), &crate::dpop::claims().to_string()), |t, _| {
            dpop::check(t, &crate::dpop::expected()).is_ok()
        }),
        2 => (
            party.sign(&party.header("oauth-authz-req+jwt").to_string(), &crate::request_object::claims().to_string()),
            |t, alg| good_object(t, &PARTIES[alg]),
        ),
        _ => (OURS.1[alg].clone(), |t, _| good_hint(t)),
    }
}

/// The characters of a token, and some that are not.
const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n~\0";

#[test]
fn no_other_last_character_of_a_signature_is_accepted() {
    // The last character of a signature holds bits that mean nothing: only zeros there are base64url.
    for which in 0..4 {
        for alg in 0..SigningAlg::ALL.len() {
            let (token, is_good) = good(which, alg);
            assert!(is_good(&token, alg), "{which} {alg}");
            let (start, last) = token.split_at(token.len() - 1);
            for &other in CHARACTERS.iter().filter(|c| **c != last.as_bytes()[0]) {
                assert!(!is_good(&format!("{start}{}", char::from(other)), alg), "{which} {alg} {other}");
            }
            assert!(!is_good(start, alg));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_added_or_missing_character_is_accepted(
        which in 0..4_usize,
        alg in 0..4_usize,
        at in any::<prop::sample::Index>(),
        other in prop::sample::select(CHARACTERS),
    ) {
        let (token, is_good) = good(which, alg);
        let at = at.index(token.len());
        let mut changed = token.clone().into_bytes();
        prop_assume!(changed[at] != other);
        changed[at] = other;
        prop_assert!(!is_good(&String::from_utf8(changed).unwrap(), alg));
        let (before, after) = token.split_at(at);
        let (added, missing) = ([before, &char::from(other).to_string(), after].concat(), [before, &after[1..]].concat());
        prop_assert!(!is_good(&added, alg) && !is_good(&missing, alg));
    }

    #[test]
    fn any_text_as_a_token_is_judged(text in any::<String>(), dotted in "[a-zA-Z0-9_.-]{0,200}") {
        for text in [&text, &dotted] {
            prop_assert!(!good_assertion(text, &PARTIES[1]) && !good_object(text, &PARTIES[1]) && !good_hint(text));
            prop_assert!(dpop::check(text, &crate::dpop::expected()).is_err());
            prop_assert!(Unverified::read(text, &ANY).is_err() && unsigned(text, &ANY).is_err());
            prop_assert_eq!(peek(text, "sub"), None);
        }
    }

    #[test]
    fn any_header_and_payload_by_the_right_key_are_judged(
        header in prop::collection::vec(any::<u8>(), 0..80),
        payload in "[\\[\\]{}\":,a-z0-9eE+. -]{0,80}",
        number in "-?[0-9]{1,20}(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
    ) {
        let party = &PARTIES[1];
        let good_header = party.header("JWT").to_string();
        for payload in [payload, format!(r#"{{"exp":{number},"iat":{number}}}"#)] {
            let token = party.sign(&good_header, &payload);
            prop_assert!(!good_assertion(&token, party));
            let _ = Unverified::read(&token, &ANY).unwrap().by_one_of(&party.set());
        }
        let token = format!("{}.e30.{}", base64url(&header), base64url([0; 64]));
        let _ = (Unverified::read(&token, &ANY).is_ok(), unsigned(&token, &ANY).is_ok());
    }

    #[test]
    fn any_key_is_judged(
        text in any::<String>(),
        kty in prop::sample::select(&["RSA", "EC", "OKP", "oct"][..]),
        crv in prop::sample::select(&["P-256", "Ed25519", "P-384", ""][..]),
        a in prop::collection::vec(any::<u8>(), 0..300),
        b in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let key = json!({ "kty": kty, "crv": crv, "n": base64url(&a), "e": base64url(&b), "x": base64url(&b), "y": text });
        let _ = PublicJwk::parse(&key.to_string());
        let _ = JwkSet::parse(&json!({ "keys": [key] }).to_string());
        prop_assert!(PublicJwk::parse(&text).is_err() && JwkSet::parse(&text).is_err());
    }

    #[test]
    fn parameters_are_read_as_the_form_says(
        pairs in prop::collection::vec(("[a-c]{1,2}", any::<String>()), 0..20),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in any::<String>(),
    ) {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let params = RawParams::parse(encoded.as_bytes());
        let twice = |name: &str| pairs.iter().filter(|(n, _)| n == name).count() > 1;
        prop_assert_eq!(params.doubled().is_some(), pairs.iter().any(|(name, _)| twice(name)));
        for (name, value) in pairs.iter().filter(|(name, _)| !twice(name)) {
            prop_assert_eq!(params.one(name), Some(value.as_str()).filter(|v| !v.is_empty()));
        }
        let params = RawParams::parse(&bytes);
        let _ = (params.one("client_id"), params.doubled(), present(None, &params), present(Some(&text), &params));
        let _ = Scopes::parse(&text, STANDARD);
    }

    #[test]
    fn a_redirect_uri_matches_itself_and_nothing_else(
        path in "[a-zA-Z0-9/._~-]{0,12}",
        port in 1..=65535_u16,
        text in any::<String>(),
        at in any::<prop::sample::Index>(),
        other in any::<char>(),
    ) {
        let registered = format!("https://rp.example/{path}");
        prop_assert!(redirect::matches(&registered, &registered));
        let mut changed: Vec<char> = registered.chars().collect();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != other);
        changed[at] = other;
        prop_assert!(!redirect::matches(&registered, &changed.iter().collect::<String>()));
        changed.insert(at, registered.chars().nth(at).unwrap());
        prop_assert!(!redirect::matches(&registered, &changed.iter().collect::<String>()));
        prop_assert_eq!(redirect::matches(&registered, &text), registered == text);
        // Only the port of a loopback address is free.
        for host in ["127.0.0.1", "[::1]"] {
            let native = format!("http://{host}/{path}");
            let (at_port, evil) = (format!("http://{host}:{port}"), format!("{text}@evil.example/{path}"));
            prop_assert!(redirect::matches(&native, &[&at_port, "/", &path].concat()));
            prop_assert!(!redirect::matches(&native, &[&at_port, "/", &path, "x"].concat()));
            prop_assert!(!redirect::matches(&native, &[&at_port, &*evil].concat()));
        }
        let _ = (redirect::check(&text), redirect::origin(&text), redirect::is_web_address(&text));
    }
}

#[test]
fn a_value_that_is_no_object_is_no_key() {
    for value in [json!([]), json!(null), json!(1), Value::String("{}".to_owned())] {
        assert!(PublicJwk::parse(&value.to_string()).is_err());
    }
}
