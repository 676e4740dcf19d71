//! `idp policy`: what the realm asks of passkeys.

use clap::{Args, Subcommand};
use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::Policy;
use idp_store::realms::SetPolicy;
use serde_json::{Value, json};

use super::operator::{At, Operator, pair, table};
use super::owners::{self, Owners};
use super::{Failure, usage};

/// What is asked of passkeys.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Every field with its value, its default and what can be set.
    Show,
    /// Set fields; a policy that nobody could satisfy is refused.
    Set {
        /// Such as user_verification=preferred or allowed_types=security_key,device
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
        fields: Vec<(String, String)>,
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
            Action::Show => show(at, &at.realm.policy),
            Action::Set { fields } => set(at, &fields).await,
        })
    }
}

fn show(at: &Operator, policy: &Policy) -> Result<(), Failure> {
    let row = |(field, now, default): (&idp_core::passkey::policy::Field, String, String)| {
        let mark = if now == default { String::new() } else { default };
        vec![field.name.to_owned(), now, mark, field.acts.text().to_owned(), field.values.to_owned()]
    };
    let rows: Vec<_> = policy.show().into_iter().map(row).collect();
    at.answer(&Value::Object(policy.values()), &table(&["FIELD", "VALUE", "DEFAULT", "ACTS AT", "VALUES"], &rows))
}

async fn set(at: &Operator, fields: &[(String, String)]) -> Result<(), Failure> {
    let mut policy = Policy::clone(&at.realm.policy);
    let mut problems = twice(fields);
    problems.extend(fields.iter().filter_map(|(field, text)| policy.set(field, text).err()).map(|p| p.to_string()));
    // Values that cannot be read leave their fields as they were; the whole is judged all the same.
    problems.extend(policy.check().iter().map(ToString::to_string));
    if !problems.is_empty() {
        return Err(usage(problems.join("\n     ")));
    }
    if policy == *at.realm.policy {
        return show(at, &policy);
    }
    let owners = owners::compare(at, &policy).await?;
    refuse_lock_out(&at.realm.policy, &policy, &owners)?;
    let changed: Vec<_> = fields.iter().map(|(field, _)| field.as_str()).collect();
    let audit = at.audit(AuditEvent::PolicyChanged, json!({ "fields": changed }));
    if !at.app.store.write(SetPolicy { realm: at.realm.id, policy: policy.clone(), audit }).await? {
        return Err("the realm was deleted meanwhile".into());
    }
    let mut text = format!("Set {}.", changed.join(", "));
    if !owners.lost.is_empty() {
        text.push_str(&format!("\nNote: these owners can no longer sign in: {}.", owners.lost.join(", ")));
    }
    let value = json!({ "policy": policy.values(), "owners_locked_out": owners.lost });
    at.answer(&value, &text)
}

/// Fields named twice: which value was meant?
pub fn twice(fields: &[(String, String)]) -> Vec<String> {
    let again = |i: usize, name: &str| fields.iter().skip(i + 1).any(|(other, _)| other == name);
    let twice = fields.iter().enumerate().filter(|(i, (name, _))| again(*i, name));
    twice.map(|(_, (name, _))| format!("{name}: is named twice")).collect()
}

/// Switching passkeys off must cost no owner their way in; anything else must leave one owner.
fn refuse_lock_out(now: &Policy, next: &Policy, owners: &Owners) -> Result<(), Failure> {
    let off = now.enabled && !next.enabled;
    if owners.lost.is_empty() || (!off && !owners.kept.is_empty()) {
        return Ok(());
    }
    let field = if off { "enabled" } else { "this policy" };
    let names = owners.lost.join(", ");
    let how = "give them another way in first (idp access-pass create, idp user password)";
    Err(format!("{field}: these owners could no longer sign in: {names}; {how}").into())
}
