//! `request` and `request_uri`: refused by name, so that a signed parameter can never be overlooked (OIDC Core §6);
//! and how a request has to come.

use super::super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};

pub fn no_object(input: &Input<'_>) -> Result<(), OAuthError> {
    refuse(input, "request", ErrorCode::RequestNotSupported, "request.refused")
}

pub fn is_object(input: &Input<'_>) -> Result<(), OAuthError> {
    if input.by_object || !input.client.settings.require_request_object {
        return Ok(());
    }
    let text = "this client must send its parameters in a request object";
    Err(OAuthError::new(ErrorCode::InvalidRequest, "request.object", text))
}

pub fn no_uri(input: &Input<'_>) -> Result<(), OAuthError> {
    // RFC 9126 §2.1: what is pushed points nowhere else. A `request_uri` of ours was opened before.
    let code = if input.pushed { ErrorCode::InvalidRequest } else { ErrorCode::RequestUriNotSupported };
    refuse(input, "request_uri", code, "request_uri.refused")
}

pub fn is_pushed(input: &Input<'_>) -> Result<(), OAuthError> {
    let must = input.client.settings.needs_par() || input.realm.settings.require_par;
    if input.pushed || !must {
        return Ok(());
    }
    let text = "this client must push its requests to the pushed authorization request endpoint";
    Err(OAuthError::new(ErrorCode::InvalidRequest, "request.pushed", text))
}

fn refuse(input: &Input<'_>, name: &str, code: ErrorCode, rule: &'static str) -> Result<(), OAuthError> {
    match input.params.one(name) {
        None => Ok(()),
        Some(_) => Err(OAuthError::new(code, rule, "send the parameters themselves")),
    }
}
