//! Accounts: who can sign in.

use serde::{Deserialize, Serialize};

use crate::id::AccountId;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What an account may do besides signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Signs in to applications.
    User,
    /// Owns the realm: the first account, made by the set-up link.
    Owner,
}

/// Whether an account may sign in. Only an admin changes it; failed guesses never do (they are throttled instead).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// May sign in.
    Active,
    /// Switched off by an admin.
    Disabled,
    /// Locked by an admin, for instance during an investigation.
    Locked,
}

/// Standard claims of an account (OIDC Core §5.1). `sub` is the account id and `updated_at` the row's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether somebody proved to receive mail at `email`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub email_verified: bool,
}

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    /// As typed when the account was made; compared by [`name_key`].
    pub username: String,
    pub profile: Profile,
    /// 64 random bytes given to authenticators (WebAuthn L3 §14.6.1: no personal data).
    pub user_handle: Vec<u8>,
    pub role: Role,
    pub state: AccountState,
    /// Argon2id in PHC form; `None`: no password.
    pub password_hash: Option<Secret<String>>,
    /// Grows with each change of the password, so that what rested on the old one can be told apart.
    pub password_version: i64,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl Account {
    /// What a person is called on pages: the full name, else the user name.
    pub fn display_name(&self) -> &str {
        self.profile.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&self.username)
    }
}

/// Why a user name or address cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("a user name has 1 to 128 characters")]
    Length,
    #[error("a user name has no blanks at its ends and no control characters")]
    Characters,
    #[error("an e-mail address looks like name@example.org")]
    Email,
}

/// The form under which user names and e-mail addresses are unique and found: lower case.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Checks a user name: 1 to 128 characters, none of them control or invisible formatting characters.
///
/// # Errors
/// [`InvalidName`] says what to change.
pub fn check_username(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() || name.chars().count() > 128 {
        return Err(InvalidName::Length);
    }
    // Bidirectional and zero-width characters would let one name look like another.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.trim() != name || name.chars().any(hidden) {
        return Err(InvalidName::Characters);
    }
    Ok(())
}

/// Checks the shape of an e-mail address; whether it exists, only a mail can tell.
///
/// # Errors
/// [`InvalidName::Email`].
pub fn check_email(email: &str) -> Result<(), InvalidName> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ',' | ';');
    match email.split_once('@') {
        Some((local, domain))
            if email.len() <= 254
                && !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !email.chars().any(bad) =>
        {
            Ok(())
        }
        _ => Err(InvalidName::Email),
    }
}
