//! Whether the user agreed. OIDC Core §3.1.2.4, RFC 8252 §8.6.

use super::{Facts, Need, Step, Visitor};
use crate::client::{Client, ConsentMode};
use crate::oauth::authorize::AuthorizationRequest;
use crate::oauth::redirect;
use crate::oauth::scope::Scopes;
use crate::oidc::claims;
use crate::realm::Realm;

pub fn given(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    // The page that compares the codes asks each time, whatever was said before.
    if facts.request.to.device().is_some() {
        return None;
    }
    if !is_asked(facts.client, facts.request.to.redirect_uri()) {
        return None;
    }
    let Some(consent) = visitor.consent else { return Some(Step::Need(Need::Consent)) };
    let asked = asked_scopes(facts.realm, facts.client, facts.request);
    let covered = consent.is_some_and(|c| c.scope.covers(&asked));
    (!covered).then_some(Step::Consent)
}

pub fn asked(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if !facts.request.prompt.consent {
        return None;
    }
    let Some(consent) = visitor.consent else { return Some(Step::Need(Need::Consent)) };
    let in_this_request = consent.is_some_and(|c| c.flow == facts.request.id);
    (!in_this_request).then_some(Step::Consent)
}

/// What people are asked to agree to: the scopes of a request, and those behind claims it asks for by name.
pub fn asked_scopes(realm: &Realm, client: &Client, request: &AuthorizationRequest) -> Scopes {
    claims::consent_scopes(&realm.settings, &client.settings, &request.scope, &request.claims)
}

/// Whether people are asked at all: not for a client of the realm's own, unless anybody on the user's machine could
/// pose as it or nobody has looked at it since it changed itself.
pub fn is_asked(client: &Client, redirect_uri: &str) -> bool {
    let settings = &client.settings;
    settings.unverified || settings.consent != ConsentMode::Skip || redirect::is_impersonable(redirect_uri)
}
