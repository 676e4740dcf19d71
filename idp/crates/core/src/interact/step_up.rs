//! Whether one more factor is needed or worth asking for, and whether the user has it.

use super::{EnrolReason, Factor, Facts, Need, Step, Visitor, authenticate, demand, holds, lets_in};
use crate::acr::{Demand, Evidence, choose};
use crate::id::EventId;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::passkey::policy::{Combination, Holds, Policy, Requirement, usable_in};
use crate::passkey::record::Passkey;
use crate::session::{AuthEvent, Method, PasskeyProof};

/// What is asked for on top of a session, in this order.
const FACTORS: [Factor; 3] = [Factor::Passkey, Factor::Password, Factor::Totp];

pub fn resolved(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if visitor.groups.is_none() && !facts.realm.group_policies.is_empty() {
        return Some(Step::Need(Need::Groups));
    }
    let judges = facts.client.settings.policy.judges_passkeys();
    (judges && visitor.passkeys.is_none()).then_some(Step::Need(Need::Passkeys))
}

pub fn policy(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    if authenticate(facts, visitor, true).is_some() {
        return None;
    }
    if visitor.passkeys.is_none() {
        return Some(Step::Need(Need::Passkeys));
    }
    if facts.request.prompt.none {
        // Nothing may be asked, so what would help need not be found out.
        return Some(Step::Login { again: true });
    }
    // What would help is whatever factor makes a set that the policy lets in.
    let helps = FACTORS.into_iter().find(|f| with(facts, visitor, *f) != Reach::Nothing);
    Some(match helps {
        Some(factor) => Step::StepUp { factor, voluntary: false },
        None if anew(facts, visitor) => Step::Login { again: true },
        // Signing in again with what there is would lead here again.
        None if another_passkey_helps(facts, visitor) => {
            Step::Enrol { reason: EnrolReason::Demanded, voluntary: false }
        }
        None => Step::Deny(OAuthError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "step_up.policy",
            "nothing that the user signs in with, or could, is accepted for this application",
        )),
    })
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
    let factor = FACTORS.into_iter().find(|f| with(facts, visitor, *f) == Reach::Met)?;
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
    let effective = facts.policy(visitor);
    let policy = &effective.policy;
    let tries: Vec<Method> = match factor {
        Factor::Password => visitor.account.password_hash.iter().map(|_| Method::Password).collect(),
        Factor::Totp => visitor.account.totp.map(|_| Method::Totp).into_iter().collect(),
        Factor::Passkey => usable_in(visitor.passkeys.unwrap_or_default(), &facts.realm.relying_parties, policy)
            .map(|passkey| Method::Passkey(proof_of(policy, passkey)))
            .collect(),
    };
    let best = tries.into_iter().map(|method| {
        let mut events = visitor.session.events.clone();
        let flow = Some(facts.request.id);
        events.push(AuthEvent::new(EventId::from_bytes([0; 16]), facts.now, flow, method));
        let evidence = Evidence { events: &events, active: facts.now, now: facts.now };
        let lets_in = |c, proof: Option<&PasskeyProof>| lets_in(facts, visitor, &effective, (c, proof));
        match choose(&evidence, &facts.realm.settings, &demand(facts), lets_in) {
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

/// What a passkey would prove if it were asked for now.
fn proof_of(policy: &Policy, passkey: &Passkey) -> PasskeyProof {
    let required = policy.user_verification.of(passkey.passkey_type()) == Requirement::Required;
    PasskeyProof::of(passkey, required || passkey.uv_initialized, passkey.backup_state)
}

/// Whether a new sign-in with all that the account has would let in.
fn anew(facts: &Facts<'_>, visitor: &Visitor<'_>) -> bool {
    let effective = facts.policy(visitor);
    let passkeys = usable_in(visitor.passkeys.unwrap_or_default(), &facts.realm.relying_parties, &effective.policy);
    let proofs = passkeys.map(|passkey| proof_of(&effective.policy, passkey)).map(Some);
    proofs.chain([None]).any(|proof| {
        let lets_in = |c, proof: Option<&PasskeyProof>| lets_in(facts, visitor, &effective, (c, proof));
        all_of(facts, visitor, proof, lets_in)
    })
}

/// Whether a new passkey of the best kind that the policies take would let in, alone or with what the account has.
fn another_passkey_helps(facts: &Facts<'_>, visitor: &Visitor<'_>) -> bool {
    let effective = facts.policy(visitor);
    let policy = &effective.policy;
    if !policy.enabled || !policy.allow_registration || policy.allowed_types.iter().next().is_none() {
        return false;
    }
    let holds = |policy: &Policy| Holds { passkey: true, ..holds(facts, visitor, policy) };
    all_of(facts, visitor, Some(PasskeyProof::best(policy)), |c, _| effective.accepts(c, holds))
}

/// Whether password, one-time password and this passkey, each given now as far as the account has it, let in.
fn all_of(
    facts: &Facts<'_>,
    visitor: &Visitor<'_>,
    passkey: Option<PasskeyProof>,
    lets_in: impl Fn(Combination, Option<&PasskeyProof>) -> bool,
) -> bool {
    let event = |method| AuthEvent::new(EventId::from_bytes([0; 16]), facts.now, None, method);
    let password = visitor.account.password_hash.iter().map(|_| event(Method::Password));
    let totp = visitor.account.totp.map(|_| event(Method::Totp));
    let passkey = passkey.map(|proof| event(Method::Passkey(proof)));
    let events: Vec<_> = password.chain(totp).chain(passkey).collect();
    let evidence = Evidence { events: &events, active: facts.now, now: facts.now };
    let demand = Demand { fresh: None, ..demand(facts) };
    choose(&evidence, &facts.realm.settings, &demand, lets_in).is_some()
}
