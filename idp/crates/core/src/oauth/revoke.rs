//! Revocation: a client gives a token back. RFC 7009.

use super::error::{ErrorCode, OAuthError};
use super::params::RawParams;
use crate::rule::Rule;

/// The rules.
pub const RULES: &[Rule] = &[
    Rule { id: "revoke.params", spec: "RFC 7009 §2.1", text: "`token` is there, no parameter twice." },
    Rule {
        id: "revoke.client",
        spec: "RFC 7009 §2.1",
        text: "A client revokes its own tokens; those of others and unknown ones are answered alike and live on.",
    },
    Rule { id: "revoke.grant", spec: "RFC 7009 §2.1", text: "Refresh and access tokens of one grant end together." },
];

/// The token to be revoked.
///
/// # Errors
/// `invalid_request`.
pub fn token(params: &RawParams) -> Result<&str, OAuthError> {
    match (params.doubled(), params.one("token")) {
        (None, Some(token)) => Ok(token),
        _ => Err(OAuthError::new(ErrorCode::InvalidRequest, "revoke.params", "send token, once")),
    }
}
