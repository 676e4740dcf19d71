//! A mailed code that proves an address: for which account and address, how long, and whether it is the right one.
//! OIDC Core §5.1 (`email_verified`), NIST SP 800-63B-4 §3.1.3.1.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::id::AccountId;
use crate::rule::Rule;
use crate::secret::same;
use crate::time::Timestamp;

/// Life of a code in seconds.
pub const LIFETIME_S: i64 = 600;

/// The rules of verification, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "email.code",
        spec: "NIST SP 800-63B-4 §3.1.3.1",
        text: "A mailed code proves the address it went to, for its account, within 10 minutes, once.",
    },
    Rule {
        id: "email.throttled",
        spec: "NIST SP 800-63B-4 §3.2.2",
        text: "Codes that are mailed, and wrong ones, are counted by account; each one too many doubles the wait.",
    },
    Rule {
        id: "email.unproved",
        spec: "ASVS 5.0 §2.4.1",
        text: "An address that nobody proved gets 3 notices and 6 codes a day, without words that somebody chose; so many \
               an account has sent to such addresses.",
    },
];

/// What travels sealed in the form beside the code that is typed in.
#[derive(Serialize, Deserialize)]
pub struct Verification {
    pub account: AccountId,
    /// Where the code was mailed.
    pub email: String,
    pub code: String,
    pub issued: Timestamp,
}

impl Verification {
    /// Whether it may still prove the address of `account`.
    pub fn is_open(&self, account: &Account, now: Timestamp) -> bool {
        (0..LIFETIME_S * 1000).contains(&now.ms_since(self.issued)) && self.is_of(account)
    }

    /// Whether it was mailed to what is still the address of `account`.
    pub fn is_of(&self, account: &Account) -> bool {
        self.account == account.id && account.profile.email.as_ref() == Some(&self.email)
    }

    /// Whether `typed` is the code.
    pub fn is_code(&self, typed: &str) -> bool {
        same(typed.as_bytes(), self.code.as_bytes())
    }
}

/// An address as it is shown to whoever has not proved to be its owner: `a…@example.com`.
pub fn masked(email: &str) -> String {
    let (name, host) = email.rsplit_once('@').unwrap_or((email, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}…@{host}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn an_address_is_masked_but_for_its_first_letter_and_host() {
        assert_eq!(masked("ada@example.com"), "a…@example.com");
        assert_eq!(masked("\"a@b\"@example.com"), "\"…@example.com");
        assert_eq!(masked("élise@example.com"), "é…@example.com");
    }
}
