//! `request` and `request_uri`: refused by name, so that a signed parameter can never be overlooked (OIDC Core §6).

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn no_object(input: &Input<'_>) -> Result<(), OAuthError> {
    refuse(input, "request", ErrorCode::RequestNotSupported, "request.refused")
}

pub fn no_uri(input: &Input<'_>) -> Result<(), OAuthError> {
    refuse(input, "request_uri", ErrorCode::RequestUriNotSupported, "request_uri.refused")
}

fn refuse(input: &Input<'_>, name: &str, code: ErrorCode, rule: &'static str) -> Result<(), OAuthError> {
    match input.params.one(name) {
        None => Ok(()),
        Some(_) => Err(OAuthError::new(code, rule, "send the parameters themselves")),
    }
}
