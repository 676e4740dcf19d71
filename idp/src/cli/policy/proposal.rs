//! Policies as they would be: judged as a whole before anything is saved, by every command that changes one.

use std::sync::Arc;

use idp_core::client::Client;
use idp_core::id::{AccountId, ClientId};
use idp_core::passkey::policy::{ClientPolicy, GroupPolicy, Policy, Problem};
use idp_core::passkey::reach;
use idp_core::passkey::simulate::{Change, Demands, Outcome};
use idp_core::realm::Realm;

use crate::cli::operator::Operator;
use crate::cli::{Failure, usage};

/// Accounts read at once.
const PAGE: i64 = 2000;

/// What is proposed.
pub struct Proposal {
    /// The realm with its policies as they would be.
    pub realm: Realm,
    /// Clients with demands, now or then.
    clients: Vec<(Client, ClientPolicy)>,
    problems: Vec<String>,
}

/// The clients that demand something.
///
/// # Errors
/// Those of the database.
pub async fn demanding(at: &Operator) -> Result<Vec<Client>, Failure> {
    let clients = at.app.store.list_clients(at.realm.id).await?;
    Ok(clients.into_iter().filter(|client| !client.settings.policy.is_empty()).collect())
}

/// Fields named twice: which value was meant?
pub fn twice(fields: &[(String, String)]) -> Vec<String> {
    let again = |i: usize, name: &str| fields.iter().skip(i + 1).any(|(other, _)| other == name);
    let twice = fields.iter().enumerate().filter(|(i, (name, _))| again(*i, name));
    twice.map(|(_, (name, _))| format!("{name}: is named twice")).collect()
}

/// Says that another group has a priority.
pub fn taken(group: &str) -> String {
    format!("--priority: the group {group} has this one: whose policy would count for a member of both?")
}

/// Demands of a client that nobody could meet in a realm; the client is named.
fn unmet(realm: &Realm, client: &Client, demands: &ClientPolicy) -> Vec<String> {
    let problems = reach::problems(realm, demands);
    problems.iter().map(|problem| format!("client {}: {problem}", client.id)).collect()
}

impl Proposal {
    /// Nothing changed yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn new(at: &Operator) -> Result<Self, Failure> {
        let clients = demanding(at).await?.into_iter().map(|client| {
            let demands = client.settings.policy.clone();
            (client, demands)
        });
        Ok(Self { realm: Realm::clone(&at.realm), clients: clients.collect(), problems: Vec::new() })
    }

    /// Sets fields of the realm's policy.
    pub fn set_realm(&mut self, fields: &[(String, String)]) {
        let policy = self.changed("", &self.realm.policy.clone(), fields);
        self.realm.policy = policy;
    }

    /// Sets fields of a group's policy; a group without one begins with the realm's.
    ///
    /// # Errors
    /// When there is no such group.
    pub async fn set_group(
        &mut self,
        at: &Operator,
        group: &str,
        priority: Option<i64>,
        fields: &[(String, String)],
    ) -> Result<(), Failure> {
        if !at.app.store.list_groups(at.realm.id).await?.iter().any(|known| known.name == group) {
            return Err(format!("there is no group \"{group}\": idp group list shows them").into());
        }
        let before = self.group(group).cloned();
        let base = before.as_ref().map_or(&self.realm.policy, |of| &of.policy).clone();
        let policy = self.changed(&format!("group {group}: "), &base, fields);
        let Some(priority) = priority.or(before.map(|of| of.priority)) else {
            self.problems.push(format!("--priority: which policy counts for somebody in {group} and other groups?"));
            return Ok(());
        };
        let others = self.realm.group_policies.iter().filter(|of| of.group != group);
        let taken_by = others.clone().find(|of| of.priority == priority).map(|of| taken(&of.group));
        let mut all: Vec<_> = others.cloned().collect();
        self.problems.extend(taken_by);
        all.push(GroupPolicy { group: group.to_owned(), priority, policy });
        self.realm.group_policies = all;
        Ok(())
    }

    /// Takes the policy of a group away.
    ///
    /// # Errors
    /// When it has none.
    pub fn unset_group(&mut self, group: &str) -> Result<(), Failure> {
        if self.group(group).is_none() {
            return Err(format!("the group {group} has no policy of its own").into());
        }
        self.realm.group_policies.retain(|of| of.group != group);
        Ok(())
    }

    /// Sets demands of a client.
    pub fn set_client(&mut self, client: Client, fields: &[(String, String)]) {
        let mut demands = client.settings.policy.clone();
        self.problems.extend(twice(fields));
        for (name, text) in fields {
            if let Err(problem) = demands.set(name, text) {
                self.problems.push(format!("client {}: {problem}", client.id));
            }
        }
        self.replace(client, demands);
    }

    /// Takes demands of a client away, or all of them; their names.
    pub fn unset_client(&mut self, client: Client, fields: &[String]) -> Vec<String> {
        let mut demands = client.settings.policy.clone();
        let all: Vec<_> = demands.values().into_iter().map(|(name, _)| name).collect();
        let named = if fields.is_empty() { &all } else { fields };
        for name in named {
            if let Err(problem) = demands.unset(name) {
                self.problems.push(problem.to_string());
            }
        }
        self.replace(client, demands);
        named.to_vec()
    }

    fn replace(&mut self, client: Client, demands: ClientPolicy) {
        self.clients.retain(|(other, _)| other.id != client.id);
        self.clients.push((client, demands));
    }

    /// A policy with fields set; what is wrong with it becomes a problem.
    fn changed(&mut self, of: &str, base: &Arc<Policy>, fields: &[(String, String)]) -> Arc<Policy> {
        let mut policy = Policy::clone(base);
        let mut problems: Vec<Problem> = Vec::new();
        self.problems.extend(twice(fields));
        problems.extend(fields.iter().filter_map(|(name, text)| policy.set(name, text).err()));
        // Values that cannot be read leave their fields as they were; the whole is judged all the same.
        problems.extend(policy.check());
        self.problems.extend(problems.iter().map(|problem| format!("{of}{problem}")));
        Arc::new(policy)
    }

    /// The policy that a group would have.
    pub fn group(&self, name: &str) -> Option<&GroupPolicy> {
        self.realm.group_policies.iter().find(|of| of.group == name)
    }

    /// The demands that a client would make.
    pub fn client(&self, id: &ClientId) -> Option<ClientPolicy> {
        self.clients.iter().find(|(client, _)| client.id == *id).map(|(_, demands)| demands.clone())
    }

    /// Refuses what cannot be saved, all of it at once.
    ///
    /// # Errors
    /// Fields out of range, equal priorities, clients whose demands nobody could meet.
    pub fn refuse(&self) -> Result<(), Failure> {
        let mut problems = self.problems.clone();
        // What follows from a mistake is none of its own.
        if problems.is_empty() {
            problems = self.clients.iter().flat_map(|(client, demands)| unmet(&self.realm, client, demands)).collect();
        }
        if problems.is_empty() { Ok(()) } else { Err(usage(problems.join("\n     "))) }
    }

    /// What would become of every account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn judge(&self, at: &Operator) -> Result<Outcome, Failure> {
        let clients: Vec<_> =
            self.clients.iter().map(|(client, next)| Demands { client, next: next.clone() }).collect();
        let change = Change { now: &at.realm, next: &self.realm, clients: &clients, at: at.app.now() };
        let mut outcome = Outcome::default();
        let mut after: Option<AccountId> = None;
        loop {
            let page = at.app.store.list_holders(at.realm.id, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.account.id);
            page.iter().for_each(|holder| outcome.judge(change, holder));
        }
        outcome.sort();
        Ok(outcome)
    }

    /// Switching passkeys off must cost no owner their way in; anything else must leave one owner.
    ///
    /// # Errors
    /// The owners who could no longer sign in.
    pub fn refuse_lock_out(&self, at: &Operator, outcome: &Outcome) -> Result<(), Failure> {
        let switched_off = |now: &Policy, next: &Policy| now.enabled && !next.enabled;
        let of_group = |of: &GroupPolicy| {
            let before = at.realm.group_policies.iter().find(|other| other.group == of.group);
            switched_off(before.map_or(&at.realm.policy, |of| &of.policy), &of.policy)
        };
        let off = switched_off(&at.realm.policy, &self.realm.policy) || self.realm.group_policies.iter().any(of_group);
        let lost: Vec<_> = outcome.owners_lost().collect();
        if lost.is_empty() || (!off && outcome.owners_kept > 0) {
            return Ok(());
        }
        let field = if off { "enabled" } else { "this policy" };
        let names = lost.join(", ");
        let how = "give them another way in first (idp access-pass create, idp user password)";
        Err(format!("{field}: these owners could no longer sign in: {names}; {how}").into())
    }
}
