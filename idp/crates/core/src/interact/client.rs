//! Whether whoever is signed in may use the client at all.

use super::{Facts, Need, Step, Visitor, is_member};
use crate::oauth::error::{ErrorCode, OAuthError};

/// Not a reason to sign in again: the application is told, and shows what it likes.
pub fn groups(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if facts.client.settings.allowed_groups.is_empty() {
        return None;
    }
    let Some(groups) = visitor.groups else { return Some(Step::Need(Need::Groups)) };
    let member = is_member(facts.client, groups.iter().map(String::as_str));
    (!member).then(|| {
        let text = "this user is in none of the groups that may use the client";
        Step::Deny(OAuthError::new(ErrorCode::AccessDenied, "client.groups", text))
    })
}
