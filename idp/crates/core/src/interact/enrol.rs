//! Whether somebody who signed in without a passkey is asked to make one, or gets one without being asked.
//! passkey policy (`enrolment`, `automatic_upgrade`).

use super::{EnrolReason, Facts, Need, Step, Visitor};
use crate::account::Account;
use crate::passkey::enrolment::{FirstPasskey, first_passkey};
use crate::passkey::policy::{Enrolment, Policy, usable_in};
use crate::passkey::record::Passkey;
use crate::realm::Realm;
use crate::session::{AuthEvent, Method};
use crate::time::Timestamp;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Somebody signed in, for an application or for none.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn<'a> {
    pub realm: &'a Realm,
    /// The account's own policy; a client may demand more.
    pub policy: &'a Policy,
    pub account: &'a Account,
    pub events: &'a [AuthEvent],
    /// Mails are sent here.
    pub mails: bool,
    pub now: Timestamp,
}

impl SignedIn<'_> {
    /// What is asked of them if they have no passkey: why, and whether it may be put off.
    pub fn wanted(&self) -> Option<(EnrolReason, bool)> {
        let policy = self.policy;
        // Whoever signed in with a passkey has one.
        if !policy.enabled || !policy.allow_registration || self.has(|m| matches!(m, Method::Passkey(_))) {
            return None;
        }
        match policy.enrolment {
            Enrolment::Nudge(days) if self.can() && self.rested(days) => Some((EnrolReason::Nudge, true)),
            Enrolment::Required(_) if !policy.enrolment.in_grace(&self.account.preferences, self.now) => {
                Some((EnrolReason::Required, false))
            }
            // During the grace period once a day.
            Enrolment::Required(_) if self.rested(1) => Some((EnrolReason::Required, true)),
            Enrolment::Off | Enrolment::Nudge(_) | Enrolment::Required(_) => None,
        }
    }

    /// Whether a passkey may be made for them without a dialogue if they have none: the password is their strongest
    /// factor and signed them in, they did not decline, and it did not happen before. `met`: the policy with the demands
    /// of the client they signed in for.
    pub fn upgrades(&self, met: &Policy) -> bool {
        let account = self.account;
        let by_password = self.has(|m| *m == Method::Password) && !self.has(|m| *m != Method::Password);
        let once = account.preferences.passkey_upgraded.is_none();
        // While a recovery waits, somebody else may have the password.
        let settled = account.totp.is_none() && account.recovery.is_none();
        met.upgrades() && by_password && settled && once && self.rested(met.upgrade_rests_days())
    }

    /// Whether the grace period of a passkey that is required begins with this sign-in, if they have none: whether or not
    /// they look at the page that asks for it.
    pub fn grace_begins(&self) -> bool {
        matches!(self.policy.enrolment, Enrolment::Required(_))
            && self.account.preferences.passkey_first_asked.is_none()
            && self.wanted().is_some()
    }

    /// Whether they have a passkey that signs in.
    pub fn has_passkey(&self, passkeys: &[Passkey]) -> bool {
        usable_in(passkeys, &self.realm.relying_parties, self.policy).next().is_some()
    }

    /// Whether so many days passed since they said "not now".
    fn rested(&self, days: u16) -> bool {
        let put_off = self.account.preferences.passkey_put_off;
        put_off.is_none_or(|at| self.now >= at.plus_s(i64::from(days) * DAY_S))
    }

    /// Whether they could make a passkey now: nobody is nudged for what they cannot do.
    fn can(&self) -> bool {
        first_passkey(self.policy, self.account, self.events, (self.mails, self.now)) != FirstPasskey::ByLink
    }

    fn has(&self, is: fn(&Method) -> bool) -> bool {
        self.events.iter().any(|event| is(&event.method))
    }
}

pub(super) fn asked(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if facts.request.enrolment_put_off {
        return None;
    }
    let effective = facts.policy(visitor);
    let signed_in = SignedIn {
        realm: facts.realm,
        policy: effective.base,
        account: visitor.account,
        events: &visitor.session.events,
        mails: facts.mails,
        now: facts.now,
    };
    // What may be put off waits for a sign-in with pages; what is overdue does not, or a long session would outlast it.
    let (reason, voluntary) = signed_in.wanted().filter(|(_, voluntary)| !(*voluntary && facts.request.prompt.none))?;
    let Some(passkeys) = visitor.passkeys else { return Some(Step::Need(Need::Passkeys)) };
    (!signed_in.has_passkey(passkeys)).then_some(Step::Enrol { reason, voluntary })
}

/// Asked in the visit that signed in by it and never again: a session that lasts is no reason to stop somebody.
pub(super) fn moved(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
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
