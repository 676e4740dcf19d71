//! Whether a passkey is made in the midst of a sign-in.

use super::{EnrolReason, Facts, Need, Step, Visitor};
use crate::passkey::record::PasskeyState;
use crate::session::Method;

/// Asked in the visit that signed in and never again: a session that lasts is no reason to stop somebody.
pub fn moved(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let request = facts.request;
    // Another device has no way to make one here.
    let cannot = request.enrol_declined || request.prompt.none || request.to.device().is_some();
    if cannot || facts.realm.relying_parties.len() < 2 {
        return None;
    }
    let policy = &facts.policy(visitor).policy;
    if !policy.enabled || !policy.allow_registration {
        return None;
    }
    let used = visitor.session.events.iter().filter(|event| event.flow == Some(request.id)).filter_map(|event| {
        let Method::Passkey(proof) = &event.method else { return None };
        Some(&proof.credential_id)
    });
    let used: Vec<_> = used.collect();
    if used.is_empty() {
        return None;
    }
    let Some(passkeys) = visitor.passkeys else { return Some(Step::Need(Need::Passkeys)) };
    let former = passkeys.iter().any(|p| p.rp_id != facts.rp_id && used.contains(&&p.credential_id));
    let has_own = passkeys.iter().any(|p| p.rp_id == facts.rp_id && p.state == PasskeyState::Active);
    (former && !has_own).then_some(Step::Enrol { reason: EnrolReason::Moved, voluntary: true })
}
