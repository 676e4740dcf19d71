//! Plan back-channel logout. `oidcc-backchannel-rp-initiated-logout-certification-test-plan`;
//! Back-Channel Logout 1.0 §2.

use super::config::endpoints_are_of_the_issuer;
use super::op::{Mode, Op};

/// Back-channel logout with sessions is published.
#[ignore = "waits for back-channel logout"]
#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let op = Op::start(Mode::Query).await;
    endpoints_are_of_the_issuer(&op);
    op.metadata_text("end_session_endpoint");
    assert_eq!(op.metadata["backchannel_logout_supported"], true);
    assert_eq!(op.metadata["backchannel_logout_session_supported"], true);
}

/// Sign-in, logout with hint, address and state: a POST of a `logout_token` to the client's back-channel address
/// (form-encoded, this parameter alone; RS256 by a published key; iss, aud, iat, jti, the event, sub and sid of the ID
/// token, no nonce), the browser back at the address with the state, and nobody is signed in.
#[ignore = "waits for back-channel logout"]
#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    unimplemented!("back-channel logout");
}
