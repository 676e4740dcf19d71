//! Plan front-channel logout. `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`;
//! Front-Channel Logout 1.0 §2 and §3.

use idp_core::client::{ClientAuthMethod, ConsentMode};

use super::config::endpoints_are_of_the_issuer;
use super::op::{Mode, Op};
use super::rp_initiated_logout::SignedIn;
use crate::world::query_of;

/// Front-channel logout with sessions is published.
#[tokio::test]
async fn oidcc_frontchannel_logout_discovery_endpoint_verification() {
    let op = Op::start(Mode::Query).await;
    endpoints_are_of_the_issuer(&op);
    op.metadata_text("end_session_endpoint");
    assert_eq!(op.metadata["frontchannel_logout_supported"], true);
    assert_eq!(op.metadata["frontchannel_logout_session_supported"], true);
}

/// Sign-in, logout with hint, address and state: a page with a frame of the client's front-channel address with `iss`
/// and `sid` of the ID token, the browser back at the address with the state, and nobody is signed in.
#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout() {
    const ADDRESS: &str = "https://told.example/frontchannel_logout";
    let mut op = Op::start(Mode::Query).await;
    let change = |s: &mut idp_core::client::ClientSettings| {
        s.auth_method = ClientAuthMethod::ClientSecretBasic;
        s.consent = ConsentMode::Ask;
        s.frontchannel_logout_uri = Some(ADDRESS.to_owned());
        s.frontchannel_logout_session_required = true;
    };
    op.client = op.w.rp_with("told", change).await;
    let mut at = SignedIn::at(op).await;
    let (hint, bye) = (at.tokens.id_token.clone(), at.bye());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", "a-state")];
    let landing = at.visit(&fields).await;
    at.came_back(landing, Some("a-state"));
    let [frame] = &at.op.frames[..] else { panic!("one frame: {:?}", at.op.frames) };
    assert_eq!(frame.split('?').next(), Some(ADDRESS));
    let params = query_of(frame);
    assert_eq!(params.len(), 2, "{params:?}");
    assert_eq!(params["iss"], at.op.w.issuer);
    assert_eq!(params["sid"], at.tokens.claims["sid"].as_str().unwrap());
    at.expect_signed_out().await;
}
