//! A client secret in the `Authorization` header. RFC 6749 §2.3.1, RFC 7617 §2.

use url::form_urlencoded;

use crate::encoding::from_base64_lenient;

/// `Basic base64(form-encoded id ":" form-encoded secret)`; the scheme's case does not matter (RFC 7235 §2.1).
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(from_base64_lenient(value.trim())?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    // A form pair without '=' decodes as a name with an empty value; escape the two characters that would split it.
    let one = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(one.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
