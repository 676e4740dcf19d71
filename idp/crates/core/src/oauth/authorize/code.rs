//! The authorization code: sealed, not stored. Redeeming it inserts a grant row keyed by its random id.
//! RFC 6749 §4.1.2, RFC 9700 §2.1.1.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ClientId, GrantId, Sid};
use crate::oauth::scope::Scopes;
use crate::secret::Hash;
use crate::time::Timestamp;

/// Life of a code in seconds (FAPI 2.0 Security Profile §5.3.2.1: at most 60).
pub const LIFETIME_S: i64 = 60;

/// How a user authenticated, as the tokens of this code will say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthContext {
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub auth_time: Timestamp,
}

/// What is inside an authorization code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub id: GrantId,
    pub client_id: ClientId,
    /// SHA-256 of the redirect URI.
    pub redirect_hash: Hash,
    pub scope: Scopes,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    pub account_id: AccountId,
    pub sid: Sid,
    pub auth: AuthContext,
    pub expires: Timestamp,
}
