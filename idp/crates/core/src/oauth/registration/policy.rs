//! What a client may set for itself, beyond what an admin could set for it: nobody has looked at it yet.
//! RFC 7591 §5, RFC 8252 §8.6, RFC 9700 §2.

use super::fields::name_of;
use super::refuse;
use crate::client::check::problems;
use crate::client::{ClientSettings, GrantType};
use crate::oauth::error::OAuthError;
use crate::realm::RealmSettings;

/// Registered clients that no admin has looked at, in one realm at most.
pub const MOST_UNVERIFIED: i64 = 1000;

/// Days after which such a client is deleted if nobody ever agreed to it.
pub const UNUSED_DAYS: i64 = 30;

/// Grants of a client that nobody has looked at: those in which a person sees a consent page of ours in a browser that
/// then goes to the client's own address. A device code could be anybody's (RFC 8628 §5.4).
const GRANTS: &[GrantType] = &[GrantType::AuthorizationCode, GrantType::RefreshToken];

/// Judges what a client wants to be; `before` is what it is, where it is changed: what an admin gave it, it may keep.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata`, the field named.
pub(super) fn check(
    settings: &ClientSettings,
    before: Option<&ClientSettings>,
    realm: &RealmSettings,
) -> Result<(), OAuthError> {
    if let Some(problem) = problems(settings).first() {
        return Err(refuse("registration.settings", name_of(problem.field), &problem.what));
    }
    let had = |grant: &GrantType| before.is_some_and(|before| before.grant_types.contains(grant));
    if let Some(grant) = settings.grant_types.iter().find(|grant| !GRANTS.contains(grant) && !had(grant)) {
        let text = format!("{} is for an admin to allow", grant.text());
        return Err(refuse("registration.grants", "grant_types", &text));
    }
    let had = |scope: &String| before.and_then(|b| b.scopes.as_ref()).is_some_and(|scopes| scopes.contains(scope));
    let allowed = |scope: &String| realm.registration_scopes.contains(scope) || had(scope);
    if let Some(scope) = settings.scopes.iter().flatten().find(|scope| !allowed(scope)) {
        let text =
            format!("{scope} is not among those that can be registered: {}", realm.registration_scopes.join(" "));
        return Err(refuse("registration.scopes", "scope", &text));
    }
    let links = [
        ("client_uri", &settings.client_uri),
        ("logo_uri", &settings.logo_uri),
        ("policy_uri", &settings.policy_uri),
        ("tos_uri", &settings.tos_uri),
    ];
    match links.iter().find(|(_, link)| link.as_ref().is_some_and(|link| !link.starts_with("https://"))) {
        Some((name, _)) => Err(refuse("registration.links", name, "must begin with https://")),
        None => Ok(()),
    }
}
