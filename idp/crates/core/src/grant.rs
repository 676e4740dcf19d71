//! Grants: what a client was given, by a redeemed code, an approved device or its own credentials. All tokens of a
//! grant live and die with it.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ClientId, GrantId, Sid};
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::scope::Scopes;
use crate::secret::Hash;
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

/// How a user authenticated, as every token of a grant says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthContext {
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub auth_time: Timestamp,
}

/// What later tokens of a grant must repeat; nothing is looked up by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantDetail {
    /// `None` where no user takes part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthContext>,
    /// Resource servers its tokens may be for (RFC 8707 §2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The `claims` parameter of the request (OIDC Core §5.5).
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// RFC 7638 thumbprint of the key that refresh tokens of a public client are bound to (RFC 9449 §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<Hash>,
}

/// One refresh token of a grant, as far as rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// When it was issued, or used last where it is kept.
    pub active: Timestamp,
    /// It was followed by a successor.
    pub used: Option<Timestamp>,
    pub expires: Timestamp,
}

/// One grant row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub client_id: ClientId,
    /// `None`: the client acts for itself.
    pub account_id: Option<AccountId>,
    /// The session it was granted in.
    pub sid: Option<Sid>,
    /// Space-separated scopes in the order they were granted.
    pub scope: String,
    pub detail: GrantDetail,
    /// It outlives an ordinary logout and the end of its session (`offline_access`, OIDC Core §11).
    pub offline: bool,
    /// The client is told when the session ends; the row stays as long as the session, so that it can be.
    pub hears_of_logout: bool,
    pub state: GrantState,
    pub created: Timestamp,
    /// When the last token resting on it ends; after that the row may be swept.
    pub expires: Timestamp,
}

impl Grant {
    /// The claims asked for by name, for a token of `scopes`: a narrower one than was granted gets none of them, since
    /// the user agreed to them with the scopes that open them.
    pub fn claims_for(&self, scopes: &Scopes) -> &ClaimsRequest {
        static NONE: ClaimsRequest = ClaimsRequest { id_token: Vec::new(), userinfo: Vec::new() };
        if scopes.covers(&Scopes::from_stored(&self.scope)) { &self.detail.claims } else { &NONE }
    }
}
