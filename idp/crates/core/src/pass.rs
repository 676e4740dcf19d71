//! One-time links that let somebody enrol: the set-up link of the first owner and access passes.

use crate::id::AccountId;
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
}

/// One pass; the link carries 32 random bytes of which only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub hash: Hash,
    pub kind: PassKind,
    /// `None` for a set-up link.
    pub account_id: Option<AccountId>,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub used: Option<Timestamp>,
}
