//! Plan front-channel logout. `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`;
//! Front-Channel Logout 1.0 §2 and §3.

use super::config::endpoints_are_of_the_issuer;
use super::op::{Mode, Op};

/// Front-channel logout with sessions is published.
#[ignore = "waits for front-channel logout"]
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
#[ignore = "waits for front-channel logout"]
#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout() {
    unimplemented!("front-channel logout");
}
