//! `idp user`: people who sign in.

use clap::{Args, Subcommand, ValueEnum};
use idp_core::account::{Account, AccountState, Profile, Role, check_username, is_own_name};
use idp_core::audit::AuditEvent;
use idp_core::id::AccountId;
use idp_core::passkey::record::PasskeyState;
use idp_store::accounts::{
    AccountChange, CreateAccount, DeleteAccount, NameTaken, SetAccountState, SetRole, UpdateAccount,
};
use idp_store::sessions::EndAccountSessions;
use serde_json::{Value, json};

use super::operator::{At, Operator, facts, table, time, with, word};
use super::profile::Claims;
use super::user_factors::{self, Removal, hashed};
use super::{Failure, access_pass, terminal, usage};
use crate::start;

/// People who sign in.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a user.
    Create(Create),
    /// Users by name.
    List {
        /// Begin after this user name.
        #[arg(long, value_name = "NAME", default_value = "")]
        after: String,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// One user: claims, state, passkeys, groups.
    Show { name: String },
    /// Change claims or the role.
    Set {
        #[arg(value_name = "NAME")]
        user: String,
        #[command(flatten)]
        claims: Box<Claims>,
        /// What the user may do besides signing in.
        #[arg(long)]
        role: Option<RoleName>,
    },
    /// Switch a user off: ends sessions and what was granted in them.
    Disable { name: String },
    /// Switch a disabled user on again.
    Enable { name: String },
    /// Lock a user, for instance during an investigation: ends sessions and what was granted in them.
    Lock { name: String },
    /// Unlock a locked user.
    Unlock { name: String },
    /// Delete a user with passkeys, passes, groups and consents.
    Delete { name: String },
    /// Set or remove the password; ends the user's sessions.
    Password {
        name: String,
        /// Read the password from standard input instead of asking.
        #[arg(long, conflicts_with = "remove")]
        stdin: bool,
        /// Remove it; refused while nothing else lets the user in.
        #[arg(long)]
        remove: bool,
    },
    /// The authenticator app of a user.
    Totp {
        #[command(subcommand)]
        action: Removal,
    },
    /// The recovery codes of a user.
    RecoveryCodes {
        #[command(subcommand)]
        action: Removal,
    },
    /// Sessions of a user.
    Sessions {
        #[command(subcommand)]
        action: Sessions,
    },
}

#[derive(Args)]
struct Create {
    /// User name; may be left out with --owner to let the first owner choose it.
    #[arg(value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    claims: Box<Claims>,
    /// Owns the realm; prints the one-time link to enrol with.
    #[arg(long)]
    owner: bool,
    /// Read a password from standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Subcommand)]
enum Sessions {
    /// End them all and revoke what was granted in them.
    End { name: String },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    User,
    Owner,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Create(new) => create(at, new).await,
            Action::List { after, limit } => list(at, &after, limit).await,
            Action::Show { name } => show(at, &name).await,
            Action::Set { user, claims, role } => set(at, &user, *claims, role).await,
            Action::Disable { name } => state(at, &name, AccountState::Disabled).await,
            Action::Lock { name } => state(at, &name, AccountState::Locked).await,
            Action::Enable { name } => reopen(at, &name, AccountState::Disabled).await,
            Action::Unlock { name } => reopen(at, &name, AccountState::Locked).await,
            Action::Delete { name } => delete(at, &name).await,
            Action::Password { name, stdin, remove } => user_factors::password(at, &name, stdin, remove).await,
            Action::Totp { action } => user_factors::totp(at, action).await,
            Action::RecoveryCodes { action } => user_factors::recovery_codes(at, action).await,
            Action::Sessions { action: Sessions::End { name } } => end_sessions(at, &name).await,
        })
    }
}

fn value(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "username": account.username,
        "role": account.role,
        "state": account.state,
        "has_password": account.password_hash.is_some(),
        "has_totp": account.totp.is_some(),
        "claims": account.profile,
        "created": time(account.created),
        "updated": time(account.updated),
    })
}

async fn create(at: &Operator, new: Create) -> Result<(), Failure> {
    let Some(name) = new.user else {
        return if new.owner && new.claims.is_empty() && !new.password_stdin {
            first_owner(at).await
        } else {
            Err(usage("NAME is missing; only `idp user create --owner` alone does without, for the first owner"))
        };
    };
    check_username(&name).map_err(|problem| usage(format!("NAME: {problem}")))?;
    let mut profile = Profile::default();
    new.claims.apply(&mut profile, at.realm.settings.schema())?;
    if !is_own_name(&name, profile.email.as_deref()) {
        return Err(usage(format!("NAME: a user name with @ is the user's own address: add --email {name}")));
    }
    let password_hash = if new.password_stdin {
        let password = terminal::password_line("--password-stdin")?;
        Some(hashed(at, password, (&name, &profile, &at.realm.policy), "--password-stdin").await?)
    } else {
        None
    };
    let now = at.app.now();
    let account = Account {
        id: AccountId::new(now, at.app.random()),
        username: name,
        profile,
        user_handle: at.app.random::<64>().to_vec(),
        role: if new.owner { Role::Owner } else { Role::User },
        state: AccountState::Active,
        password_hash,
        password_version: 0,
        preferences: Default::default(),
        totp: None,
        recovery: None,
        created: now,
        updated: now,
    };
    let audit = at.audit_of(
        AuditEvent::AccountCreated,
        &account,
        json!({ "username": account.username, "role": account.role }),
    );
    match at.app.store.write(CreateAccount { realm: at.realm.id, account: account.clone(), audit }).await? {
        None => {}
        Some(NameTaken::Username) => {
            return Err(format!("NAME: there is a user \"{}\" already", account.username).into());
        }
        Some(NameTaken::Email) => return Err("--email: another user has this address".into()),
        Some(NameTaken::PasskeyName) => return Err(same_passkey_name(at, &account.username, &account.profile)),
    }
    let mut value = value(&account);
    let mut text = format!("Made the user {}.", account.username);
    if new.owner {
        let issued = access_pass::issue(at, &account, access_pass::DEFAULT_LIFETIME_S, None).await?;
        value = with(value, "access_pass", issued.value);
        text = format!("Made the owner {}.\n{}", account.username, issued.text);
    } else if account.password_hash.is_none() {
        text.push_str(&format!(" To let them make a passkey: idp access-pass create {}", account.username));
    }
    at.answer(&value, &text)
}

async fn first_owner(at: &Operator) -> Result<(), Failure> {
    let Some(url) = start::setup_link(&at.app, &at.realm).await? else {
        return Err(usage("the realm has an owner already; to make another: idp user create NAME --owner"));
    };
    let text = format!("Whoever opens this link makes the owner's passkey. It works once, for 24 hours:\n\n  {url}");
    at.answer(&json!({ "setup_url": url }), &text)
}

async fn list(at: &Operator, after: &str, limit: i64) -> Result<(), Failure> {
    let accounts = at.app.store.list_accounts(at.realm.id, after, limit).await?;
    let row = |a: &Account| {
        let email = a.profile.email.clone().unwrap_or_default();
        vec![a.username.clone(), a.profile.name.clone().unwrap_or_default(), email, word(&a.role), word(&a.state)]
    };
    let values: Vec<_> = accounts.iter().map(value).collect();
    let rows: Vec<_> = accounts.iter().map(row).collect();
    at.answer(&json!(values), &table(&["USER", "NAME", "E-MAIL", "ROLE", "STATE"], &rows))
}

async fn show(at: &Operator, name: &str) -> Result<(), Failure> {
    let account = at.account(name).await?;
    let store = &at.app.store;
    let passkeys = store.list_passkeys(at.realm.id, &account.id).await?;
    let groups = store.list_groups_of(at.realm.id, &account.id).await?;
    let idle_s = at.realm.settings.session_idle_s;
    let sessions = store.list_sessions(at.realm.id, &account.id, at.app.now(), idle_s).await?.len();
    let codes = store.count_recovery_codes(at.realm.id, &account.id).await?;
    let groups: Vec<_> = groups.into_iter().map(|group| group.name).collect();
    let value = with(value(&account), "recovery_codes", json!(codes));
    let value = with(with(value, "groups", json!(groups)), "sessions", json!(sessions));
    let keys = passkeys.iter().map(|p| {
        let suspended = p.state != PasskeyState::Active;
        json!({ "name": p.name, "rp_id": p.rp_id, "synced": p.backup_eligible, "suspended": suspended,
            "created": time(p.created), "last_used": p.last_used.map(time) })
    });
    let value = with(value, "passkeys", keys.collect());
    let mut rows = vec![
        ("user", account.username.clone()),
        ("id", account.id.to_string()),
        ("role", word(&account.role)),
        ("state", word(&account.state)),
        ("password", if account.password_hash.is_some() { "set" } else { "none" }.to_owned()),
        ("authenticator app", account.totp.map_or_else(|| "none".to_owned(), time)),
        ("recovery codes", codes.to_string()),
        ("groups", groups.join(", ")),
        ("sessions", sessions.to_string()),
        ("created", time(account.created)),
    ];
    let claims = serde_json::to_value(&account.profile)?;
    for (claim, value) in claims.as_object().into_iter().flatten() {
        rows.push((claim, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    for passkey in &passkeys {
        let used = passkey.last_used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", time(at)));
        let off = if passkey.state == PasskeyState::Active { "" } else { ", suspended" };
        rows.push(("passkey", format!("{} ({}, {used}{off})", passkey.name, passkey.rp_id)));
    }
    at.answer(&value, &facts(&rows))
}

async fn set(at: &Operator, name: &str, claims: Claims, role: Option<RoleName>) -> Result<(), Failure> {
    if claims.is_empty() && role.is_none() {
        return Err(usage("nothing to change: name a claim, such as --email, or --role"));
    }
    let account = at.account(name).await?;
    if !claims.is_empty() {
        let mut profile = account.profile.clone();
        claims.apply(&mut profile, at.realm.settings.schema())?;
        let audit = if profile.email == account.profile.email {
            at.audit_of(AuditEvent::AccountChanged, &account, json!({ "what": "claims" }))
        } else {
            at.audit_of(AuditEvent::EmailChanged, &account, json!({ "email": profile.email }))
        };
        let changed = profile.clone();
        let (seen, now) = (account.updated, at.app.now());
        let op = UpdateAccount { realm: at.realm.id, id: account.id, profile, seen, now, audit };
        match at.app.store.write(op).await? {
            AccountChange::PasskeyNameTaken => return Err(same_passkey_name(at, &account.username, &changed)),
            change => done(change, name)?,
        }
    }
    if let Some(role) = role {
        let role = match role {
            RoleName::User => Role::User,
            RoleName::Owner => Role::Owner,
        };
        let audit = at.audit_of(AuditEvent::AccountChanged, &account, json!({ "role": role }));
        let op = SetRole { realm: at.realm.id, id: account.id, role, now: at.app.now(), audit };
        done(at.app.store.write(op).await?, name)?;
    }
    // Not by its name, which goes along with the address where it was that.
    let account = at.app.store.find_account(at.realm.id, &account.id).await?.unwrap_or(account);
    at.answer(&value(&account), &format!("Changed {}.", account.username))
}

/// Authenticators could not tell two users apart.
fn same_passkey_name(at: &Operator, username: &str, profile: &Profile) -> Failure {
    let name = at.realm.settings.naming().name(username, profile);
    format!("another user's passkeys are named {name:?} (passkey_username_pattern): two users need two names").into()
}

/// What a change came to, for the person at the terminal.
fn done(change: AccountChange, name: &str) -> Result<(), Failure> {
    let problem = match change {
        AccountChange::Done => return Ok(()),
        AccountChange::Changed => format!("somebody changed {name} at the same time: look at it and try again"),
        AccountChange::EmailTaken => "--email: another user has this address".to_owned(),
        AccountChange::NamedByAddress => {
            format!("--email: {name} is known by the address: give another one, of at most 128 characters")
        }
        AccountChange::PasskeyNameTaken => "another user's passkeys have this name".to_owned(),
        AccountChange::LastOwner => {
            format!("{name} is the last active owner: make another one first (idp user create NAME --owner)")
        }
        AccountChange::Gone => format!("{name} was deleted meanwhile"),
    };
    Err(problem.into())
}

async fn reopen(at: &Operator, name: &str, from: AccountState) -> Result<(), Failure> {
    match at.account(name).await?.state {
        AccountState::Active => Err(format!("{name} is active already").into()),
        now if now == from => state(at, name, AccountState::Active).await,
        AccountState::Locked => Err(format!("{name} is locked, not disabled: idp user unlock {name}").into()),
        AccountState::Disabled => Err(format!("{name} is disabled, not locked: idp user enable {name}").into()),
    }
}

async fn state(at: &Operator, name: &str, state: AccountState) -> Result<(), Failure> {
    let account = at.account(name).await?;
    let audit = at.audit_of(AuditEvent::AccountStateChanged, &account, json!({ "state": state }));
    let op = SetAccountState { realm: at.realm.id, id: account.id, state, now: at.app.now(), audit };
    done(at.app.store.write(op).await?, name)?;
    let text = match state {
        AccountState::Active => format!("{} may sign in again.", account.username),
        _ => format!("{} is {}: sessions ended, grants revoked.", account.username, word(&state)),
    };
    at.answer(&json!({ "username": account.username, "state": state }), &text)
}

async fn delete(at: &Operator, name: &str) -> Result<(), Failure> {
    let account = at.account(name).await?;
    let audit = at.audit_of(AuditEvent::AccountDeleted, &account, json!({ "username": account.username }));
    done(at.app.store.write(DeleteAccount { realm: at.realm.id, id: account.id, audit }).await?, name)?;
    at.answer(&json!({ "deleted": account.username }), &format!("Deleted {}.", account.username))
}

async fn end_sessions(at: &Operator, name: &str) -> Result<(), Failure> {
    let account = at.account(name).await?;
    let audit = at.audit_of(AuditEvent::SessionEnded, &account, json!({ "all": true }));
    let op = EndAccountSessions { realm: at.realm.id, account: account.id, keep: None, audit };
    let ended = at.app.store.write(op).await?;
    let value = json!({ "username": account.username, "ended": ended });
    at.answer(&value, &format!("Ended {ended} of {}'s sessions.", account.username))
}
