//! What somebody can reach with what they hold: a sign-in, the tokens of a client, or a passkey to be made first.
//!
//! passkey policy. Sets of factors are judged by the functions that judge them for tokens, so that this cannot disagree.

use std::sync::Arc;

use serde::Serialize;

use crate::account::{Account, AccountState};
use crate::acr::{Demand, Evidence, choose};
use crate::id::EventId;
use crate::passkey::enrolment::{FirstPasskey, first_passkey};
use crate::passkey::policy::{
    ClientPolicy, Effective, Enrolment, Holds, MINIMUM_ACR, Policy, Problem, Requirement, Verdict, counts, resolve,
    usable,
};
use crate::passkey::record::{Passkey, PasskeyState};
use crate::realm::{Realm, RealmSettings};
use crate::session::{AuthEvent, Method, PasskeyProof};
use crate::time::Timestamp;

/// An account and what it has to sign in with.
#[derive(Clone, Debug)]
pub struct Holder {
    pub account: Account,
    /// Names of its groups.
    pub groups: Vec<String>,
    /// All of them, suspended ones too.
    pub passkeys: Vec<Passkey>,
    /// Mails reach it: some are sent here.
    pub mails: bool,
}

/// How far somebody comes; worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nothing they hold or could make lets in.
    Out,
    /// Once they have made a passkey, which they may.
    Enrols,
    /// By a passkey that must verify its user now and never did so far: some can, some cannot.
    Perhaps,
    In,
}

/// How far somebody comes at some host of the realm: to a session, or to the tokens of a client.
pub fn reach(realm: &Realm, client: Option<&ClientPolicy>, holder: &Holder, now: Timestamp) -> Reach {
    let effective = resolve(&realm.policy, &realm.group_policies, &holder.groups, client);
    let hosts = realm.relying_parties.iter();
    hosts.map(|rp| Stand::new((realm, &rp.rp_id), &effective, holder, now).reach()).max().unwrap_or(Reach::Out)
}

/// Whether somebody has one passkey, which its device keeps to itself, and no other way in: they are locked out when it
/// is lost. Who was let in by nobody, or has no way in even so, is no matter of a device.
pub fn hangs_by_one_device(realm: &Realm, holder: &Holder, now: Timestamp) -> bool {
    let active = || holder.passkeys.iter().filter(|passkey| passkey.state == PasskeyState::Active);
    if holder.account.state != AccountState::Active || active().count() != 1 || active().any(|p| p.backup_eligible) {
        return false;
    }
    let bare = Holder { passkeys: Vec::new(), ..holder.clone() };
    reach(realm, None, holder, now) >= Reach::Perhaps && reach(realm, None, &bare, now) == Reach::Out
}

/// What an account has to sign in with under a policy at a host.
pub fn holds(holder: &Holder, policy: &Policy, rp_id: &str, now: Timestamp) -> Holds {
    Holds {
        passkey: usable(&holder.passkeys, rp_id, policy).any(|p| counts(policy, &holder.account, p)),
        password: holder.account.password_hash.is_some(),
        totp: holder.account.totp.is_some(),
        asks_passkey: holder.account.preferences.ask_passkey,
        grace: policy.enrolment.in_grace(&holder.account.preferences, now),
    }
}

/// Somebody before a host, with a policy in between.
struct Stand<'a> {
    realm: &'a Realm,
    effective: &'a Effective<'a>,
    holder: &'a Holder,
    rp_id: &'a str,
    holds: Both,
    now: Timestamp,
}

/// What an account has under its own policy, and under that met by a client's.
#[derive(Clone, Copy)]
struct Both {
    own: Holds,
    met: Holds,
}

impl<'a> Stand<'a> {
    fn new(
        (realm, rp_id): (&'a Realm, &'a str),
        effective: &'a Effective<'a>,
        holder: &'a Holder,
        now: Timestamp,
    ) -> Self {
        let own = holds(holder, effective.base, rp_id, now);
        let met = effective.client.map_or(own, |_| holds(holder, &effective.policy, rp_id, now));
        Self { realm, effective, holder, rp_id, holds: Both { own, met }, now }
    }

    fn reach(&self) -> Reach {
        let settings = &self.realm.settings;
        if !self.must_enrol() && lets_in(settings, self.effective, self.holds, None) {
            return Reach::In;
        }
        let policy = &self.effective.policy;
        let by_passkey = usable(&self.holder.passkeys, self.rp_id, policy).map(|passkey| {
            let asked = policy.user_verification.of(passkey.passkey_type()) == Requirement::Required;
            let user_verified = asked || passkey.uv_initialized;
            let proof = PasskeyProof::of(passkey, user_verified, passkey.backup_state);
            match lets_in(settings, self.effective, self.holds, Some(proof)) {
                false => Reach::Out,
                true if asked && !passkey.uv_initialized => Reach::Perhaps,
                true => Reach::In,
            }
        });
        match by_passkey.max().unwrap_or(Reach::Out) {
            Reach::Out if self.enrols() => Reach::Enrols,
            reach => reach,
        }
    }

    /// Whether a passkey is required of whoever has none, and cannot be put off any more.
    fn must_enrol(&self) -> bool {
        let base = self.effective.base;
        let required = matches!(base.enrolment, Enrolment::Required(_)) && base.enabled && base.allow_registration;
        let has_passkey = usable(&self.holder.passkeys, self.rp_id, base).next().is_some();
        required && !has_passkey && !self.holds.own.grace
    }

    /// Whether a new passkey of the best kind that is taken would let in, and its owner may make it.
    fn enrols(&self) -> bool {
        let (base, own) = (self.effective.base, self.holds.own);
        if !self.effective.policy.allow_registration || !takes_a_passkey(&self.effective.policy) {
            return false;
        }
        let held = secrets(own, self.now);
        // A further passkey is made on the strength of the one there is.
        let may = own.passkey
            || first_passkey(base, &self.holder.account, &held, (self.holder.mails, self.now)) != FirstPasskey::ByLink;
        // Somebody must be known before.
        let known = own.combinations().any(|c| matches!(base.verdict(c, own), Verdict::In | Verdict::Enrol));
        let with = |holds| Holds { passkey: true, ..holds };
        let holds = Both { own: with(own), met: with(self.holds.met) };
        may && known
            && lets_in(&self.realm.settings, self.effective, holds, Some(PasskeyProof::best(&self.effective.policy)))
    }
}

/// Some time: nothing here depends on when.
const NOON: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// Whether all that somebody holds lets in, with this passkey among it or with none.
fn lets_in(settings: &RealmSettings, effective: &Effective<'_>, holds: Both, passkey: Option<PasskeyProof>) -> bool {
    let mut events = secrets(holds.own, NOON);
    events.extend(passkey.map(|proof| event(Method::Passkey(proof), NOON)));
    let evidence = Evidence { events: &events, active: NOON, now: NOON };
    let demand = Demand { minimum: effective.minimum_acr(), ..Demand::default() };
    let of = |policy: &Policy| if std::ptr::eq(policy, &**effective.base) { holds.own } else { holds.met };
    choose(&evidence, settings, &demand, |combination, _| effective.accepts(combination, of)).is_some()
}

/// A sign-in by everything that is held besides passkeys.
fn secrets(holds: Holds, at: Timestamp) -> Vec<AuthEvent> {
    let password = holds.password.then(|| event(Method::Password, at));
    let totp = holds.totp.then(|| event(Method::Totp, at));
    [password, totp].into_iter().flatten().collect()
}

fn event(method: Method, at: Timestamp) -> AuthEvent {
    AuthEvent::new(EventId::from_bytes([0; 16]), at, None, method)
}

/// Whether there is a kind of passkey that a policy takes.
fn takes_a_passkey(policy: &Policy) -> bool {
    policy.enabled && policy.allowed_types.iter().next().is_some()
}

/// Everything that keeps the demands of a client from being saved: nobody could meet them, whatever they held, neither
/// under the realm's policy nor under that of any group.
pub fn problems(realm: &Realm, client: &ClientPolicy) -> Vec<Problem> {
    let bases = || std::iter::once(&realm.policy).chain(realm.group_policies.iter().map(|of| &of.policy));
    let mut problems = Vec::new();
    if client.allowed_types.as_ref().is_some_and(|types| types.iter().next().is_none()) {
        problems.push(Problem::new("allowed_types", "must name one or more, or be any"));
    } else if bases().all(|base| base.enabled && !takes_a_passkey(&client.meet(base))) {
        problems.push(Problem::new("allowed_types", "no policy of the realm or of a group takes any of these types"));
    }
    // What speaks of models is judged as if it were the own policy of those who come.
    let of_models = |base: &Arc<Policy>| {
        let own = base.check_models();
        let new = |problem: &Problem| !own.contains(problem);
        client.meet(base).check_models().into_iter().filter(new).collect::<Vec<_>>()
    };
    if bases().all(|base| !of_models(base).is_empty()) {
        problems.extend(of_models(&realm.policy));
    }
    let nobody = |demands: &ClientPolicy| !bases().any(|base| somebody(&realm.settings, base, demands));
    let mode = ClientPolicy { mode: client.mode, ..ClientPolicy::default() };
    let mode_and_acr = ClientPolicy { minimum_acr: client.minimum_acr, ..mode.clone() };
    if nobody(&mode) {
        let text = "accepts no combination of factors that the realm or a group accepts as well";
        problems.push(Problem::new("mode", text));
    } else if nobody(&mode_and_acr) {
        problems.push(Problem::new(MINIMUM_ACR, "no combination of factors that is let in reaches it"));
    } else if problems.is_empty() && nobody(client) {
        problems.push(Problem::new("mode", "nobody could meet these demands together"));
    }
    problems
}

/// Whether somebody could meet a client's demands under a policy.
fn somebody(settings: &RealmSettings, base: &Arc<Policy>, client: &ClientPolicy) -> bool {
    let effective = resolve(base, &[], &[], Some(client));
    let takes = takes_a_passkey(&effective.policy) && takes_a_passkey(base);
    // Who has a passkey is asked for it where others get in without: both are tried.
    [true, false].into_iter().filter(|passkey| takes || !passkey).any(|passkey| {
        let all = Holds { passkey, password: true, totp: true, asks_passkey: false, grace: false };
        lets_in(
            settings,
            &effective,
            Both { own: all, met: all },
            passkey.then(|| PasskeyProof::best(&effective.policy)),
        )
    })
}
