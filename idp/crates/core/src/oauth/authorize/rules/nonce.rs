//! `nonce`: echoed in the ID token.

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    match input.params.one("nonce") {
        Some(n) if n.len() > 512 => {
            Err(OAuthError::new(ErrorCode::InvalidRequest, "nonce.length", "nonce is longer than 512 characters"))
        }
        _ => Ok(()),
    }
}
