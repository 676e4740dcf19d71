//! `idp policy`: what is asked of passkeys: by the realm, by a group in its place, by a client on top.

mod explain;
mod proposal;
mod simulate;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use idp_core::audit::AuditEvent;
use idp_core::client::Client;
use idp_core::passkey::policy::{DEMANDS, Field, Policy, Problem};
use idp_core::passkey::simulate::Outcome;
use idp_store::group_policies::{GroupPolicySet, SetGroupPolicy};
use idp_store::mds::Slot;
use idp_store::realms::SetPolicy;
use serde_json::{Value, json};

use super::operator::{At, Operator, pair, table};
use super::{Failure, client, usage};
use proposal::Proposal;

pub use proposal::twice;

/// What is asked of passkeys.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

/// Whose policy; the realm's unless said otherwise.
#[derive(Args)]
struct On {
    /// The policy of a group, which its members have in place of the realm's.
    #[arg(long, value_name = "NAME", conflicts_with = "client")]
    group: Option<String>,
    /// The demands of a client, which come on top.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    /// Every field with its value, its default and what can be set.
    Show {
        #[command(flatten)]
        on: On,
    },
    /// Set fields; a policy that nobody could satisfy is refused.
    Set {
        /// Such as user_verification=preferred or allowed_types=security_key,device
        #[arg(value_name = "KEY=VALUE", value_parser = pair, required_unless_present = "priority")]
        fields: Vec<(String, String)>,
        #[command(flatten)]
        on: On,
        /// Which group counts for somebody in several: the highest. No two share one.
        #[arg(long, value_name = "NUMBER", requires = "group", allow_negative_numbers = true)]
        priority: Option<i64>,
    },
    /// Take away the policy of a group, or demands of a client.
    Unset {
        /// Demands to take away; all of them by default.
        #[arg(value_name = "KEY", conflicts_with = "group")]
        fields: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// Which policy counts for somebody, where each field is from, and what it means for what they hold.
    Explain {
        /// User name or e-mail address.
        #[arg(long, value_name = "USER")]
        user: String,
        /// At this client.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
    },
    /// Who would be locked out by other policies, and which passkeys would stop working. Nothing is saved.
    Simulate {
        /// TOML or JSON: fields below `realm`, `groups.NAME` (with `priority`) and `clients.ID`.
        file: PathBuf,
    },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Show { on } => show(at, &on).await,
            Action::Set { fields, on, priority } => set(at, &fields, &on, priority).await,
            Action::Unset { fields, on } => unset(at, &fields, &on).await,
            Action::Explain { user, client } => explain::run(at, &user, client.as_deref()).await,
            Action::Simulate { file } => simulate::run(at, &file).await,
        })
    }
}

async fn show(at: &Operator, on: &On) -> Result<(), Failure> {
    match (&on.group, &on.client) {
        (Some(group), _) => {
            let found = at.realm.group_policies.iter().find(|of| of.group == *group);
            let of = found.ok_or_else(|| format!("the group {group} has no policy of its own"))?;
            show_policy(at, &of.policy, &format!("Policy of the group {group}, priority {}.", of.priority)).await
        }
        (_, Some(id)) => show_demands(at, &client::find(at, id).await?),
        (None, None) => {
            let groups = at.realm.group_policies.iter().map(|of| format!("{} ({})", of.group, of.priority));
            let groups: Vec<_> = groups.collect();
            let clients: Vec<_> = proposal::demanding(at).await?.iter().map(|client| client.id.to_string()).collect();
            let note = |what: &str, of: &[String]| match of {
                [] => String::new(),
                some => format!("\n{what}: {}.", some.join(", ")),
            };
            let groups = note("Groups with a policy of their own (priority)", &groups);
            show_policy(at, &at.realm.policy, &(groups + &note("Clients with demands", &clients))).await
        }
    }
}

async fn show_policy(at: &Operator, policy: &Policy, note: &str) -> Result<(), Failure> {
    let row = |(field, now, default): (&Field, String, String)| {
        let mark = if now == default { String::new() } else { default };
        vec![field.name.to_owned(), now, mark, field.acts.text().to_owned(), field.values.to_owned()]
    };
    let rows: Vec<_> = policy.show().into_iter().map(row).collect();
    let text = table(&["FIELD", "VALUE", "DEFAULT", "ACTS AT", "VALUES"], &rows);
    let text = format!("{text}\n{}", note.trim_start());
    let warned = warnings_of(at, policy).await?;
    at.answer(&Value::Object(policy.values()), &format!("{}{}", text.trim_end(), warnings(&warned)))
}

fn show_demands(at: &Operator, client: &Client) -> Result<(), Failure> {
    let demands = client.settings.policy.values();
    let text = |name: &&str| demands.get(*name).map_or_else(|| "-".to_owned(), Value::to_string);
    let rows: Vec<_> = DEMANDS.iter().map(|name| vec![(*name).to_owned(), text(name)]).collect();
    at.answer(&Value::Object(demands.clone()), &table(&["DEMAND", "VALUE"], &rows))
}

async fn set(at: &Operator, fields: &[(String, String)], on: &On, priority: Option<i64>) -> Result<(), Failure> {
    let mut proposal = Proposal::new(at).await?;
    match (&on.group, &on.client) {
        (Some(group), _) => proposal.set_group(at, group, priority, fields).await?,
        (_, Some(id)) => proposal.set_client(client::find(at, id).await?, fields),
        (None, None) => proposal.set_realm(fields),
    }
    let changed = fields.iter().map(|(field, _)| field.clone());
    let changed: Vec<_> = changed.chain(priority.map(|_| "priority".to_owned())).collect();
    save(at, &proposal, on, &changed).await
}

async fn unset(at: &Operator, fields: &[String], on: &On) -> Result<(), Failure> {
    let mut proposal = Proposal::new(at).await?;
    let changed = match (&on.group, &on.client) {
        (Some(group), _) => {
            proposal.unset_group(group)?;
            vec![format!("the policy of {group}")]
        }
        (_, Some(id)) => proposal.unset_client(client::find(at, id).await?, fields),
        (None, None) => {
            return Err(usage("--group NAME or --client ID: a realm always has a policy; set its fields instead"));
        }
    };
    save(at, &proposal, on, &changed).await
}

/// Saves what may be saved, and says whom it hits.
async fn save(at: &Operator, proposal: &Proposal, on: &On, changed: &[String]) -> Result<(), Failure> {
    proposal.refuse()?;
    let outcome = proposal.judge(at).await?;
    proposal.refuse_lock_out(at, &outcome)?;
    let audit = |detail| at.audit(AuditEvent::PolicyChanged, detail);
    let realm = at.realm.id;
    let (values, policy) = match (&on.group, &on.client) {
        (Some(group), _) => {
            let policy = proposal.group(group).map(|of| (of.priority, Policy::clone(&of.policy)));
            let values = policy.as_ref().map(|(_, policy)| policy.values()).unwrap_or_default();
            let saved = policy.as_ref().map(|(_, policy)| policy.clone());
            let audit = audit(json!({ "group": group, "fields": changed }));
            match at.app.store.write(SetGroupPolicy { realm, group: group.clone(), policy, audit }).await? {
                GroupPolicySet::Done => (values, saved),
                GroupPolicySet::Gone => return Err(format!("the group {group} was deleted meanwhile").into()),
                GroupPolicySet::PriorityTaken(other) => return Err(proposal::taken(&other).into()),
            }
        }
        (_, Some(id)) => {
            let seen = client::find(at, id).await?;
            let policy = proposal.client(&seen.id).unwrap_or_default();
            let mut next = seen.clone();
            next.settings.policy = policy.clone();
            client::save(at, &seen, next, "policy").await?;
            (policy.values(), Some(policy.meet(&proposal.realm.policy)))
        }
        (None, None) => {
            let policy = Policy::clone(&proposal.realm.policy);
            let audit = audit(json!({ "fields": changed }));
            if !at.app.store.write(SetPolicy { realm, policy: policy.clone(), audit }).await? {
                return Err("the realm was deleted meanwhile".into());
            }
            (policy.values(), Some(policy))
        }
    };
    let warned = match &policy {
        Some(policy) => warnings_of(at, policy).await?,
        None => Vec::new(),
    };
    let owners: Vec<_> = outcome.owners_lost().collect();
    let said: Vec<_> = warned.iter().map(ToString::to_string).collect();
    let value = json!({ "policy": values, "owners_locked_out": owners, "locked_out": outcome.locked_out.len(),
        "warnings": said });
    let text = format!("Set {}.", changed.join(", "));
    at.answer(&value, &(text + &hit(&outcome, &owners) + &warnings(&warned)))
}

/// What is doubtful about a policy here and now.
async fn warnings_of(at: &Operator, policy: &Policy) -> Result<Vec<Problem>, Failure> {
    let mut warnings = policy.warnings();
    let known = at.app.store.list_mds_blobs().await?.iter().any(|kept| kept.slot == Slot::Current);
    if policy.rests_on_metadata() && !known {
        let text = "there are no FIDO metadata here yet, so every passkey is refused that is judged by them: \
                    idp mds refresh, or idp mds import FILE";
        warnings.push(Problem::new("attestation_trust", text));
    }
    Ok(warnings)
}

/// What a policy seems to do and does not.
fn warnings(of: &[Problem]) -> String {
    of.iter().map(|warning| format!("\nWarning: {warning}.")).collect()
}

/// Notes on whom a saved policy hits.
fn hit(outcome: &Outcome, owners: &[&str]) -> String {
    let mut text = String::new();
    if !owners.is_empty() {
        text.push_str(&format!("\nNote: these owners can no longer sign in: {}.", owners.join(", ")));
    }
    let others = outcome.locked_out.iter().filter(|who| !who.owner || who.client.is_some()).count();
    if others > 0 {
        text.push_str(&format!("\nNote: it locks others out, {others} in all; idp policy simulate names them before."));
    }
    if !outcome.must_enrol.is_empty() {
        text.push_str(&format!("\nNote: {} must make a passkey first.", outcome.must_enrol.len()));
    }
    text
}
