//! What an admin hands out to be used later: set-up links, access passes, initial access tokens (RFC 7591 §1.2).

use crate::id::AccountId;
use crate::passkey::policy::{EnrolmentRequires, Policy};
use crate::passkey::record::Passkey;
use crate::secret::Hash;
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

/// One pass; it carries 32 random bytes of which only the hash is kept.
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
