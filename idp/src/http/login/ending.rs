//! How a sign-in that is complete ends: whether a passkey is asked for, or made without a dialogue, on the way.
//! passkey policy (`enrolment`, `automatic_upgrade`); `core/interact/enrol.rs` decides.

use std::sync::Arc;

use idp_core::account::Account;
use idp_core::encoding::base64url;
use idp_core::id::AccountId;
use idp_core::interact::enrol::SignedIn;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::policy::{Enrolment, Policy};
use idp_core::passkey::record::Passkey;
use idp_core::secret::same;
use idp_core::session::AuthEvent;

use super::stand::Stand;
use crate::http::account::fresh;
use crate::http::cookies::CookieKind;
use crate::http::exchange::{Exchange, Visitor};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;

/// Somebody as `core` judges them.
pub fn signed_in<'a>(
    x: &'a Exchange,
    (account, policy): (&'a Account, &'a Policy),
    events: &'a [AuthEvent],
) -> SignedIn<'a> {
    SignedIn { realm: &x.realm, policy, account, events, mails: x.app.store.queues_mail(), now: x.now }
}

/// How a sign-in that is complete ends: by the way for whoever has a passkey, else with one made without a dialogue or
/// asked for.
///
/// # Errors
/// Only when the store fails.
pub async fn ending(
    x: &Exchange,
    account: &Account,
    events: &[AuthEvent],
    request: Option<&AuthorizationRequest>,
) -> Result<Stand, Problem> {
    let alone = request.is_none();
    let acts = |policy: &Policy| policy.automatic_upgrade || (alone && policy.enrolment != Enrolment::Off);
    if !policy::all(x).any(acts) {
        return Ok(Stand::Complete);
    }
    let policy = policy::of(x, &account.id).await?;
    let met = authorize::policy_at(x, Arc::clone(&policy), request).await?;
    let signed_in = signed_in(x, (account, &policy), events);
    let upgrades = may_upgrade(&signed_in, &met, request) && !was_tried(x, account);
    let asked = alone && signed_in.wanted().is_some();
    if !upgrades && !asked {
        return Ok(Stand::Complete);
    }
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
    Ok(match signed_in.has_passkey(&passkeys) {
        true => Stand::Complete,
        false if upgrades => Stand::Upgrade,
        false => Stand::Asked,
    })
}

/// Whether the grace period of a required passkey begins with this sign-in.
///
/// # Errors
/// Only when the store fails.
pub async fn grace_begins(x: &Exchange, account: &Account, events: &[AuthEvent]) -> Result<bool, Problem> {
    if !policy::all(x).any(|policy| matches!(policy.enrolment, Enrolment::Required(_))) {
        return Ok(false);
    }
    let policy = policy::of(x, &account.id).await?;
    let signed_in = signed_in(x, (account, &policy), events);
    if !signed_in.grace_begins() {
        return Ok(false);
    }
    Ok(!signed_in.has_passkey(&x.app.store.list_passkeys(x.realm.id, &account.id).await?))
}

fn may_upgrade(signed_in: &SignedIn<'_>, met: &Policy, request: Option<&AuthorizationRequest>) -> bool {
    signed_in.upgrades(met) && request.is_none_or(|request| !request.prompt.none)
}

/// Whether this browser was asked for this account not long ago.
fn was_tried(x: &Exchange, account: &Account) -> bool {
    let sent = x.cookie(CookieKind::Upgrade).unwrap_or_default();
    same(sent.as_bytes(), tried(x, account.id).as_bytes())
}

/// What the browser keeps once it was asked for an account.
pub fn tried(x: &Exchange, account: AccountId) -> String {
    base64url(x.app.sealer().mac(x.realm.id, "upgrade", &[account.as_bytes()]))
}

/// Checks that a passkey may be made without a dialogue: after a sign-in by password a moment ago, as the policy says now.
///
/// # Errors
/// 403 otherwise.
pub async fn require_upgrade(
    x: &Exchange,
    visitor: &Visitor,
    passkeys: &[Passkey],
    request: Option<&AuthorizationRequest>,
) -> Result<(), Problem> {
    fresh::require(x, visitor, passkeys)?;
    let met = authorize::policy_at(x, Arc::clone(&visitor.policy), request).await?;
    let signed_in = signed_in(x, (&visitor.account, &visitor.policy), &visitor.session.events);
    if may_upgrade(&signed_in, &met, request) && !signed_in.has_passkey(passkeys) {
        return Ok(());
    }
    Err(Problem::api(403, "upgrade_refused", "no passkey is made here without asking: make one on the security page"))
}
