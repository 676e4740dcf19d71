//! Sessions and the authentication events they rest on.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, EventId, FlowId, Sid};
use crate::time::Timestamp;

/// What a passkey assertion proved (WebAuthn L3 §6.1), as far as acr and amr depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyProof {
    /// The passkey that signed.
    #[serde(with = "crate::passkey::record::base64url_bytes")]
    pub credential_id: Vec<u8>,
    /// User verification was done for this assertion.
    pub user_verified: bool,
    /// The key may leave its device (BE flag).
    pub backup_eligible: bool,
    /// The key is backed up now (BS flag).
    pub backup_state: bool,
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
