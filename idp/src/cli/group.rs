//! `idp group`: groups and their members.

use clap::{Args, Subcommand};
use idp_core::audit::AuditEvent;
use idp_store::groups::{AddMember, CreateGroup, DeleteGroup, Group, Membership, RemoveMember};
use serde_json::{Value, json};

use super::operator::{At, Operator, table, time};
use super::{Failure, usage};

/// Groups and their members.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a group.
    Create {
        /// Short and stable: letters, digits and . _ : / -
        name: String,
        /// What people read; the name by default.
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
    },
    /// All groups.
    List,
    /// Delete a group; its members stay.
    Delete { name: String },
    /// Put users into a group.
    Add {
        group: String,
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Take users out of a group.
    Remove {
        group: String,
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// The users in a group.
    Members { group: String },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Create { name, display_name } => create(at, name, display_name).await,
            Action::List => list(at).await,
            Action::Delete { name } => delete(at, name).await,
            Action::Add { group, users } => change(at, &group, &users, true).await,
            Action::Remove { group, users } => change(at, &group, &users, false).await,
            Action::Members { group } => members(at, &group).await,
        })
    }
}

fn value(group: &Group) -> Value {
    json!({ "name": group.name, "display_name": group.display_name, "created": time(group.created) })
}

async fn create(at: &Operator, name: String, display_name: Option<String>) -> Result<(), Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
        return Err(usage("NAME: a group name has 1 to 64 letters, digits and . _ : / -"));
    }
    let display_name = display_name.unwrap_or_else(|| name.clone());
    if display_name.trim().is_empty() || display_name.chars().any(char::is_control) {
        return Err(usage("--display-name: write some text without control characters"));
    }
    let group = Group { name, display_name, created: at.app.now() };
    let audit = at.audit(AuditEvent::GroupCreated, json!({ "group": group.name }));
    if !at.app.store.write(CreateGroup { realm: at.realm.id, group: group.clone(), audit }).await? {
        return Err(format!("there is a group \"{}\" already", group.name).into());
    }
    at.answer(&value(&group), &format!("Made the group {}.", group.name))
}

async fn list(at: &Operator) -> Result<(), Failure> {
    let groups = at.app.store.list_groups(at.realm.id).await?;
    let rows: Vec<_> = groups.iter().map(|g| vec![g.name.clone(), g.display_name.clone(), time(g.created)]).collect();
    let values: Vec<_> = groups.iter().map(value).collect();
    at.answer(&json!(values), &table(&["NAME", "DISPLAY NAME", "CREATED"], &rows))
}

async fn delete(at: &Operator, name: String) -> Result<(), Failure> {
    if at.realm.group_policies.iter().any(|of| of.group == name) {
        // Its members would have the realm's policy at once; that is judged there.
        return Err(format!("{name} has a passkey policy: idp policy unset --group {name}").into());
    }
    let audit = at.audit(AuditEvent::GroupDeleted, json!({ "group": name }));
    if !at.app.store.write(DeleteGroup { realm: at.realm.id, name: name.clone(), audit }).await? {
        return Err(no_group(&name));
    }
    at.answer(&json!({ "deleted": name }), &format!("Deleted the group {name}."))
}

async fn change(at: &Operator, group: &str, users: &[String], add: bool) -> Result<(), Failure> {
    known(at, group).await?;
    let mut accounts = Vec::new();
    // All names are looked up before anything is written.
    for user in users {
        accounts.push(at.account(user).await?);
    }
    let mut changed = Vec::new();
    for account in accounts {
        let act = if add { "add" } else { "remove" };
        let audit = at.audit_of(AuditEvent::GroupChanged, &account, json!({ "group": group, "act": act }));
        let (realm, group) = (at.realm.id, group.to_owned());
        let out = if add {
            at.app.store.write(AddMember { realm, group, account: account.id, audit }).await?
        } else {
            at.app.store.write(RemoveMember { realm, group, account: account.id, audit }).await?
        };
        match out {
            Membership::Done => changed.push(account.username),
            Membership::Already => {}
            Membership::Gone => return Err("the group or the user was deleted meanwhile".into()),
        }
    }
    let text = match (changed.is_empty(), add) {
        (true, _) => "Nothing to change.".to_owned(),
        (_, true) => format!("Added to {group}: {}.", changed.join(", ")),
        (_, false) => format!("Removed from {group}: {}.", changed.join(", ")),
    };
    at.answer(&json!({ "group": group, "changed": changed }), &text)
}

async fn members(at: &Operator, group: &str) -> Result<(), Failure> {
    known(at, group).await?;
    let names: Vec<_> = at.app.store.list_group_members(at.realm.id, group).await?;
    let names: Vec<_> = names.into_iter().map(|account| account.username).collect();
    at.answer(&json!(names), &names.join("\n"))
}

async fn known(at: &Operator, name: &str) -> Result<(), Failure> {
    let groups = at.app.store.list_groups(at.realm.id).await?;
    if groups.iter().any(|group| group.name == name) { Ok(()) } else { Err(no_group(name)) }
}

fn no_group(name: &str) -> Failure {
    format!("there is no group \"{name}\": idp group list shows them").into()
}
