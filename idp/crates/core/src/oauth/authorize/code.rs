//! The authorization code: sealed, not stored. Redeeming it inserts a grant row keyed by its random id.
//! RFC 6749 §4.1.2, RFC 9700 §2.1.1.

use serde::{Deserialize, Serialize};

use super::claims::ClaimsRequest;
use crate::grant::AuthContext;
use crate::id::{AccountId, ClientId, GrantId, Sid};
use crate::oauth::scope::Scopes;
use crate::secret::Hash;
use crate::time::Timestamp;

/// Life of a code in seconds (FAPI 2.0 Security Profile §5.3.2.1: at most 60).
pub const LIFETIME_S: i64 = 60;

/// What is inside an authorization code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub id: GrantId,
    pub client_id: ClientId,
    /// SHA-256 of the redirect URI.
    pub redirect_hash: Hash,
    pub scope: Scopes,
    /// Resource servers asked for (RFC 8707 §2.1).
    pub resources: Vec<String>,
    pub claims: ClaimsRequest,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    /// Thumbprint of the only DPoP key that may redeem it (RFC 9449 §10).
    pub jkt: Option<Hash>,
    /// It rests on a consent, which must still be there when it is redeemed.
    pub by_consent: bool,
    pub account_id: AccountId,
    pub sid: Sid,
    pub auth: AuthContext,
    pub expires: Timestamp,
}
