//! What an admin hands out to be used later: set-up links, access passes, initial access tokens (RFC 7591 §1.2).

use crate::credential::recovery_code;
use crate::id::AccountId;
use crate::passkey::policy::{EnrolmentRequires, Policy};
use crate::passkey::record::Passkey;
use crate::secret::{Hash, sha256};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassKind {
    /// Makes the first owner of a realm; bears no account.
    Setup,
    /// Lets an existing account enrol a passkey or set a password; authenticates nobody.
    Access,
    /// Registers one client.
    Registration,
    /// Registers clients until it expires.
    Registrations,
}

/// Digits of a pass that can be typed.
const TYPED: usize = 16;

/// The secret of an access pass, to be typed as well as to stand in a link: 80 random bits.
pub fn code(random: [u8; recovery_code::CODE_BYTES]) -> String {
    recovery_code::text(random)
}

/// What the store keeps of a pass's secret, however a code was typed. Secrets of links are longer and taken as they are.
pub fn hash(secret: &str) -> Hash {
    let typed = secret.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–')).count() == TYPED;
    if typed { recovery_code::hash(secret) } else { sha256(secret.as_bytes()) }
}

/// One pass; it carries 32 random bytes, or a [`code`], of which only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub hash: Hash,
    pub kind: PassKind,
    /// Of an access pass alone.
    pub account_id: Option<AccountId>,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// When it was used up; of a pass for many uses, the last one.
    pub used: Option<Timestamp>,
    /// Keyed hash of the one browser in which it works; `None`: in any.
    pub browser: Option<Hash>,
}

impl Pass {
    /// Whether its holder may make a passkey. What a recovery opened is no access pass of an administrator: where a first
    /// passkey needs one, it leads to a new password alone.
    pub fn enrols(&self, policy: &Policy, passkeys: &[Passkey]) -> bool {
        self.browser.is_none() || !passkeys.is_empty() || policy.enrolment_requires != EnrolmentRequires::AccessPass
    }
}

#[cfg(test)]
mod tests {
    use super::{code, hash};
    use crate::secret::sha256;

    #[test]
    fn a_code_may_be_typed_in_any_way_and_a_link_in_one() {
        let code = code([1, 35, 69, 103, 137, 171, 205, 239, 1, 35]);
        for typed in [code.to_uppercase(), code.replace('-', " "), code.replace('-', ""), format!(" {code} ")] {
            assert_eq!(hash(&typed), hash(&code), "{typed}");
        }
        let link = "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C";
        assert_eq!(hash(link), sha256(link.as_bytes()));
        assert_ne!(hash(&link.to_lowercase()), hash(link));
    }
}
