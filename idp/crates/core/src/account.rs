//! Accounts: who can sign in.

pub mod claims;
pub mod verification;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// A postal address (OIDC Core §5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Address {
    /// The whole as on a label; lines end with `\n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State, province or canton.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Address {
    /// The whole in one text, for pages: as it was given, else made of its parts.
    pub fn lines(&self) -> String {
        let Self { formatted, street_address, locality, region, postal_code, country } = self;
        let parts = || [street_address, postal_code, locality, region, country].into_iter().flatten();
        formatted.clone().unwrap_or_else(|| parts().map(String::as_str).collect::<Vec<_>>().join(", "))
    }
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
    /// From when codes mailed to `email` recover without waiting, where a password alone was enough to set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_settled: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether somebody proved to answer at `phone_number`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What the realm knows besides the standard claims, by name: texts, numbers, booleans and lists of texts.
    /// Mappings make claims of them (see [`crate::oidc::mapping`]).
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub traits: Map<String, Value>,
}

/// Most traits of an account; each is at most a list of so many texts.
const MOST_TRAITS: usize = 64;

impl Profile {
    /// Everything that keeps the traits from being saved, each a sentence that names the trait.
    pub fn trait_problems(&self) -> Vec<String> {
        let text = |text: &str| text.chars().count() <= 256 && !text.chars().any(char::is_control);
        let good = |value: &Value| match value {
            Value::Bool(_) | Value::Number(_) => true,
            Value::String(one) => text(one),
            Value::Array(list) => list.len() <= MOST_TRAITS && list.iter().all(|v| v.as_str().is_some_and(text)),
            Value::Null | Value::Object(_) => false,
        };
        let name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.len() <= 64
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
        };
        let mut problems = Vec::new();
        if self.traits.len() > MOST_TRAITS {
            problems.push(format!("at most {MOST_TRAITS} traits"));
        }
        for (trait_name, value) in &self.traits {
            if !name(trait_name) {
                problems.push(format!("{trait_name:?}: a name has 1 to 64 characters: a letter, then a-z 0-9 _ . -"));
            }
            if !good(value) {
                let bounds = "a text of at most 256 characters, a number, true, false or a list of at most 64 texts";
                problems.push(format!("{trait_name}: a value is {bounds}"));
            }
        }
        problems
    }
}

/// What a person chose for themselves, and what they were asked already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// To be asked for the passkey after the password, where the policy would let in without.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ask_passkey: bool,
    /// When a passkey was first asked for: a grace period runs from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passkey_first_asked: Option<Timestamp>,
    /// When a passkey was last offered and put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passkey_put_off: Option<Timestamp>,
    /// When a passkey was made without a dialogue; that happens once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passkey_upgraded: Option<Timestamp>,
}

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    /// As typed when the account was made; compared by [`name_key`].
    pub username: String,
    pub profile: Profile,
    /// 64 random bytes given to authenticators (WebAuthn L3 §14.6.1: no personal data). Never changed: pairwise
    /// subjects rest on it, too.
    pub user_handle: Vec<u8>,
    pub role: Role,
    pub state: AccountState,
    /// Argon2id in PHC form; `None`: no password.
    pub password_hash: Option<Secret<String>>,
    /// Grows with each change of the password, so that what rested on the old one can be told apart.
    pub password_version: i64,
    pub preferences: Preferences,
    /// Since when it has an authenticator app; that is kept by itself.
    pub totp: Option<Timestamp>,
    /// When somebody who recovers it can go on; that is kept by itself, too.
    pub recovery: Option<Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl Account {
    /// What a person is called on pages: the full name, else the user name.
    pub fn display_name(&self) -> &str {
        self.profile.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&self.username)
    }
}

/// Whom a typed name means, of the account with this user name and the one with this address: whoever proved the address
/// goes before whoever merely has it as a user name, of times when an account could keep that.
pub fn meant(by_name: Option<Account>, by_email: Option<Account>) -> Option<Account> {
    let is_proved = by_email.as_ref().is_some_and(|account| account.profile.email_verified);
    if is_proved { by_email } else { by_name.or(by_email) }
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
    #[error("a telephone number looks like +41 44 123 45 67")]
    PhoneNumber,
}

/// The form under which user names and e-mail addresses are unique and found: lower case.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a user name may be that of an account with this address: one with @ is typed where addresses are, so that it
/// must be the account's own.
pub fn is_own_name(username: &str, email: Option<&str>) -> bool {
    !username.contains('@') || email.map(name_key) == Some(name_key(username))
}

/// The user name of an account whose address, of the key `before`, becomes `email`: one that was the address stays the
/// address, or it would answer for whoever gets that address next.
///
/// # Errors
/// [`InvalidName`] where the new address cannot be a user name, or there is none.
pub fn username_with(username: String, before: Option<&str>, email: Option<&str>) -> Result<String, InvalidName> {
    let key = name_key(&username);
    if !username.contains('@') || before != Some(&key) || email.map(name_key) == Some(key) {
        return Ok(username);
    }
    let email = email.ok_or(InvalidName::Email)?;
    check_username(email).map(|()| email.to_owned())
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

/// Checks the shape of a telephone number: E.164 with the usual signs between digits, an extension as in RFC 3966
/// (OIDC Core §5.1).
///
/// # Errors
/// [`InvalidName::PhoneNumber`].
pub fn check_phone_number(number: &str) -> Result<(), InvalidName> {
    let (number, extension) = number.split_once(";ext=").unwrap_or((number, "0"));
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let signs = number.strip_prefix('+').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'(' | b')'))
    });
    let extends = (1..=8).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_digit());
    let fits = signs && (3..=15).contains(&digits) && number.len() <= 32 && number.trim_end() == number;
    if fits && extends { Ok(()) } else { Err(InvalidName::PhoneNumber) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Address, InvalidName, Profile, check_phone_number, is_own_name, username_with};

    #[test]
    fn traits_are_bounded_in_name_type_and_number() {
        let problems = |traits: serde_json::Value| {
            Profile { traits: traits.as_object().unwrap().clone(), ..Profile::default() }.trait_problems()
        };
        let good = json!({ "department": "", "level.max": -1.5, "is-staff": false, "tongues_2": ["de"], "none": [] });
        assert_eq!(problems(good), Vec::<String>::new());
        for bad in [
            json!({ "": 1 }),
            json!({ "Upper": 1 }),
            json!({ "2nd": 1 }),
            json!({ "a b": 1 }),
            json!({ "a": null }),
            json!({ "a": {} }),
            json!({ "a": [1] }),
            json!({ "a": "x".repeat(257) }),
            json!({ "a": "x\ny" }),
            json!({ "a": vec!["x"; 65] }),
        ] {
            assert_eq!(problems(bad.clone()).len(), 1, "{bad}");
        }
        let many = (0..65).map(|n| (format!("t{n}"), json!(n))).collect();
        assert_eq!(problems(serde_json::Value::Object(many)).len(), 1);
    }

    #[test]
    fn a_user_name_that_is_the_address_goes_along_with_it() {
        let with = |name: &str, before, email| username_with(name.to_owned(), before, email);
        let (old, new) = (Some("ada@a.ch"), Some("Ada@B.ch"));
        assert_eq!(with("Ada@A.ch", old, new), Ok("Ada@B.ch".to_owned()));
        assert_eq!(with("Ada@A.ch", old, Some("ADA@a.ch")), Ok("Ada@A.ch".to_owned()), "the same address");
        assert_eq!(with("ada", old, new), Ok("ada".to_owned()));
        assert_eq!(with("ada", old, None), Ok("ada".to_owned()));
        assert_eq!(with("eve@a.ch", old, new), Ok("eve@a.ch".to_owned()), "another's for long: no look-up trusts it");
        assert_eq!(with("ada@a.ch", old, None), Err(InvalidName::Email));
        let long = format!("{}@b.ch", "a".repeat(128));
        assert_eq!(with("ada@a.ch", old, Some(&long)), Err(InvalidName::Length));
        assert!(is_own_name("ada", None) && is_own_name("Ada@a.ch", Some("ADA@A.ch")));
        assert!(!is_own_name("ada@a.ch", None) && !is_own_name("ada@a.ch", Some("eve@a.ch")));
    }

    #[test]
    fn a_telephone_number_has_a_country_code() {
        for good in ["+41441234567", "+1 (425) 555-1212", "+56 (2) 687 2400", "+1 (604) 555-1234;ext=5678"] {
            assert_eq!(check_phone_number(good), Ok(()), "{good}");
        }
        for bad in
            ["", "+", "0441234567", "+41x", "+41 44 ", "+1234567890123456", "+41441234567;ext=", "+ 41 44", "++41"]
        {
            assert!(check_phone_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_read_as_it_was_given_or_from_its_parts() {
        let mut address = Address {
            street_address: Some("1 Main Street".to_owned()),
            locality: Some("Town".to_owned()),
            country: Some("CH".to_owned()),
            ..Address::default()
        };
        assert_eq!(address.lines(), "1 Main Street, Town, CH");
        address.formatted = Some("1 Main Street\nTown".to_owned());
        assert_eq!(address.lines(), "1 Main Street\nTown");
    }
}
