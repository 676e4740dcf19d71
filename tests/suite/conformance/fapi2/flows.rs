//! What must work: the metadata, the flow with two clients, and its permitted variations.
//! FAPI 2.0 Security Profile §5.3.2, OIDC Core §5.5, RFC 9126 §4.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::par::refused_push;
use super::stage::{Fapi, Proof, Who, fapi2, taken};
use crate::conformance::checks;
use crate::conformance::op::{Mode, Op, Press};
use crate::world::Ask;

/// Algorithms of the profile.
const ALGS: &[&str] = &["PS256", "ES256", "EdDSA", "Ed25519"];

/// PAR, `iss` in answers, S256, `private_key_jwt` and DPoP with an algorithm of the profile are published; what other
/// variants of the plan need (mutual TLS, JARM, grant management) is not.
#[tokio::test]
async fn discovery_end_point_verification() {
    let op = Op::start(Mode::Query).await;
    crate::conformance::config::endpoints_are_of_the_issuer(&op);
    op.metadata_text("pushed_authorization_request_endpoint");
    assert!(op.lists("response_types_supported", "code"));
    assert!(op.lists("grant_types_supported", "authorization_code"));
    assert_eq!(op.metadata["authorization_response_iss_parameter_supported"], true);
    assert!(op.lists("code_challenge_methods_supported", "S256"));
    assert!(op.lists("token_endpoint_auth_methods_supported", "private_key_jwt"));
    for name in [
        "dpop_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    ] {
        assert!(ALGS.iter().any(|alg| op.lists(name, alg)), "{name}");
    }
    if op.metadata.get("userinfo_signing_alg_values_supported").is_some() {
        assert!(ALGS.iter().any(|alg| op.lists("userinfo_signing_alg_values_supported", alg)));
    }
    let required = op.metadata.get("require_pushed_authorization_requests");
    assert!(required.is_none_or(Value::is_boolean), "RFC 9126 §5");
    for left_out in ["grant_management_endpoint", "mtls_endpoint_aliases", "tls_client_certificate_bound_access_tokens"]
    {
        assert_eq!(op.metadata.get(left_out), None, "a variant that is not run");
    }
    assert!(!op.lists("response_modes_supported", "jwt"));
}

/// Asks with the parameters of the redirect in another order.
fn reversed(mut ask: Ask) -> Ask {
    ask.params.reverse();
    ask
}

fapi2! {
    /// Two clients through the whole flow, the second with `dpop_jkt`, a query in its redirect URI and the parameters
    /// in another order; the resource refuses the token in the query and the other client's key.
    async fn happy_flow(fapi) {
        let ask = fapi.request(Who::First);
        let (_, tokens) = fapi.flow(Who::First, ask).await;
        resource_variations(&mut fapi, &tokens.access_token).await;

        let ask = fapi.request(Who::Second).with("dpop_jkt", &fapi.second.dpop.thumbprint());
        let pushed = fapi.pushed(Who::Second, ask).await;
        let redirect = reversed(fapi.redirect(Who::Second, &pushed));
        let callback = fapi.landed(&redirect).await.callback();
        let code = fapi.success(Who::Second, &pushed.ask, &callback);
        let page = fapi.redeem(Who::Second, &pushed.ask, &code).await;
        let second = fapi.tokens(Who::Second, (&pushed.ask, &code), &page).await;
        fapi.resource_answers(Who::Second, &second).await;
        fapi.refuses_the_first_key_with(&second.access_token).await;
    }

    /// The person says no: `access_denied`, a state of 128 characters whole, the query of the redirect URI kept.
    async fn user_rejects_authentication(fapi) {
        for who in [Who::First, Who::Second] {
            let ask = fapi.request(who).with("state", &"x-_.~Yz1".repeat(16));
            let pushed = fapi.pushed(who, ask).await;
            let redirect = fapi.redirect(who, &pushed);
            let callback = fapi.visit(&redirect, Press::Reject).await.callback();
            checks::failure(&fapi.op.w.issuer, &pushed.ask, &callback, &["access_denied"]);
            assert_eq!(callback.one("dummy1").is_some(), who == Who::Second);
        }
    }

    /// No state: none in the answer.
    async fn ensure_authorization_request_without_state_success(fapi) {
        let ask = fapi.request(Who::First).without("state");
        fapi.flow(Who::First, ask).await;
    }

    /// No nonce: none in the ID token.
    async fn ensure_authorization_request_without_nonce_success(fapi) {
        let ask = fapi.request(Who::First).without("nonce");
        let (_, tokens) = fapi.flow(Who::First, ask).await;
        assert_eq!(tokens.claims.get("nonce"), None);
    }

    /// A nonce of 64 characters comes back whole.
    async fn ensure_authorization_request_with_64_char_nonce_success(fapi) {
        let ask = fapi.request(Who::First).with("nonce", &"Nonce-64".repeat(8));
        fapi.flow(Who::First, ask).await;
    }

    /// A nonce of 384 characters comes back whole, or is refused at PAR with `invalid_request`.
    async fn ensure_authorization_request_with_long_nonce(fapi) {
        let ask = fapi.request(Who::First).with("nonce", &"aB3-_x.~".repeat(48));
        whole_or_refused(&mut fapi, ask).await;
    }

    /// A state of 1000 characters comes back whole, or is refused at PAR with `invalid_request`.
    async fn ensure_authorization_request_with_long_state(fapi) {
        let ask = fapi.request(Who::First).with("state", &"aB3-_x.~".repeat(125));
        whole_or_refused(&mut fapi, ask).await;
    }

    /// `email openid` instead of `openid email`.
    async fn ensure_other_scope_order_succeeds(fapi) {
        let ask = fapi.request(Who::First).with("scope", "email openid");
        fapi.flow(Who::First, ask).await;
    }

    /// `dpOp` for `DPoP`: the name of a scheme has no case (RFC 9110 §11.1).
    async fn access_token_type_header_case_sensitivity(fapi) {
        let ask = fapi.request(Who::First);
        let (_, tokens) = fapi.flow(Who::First, ask).await;
        let page = fapi.resource_as(Who::First, ("dpOp", &tokens.access_token), &Proof::Own).await;
        checks::told(&page, &tokens);
    }

    /// The redirect with `client_id` and `request_uri` alone.
    async fn par_without_duplicate_parameters(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::First, &pushed).without("response_type").without("scope");
        let callback = fapi.landed(&redirect).await.callback();
        finishes(&mut fapi, &pushed.ask, &callback).await;
    }

    /// Another nonce beside the reference: the pushed one counts (an error page or `invalid_request` would do).
    async fn ensure_different_nonce_inside_and_outside_request_object(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::First, &pushed).with("nonce", "another-nonce");
        let callback = fapi.landed(&redirect).await.callback();
        finishes(&mut fapi, &pushed.ask, &callback).await;
    }

    /// Another state beside the reference: the pushed one counts (an error page or `invalid_request` would do).
    async fn ensure_different_state_inside_and_outside_request_object(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::First, &pushed).with("state", "another-state");
        let callback = fapi.landed(&redirect).await.callback();
        finishes(&mut fapi, &pushed.ask, &callback).await;
    }

    /// A state only beside the reference: the answer carries none.
    async fn state_only_outside_request_object_not_used(fapi) {
        let ask = fapi.request(Who::First).without("state");
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::First, &pushed).with("state", "only-outside");
        let callback = fapi.landed(&redirect).await.callback();
        finishes(&mut fapi, &pushed.ask, &callback).await;
    }

    /// Every supported claim about a person asked for in both places in every form, unknown ones among them: each is
    /// in the ID token or at userinfo, and nothing that was not asked for.
    async fn test_claims_parameter_identity_claims(fapi) {
        assert_eq!(fapi.op.metadata["claims_parameter_supported"], true, "else the module is skipped");
        let wanted = claims_of_a_person(&fapi.op.metadata);
        assert!(!wanted.is_empty());
        let forms = [Value::Null, json!({ "essential": true }), json!({ "essential": false })];
        let mut asked: Map<String, Value> =
            wanted.iter().zip(forms.iter().cycle()).map(|(name, form)| (name.clone(), form.clone())).collect();
        asked.insert("favourite_tree_7".to_owned(), Value::Null);
        let claims = json!({ "id_token": asked, "userinfo": asked }).to_string();
        let ask = fapi.request(Who::First).with("claims", &claims);
        let pushed = fapi.pushed(Who::First, ask).await;
        let callback = fapi.authorize(Who::First, &pushed).await;
        let code = fapi.success(Who::First, &pushed.ask, &callback);
        let page = fapi.redeem(Who::First, &pushed.ask, &code).await;
        checks::access_token(&page, "DPoP");
        let tokens = fapi.op.w.accept(&fapi.first.rp, &pushed.ask, &code, &page).await;
        let told = fapi.resource_answers(Who::First, &tokens).await;
        checks::standard_claims(&tokens.claims);
        for name in &wanted {
            assert!(tokens.claims.get(name).or(told.get(name)).is_some(), "{name}");
        }
        assert!(told.as_object().unwrap().keys().all(|name| name == "sub" || wanted.contains(name)), "{told}");
    }
}

/// The claims of `claims_supported` that are about a person (OIDC Core §5.1).
fn claims_of_a_person(metadata: &Value) -> Vec<String> {
    const STANDARD: &[&str] = &[
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
        "email_verified",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
        "updated_at",
    ];
    let supported = metadata["claims_supported"].as_array().unwrap().iter().filter_map(Value::as_str);
    supported.filter(|name| STANDARD.contains(name)).map(str::to_owned).collect()
}

/// The flow, where a long parameter is taken at all.
async fn whole_or_refused(fapi: &mut Fapi, ask: Ask) {
    let page = fapi.push(Who::First, &ask).await;
    if page.status != 201 {
        return refused_push(&page, &["invalid_request"]);
    }
    let pushed = taken(ask, &page);
    let callback = fapi.authorize(Who::First, &pushed).await;
    finishes(fapi, &pushed.ask, &callback).await;
}

/// The rest of a flow of the first client.
async fn finishes(fapi: &mut Fapi, ask: &Ask, callback: &crate::conformance::op::Callback) {
    let code = fapi.success(Who::First, ask, callback);
    let page = fapi.redeem(Who::First, ask, &code).await;
    let tokens = fapi.tokens(Who::First, (ask, &code), &page).await;
    fapi.resource_answers(Who::First, &tokens).await;
}

/// Not in the query; whatever `Accept` says.
async fn resource_variations(fapi: &mut Fapi, token: &str) {
    let address = fapi.op.metadata_text("userinfo_endpoint").to_owned();
    let now = fapi.now();
    let proof = |fapi: &Fapi| fapi.first.proof(&Proof::Own, ("GET", &address), Some(token), now).unwrap();
    let mut client = fapi.op.w.browser();
    let request = client.request(Method::GET, &format!("{address}?access_token={token}"));
    let page = client.send(request.header("dpop", proof(fapi))).await;
    assert!([400, 401, 414].contains(&page.status), "FAPI 2.0 §5.3.4: {}", page.status);
    for accept in ["application/json;charset=UTF-8", "application/json, application/*+json, */*"] {
        let request = client.request(Method::GET, &address).header("accept", accept).header("dpop", proof(fapi));
        let page = client.send(request.header("authorization", format!("DPoP {token}"))).await;
        assert_eq!(page.status, 200, "{accept}: {}", page.body);
    }
}
