//! The rules of the authorization request: one row a rule, run in this order, the first refusal wins.

pub mod acr;
pub mod claims;
mod displays;
pub mod dpop;
mod fapi2;
pub mod max_age;
mod nonce;
mod pkce;
pub mod prompt;
mod requests;
mod response;
pub mod scope;

use super::Input;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::rule::Rule;

/// One row.
pub struct AuthorizeRule {
    pub rule: Rule,
    /// Refuses or lets pass; changes nothing.
    pub check: fn(&Input<'_>) -> Result<(), OAuthError>,
}

macro_rules! rules {
    ($($id:literal, $spec:literal, $text:literal => $check:path;)*) => {
        /// The table.
        pub const RULES: &[AuthorizeRule] = &[$(AuthorizeRule {
            rule: Rule { id: $id, spec: $spec, text: $text },
            check: $check,
        },)*];
    };
}

rules! {
    "params.once", "RFC 6749 §3.1", "No parameter but `resource` comes twice." => once;
    "request.pushed", "RFC 9126 §5", "Where client, profile or realm demand it, the request was pushed." => requests::is_pushed;
    "params.length", "RFC 9700 §4.12", "No parameter is longer than its use needs." => length;
    "request.refused", "OIDC Core §6.1", "A request object of a client without keys is refused, never ignored." => requests::no_object;
    "request.object", "RFC 9101 §10.5", "Where the client demands it, the parameters came in a request object." => requests::is_object;
    "request_uri.refused", "OIDC Core §6.2", "A `request_uri` that was not pushed here is refused, never ignored." => requests::no_uri;
    "response_type.code", "RFC 9700 §2.1.2", "`response_type` is `code`; tokens never travel through the browser." => response::kind;
    "response_mode.known", "OAuth 2.0 Multiple Response Types §2.1", "`response_mode` is `query`, `fragment` or, for a web address, `form_post`." => response::mode;
    "scope.openid", "OIDC Core §3.1.2.1", "`scope` is well formed and holds `openid`." => scope::check;
    "nonce.length", "OIDC Core §15.5.2", "A `nonce` has at most 512 characters." => nonce::check;
    "pkce.method", "RFC 7636 §4.3", "`code_challenge_method` is `S256`; missing means `plain`, which is refused." => pkce::method;
    "pkce.challenge", "RFC 7636 §4.2", "A `code_challenge` is the base64url of a SHA-256 hash." => pkce::challenge;
    "pkce.public", "RFC 9700 §2.1.1", "A public client uses PKCE." => pkce::public;
    "display.known", "OIDC Core §3.1.2.1", "`display` is one of the four defined values." => displays::check;
    "fapi2.client", "FAPI 2.0 §5.3.2.1", "Under the profile `fapi2` a client has credentials." => fapi2::client;
    "fapi2.pkce", "FAPI 2.0 §5.3.2.2", "Under the profile `fapi2` a request has a `code_challenge`." => fapi2::pkce;
    "fapi2.redirect_uri", "FAPI 2.0 §5.3.2.2", "Under the profile `fapi2` the redirect URI is https, or a loopback IP literal of a native client." => fapi2::redirect_uri;
    "prompt.known", "OIDC Core §3.1.2.1", "`prompt` holds known values, `none` only alone." => prompt::check;
    "max_age.seconds", "OIDC Core §3.1.2.1", "`max_age` is a whole number of seconds, zero or more." => max_age::check;
    "claims.form", "OIDC Core §5.5", "`claims` is a JSON object as specified, with at most 50 claims." => claims::check;
    "acr.form", "OIDC Core §5.5.1.1", "`acr_values`, or the `acr` that `claims` asks for, is a few short texts." => acr::check;
    "dpop_jkt.form", "RFC 9449 §10", "`dpop_jkt` is the base64url of a SHA-256 thumbprint." => dpop::check;
    "id_token_hint.ours", "OIDC Core §3.1.2.1", "An `id_token_hint` is an ID token of this issuer." => hint;
}

fn once(input: &Input<'_>) -> Result<(), OAuthError> {
    input.params.doubled().map_or(Ok(()), |name| {
        let text = format!("the parameter {name} came twice");
        Err(OAuthError::naming(ErrorCode::InvalidRequest, "params.once", &text))
    })
}

/// What must fit into a sealed request, which must fit into a `Location` header, or into the row of a pushed one.
fn length(input: &Input<'_>) -> Result<(), OAuthError> {
    const LIMITS: &[(&str, usize)] = &[
        ("state", 1024),
        ("redirect_uri", 512),
        ("acr_values", 256),
        ("claims", 8192),
        ("scope", 1024),
        ("ui_locales", 256),
        ("claims_locales", 256),
    ];
    let over = LIMITS.iter().find(|(name, limit)| input.params.one(name).is_some_and(|v| v.len() > *limit));
    over.map_or(Ok(()), |(name, limit)| {
        let text = format!("{name} is longer than {limit} bytes");
        Err(OAuthError::naming(ErrorCode::InvalidRequest, "params.length", &text))
    })
}

fn hint(input: &Input<'_>) -> Result<(), OAuthError> {
    match input.hint {
        Some(Err(())) => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "id_token_hint.ours",
            "id_token_hint is not an ID token of this issuer",
        )),
        _ => Ok(()),
    }
}
