//! acr, amr and auth_time: what the events of a session amount to.
//!
//! OIDC Core §2, RFC 8176, OpenID EAP ACR Values 1.0, REFEDS MFA, NIST SP 800-63B-4, RFC 9470.
//! For each token one set of events is chosen; all three claims derive from that set alone.

pub mod value;

use std::cmp::Reverse;

use crate::id::FlowId;
use crate::passkey::policy::{Combination, Conveyance, Holds, Policy};
use crate::realm::RealmSettings;
use crate::session::{AuthEvent, Method, PasskeyProof};
use crate::time::Timestamp;

pub use value::Acr;

/// An event of this very flow meets `max_age` and `prompt=login` for so long, in seconds.
const FLOW_EVENT_S: i64 = 300;
/// Reauthentication limits, in seconds since the event and without activity (NIST SP 800-63B-4 §2.2.3, §2.3.3).
const AAL2_S: (i64, i64) = (24 * 3600, 3600);
const AAL3_S: (i64, i64) = (12 * 3600, 15 * 60);

/// `acr_values_supported` (OIDC Discovery §3): every spelling of what some sign-in under this policy can reach.
/// phrh and aal3 need an attestation, so it must be asked for.
pub fn supported_acr_values(settings: &RealmSettings, policy: &Policy) -> Vec<&'static str> {
    let holds = Holds { passkey: true, password: true, totp: true, asks_passkey: false, grace: false };
    let reachable = |combination| policy.enabled && policy.accepts(combination, holds);
    let alone = reachable(Combination::PasskeyAlone);
    let attested = policy.attestation != Conveyance::None;
    let both = reachable(Combination::PasswordAndPasskey) || reachable(Combination::PasskeyAndTotp);
    let two_secrets = policy.accepts(Combination::PasswordAndTotp, holds);
    let mut values = Vec::new();
    if (alone || both) && attested {
        values.push(Acr::Phrh.wire());
    }
    if alone || both {
        values.push(Acr::Phr.wire());
    }
    if attested && (both || (alone && settings.uv_counts_as_second_factor)) {
        values.extend([Acr::Aal3.wire(), "aal3"]);
    }
    if both || two_secrets || (alone && settings.uv_counts_as_second_factor) {
        values.extend([Acr::RefedsMfa.wire(), Acr::Aal2.wire(), "aal2"]);
    }
    values.extend([Acr::RefedsSfa.wire(), Acr::Aal1.wire(), "aal1"]);
    values
}

/// What a session has to show.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub events: &'a [AuthEvent],
    /// Last activity of the session.
    pub active: Timestamp,
    pub now: Timestamp,
}

/// How fresh every event of the set must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// `max_age` (OIDC Core §3.1.2.1), in seconds.
    pub max_age_s: Option<i64>,
    /// The authorization request that asks.
    pub this_flow: FlowId,
    /// `prompt=login`: only events of this flow count.
    pub forced: bool,
}

/// What a request demands.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// acr values as the client spelled them, in its order of preference; unknown ones are skipped.
    pub acr: Vec<String>,
    /// One of them or nothing (OIDC Core §5.5.1.1).
    pub essential: bool,
    /// No set counts that does not satisfy this value: the client's policy.
    pub minimum: Option<Acr>,
    pub fresh: Option<Freshness>,
    /// The browser that signs in is not the device that gets the tokens: whoever lured a person into approving would get
    /// them, so nothing is phishing-resistant here.
    pub another_device: bool,
}

/// One set of events and what it amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Authenticated {
    /// The value for the token, spelled as the client asked for it.
    pub acr: Option<String>,
    /// RFC 8176 values.
    pub amr: Vec<&'static str>,
    /// Time of the oldest event of the set.
    pub auth_time: Timestamp,
    pub combination: Combination,
    /// The set, oldest first.
    pub events: Vec<AuthEvent>,
    pub satisfied: Vec<Acr>,
    /// The demand asked for no acr, or one of its values is satisfied. If not, stepping up may help.
    pub met: bool,
}

/// Chooses the set of events a token rests on: of those that `allowed` lets in and that are fresh enough, the
/// one that satisfies the earliest requested value, then the strongest value by `acr_order`, then the most recent.
/// `None`: no set will do – under an essential demand also when none of its values is satisfied.
pub fn choose(
    evidence: &Evidence<'_>,
    settings: &RealmSettings,
    demand: &Demand,
    allowed: impl Fn(Combination, Option<&PasskeyProof>) -> bool,
) -> Option<Authenticated> {
    let order: Vec<Acr> = settings.acr_order.iter().filter_map(|text| Acr::parse(text)).collect();
    let is_fresh = |event: &&AuthEvent| demand.fresh.is_none_or(|fresh| fresh.is_met_by(event, evidence.now));
    let fresh: Vec<&AuthEvent> = evidence.events.iter().filter(is_fresh).collect();

    let mut best: Option<(Rank, Authenticated)> = None;
    for set in sets(&fresh) {
        if !allowed(set.combination(), set.proof()) {
            continue;
        }
        let (rank, authenticated) = amounts_to(set, evidence, settings, &order, demand);
        if demand.minimum.is_some_and(|minimum| !authenticated.satisfied.contains(&minimum)) {
            continue;
        }
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, authenticated));
        }
    }
    let (_, authenticated) = best?;
    (authenticated.met || !demand.essential).then_some(authenticated)
}

impl Freshness {
    /// Comparing times alone would loop at clock skew, and reloading a page must not count as a new sign-in.
    fn is_met_by(&self, event: &AuthEvent, now: Timestamp) -> bool {
        let age_ms = now.ms_since(event.at);
        let of_this_flow = event.flow == Some(self.this_flow) && age_ms <= FLOW_EVENT_S * 1000;
        let young = self.max_age_s.is_none_or(|max| age_ms <= max.saturating_mul(1000));
        // `max_age=0` is `prompt=login` (OIDC Core §3.1.2.1): an event of a clock that runs ahead has no age either.
        let forced = self.forced || self.max_age_s == Some(0);
        of_this_flow || (young && !forced)
    }
}

/// Factors that count together: each at most once, never a one-time password alone.
#[derive(Clone, Copy, Default)]
struct Set<'a> {
    password: Option<&'a AuthEvent>,
    passkey: Option<(&'a AuthEvent, &'a PasskeyProof)>,
    totp: Option<&'a AuthEvent>,
}

/// Every set there is: passwords and passkeys alone, in pairs, and each of these with each one-time password. A session
/// has few events, so that their number stays small.
fn sets<'a>(events: &[&'a AuthEvent]) -> Vec<Set<'a>> {
    let some = |is: fn(&Method) -> bool| {
        let found = events.iter().copied().filter(move |event| is(&event.method)).map(Some);
        std::iter::once(None).chain(found).collect::<Vec<_>>()
    };
    let (passwords, totps) = (some(|m| *m == Method::Password), some(|m| *m == Method::Totp));
    let proved = events.iter().filter_map(|event| match &event.method {
        Method::Passkey(proof) => Some(Some((*event, proof))),
        Method::Password | Method::Totp => None,
    });
    let mut sets = Vec::new();
    for passkey in std::iter::once(None).chain(proved) {
        for password in passwords.iter().copied() {
            let sets_with = totps.iter().map(|totp| Set { password, passkey, totp: *totp });
            sets.extend(sets_with.filter(|set| set.password.is_some() || set.passkey.is_some()));
        }
    }
    sets
}

impl<'a> Set<'a> {
    const fn combination(self) -> Combination {
        let (password, totp) = (self.password.is_some(), self.totp.is_some());
        match Combination::of(password, self.passkey.is_some(), totp) {
            Some(combination) => combination,
            // No set is made without a password or a passkey.
            None => Combination::PasswordAlone,
        }
    }

    fn proof(self) -> Option<&'a PasskeyProof> {
        self.passkey.map(|(_, proof)| proof)
    }

    /// Several factors, asked for one after the other in one sign-in.
    fn is_one_sign_in(self) -> bool {
        let events = self.events();
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return false };
        let together = events.iter().all(|event| event.flow == first.flow);
        events.len() > 1 && together && last.at.ms_since(first.at) <= FLOW_EVENT_S * 1000
    }

    /// The events, oldest first.
    fn events(self) -> Vec<&'a AuthEvent> {
        let passkey = self.passkey.map(|(event, _)| event);
        let mut events: Vec<_> = [self.password, passkey, self.totp].into_iter().flatten().collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// Values of RFC 8176. Never `pin`, `fpt` or `face`: WebAuthn does not tell how the user was verified.
    fn amr(self, settings: &RealmSettings) -> Vec<&'static str> {
        let password = self.password.map(|_| "pwd");
        let key = self.proof().and_then(|proof| match proof.backup_eligible {
            true => Some("swk"),
            // BE=0 is a claim of the authenticator, which only a verified attestation confirms.
            false if settings.hwk_requires_attestation && !proof.is_attested() => None,
            false => Some("hwk"),
        });
        let [pop, user] = ["pop", "user"].map(|value| self.passkey.map(|_| value));
        let totp = self.totp.map(|_| "otp");
        let mfa = self.has_two_factors(settings).then_some("mfa");
        [password, key, pop, user, totp, mfa].into_iter().flatten().collect()
    }

    fn has_two_factors(self, settings: &RealmSettings) -> bool {
        let factors = [self.password.is_some(), self.passkey.is_some(), self.totp.is_some()];
        let verified = self.proof().is_some_and(|proof| proof.user_verified);
        factors.into_iter().filter(|factor| *factor).count() > 1 || (verified && settings.uv_counts_as_second_factor)
    }

    /// The acr values this set satisfies while fresh; time limits come on top.
    fn acr(self, settings: &RealmSettings) -> Vec<Acr> {
        // Whatever authenticates at all is at least a single factor.
        let mut acr = vec![Acr::Aal1, Acr::RefedsSfa];
        // A found key alone must not open doors.
        let knows = self.password.is_some() || self.totp.is_some() || !settings.phr_requires_uv;
        let phr = self.proof().filter(|proof| proof.user_verified || knows);
        if phr.is_some() {
            acr.push(Acr::Phr);
        }
        if self.has_two_factors(settings) {
            acr.extend([Acr::Aal2, Acr::RefedsMfa]);
        }
        // The key cannot leave hardware: more than the authenticator's own word, and never a synced one.
        if let Some(proof) = phr.filter(|proof| proof.hardware && !proof.backup_eligible) {
            acr.push(Acr::Phrh);
            // A password beside it does not stand in for the user verification that was left out.
            if proof.user_verified && self.has_two_factors(settings) {
                acr.push(Acr::Aal3);
            }
        }
        acr
    }
}

/// Place among the sets; smaller is better: requested value, strongest value, number of values, both factors of one
/// sign-in, age.
type Rank = (usize, usize, Reverse<usize>, Reverse<bool>, Reverse<Timestamp>);

fn amounts_to(
    set: Set<'_>,
    evidence: &Evidence<'_>,
    settings: &RealmSettings,
    order: &[Acr],
    demand: &Demand,
) -> (Rank, Authenticated) {
    let events = set.events();
    let auth_time = events.iter().map(|e| e.at).min().unwrap_or(evidence.now);
    let mut satisfied = set.acr(settings);
    let mut amr = set.amr(settings);
    if demand.another_device {
        satisfied.retain(|acr| !matches!(acr, Acr::Phrh | Acr::Phr | Acr::Aal3));
        amr.push("mca");
    }
    satisfied.retain(|acr| match acr {
        Acr::Aal2 => within(AAL2_S, auth_time, evidence),
        Acr::Aal3 => within(AAL3_S, auth_time, evidence),
        _ => true,
    });
    satisfied.sort();

    let holds = |text: &&String| Acr::parse(text).is_some_and(|acr| satisfied.contains(&acr));
    let requested = demand.acr.iter().position(|text| holds(&text));
    let strongest = order.iter().position(|acr| satisfied.contains(acr));
    let acr = match requested.and_then(|at| demand.acr.get(at)) {
        Some(text) => Some(text.clone()),
        None => strongest.and_then(|at| order.get(at)).map(|acr| acr.wire().to_owned()),
    };
    let rank = (
        requested.unwrap_or(usize::MAX),
        strongest.unwrap_or(usize::MAX),
        Reverse(satisfied.len()),
        // Whoever gave a password and then a passkey is said to have given both.
        Reverse(set.is_one_sign_in()),
        Reverse(auth_time),
    );
    let authenticated = Authenticated {
        acr,
        amr,
        auth_time,
        combination: set.combination(),
        events: events.into_iter().cloned().collect(),
        satisfied,
        met: demand.acr.is_empty() || requested.is_some(),
    };
    (rank, authenticated)
}

/// Within an overall and an inactivity limit. Every event of the set is as young as the oldest must be.
fn within((overall_s, idle_s): (i64, i64), oldest: Timestamp, evidence: &Evidence<'_>) -> bool {
    // A sign-in is activity too, even while its session is not written yet.
    let active = evidence.events.iter().map(|e| e.at).fold(evidence.active, Timestamp::max);
    let idle_ms = evidence.now.ms_since(active);
    evidence.now.ms_since(oldest) <= overall_s * 1000 && idle_ms <= idle_s * 1000
}
