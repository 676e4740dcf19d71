//! `claims`.

use super::super::Input;
use super::super::claims::ClaimsRequest;
use crate::oauth::error::{ErrorCode, OAuthError};

/// Reads the parameter.
///
/// # Errors
/// `invalid_request` when it is not the JSON object of OIDC Core §5.5.
pub fn parse(input: &Input<'_>) -> Result<ClaimsRequest, OAuthError> {
    let asked = input.params.one("claims").map_or(Ok(ClaimsRequest::default()), ClaimsRequest::parse);
    asked.map_err(|text| OAuthError::new(ErrorCode::InvalidRequest, "claims.form", text))
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
