//! `response_type` and `response_mode`.

use super::super::Input;
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
    match input.params.one("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "response_mode.query",
            "only response_mode=query is supported",
        )),
    }
}
