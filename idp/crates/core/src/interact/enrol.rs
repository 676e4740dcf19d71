//! Whether somebody who signed in without a passkey is asked to make one.

use super::{EnrolReason, Facts, Need, Step, Visitor};
use crate::passkey::enrolment::{FirstPasskey, first_passkey};
use crate::passkey::policy::{Enrolment, usable_in};
use crate::session::Method;

/// Seconds of a day; also how often a required passkey is asked for during its grace period.
const DAY_S: i64 = 86_400;

pub fn asked(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let effective = facts.policy(visitor);
    let policy = effective.base;
    let off = policy.enrolment == Enrolment::Off || !policy.enabled || !policy.allow_registration;
    // Whoever signed in with a passkey has one.
    let by_passkey = visitor.session.events.iter().any(|e| matches!(e.method, Method::Passkey(_)));
    if off || by_passkey || facts.request.prompt.none || facts.request.enrolment_put_off {
        return None;
    }
    let Some(passkeys) = visitor.passkeys else { return Some(Step::Need(Need::Passkeys)) };
    if usable_in(passkeys, &facts.realm.relying_parties, policy).next().is_some() {
        return None;
    }
    let preferences = &visitor.account.preferences;
    let rested = |days: i64| preferences.passkey_put_off.is_none_or(|at| facts.now >= at.plus_s(days * DAY_S));
    let way = first_passkey(policy, visitor.account, &visitor.session.events, (facts.mails, facts.now));
    let can = way != FirstPasskey::ByLink;
    match policy.enrolment {
        // Nobody is nudged for what they cannot do.
        Enrolment::Nudge(days) if can && rested(i64::from(days)) => {
            Some(Step::Enrol { reason: EnrolReason::Nudge, voluntary: true })
        }
        Enrolment::Required(_) if !policy.enrolment.in_grace(preferences, facts.now) => {
            Some(Step::Enrol { reason: EnrolReason::Required, voluntary: false })
        }
        Enrolment::Required(_) if rested(1) => Some(Step::Enrol { reason: EnrolReason::Required, voluntary: true }),
        Enrolment::Off | Enrolment::Nudge(_) | Enrolment::Required(_) => None,
    }
}

/// Asked in the visit that signed in by it and never again: a session that lasts is no reason to stop somebody.
pub fn moved(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let request = facts.request;
    // A device has no way to go on here, and there is nothing to come from with one RP ID.
    let cannot = request.enrolment_put_off || request.prompt.none || request.to.device().is_some();
    if cannot || facts.realm.relying_parties.len() < 2 {
        return None;
    }
    let policy = facts.policy(visitor).base;
    if !policy.enabled || !policy.allow_registration {
        return None;
    }
    let of_this_request = visitor.session.events.iter().filter(|event| event.flow == Some(request.id));
    let used: Vec<&[u8]> = of_this_request
        .filter_map(|event| match &event.method {
            Method::Passkey(proof) => Some(proof.credential_id.as_slice()),
            _ => None,
        })
        .collect();
    if used.is_empty() {
        return None;
    }
    let Some(passkeys) = visitor.passkeys else { return Some(Step::Need(Need::Passkeys)) };
    let former = passkeys.iter().any(|p| p.rp_id != facts.rp_id && used.contains(&p.credential_id.as_slice()));
    let has_own = passkeys.iter().any(|p| p.takes_place(facts.rp_id));
    (former && !has_own).then_some(Step::Enrol { reason: EnrolReason::Moved, voluntary: true })
}
