//! The answer of the authorization endpoint: a redirect with `code` or `error`, `state` and `iss`.
//! RFC 6749 §4.1.2, RFC 9207 §2.

use url::form_urlencoded::Serializer;

use super::Addressed;
use crate::oauth::error::OAuthError;

/// The URL that carries a code back.
pub fn with_code(to: &Addressed, issuer: &str, code: &str) -> String {
    url(to, issuer, &[("code", code)])
}

/// The URL that carries an error back.
pub fn with_error(to: &Addressed, issuer: &str, error: &OAuthError) -> String {
    url(to, issuer, &[("error", error.code.text()), ("error_description", &error.description)])
}

fn url(to: &Addressed, issuer: &str, answer: &[(&str, &str)]) -> String {
    // Appended as text, not through a URL parser: the registered URI stays byte for byte what it was.
    let uri = to.redirect_uri();
    let joint = match uri.find('?') {
        None => "?",
        Some(_) if uri.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    let mut query = Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = to.state() {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    format!("{uri}{joint}{}", query.finish())
}
