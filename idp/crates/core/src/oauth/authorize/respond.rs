//! The answer of the authorization endpoint: `code` or `error` with `state` and `iss`, on its way to the client.
//! RFC 6749 §4.1.2, RFC 9207 §2, OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2.

use url::form_urlencoded::Serializer;

use super::{Addressed, ResponseMode};
use crate::oauth::error::OAuthError;

/// What the browser is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go to this address.
    Redirect(String),
    /// Post this form.
    Post { action: String, fields: Vec<(&'static str, String)> },
}

/// Carries a code back.
pub fn with_code(to: &Addressed, issuer: &str, code: &str) -> Answer {
    answer(to, issuer, vec![("code", code.to_owned())])
}

/// Carries an error back, by the mode the request asked for.
pub fn with_error(to: &Addressed, issuer: &str, error: &OAuthError) -> Answer {
    let description = error.description.clone().into_owned();
    answer(to, issuer, vec![("error", error.code.text().to_owned()), ("error_description", description)])
}

fn answer(to: &Addressed, issuer: &str, mut fields: Vec<(&'static str, String)>) -> Answer {
    fields.extend(to.state().map(|state| ("state", state.to_owned())));
    fields.push(("iss", issuer.to_owned()));
    // Appended as text, not through a URL parser: the registered URI stays byte for byte what it was.
    let uri = to.redirect_uri();
    let joint = match (to.mode(), uri.find('?')) {
        (ResponseMode::FormPost, _) => return Answer::Post { action: uri.to_owned(), fields },
        // A redirect URI has no fragment of its own (RFC 6749 §3.1.2).
        (ResponseMode::Fragment, _) => "#",
        (ResponseMode::Query, None) => "?",
        (ResponseMode::Query, Some(_)) if uri.ends_with(['?', '&']) => "",
        (ResponseMode::Query, Some(_)) => "&",
    };
    let encoded = Serializer::new(String::new()).extend_pairs(fields).finish();
    Answer::Redirect(format!("{uri}{joint}{encoded}"))
}
