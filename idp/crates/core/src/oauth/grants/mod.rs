//! Grants: one file for each `grant_type`.

pub mod client_credentials;
pub mod code;
pub mod device;
pub mod refresh;

use crate::client::{Client, GrantType};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::rule::Rule;
use crate::secret::Hash;

/// Rules of the token endpoint, whatever the grant.
pub const RULES: &[Rule] = &[
    Rule { id: "grant.known", spec: "RFC 6749 §5.2", text: "`grant_type` is one of those supported." },
    Rule {
        id: "grant.bound",
        spec: "RFC 9449 §5.2",
        text: "A client whose tokens are bound to a key proves that key at each token request.",
    },
    Rule { id: "grant.allowed", spec: "RFC 6749 §5.2", text: "The client is set up for the grant type." },
];

/// Which grant a request uses. `jkt` is the thumbprint of the DPoP key that the request proved.
///
/// # Errors
/// `invalid_request`, `unsupported_grant_type`, `unauthorized_client` or `invalid_dpop_proof`.
pub fn grant_type(params: &RawParams, client: &Client, jkt: Option<&Hash>) -> Result<GrantType, OAuthError> {
    let Some(text) = params.one("grant_type") else {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "grant.known", "grant_type is missing"));
    };
    let Some(grant) = GrantType::parse(text) else {
        let text = "grant_type is not one of those in the provider's metadata";
        return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, "grant.known", text));
    };
    if !client.settings.grant_types.contains(&grant) {
        let text = format!("this client is not set up for {}", grant.text());
        return Err(OAuthError::naming(ErrorCode::UnauthorizedClient, "grant.allowed", &text));
    }
    if client.settings.needs_dpop() && jkt.is_none() {
        let text = "the tokens of this client are bound to a key: send a DPoP proof";
        return Err(OAuthError::new(ErrorCode::InvalidDpopProof, "grant.bound", text));
    }
    Ok(grant)
}
