//! Plan back-channel logout. `oidcc-backchannel-rp-initiated-logout-certification-test-plan`;
//! Back-Channel Logout 1.0 §2.

use idp_core::client::{ClientAuthMethod, ConsentMode};
use serde_json::{Value, json};

use super::config::endpoints_are_of_the_issuer;
use super::op::{Mode, Op};
use super::rp_initiated_logout::SignedIn;
use crate::world::{OUTSIDE, Outside};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Back-channel logout with sessions is published.
#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let op = Op::start(Mode::Query).await;
    endpoints_are_of_the_issuer(&op);
    op.metadata_text("end_session_endpoint");
    assert_eq!(op.metadata["backchannel_logout_supported"], true);
    assert_eq!(op.metadata["backchannel_logout_session_supported"], true);
}

/// Sign-in, logout with hint, address and state: a POST of a `logout_token` to the client's back-channel address
/// (form-encoded, this parameter alone; signed as ID tokens are; iss, aud, iat, jti, the event, sub and sid of the ID
/// token, no nonce), the browser back at the address with the state, and nobody is signed in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oidcc_backchannel_rp_initiated_logout() {
    let told = Outside::at(OUTSIDE).await;
    let address = told.url("/backchannel_logout");
    let mut op = Op::start(Mode::Query).await;
    let change = |s: &mut idp_core::client::ClientSettings| {
        s.auth_method = ClientAuthMethod::ClientSecretBasic;
        s.consent = ConsentMode::Ask;
        s.backchannel_logout_uri = Some(address);
        s.backchannel_logout_session_required = true;
    };
    op.client = op.w.rp_with("told", change).await;
    let mut at = SignedIn::at(op).await;
    let (hint, bye) = (at.tokens.id_token.clone(), at.bye());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", "a-state")];
    let landing = at.visit(&fields).await;
    at.came_back(landing, Some("a-state"));
    let heard = told.heard(1).await;
    assert!(heard[0].line.starts_with("POST /backchannel_logout"), "{heard:?}");
    assert!(heard[0].content_type.starts_with("application/x-www-form-urlencoded"), "{heard:?}");
    assert_eq!(heard[0].form.len(), 1, "one parameter: {heard:?}");
    let claims = logout_claims(&at.op, &heard[0].form["logout_token"]).await;
    for name in ["sub", "sid"] {
        assert_eq!(claims[name], at.tokens.claims[name], "{name}");
    }
    at.expect_signed_out().await;
}

/// The claims of a logout token that verifies. Back-Channel Logout 1.0 §2.4 and §2.6.
async fn logout_claims(op: &Op, token: &str) -> Value {
    let claims = super::checks::signed_by_the_realm(&op.w, &op.client, token).await;
    assert_eq!(claims["events"], json!({ EVENT: {} }));
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    assert!((op.w.clock.now().secs() - claims["iat"].as_i64().unwrap()).abs() < 60);
    assert_eq!(claims.get("nonce"), None);
    claims
}
