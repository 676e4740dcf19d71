//! Whether one more factor is needed or worth asking for, and whether the user has it.

use super::{Factor, Facts, Need, Step, Visitor, authenticate, demand, usable};
use crate::acr::{Evidence, choose};
use crate::id::EventId;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::passkey::policy::Requirement;
use crate::session::{AuthEvent, Method, PasskeyProof};

pub fn policy(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if authenticate(facts, visitor, true).is_some() {
        return None;
    }
    if visitor.passkeys.is_none() {
        return Some(Step::Need(Need::Passkeys));
    }
    // What would help is whatever factor makes a set that the policy lets in.
    let helps = [Factor::Passkey, Factor::Password].into_iter().find(|f| with(facts, visitor, *f) != Reach::Nothing);
    Some(helps.map_or(Step::Login { again: true }, |factor| Step::StepUp { factor, voluntary: false }))
}

pub fn essential(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if !facts.request.acr.essential || met(facts, visitor) {
        return None;
    }
    if facts.request.prompt.none {
        // Nothing may be asked, so whether asking would help need not be found out.
        return Some(Step::Login { again: true });
    }
    Some(reach(facts, visitor).unwrap_or_else(|| {
        Step::Deny(OAuthError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "step_up.essential",
            "the user has no way to reach any of the acr values asked for",
        ))
    }))
}

pub fn voluntary(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if facts.request.step_up_declined || facts.request.prompt.none || met(facts, visitor) {
        return None;
    }
    match reach(facts, visitor)? {
        Step::StepUp { factor, .. } => Some(Step::StepUp { factor, voluntary: true }),
        other => Some(other),
    }
}

fn met(facts: &Facts<'_>, visitor: &Visitor<'_>) -> bool {
    authenticate(facts, visitor, true).is_some_and(|a| a.met)
}

/// The factor that would meet one of the requested values, if the user has it.
fn reach(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if visitor.passkeys.is_none() {
        return Some(Step::Need(Need::Passkeys));
    }
    let factor = [Factor::Passkey, Factor::Password].into_iter().find(|f| with(facts, visitor, *f) == Reach::Met)?;
    Some(Step::StepUp { factor, voluntary: false })
}

#[derive(Debug, PartialEq, Eq)]
enum Reach {
    /// The policy would not let this in either, or the user has no such factor.
    Nothing,
    /// Lets in, but none of the requested values is met.
    In,
    /// Lets in and meets a requested value.
    Met,
}

/// What the session would amount to after one more factor. Decided by the same function that decides for real.
fn with(facts: &Facts<'_>, visitor: &Visitor<'_>, factor: Factor) -> Reach {
    let passkeys = visitor.passkeys.unwrap_or_default();
    let policy = &facts.realm.policy;
    let tries: Vec<Method> = match factor {
        Factor::Password => visitor.account.password_hash.iter().map(|_| Method::Password).collect(),
        Factor::Passkey => usable(passkeys, facts.rp_id, policy)
            .map(|passkey| {
                let required = policy.user_verification.of(passkey.passkey_type()) == Requirement::Required;
                let verified = required || passkey.uv_initialized;
                Method::Passkey(PasskeyProof::of(passkey, verified, passkey.backup_state))
            })
            .collect(),
    };
    let has_passkey = usable(passkeys, facts.rp_id, policy).next().is_some();
    let best = tries.into_iter().map(|method| {
        let mut events = visitor.session.events.clone();
        let flow = Some(facts.request.id);
        events.push(AuthEvent { id: EventId::from_bytes([0; 16]), at: facts.now, flow, method });
        let evidence = Evidence { events: &events, active: facts.now, now: facts.now };
        let lets_in = |c| policy.accepts(c, has_passkey);
        match choose(&evidence, &facts.realm.settings, &demand(facts.request), lets_in) {
            None => Reach::Nothing,
            Some(a) if a.met => Reach::Met,
            Some(_) => Reach::In,
        }
    });
    best.fold(Reach::Nothing, |best, reach| match (&best, &reach) {
        (Reach::Met, _) | (Reach::In, Reach::Nothing) => best,
        _ => reach,
    })
}
