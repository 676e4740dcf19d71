//! `response_type` and `response_mode`.

use super::super::{Input, ResponseMode};
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn kind(input: &Input<'_>) -> Result<(), OAuthError> {
    const RULE: &str = "response_type.code";
    match input.params.one("response_type") {
        Some("code") => Ok(()),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, RULE, "response_type is missing")),
        Some(_) => {
            Err(OAuthError::new(ErrorCode::UnsupportedResponseType, RULE, "only response_type=code is supported"))
        }
    }
}

pub fn mode(input: &Input<'_>) -> Result<(), OAuthError> {
    let redirect_uri = input.params.one("redirect_uri").unwrap_or_default();
    ResponseMode::asked(input.params, redirect_uri).map(drop).ok_or(OAuthError::new(
        ErrorCode::InvalidRequest,
        "response_mode.known",
        "response_mode must be query, fragment or, for a web address, form_post",
    ))
}
