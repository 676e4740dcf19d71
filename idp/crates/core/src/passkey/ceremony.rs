//! The state of a ceremony: it travels sealed through the browser, so that tabs do not collide and nothing is
//! stored before somebody authenticated. WebAuthn L3 §13.4.3.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, FlowId};
use crate::passkey::handoff::Errand;
use crate::passkey::policy::Policy;
use crate::secret::Hash;
use crate::time::Timestamp;

/// What is sealed into `ceremony` by an options call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyState {
    pub challenge: [u8; 32],
    pub issued: Timestamp,
    /// Keyed hash of the browser's cookie: another browser cannot finish the ceremony.
    pub browser: Hash,
    /// The RP ID it was asked for.
    pub rp_id: String,
    pub purpose: CeremonyPurpose,
}

/// What the ceremony is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CeremonyPurpose {
    /// A sign-in, or one more factor for a session.
    Authenticate {
        /// The account, if a name was typed or a factor verified before. A name that does not exist becomes an
        /// account that does not exist.
        account: Option<AccountId>,
        /// A factor was verified before, so the account's credential ids were listed.
        listed: bool,
        /// The authorization request it belongs to.
        flow: Option<FlowId>,
        /// On whose behalf: the issuer's host, to which the sign-in goes back.
        errand: Option<Errand>,
    },
    /// Another passkey for an account, by its session or an access pass.
    Register { account: AccountId, pass: Option<Hash> },
    /// A newcomer's account and passkey.
    SignUp {
        account: AccountId,
        username: String,
        /// The traits as JSON.
        traits: String,
        user_handle: Vec<u8>,
    },
    /// The first owner's account and passkey.
    SetUp {
        pass: Hash,
        account: AccountId,
        username: String,
        email: Option<String>,
        name: Option<String>,
        user_handle: Vec<u8>,
    },
    /// A passkey made without a dialogue, after a sign-in by password (conditional mediation, WebAuthn L3 §5.1.3).
    Upgrade { account: AccountId },
}

impl CeremonyPurpose {
    /// The most passkeys that there may be when it ends. Whoever comes by a pass may have lost all that are there, and
    /// can remove none before they signed in: one more.
    pub fn most_passkeys(&self, policy: &Policy) -> u8 {
        policy.max_passkeys.saturating_add(u8::from(matches!(self, Self::Register { pass: Some(_), .. })))
    }
}
