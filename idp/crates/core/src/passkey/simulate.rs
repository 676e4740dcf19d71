//! What other policies would do to people: who is locked out, who must make a passkey, which passkeys stop working.
//!
//! passkey policy. Pure: accounts go through one by one, nothing is saved.

use serde::Serialize;

use super::policy::{ClientPolicy, Policy, Requirement, judge_record, resolve};
use super::reach::{Holder, Reach, reach};
use super::record::{Passkey, PasskeyState};
use crate::account::{AccountState, Role};
use crate::client::Client;
use crate::id::ClientId;
use crate::interact::is_member;
use crate::realm::Realm;
use crate::time::Timestamp;

/// The demands of a client, as they are and as they would be.
#[derive(Clone, Debug)]
pub struct Demands<'a> {
    pub client: &'a Client,
    pub next: ClientPolicy,
}

/// A realm before and after.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub now: &'a Realm,
    pub next: &'a Realm,
    /// Clients with demands, before or after.
    pub clients: &'a [Demands<'a>],
    pub at: Timestamp,
}

/// Somebody for whom something changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    pub username: String,
    pub owner: bool,
    /// At this client alone; `None`: everywhere.
    pub client: Option<ClientId>,
    /// `false`: it depends on whether a passkey that never verified its user can.
    pub certain: bool,
}

/// A passkey that is used now and would be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    #[serde(flatten)]
    pub of: Affected,
    /// What its owner calls it.
    pub passkey: String,
    /// Codes of what the policy would hold against it.
    pub why: Vec<&'static str>,
}

/// What would become of everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Active accounts that were looked at.
    pub accounts: usize,
    pub locked_out: Vec<Affected>,
    /// They come in after they made a passkey, which they may.
    pub must_enrol: Vec<Affected>,
    pub passkeys: Vec<Stopped>,
    /// Owners who surely come in after the change.
    pub owners_kept: usize,
}

impl Outcome {
    /// Owners who would be locked out of the realm, or might be.
    pub fn owners_lost(&self) -> impl Iterator<Item = &str> {
        let lost = self.locked_out.iter().filter(|who| who.owner && who.client.is_none());
        lost.map(|who| who.username.as_str())
    }

    /// Sorts by user name, for people to read.
    pub fn sort(&mut self) {
        let key = |who: &Affected| (who.username.to_lowercase(), who.client.as_ref().map(ToString::to_string));
        self.locked_out.sort_by_cached_key(key);
        self.must_enrol.sort_by_cached_key(key);
        self.passkeys.sort_by_cached_key(|stopped| (key(&stopped.of), stopped.passkey.clone()));
    }

    /// Judges one account; one that is switched off loses nothing.
    pub fn judge(&mut self, change: Change<'_>, holder: &Holder) {
        if holder.account.state != AccountState::Active {
            return;
        }
        self.accounts += 1;
        let (was, will) = (reach(change.now, None, holder, change.at), reach(change.next, None, holder, change.at));
        self.note(holder, None, (was, will));
        self.owners_kept += usize::from(holder.account.role == Role::Owner && will == Reach::In);
        self.stop(change, holder, None);
        for demands in change.clients {
            let (client, groups) = (demands.client, holder.groups.iter().map(String::as_str));
            if !is_member(client, groups) {
                continue;
            }
            let now = reach(change.now, Some(&client.settings.policy), holder, change.at);
            let next = reach(change.next, Some(&demands.next), holder, change.at);
            // What happens everywhere is not said again of each client.
            if next < will || was == will {
                self.note(holder, Some(&client.id), (now, next));
            }
            self.stop(change, holder, Some(demands));
        }
    }

    fn note(&mut self, holder: &Holder, client: Option<&ClientId>, (was, will): (Reach, Reach)) {
        if will >= was {
            return;
        }
        let who = affected(holder, client, will != Reach::Perhaps);
        match will {
            Reach::Out | Reach::Perhaps => self.locked_out.push(who),
            Reach::Enrols => self.must_enrol.push(who),
            Reach::In => {}
        }
    }

    fn stop(&mut self, change: Change<'_>, holder: &Holder, demands: Option<&Demands<'_>>) {
        let (now, next) = (change.now, change.next);
        let was = resolve(
            &now.policy,
            &now.group_policies,
            &holder.groups,
            demands.map(|demands| &demands.client.settings.policy),
        );
        let will = resolve(&next.policy, &next.group_policies, &holder.groups, demands.map(|demands| &demands.next));
        let here = |passkey: &&Passkey| now.relying_parties.iter().any(|rp| rp.rp_id == passkey.rp_id);
        let active = holder.passkeys.iter().filter(|passkey| passkey.state == PasskeyState::Active).filter(here);
        for passkey in active.filter(|passkey| faults(&was.policy, passkey).is_empty()) {
            let why = faults(&will.policy, passkey);
            // Nor is it said again of a client what stops everywhere.
            if why.is_empty() || (demands.is_some() && !faults(will.base, passkey).is_empty()) {
                continue;
            }
            let certain = why != [UNVERIFIED];
            let of = affected(holder, demands.map(|demands| &demands.client.id), certain);
            self.passkeys.push(Stopped { of, passkey: passkey.name.clone(), why });
        }
    }
}

/// The code of what only the next use can tell.
const UNVERIFIED: &str = "user_not_verified";

/// Codes of all that a policy holds against a passkey, as far as can be told before it is used.
pub fn faults(policy: &Policy, passkey: &Passkey) -> Vec<&'static str> {
    let mut codes: Vec<_> = judge_record(policy, passkey).iter().map(|violation| violation.code()).collect();
    if policy.enabled && !policy.allow_login && !policy.allow_second_factor {
        codes.extend(["login_disabled", "second_factor_disabled"]);
    }
    let required = policy.user_verification.of(passkey.passkey_type()) == Requirement::Required;
    if required && !passkey.uv_initialized {
        codes.push(UNVERIFIED);
    }
    codes
}

fn affected(holder: &Holder, client: Option<&ClientId>, certain: bool) -> Affected {
    let account = &holder.account;
    Affected {
        username: account.username.clone(),
        owner: account.role == Role::Owner,
        client: client.cloned(),
        certain,
    }
}
