//! `display`: one layout serves all four values.

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    match input.params.one("display") {
        None | Some("page" | "popup" | "touch" | "wap") => Ok(()),
        Some(_) => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "display.known",
            "display must be page, popup, touch or wap",
        )),
    }
}
