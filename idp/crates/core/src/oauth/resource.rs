//! `resource`: which resource servers a token is for. RFC 8707 §2, RFC 9068 §3.

use url::Url;

use super::error::{ErrorCode, OAuthError};
use super::params::RawParams;
use crate::client::Client;
use crate::rule::Rule;

/// More than this are a mistake or an attack.
const MOST: usize = 8;

/// The rules.
pub const RULES: &[Rule] = &[
    Rule { id: "resource.form", spec: "RFC 8707 §2", text: "A `resource` is an absolute URI without a fragment." },
    Rule {
        id: "resource.allowed",
        spec: "RFC 8707 §2",
        text: "The client is set up for each `resource`; the issuer itself, for userinfo, needs no set-up.",
    },
    Rule {
        id: "resource.granted",
        spec: "RFC 8707 §2.2",
        text: "At the token endpoint a `resource` is one of those granted.",
    },
];

/// The resource servers a request names, for a client that may ask for them.
///
/// # Errors
/// `invalid_target`.
pub fn parse(params: &RawParams, client: &Client, issuer: &str) -> Result<Vec<String>, OAuthError> {
    let asked = named(params)?;
    let allowed = |uri: &String| uri == issuer || client.settings.resources.contains(uri);
    match asked.iter().find(|uri| !allowed(uri)) {
        None => Ok(asked),
        Some(uri) => Err(refuse("resource.allowed", &format!("this client may not ask for the resource {uri}"))),
    }
}

/// The resource servers of one access token: those the request names among the granted ones, else all of them.
///
/// # Errors
/// `invalid_target`.
pub fn narrow(params: &RawParams, granted: &[String], issuer: &str) -> Result<Vec<String>, OAuthError> {
    let asked = named(params)?;
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    // Without any granted, tokens are for the issuer's own endpoints.
    let allowed = |uri: &String| granted.contains(uri) || granted.is_empty() && uri == issuer;
    match asked.iter().find(|uri| !allowed(uri)) {
        None => Ok(asked),
        Some(uri) => Err(refuse("resource.granted", &format!("the resource {uri} was not granted"))),
    }
}

fn named(params: &RawParams) -> Result<Vec<String>, OAuthError> {
    let mut asked: Vec<String> = Vec::new();
    for uri in params.every("resource") {
        let well_formed = uri.len() <= 512 && !uri.contains('#') && Url::parse(uri).is_ok();
        if !well_formed || asked.len() >= MOST {
            return Err(refuse("resource.form", "a resource is an absolute URI without a fragment; 8 at most"));
        }
        if !asked.iter().any(|known| known == uri) {
            asked.push(uri.to_owned());
        }
    }
    Ok(asked)
}

fn refuse(rule: &'static str, text: &str) -> OAuthError {
    OAuthError::naming(ErrorCode::InvalidTarget, rule, text)
}
