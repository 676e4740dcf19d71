//! A client acting for itself: RFC 6749 §4.4.

use crate::client::Client;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::oauth::resource;
use crate::oauth::scope::{STANDARD, Scopes};
use crate::rule::Rule;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule {
        id: "client_credentials.params", spec: "RFC 6749 §4.4.2", text: "No parameter but `resource` comes twice."
    },
    Rule {
        id: "client_credentials.confidential",
        spec: "RFC 6749 §4.4",
        text: "The client is confidential: it has proved who it is.",
    },
    Rule {
        id: "client_credentials.scope",
        spec: "RFC 6749 §4.4.2",
        text: "The scopes are among those set for the client; none that speaks of a user.",
    },
];

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub scope: Scopes,
    pub audience: Vec<String>,
}

/// Decides what an authenticated client gets for itself.
///
/// # Errors
/// The rule that refuses.
pub fn decide(params: &RawParams, client: &Client, issuer: &str) -> Result<Plan, OAuthError> {
    if let Some(name) = params.doubled() {
        let text = format!("the parameter {name} came twice");
        return Err(OAuthError::naming(ErrorCode::InvalidRequest, "client_credentials.params", &text));
    }
    if client.settings.is_public() {
        let text = "a public client cannot act for itself";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "client_credentials.confidential", text));
    }
    Ok(Plan { scope: scope(params, client)?, audience: resource::parse(params, client, issuer)? })
}

fn scope(params: &RawParams, client: &Client) -> Result<Scopes, OAuthError> {
    let of_users = |scope: &&String| STANDARD.contains(&scope.as_str());
    let allowed: Vec<&str> =
        client.settings.scopes.iter().flatten().filter(|scope| !of_users(scope)).map(String::as_str).collect();
    let Some(text) = params.one("scope") else { return Ok(Scopes::from_stored(&allowed.join(" "))) };
    let asked: Vec<&str> = text.split(' ').filter(|s| !s.is_empty()).collect();
    match asked.iter().find(|scope| !allowed.contains(scope)) {
        None => Ok(Scopes::from_stored(&asked.join(" "))),
        Some(scope) => {
            let text = format!("the scope {scope} is not set for this client");
            Err(OAuthError::naming(ErrorCode::InvalidScope, "client_credentials.scope", &text))
        }
    }
}
