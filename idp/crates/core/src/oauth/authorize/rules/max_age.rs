//! `max_age`.

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};

/// Reads the parameter, in seconds; the client's default where there is none (OIDC Registration §2).
///
/// # Errors
/// `invalid_request` for anything but digits.
pub fn parse(input: &Input<'_>) -> Result<Option<i64>, OAuthError> {
    let Some(text) = input.params.one("max_age") else { return Ok(input.client.settings.default_max_age_s) };
    let digits = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "max_age.seconds",
            "max_age must be a whole number of seconds, zero or more",
        )),
    }
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
