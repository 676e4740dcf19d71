//! `/token`: codes become tokens once, for whoever they were issued to.

mod abuse;
mod assertions;
mod client_credentials;
mod clients;
mod dpop;
mod id_tokens;
mod jwt;
mod once;
mod pkce;
mod refresh;
mod requests;
mod revoked;

use crate::rules::rule;
use crate::world::Page;

/// The refusal of RFC 6749 §5.2 by a rule.
pub fn refused(page: &Page, id: &'static str, error: &str, says: &str) {
    let rule = rule(id);
    assert_eq!(page.error(), error, "{rule}: {} {}", page.status, page.body);
    assert_eq!(page.status, if error == "invalid_client" { 401 } else { 400 }, "{rule}");
    let description = page.value()["error_description"].as_str().unwrap_or_default().to_owned();
    assert!(description.contains(says), "{rule}: {description}");
    assert_eq!(page.header("cache-control"), Some("no-store"), "{rule}");
    assert!(page.value().get("access_token").is_none(), "{rule}");
}
