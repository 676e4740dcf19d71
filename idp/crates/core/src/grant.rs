//! Grants: what a redeemed authorization code gave to a client.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ClientId, GrantId, Sid};
use crate::time::Timestamp;

/// Life of a grant. It only ever moves towards `Revoked`; rows outlive the code, so that reuse is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Tokens issued on it are good.
    Live,
    /// Tokens issued on it are dead: logout, code reuse, removed passkey, withdrawn consent.
    Revoked,
    /// The code was presented wrongly (client, redirect URI, verifier) before anything was issued.
    Burnt,
}

/// One grant row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub client_id: ClientId,
    pub account_id: AccountId,
    pub sid: Sid,
    /// Space-separated scopes in the order they were granted.
    pub scope: String,
    pub state: GrantState,
    pub created: Timestamp,
    /// When the last token resting on it ends; after that the row may be swept.
    pub expires: Timestamp,
}
