//! `prompt`.

use super::super::{Input, Prompt};
use crate::oauth::error::{ErrorCode, OAuthError};

/// Reads the parameter.
///
/// # Errors
/// `invalid_request` for an unknown value or `none` beside another.
pub fn parse(input: &Input<'_>) -> Result<Prompt, OAuthError> {
    let refuse = |text| Err(OAuthError::new(ErrorCode::InvalidRequest, "prompt.known", text));
    let mut prompt = Prompt::default();
    for value in input.params.one("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()) {
        match value {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => return refuse("prompt must be none, login, consent or select_account"),
        }
    }
    if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
        return refuse("prompt=none cannot be combined");
    }
    Ok(prompt)
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
