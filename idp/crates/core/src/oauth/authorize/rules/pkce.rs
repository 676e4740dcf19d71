//! PKCE at the authorization endpoint. The verifier is checked where the code is redeemed.

use super::super::Input;
use crate::client::ClientAuthMethod;
use crate::encoding::from_base64url;
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn method(input: &Input<'_>) -> Result<(), OAuthError> {
    let refuse = |text| Err(OAuthError::new(ErrorCode::InvalidRequest, "pkce.method", text));
    match (input.params.one("code_challenge"), input.params.one("code_challenge_method")) {
        (None, None) | (Some(_), Some("S256")) => Ok(()),
        (None, Some(_)) => refuse("code_challenge_method without code_challenge"),
        (Some(_), _) => refuse("code_challenge_method must be S256"),
    }
}

pub fn challenge(input: &Input<'_>) -> Result<(), OAuthError> {
    match input.params.one("code_challenge") {
        Some(c) if from_base64url(c).is_none_or(|bytes| bytes.len() != 32) => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "pkce.challenge",
            "code_challenge is not the base64url of a SHA-256 hash",
        )),
        _ => Ok(()),
    }
}

pub fn public(input: &Input<'_>) -> Result<(), OAuthError> {
    let public = input.client.settings.auth_method == ClientAuthMethod::None;
    if public && input.params.one("code_challenge").is_none() {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "pkce.public",
            "a public client must send code_challenge (S256)",
        ));
    }
    Ok(())
}
