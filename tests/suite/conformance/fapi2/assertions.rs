//! Client assertions that are wrong in one way each, at PAR and at the token endpoint.
//! RFC 7523 §3, FAPI 2.0 Security Profile §5.3.2.1 and §5.4.

use serde_json::json;

use super::par::refused_push;
use super::stage::{Auth, Fapi, Proof, Who, fapi2, taken};
use crate::conformance::checks;
use crate::world::jwt::{Jwt, Key, bent};

type Bend = Box<dyn Fn(Jwt, &Key) -> String + Sync>;

const BAD_CLIENT: &[&str] = &["invalid_client", "invalid_request"];

/// Pushes with an assertion that must be refused.
async fn refuses_at_par(fapi: &mut Fapi, what: &str, bend: &(dyn Fn(Jwt, &Key) -> String + Sync)) {
    let ask = fapi.request(Who::First);
    let page = fapi.push_with(Who::First, &ask, (&Auth::Bent(bend), &Proof::None)).await;
    assert_ne!(page.status, 201, "{what}");
    refused_push(&page, BAD_CLIENT);
}

/// Redeems a good code with an assertion that must be refused.
async fn refuses_at_token(fapi: &mut Fapi, bend: &(dyn Fn(Jwt, &Key) -> String + Sync), codes: &[&str]) {
    let ask = fapi.request(Who::First);
    let (ask, code) = fapi.code(Who::First, ask).await;
    let page = fapi.redeem_with(Who::First, (&ask, &code), (&Auth::Bent(bend), &Proof::Own)).await;
    checks::refused(&page, &[400, 401], codes);
}

/// Bent claims, well signed.
fn claims(bend: impl Fn(Jwt) -> Jwt + Sync + 'static) -> Bend {
    Box::new(move |jwt, key| bend(jwt).sign(key))
}

/// Every wrong assertion of the module, by its label.
fn wrong(fapi: &Fapi) -> Vec<(&'static str, Bend)> {
    let issuer = fapi.op.w.issuer.clone();
    let (par, token) = (
        fapi.op.metadata_text("pushed_authorization_request_endpoint").to_owned(),
        fapi.op.metadata_text("token_endpoint").to_owned(),
    );
    let now = fapi.now();
    vec![
        ("without sub", claims(|jwt| jwt.without("sub"))),
        ("with another sub", claims(|jwt| jwt.with("sub", "somebody"))),
        ("without iss", claims(|jwt| jwt.without("iss"))),
        ("with another iss", claims(|jwt| jwt.with("iss", "somebody"))),
        ("without aud", claims(|jwt| jwt.without("aud"))),
        ("for another server", claims(|jwt| jwt.with("aud", "https://other.example/"))),
        ("for the PAR endpoint", claims(move |jwt| jwt.with("aud", par.clone()))),
        ("for the token endpoint", claims(move |jwt| jwt.with("aud", token.clone()))),
        ("for several", claims(move |jwt| jwt.with("aud", json!([issuer, "https://other.example/"])))),
        ("five minutes over", claims(move |jwt| jwt.with("exp", now - 300))),
        ("of the future", claims(move |jwt| jwt.with("iat", now + 70).with("nbf", now + 70).with("exp", now + 130))),
        ("with alg none", Box::new(|jwt, _| format!("{}.", jwt.header("alg", "none").unsigned()))),
        ("with another signature", Box::new(|jwt, key| bent(&jwt.sign(key)))),
    ]
}

fapi2! {
    /// Each wrong assertion at PAR: 400 or 401, `invalid_client` or `invalid_request`. Eight seconds of the future and
    /// the right one: taken.
    async fn ensure_invalid_client_assertions_fail(fapi) {
        let ask = fapi.request(Who::First);
        let id = fapi.first.rp.id().to_owned();
        let good = Jwt::assertion(&id, &fapi.first.key, &fapi.op.w.issuer, fapi.now()).sign(&fapi.first.key);
        for fields in [
            vec![("client_id", id)],
            vec![("client_assertion", good.clone())],
            vec![("client_assertion", good), ("client_assertion_type", "urn:example:wrong".to_owned())],
        ] {
            let page = fapi.push_with(Who::First, &ask, (&Auth::Fields(fields), &Proof::None)).await;
            refused_push(&page, BAD_CLIENT);
        }
        for (what, bend) in wrong(&fapi) {
            refuses_at_par(&mut fapi, what, &*bend).await;
        }
        let soon = eight_seconds(&fapi);
        let page = fapi.push_with(Who::First, &ask, (&Auth::Bent(&*soon), &Proof::None)).await;
        taken(ask.clone(), &page);
        fapi.pushed(Who::First, ask).await;
    }

    /// `exp` five minutes ago at the token endpoint.
    async fn ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(fapi) {
        let now = fapi.now();
        refuses_at_token(&mut fapi, &*claims(move |jwt| jwt.with("exp", now - 300)), BAD_CLIENT).await;
    }

    /// `aud` of another server at the token endpoint.
    async fn ensure_client_assertion_with_wrong_aud_fails(fapi) {
        refuses_at_token(&mut fapi, &*claims(|jwt| jwt.with("aud", "https://other.example/")), BAD_CLIENT).await;
    }

    /// No `sub` at the token endpoint.
    async fn ensure_client_assertion_with_no_sub_fails(fapi) {
        refuses_at_token(&mut fapi, &*claims(|jwt| jwt.without("sub")), BAD_CLIENT).await;
    }

    /// A token request with `client_id` and no assertion.
    async fn ensure_client_assertion_in_token_endpoint(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        let fields = Auth::Fields(vec![("client_id", fapi.first.rp.id().to_owned())]);
        let page = fapi.redeem_with(Who::First, (&ask, &code), (&fields, &Proof::Own)).await;
        checks::refused(&page, &[400, 401], BAD_CLIENT);
    }

    /// `iat` and `nbf` eight seconds ahead at PAR: taken, and the flow goes on.
    async fn par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(fapi) {
        let ask = fapi.request(Who::First);
        let soon = eight_seconds(&fapi);
        let page = fapi.push_with(Who::First, &ask, (&Auth::Bent(&*soon), &Proof::None)).await;
        let pushed = taken(ask, &page);
        let callback = fapi.authorize(Who::First, &pushed).await;
        fapi.success(Who::First, &pushed.ask, &callback);
    }

    /// `iat`, `nbf` and `exp` more than a minute ahead at PAR.
    async fn par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(fapi) {
        let now = fapi.now();
        let late = claims(move |jwt| jwt.with("iat", now + 70).with("nbf", now + 70).with("exp", now + 130));
        refuses_at_par(&mut fapi, "of the future", &*late).await;
    }

    /// `aud` with the issuer and another value at PAR. One value in an array is refused as well: a string it must be.
    async fn par_test_array_as_audience_fails(fapi) {
        let issuer = fapi.op.w.issuer.clone();
        for aud in [json!([issuer, "https://other.example/"]), json!([issuer])] {
            refuses_at_par(&mut fapi, "array", &*claims(move |jwt| jwt.with("aud", aud.clone()))).await;
        }
    }

    /// `aud` of the PAR endpoint at PAR.
    async fn par_test_par_endpoint_url_as_audience_fails(fapi) {
        let aud = fapi.op.metadata_text("pushed_authorization_request_endpoint").to_owned();
        refuses_at_par(&mut fapi, "endpoint", &*claims(move |jwt| jwt.with("aud", aud.clone()))).await;
    }

    /// `aud` of the token endpoint at PAR.
    async fn par_test_token_endpoint_url_as_audience_fails(fapi) {
        let aud = fapi.op.metadata_text("token_endpoint").to_owned();
        refuses_at_par(&mut fapi, "endpoint", &*claims(move |jwt| jwt.with("aud", aud.clone()))).await;
    }
}

/// An assertion of a clock that is a little fast.
fn eight_seconds(fapi: &Fapi) -> Bend {
    let now = fapi.now();
    claims(move |jwt| jwt.with("iat", now + 8).with("nbf", now + 8))
}

/// A client with an RSA key that signs by RS256 instead of PS256: `invalid_client`, at PAR too.
#[tokio::test]
async fn ensure_signed_client_assertion_with_rs256_fails() {
    let mut fapi = Fapi::with_keys(Key::ps256("one"), Key::es256("two")).await;
    let rs256: Bend = Box::new(|jwt, key| jwt.header("alg", "RS256").sign(key));
    refuses_at_token(&mut fapi, &*rs256, &["invalid_client"]).await;
    refuses_at_par(&mut fapi, "RS256", &*rs256).await;
}
