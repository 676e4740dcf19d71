//! `idp user password|totp|recovery-codes`: factors besides passkeys.

use clap::Subcommand;
use idp_core::account::{Account, Profile};
use idp_core::audit::AuditEvent;
use idp_core::credential::password::{PasswordRules, check_new, least};
use idp_core::credential::recovery::effective;
use idp_core::passkey::policy::Policy;
use idp_core::secret::Secret;
use idp_store::held::WayIn;
use idp_store::passwords::{Keep, PasswordSet, SetPassword};
use idp_store::recovery_codes::RemoveRecoveryCodes;
use idp_store::totp::{FactorRemoved, RemoveTotp};
use serde_json::json;

use super::operator::Operator;
use super::{Failure, terminal, usage};

/// What can be done with a factor that only its owner can set up.
#[derive(Subcommand)]
pub enum Removal {
    /// Remove it, for instance after its phone was lost.
    Remove { name: String },
}

/// The policy of an account.
async fn policy_of(at: &Operator, account: &Account) -> Result<Policy, Failure> {
    Ok(at.app.policy_of(&at.realm, &account.id).await?.as_ref().clone())
}

/// Sets or removes a password.
///
/// # Errors
/// What the person at the terminal is to change.
pub async fn password(at: &Operator, name: &str, stdin: bool, remove: bool) -> Result<(), Failure> {
    let account = at.account(name).await?;
    let policy = policy_of(at, &account).await?;
    let (event, hash) = if remove {
        if account.password_hash.is_none() {
            return Err(format!("--remove: {name} has no password").into());
        }
        (AuditEvent::PasswordRemoved, None)
    } else {
        let (flag, password) = if stdin {
            ("--stdin", terminal::password_line("--stdin")?)
        } else {
            ("password", terminal::ask_new_password(&account.username)?)
        };
        let who = (account.username.as_str(), &account.profile, &policy);
        (AuditEvent::PasswordSet, Some(hashed(at, password, who, flag).await?))
    };
    let op = SetPassword {
        realm: at.realm.id,
        account: account.id,
        hash,
        seen_version: account.password_version,
        keep: Keep::None,
        way_in: Some(WayIn { policy, recovery: effective(&at.realm.settings, at.app.store.queues_mail()) }),
        clear: Vec::new(),
        now: at.app.now(),
        audit: at.audit_of(event, &account, json!({})),
    };
    match at.app.store.write(op).await? {
        PasswordSet::Done => {}
        PasswordSet::LastWayIn => {
            let text = "--remove: nothing else lets this user in: first a passkey (idp access-pass create)";
            return Err(format!("{text}, or idp user disable").into());
        }
        PasswordSet::Changed | PasswordSet::PassGone => {
            return Err(format!("somebody changed the password of {name} at the same time: try again").into());
        }
    }
    let text = if remove { "removed" } else { "set" };
    let value = json!({ "username": account.username, "has_password": !remove });
    at.answer(&value, &format!("Password of {} {text}; sessions ended.", account.username))
}

/// Hash of a new password of somebody.
///
/// # Errors
/// What is wrong with it; names `flag`.
pub async fn hashed(
    at: &Operator,
    password: Secret<String>,
    (username, profile, policy): (&str, &Profile, &Policy),
    flag: &str,
) -> Result<Secret<String>, Failure> {
    let names = [username, profile.email.as_deref().unwrap_or_default(), at.realm.display_name.as_str()];
    let least = least(&at.realm.settings, policy);
    let rules = PasswordRules { least, names: &names, blocklist: &at.app.blocklist };
    check_new(password.expose(), &rules).map_err(|weak| usage(format!("{flag}: {weak}")))?;
    Ok(at.app.passwords.hash(password, at.app.random()).await?)
}

/// Removes an authenticator app.
///
/// # Errors
/// A user who is not there, or has none.
pub async fn totp(at: &Operator, Removal::Remove { name }: Removal) -> Result<(), Failure> {
    let account = at.account(&name).await?;
    let audit = at.audit_of(AuditEvent::TotpRemoved, &account, json!({}));
    // An operator sees to it that the user gets back in.
    let op = RemoveTotp { realm: at.realm.id, account: account.id, way_in: None, keep: None, audit };
    if at.app.store.write(op).await? != FactorRemoved::Done {
        return Err(format!("{name} has no authenticator app").into());
    }
    let value = json!({ "username": account.username, "has_totp": false });
    at.answer(&value, &format!("Removed the authenticator app of {}.", account.username))
}

/// Removes the recovery codes.
///
/// # Errors
/// A user who is not there, or has none.
pub async fn recovery_codes(at: &Operator, Removal::Remove { name }: Removal) -> Result<(), Failure> {
    let account = at.account(&name).await?;
    let audit = at.audit_of(AuditEvent::RecoveryCodesRemoved, &account, json!({}));
    let op = RemoveRecoveryCodes { realm: at.realm.id, account: account.id, audit };
    if at.app.store.write(op).await? == 0 {
        return Err(format!("{name} has no recovery codes").into());
    }
    let value = json!({ "username": account.username, "recovery_codes": 0 });
    at.answer(&value, &format!("Removed the recovery codes of {}.", account.username))
}
