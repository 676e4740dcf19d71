//! Sessions and the authentication events they rest on.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, EventId, FlowId, Sid};
use crate::passkey::policy::{Conveyance, Policy};
use crate::passkey::record::Passkey;
use crate::secret::Hash;
use crate::time::Timestamp;

/// What a passkey assertion proved (WebAuthn L3 §6.1), as far as acr and amr depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyProof {
    /// The passkey that signed. A store that has it beside the event leaves it out.
    #[serde(with = "crate::passkey::record::base64url_bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub credential_id: Vec<u8>,
    /// User verification was done for this assertion.
    pub user_verified: bool,
    /// The key may leave its device (BE flag).
    pub backup_eligible: bool,
    /// The key is backed up now (BS flag).
    pub backup_state: bool,
    /// Model of the authenticator, its own word unless attested; zero where it named none.
    #[serde(with = "crate::passkey::record::aaguid_text", default, skip_serializing_if = "is_zero")]
    pub aaguid: [u8; 16],
    /// The root that verified its attestation when it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_root: Option<Hash>,
    /// Somebody else than the authenticator says that the key cannot leave hardware ([`Passkey::is_hardware`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hardware: bool,
}

fn is_zero(aaguid: &[u8; 16]) -> bool {
    *aaguid == [0; 16]
}

impl PasskeyProof {
    /// What an assertion by this passkey proves.
    pub fn of(passkey: &Passkey, user_verified: bool, backup_state: bool) -> Self {
        Self {
            credential_id: passkey.credential_id.clone(),
            user_verified,
            backup_eligible: passkey.backup_eligible,
            backup_state,
            aaguid: passkey.aaguid,
            attestation_root: passkey.attestation_root,
            hardware: passkey.is_hardware(),
        }
    }

    /// The most that a new passkey under a policy can prove: one that is never synced, and in hardware as far as
    /// anybody asks who says so.
    pub fn best(policy: &Policy) -> Self {
        let attested = policy.attestation != Conveyance::None;
        Self {
            credential_id: Vec::new(),
            user_verified: true,
            backup_eligible: false,
            backup_state: false,
            aaguid: [0; 16],
            attestation_root: attested.then_some([0; 32]),
            hardware: attested,
        }
    }

    /// Whether its attestation was verified.
    pub const fn is_attested(&self) -> bool {
        self.attestation_root.is_some()
    }
}

/// How somebody authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    /// A password that was right.
    Password,
    /// A passkey assertion that passed every check.
    Passkey(PasskeyProof),
    /// A time-based one-time password (RFC 6238); it only ever comes second.
    Totp,
}

/// One thing that happened and authenticates its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthEvent {
    pub id: EventId,
    pub at: Timestamp,
    /// The authorization request it happened for; `None` for a sign-in that began at `/login`.
    pub flow: Option<FlowId>,
    /// Browser and system, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Network of the address, as [`crate::place::of`] writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(flatten)]
    pub method: Method,
}

impl AuthEvent {
    /// An event of which nobody knows where it happened.
    pub const fn new(id: EventId, at: Timestamp, flow: Option<FlowId>, method: Method) -> Self {
        Self { id, at, flow, client: None, place: None, method }
    }
}

/// A live session with its events, oldest first.
#[derive(Clone, Debug)]
pub struct Session {
    pub sid: Sid,
    pub account_id: AccountId,
    pub created: Timestamp,
    /// Last activity that was written anyway; never later than the real one.
    pub active: Timestamp,
    pub expires: Timestamp,
    pub events: Vec<AuthEvent>,
}
