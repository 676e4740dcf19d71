//! Which policy counts for somebody at a client and why: each field with where it is from, and what it means for what
//! the person holds.
//!
//! passkey policy.

use serde::Serialize;
use serde_json::Value;

use super::policy::{ClientPolicy, Combination, FIELDS, MINIMUM_ACR, Policy, Verdict, resolve};
use super::reach::{Holder, Reach, holds, reach};
use super::simulate::faults;
use crate::realm::Realm;
use crate::time::Timestamp;

/// Where the value of a field is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody set it.
    Default,
    Realm,
    /// The group of this name.
    Group(String),
    /// The client, on top of the realm or group.
    Client,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub field: &'static str,
    pub value: Value,
    pub from: Source,
}

/// A passkey and what is held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    pub name: String,
    pub rp_id: String,
    /// Codes; none: it is taken.
    pub why: Vec<&'static str>,
}

/// A combination of factors and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    pub combination: Combination,
    /// The account holds these factors.
    pub held: bool,
    pub leads_to: Verdict,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub fields: Vec<Line>,
    pub password: bool,
    pub totp: bool,
    pub passkeys: Vec<Judged>,
    /// At the realm's first host.
    pub ways: Vec<Way>,
    pub reach: Reach,
}

/// Explains the policy of an account, at a client or at none.
pub fn explain(realm: &Realm, client: Option<&ClientPolicy>, holder: &Holder, now: Timestamp) -> Explained {
    let effective = resolve(&realm.policy, &realm.group_policies, &holder.groups, client);
    let (default, base, met) = (Policy::default().values(), effective.base.values(), effective.policy.values());
    let line = |name: &'static str| {
        let value = met.get(name).cloned().unwrap_or_default();
        let from = match effective.group {
            _ if base.get(name) != Some(&value) => Source::Client,
            Some(group) => Source::Group(group.to_owned()),
            None if default.get(name) == Some(&value) => Source::Default,
            None => Source::Realm,
        };
        Line { field: name, value, from }
    };
    let mut fields: Vec<Line> = FIELDS.iter().map(|field| line(field.name)).collect();
    let demands = effective.client.map(ClientPolicy::values).unwrap_or_default();
    // No mode names what two of them accept: both are said.
    for line in fields.iter_mut().filter(|line| line.field == "mode") {
        if let Some(mode) = demands.get("mode").filter(|mode| **mode != line.value) {
            let both = [line.value.clone(), mode.clone()];
            *line = Line { field: line.field, value: Value::Array(both.into()), from: Source::Client };
        }
    }
    if let Some(acr) = demands.get(MINIMUM_ACR) {
        fields.push(Line { field: MINIMUM_ACR, value: acr.clone(), from: Source::Client });
    }
    let judged = holder.passkeys.iter().map(|passkey| Judged {
        name: passkey.name.clone(),
        rp_id: passkey.rp_id.clone(),
        why: match realm.relying_parties.iter().any(|rp| rp.rp_id == passkey.rp_id) {
            true => faults(&effective.policy, passkey),
            false => vec!["rp_id_not_served"],
        },
    });
    let rp_id = realm.relying_parties.first().map(|rp| rp.rp_id.as_str()).unwrap_or_default();
    let held: Vec<_> = holds(holder, &effective.policy, rp_id, now).combinations().collect();
    let ways = Combination::ALL.into_iter().map(|combination| Way {
        combination,
        held: held.contains(&combination),
        leads_to: effective.verdict(combination, |policy| holds(holder, policy, rp_id, now)),
    });
    Explained {
        fields,
        password: holder.account.password_hash.is_some(),
        totp: holder.account.totp.is_some(),
        passkeys: judged.collect(),
        ways: ways.collect(),
        reach: reach(realm, client, holder, now),
    }
}
