//! `scope`.

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::scope::Scopes;

/// The scopes that will be granted if the user agrees.
///
/// # Errors
/// `invalid_scope` for a malformed text or one without `openid`.
pub fn parse(input: &Input<'_>) -> Result<Scopes, OAuthError> {
    let refuse = |text| Err(OAuthError::new(ErrorCode::InvalidScope, "scope.openid", text));
    let Some(text) = input.params.one("scope") else { return refuse("scope is missing; ask for openid at least") };
    match Scopes::parse(text, &input.realm.settings.scopes_for(&input.client.settings)) {
        None => refuse("scope has characters that a scope cannot have"),
        Some(scopes) if !scopes.contains("openid") => refuse("scope lacks openid, or the client may not ask for it"),
        Some(scopes) => Ok(scopes),
    }
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
