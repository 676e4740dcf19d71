//! What the pages of the demo application are given.
//!
//! A template sees it as `page.…`.

use idp_core::time::Timestamp;
use serde::Serialize;

/// The demo's page for nobody yet.
#[derive(Clone, Debug, Serialize)]
pub struct DemoHome {
    pub issuer: String,
    pub sign_in_href: String,
}

/// The demo's page for somebody signed in.
#[derive(Clone, Debug, Serialize)]
pub struct DemoClaims {
    /// The ID token's claims as JSON, the text of `id-token-claims`.
    pub claims_json: String,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub auth_time: Option<Timestamp>,
    /// The userinfo answer: claim and value.
    pub userinfo: Vec<DemoRow>,
    pub step_up_href: String,
    pub sign_out_href: String,
}

/// A claim and its value.
#[derive(Clone, Debug, Serialize)]
pub struct DemoRow {
    pub name: String,
    pub value: String,
}

/// The demo's error page: what the provider answered.
#[derive(Clone, Debug, Serialize)]
pub struct DemoError {
    /// `error` (RFC 6749 §4.1.2.1).
    pub code: String,
    pub description: Option<String>,
    pub home_href: String,
}
