//! A DPoP proof, rule by rule. RFC 9449 §4.3.

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::id::RealmId;
use idp_core::oauth::dpop::{Expected, Proof, check, nonces, replayed};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::seal::Sealer;
use idp_core::secret::{Secret, sha256};
use serde_json::{Value, json};

use crate::support::{NOW, Party, with};

const URI: &str = "https://op.example/token";

pub fn expected() -> Expected<'static> {
    let (method, uri) = ("POST", URI);
    Expected { algs: SigningAlg::ALL, method, uri, nonces: &[], nonce_demanded: false, access_token: None, now: NOW }
}

pub fn header(party: &Party) -> Value {
    json!({ "typ": "dpop+jwt", "alg": party.alg.text(), "jwk": party.jwk })
}

pub fn claims() -> Value {
    json!({ "jti": "one", "htm": "POST", "htu": URI, "iat": NOW.secs() })
}

fn proof(party: &Party, in_header: Value, in_claims: Value) -> String {
    party.sign(&with(&header(party), in_header).to_string(), &with(&claims(), in_claims).to_string())
}

fn rule(result: Result<Proof, OAuthError>) -> &'static str {
    let error = result.unwrap_err();
    let code = if error.rule == "dpop.nonce" { ErrorCode::UseDpopNonce } else { ErrorCode::InvalidDpopProof };
    assert_eq!(error.code, code);
    error.rule
}

#[test]
fn a_good_proof_names_its_key_and_the_row_that_makes_it_work_once() {
    for &alg in SigningAlg::ALL {
        let party = Party::new(alg);
        let good = check(&proof(&party, json!({}), json!({})), &expected()).unwrap();
        assert_eq!(base64url(good.jkt), party.kid());
        assert_eq!(good.expires.secs(), NOW.secs() + 70);
        let again = check(&proof(&party, json!({}), json!({ "iat": NOW.secs() - 1 })), &expected()).unwrap();
        assert_eq!(good.once, again.once, "the row is of key and jti");
        let other = check(&proof(&party, json!({}), json!({ "jti": "two" })), &expected()).unwrap();
        assert_ne!(good.once, other.once);
        let only = [alg];
        assert!(check(&proof(&party, json!({}), json!({})), &Expected { algs: &only, ..expected() }).is_ok());
    }
    let somebody = Party::new(SigningAlg::ES256);
    let mine = check(&proof(&Party::new(SigningAlg::ES256), json!({}), json!({})), &expected()).unwrap();
    let theirs = check(&proof(&somebody, json!({}), json!({})), &expected()).unwrap();
    assert_ne!(mine.once, theirs.once, "nobody takes another's jti");
    assert_eq!((replayed().rule, replayed().code), ("dpop.once", ErrorCode::InvalidDpopProof));
}

#[test]
fn the_header_is_that_of_a_proof() {
    let party = Party::new(SigningAlg::ES256);
    let other = Party::new(SigningAlg::ES256);
    let refused = |members: Value| rule(check(&proof(&party, members, json!({})), &expected()));
    assert_eq!(refused(json!({ "typ": "JWT" })), "dpop.typ");
    assert_eq!(refused(json!({ "typ": null })), "dpop.typ");
    for alg in ["none", "HS256", "es256", "RS512"] {
        assert_eq!(refused(json!({ "alg": alg })), "dpop.alg");
    }
    let narrow = Expected { algs: &[SigningAlg::PS256], ..expected() };
    assert_eq!(rule(check(&proof(&party, json!({}), json!({})), &narrow)), "dpop.alg");
    assert_eq!(refused(json!({ "alg": "EdDSA" })), "dpop.key");
    assert_eq!(refused(json!({ "jwk": with(&party.jwk, json!({ "d": "AA" })) })), "dpop.key");
    assert_eq!(refused(json!({ "jwk": { "kty": "oct", "k": "AA" } })), "dpop.key");
    assert_eq!(refused(json!({ "jwk": other.jwk })), "dpop.signature");
    for bad in [json!({ "jwk": null }), json!({ "jwk": "text" }), json!({ "crit": ["x"] })] {
        assert_eq!(refused(bad), "dpop.form");
    }
    for text in ["", "a.b.c", "…"] {
        assert_eq!(rule(check(text, &expected())), "dpop.form");
    }
}

#[test]
fn it_is_about_this_request() {
    let party = Party::new(SigningAlg::ES256);
    let of = |members: Value| check(&proof(&party, json!({}), members), &expected());
    for method in [json!("GET"), json!("post"), json!(""), json!(null), json!(["POST"])] {
        assert_eq!(rule(of(json!({ "htm": method }))), "dpop.method");
    }
    for same in [
        "HTTPS://OP.Example/token",
        "https://op.example:443/token",
        "https://op.example/token?a=b",
        "https://op.example/token#f",
        "https://op.example/x/../token",
    ] {
        assert!(of(json!({ "htu": same })).is_ok(), "{same}");
    }
    for other in [
        "http://op.example/token",
        "https://op.example:444/token",
        "https://op.example/token/",
        "https://op.example/Token",
        "https://op.example/",
        "https://op.example.evil/token",
        "https://op.example@evil/token",
        "https://a:b@op.example/token",
        "https:\\\\op.example\\token",
        "https:/op.example/token",
        " https://op.example/token",
        "https://op.exa\nmple/token",
        "/token",
        "",
    ] {
        assert_eq!(rule(of(json!({ "htu": other }))), "dpop.uri", "{other}");
    }
    assert_eq!(rule(of(json!({ "htu": null }))), "dpop.uri");
}

#[test]
fn it_is_of_this_moment() {
    let party = Party::new(SigningAlg::ES256);
    let at = |iat: i64| check(&proof(&party, json!({}), json!({ "iat": iat })), &expected());
    // NOW is half a second into its second.
    for good in [-59, 0, 30] {
        assert!(at(NOW.secs() + good).is_ok(), "{good}");
    }
    for bad in [-61, -3600, 31, 61] {
        assert_eq!(rule(at(NOW.secs() + bad)), "dpop.fresh", "{bad}");
    }
    assert_eq!(rule(check(&proof(&party, json!({}), json!({ "iat": null })), &expected())), "dpop.fresh");
    assert_eq!(rule(check(&proof(&party, json!({}), json!({ "exp": NOW.secs() - 60 })), &expected())), "dpop.fresh");
    for bad in [json!("1800000000"), json!([1]), json!(-1)] {
        assert_eq!(rule(check(&proof(&party, json!({}), json!({ "iat": bad })), &expected())), "dpop.form");
    }
}

#[test]
fn a_nonce_is_ours_and_widens_the_past() {
    let party = Party::new(SigningAlg::ES256);
    let sealer = Sealer::new(&Secret::new([7; 32]), None).unwrap();
    let good = nonces(&sealer, RealmId(1), NOW);
    let demanded = Expected { nonces: &good, nonce_demanded: true, ..expected() };
    let optional = Expected { nonce_demanded: false, ..demanded };
    let with_nonce = |nonce: Value, expected: &Expected<'_>| {
        check(&proof(&party, json!({}), json!({ "nonce": nonce, "iat": NOW.secs() - 200 })), expected)
    };
    for nonce in &good {
        let proof = with_nonce(json!(nonce), &demanded).unwrap();
        assert_eq!(proof.expires.secs(), NOW.secs() - 200 + 330, "the row outlives the proof");
        assert!(with_nonce(json!(nonce), &optional).is_ok());
    }
    for at in [-240, 120] {
        let [first, ..] = nonces(&sealer, RealmId(1), NOW.plus_s(at));
        assert_eq!(rule(with_nonce(json!(first), &demanded)), "dpop.nonce", "{at}");
        assert_eq!(rule(with_nonce(json!(first), &optional)), "dpop.nonce", "never overlooked");
    }
    let [foreign, ..] = nonces(&sealer, RealmId(2), NOW);
    for bad in [json!(foreign), json!(""), json!(1), json!([good[0]])] {
        assert_eq!(rule(with_nonce(bad, &demanded)), "dpop.nonce");
    }
    assert_eq!(rule(check(&proof(&party, json!({}), json!({})), &demanded)), "dpop.nonce");
    assert!(check(&proof(&party, json!({}), json!({})), &optional).is_ok());
    let old = json!({ "nonce": good[0], "iat": NOW.secs() - 301 });
    assert_eq!(rule(check(&proof(&party, json!({}), old), &demanded)), "dpop.fresh");
    // Handed out at one moment, good for two to three minutes.
    let [handed, ..] = nonces(&sealer, RealmId(1), NOW);
    for (later, accepted) in [(0, true), (120, true), (180, false), (-5, true), (-60, true), (-120, false)] {
        assert_eq!(nonces(&sealer, RealmId(1), NOW.plus_s(later)).contains(&handed), accepted, "{later}");
    }
}

#[test]
fn it_belongs_to_the_access_token_it_comes_with() {
    let party = Party::new(SigningAlg::ES256);
    let token = Expected { access_token: Some("token"), ..expected() };
    let with_ath = |ath: Value| check(&proof(&party, json!({}), json!({ "ath": ath })), &token);
    assert!(with_ath(json!(base64url(sha256(b"token")))).is_ok());
    for bad in [json!(null), json!(base64url(sha256(b"other"))), json!("token"), json!("")] {
        assert_eq!(rule(with_ath(bad)), "dpop.ath");
    }
}

#[test]
fn a_jti_is_there_and_short() {
    let party = Party::new(SigningAlg::ES256);
    let with_jti = |jti: Value| check(&proof(&party, json!({}), json!({ "jti": jti })), &expected());
    assert!(with_jti(json!("ä".repeat(128))).is_ok());
    for bad in [json!(null), json!(""), json!("x".repeat(129)), json!(7)] {
        assert_eq!(rule(with_jti(bad)), "dpop.jti");
    }
}
