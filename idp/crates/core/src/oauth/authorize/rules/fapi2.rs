//! What the profile `fapi2` demands on top. That requests are pushed is `request.pushed`; the rest holds for everybody.

use super::super::Input;
use crate::client::ClientProfile;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::redirect;

fn demand(input: &Input<'_>, holds: bool, error: OAuthError) -> Result<(), OAuthError> {
    if holds || input.client.settings.profile != ClientProfile::Fapi2 { Ok(()) } else { Err(error) }
}

pub fn client(input: &Input<'_>) -> Result<(), OAuthError> {
    let text = "under FAPI 2.0 a client has credentials: this one is set up without";
    let error = OAuthError::new(ErrorCode::UnauthorizedClient, "fapi2.client", text);
    demand(input, !input.client.settings.is_public(), error)
}

pub fn pkce(input: &Input<'_>) -> Result<(), OAuthError> {
    let error = OAuthError::new(ErrorCode::InvalidRequest, "fapi2.pkce", "code_challenge (S256) is missing");
    demand(input, input.params.one("code_challenge").is_some(), error)
}

pub fn redirect_uri(input: &Input<'_>) -> Result<(), OAuthError> {
    let https = input.params.one("redirect_uri").is_some_and(redirect::is_confidential);
    let text = "under FAPI 2.0 the redirect URI is https, or a loopback IP address of a native client";
    demand(input, https, OAuthError::new(ErrorCode::InvalidRequest, "fapi2.redirect_uri", text))
}
