//! `dpop_jkt`: the only key that may redeem the code.

use super::super::Input;
use crate::encoding::from_base64url;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::secret::Hash;

/// Reads the parameter.
///
/// # Errors
/// `invalid_request` when it is not a thumbprint.
pub fn parse(input: &Input<'_>) -> Result<Option<Hash>, OAuthError> {
    let Some(text) = input.params.one("dpop_jkt") else { return Ok(None) };
    let hash = from_base64url(text).and_then(|bytes| Hash::try_from(bytes).ok());
    hash.map(Some).ok_or(OAuthError::new(
        ErrorCode::InvalidRequest,
        "dpop_jkt.form",
        "dpop_jkt is not the base64url of a SHA-256 thumbprint",
    ))
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
