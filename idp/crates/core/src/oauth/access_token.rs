//! Access tokens: what an opaque one holds under its seal. Its grant says at each use whether it is still good.

use serde::{Deserialize, Serialize};

use crate::id::GrantId;
use crate::oauth::scope::Scopes;
use crate::rule::Rule;
use crate::secret::Hash;
use crate::time::Timestamp;

/// The rules for a request that brings one to us.
pub const RULES: &[Rule] = &[
    Rule { id: "bearer.one_method", spec: "RFC 6750 §2", text: "The token comes once: in the header or in the form." },
    Rule {
        id: "bearer.live",
        spec: "RFC 6750 §3.1",
        text: "The token is ours and young enough, and what it rests on is still good.",
    },
    Rule {
        id: "bearer.audience",
        spec: "RFC 8707 §2",
        text: "The token is for us: one bought for a resource server alone is refused.",
    },
    Rule { id: "bearer.scope", spec: "OIDC Core §5.3", text: "The token carries the scope `openid`." },
];

/// What is inside an opaque access token, and what is known of a JWT once it was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    pub grant: GrantId,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// Narrower than its grant; `None`: all of it.
    pub scope: Option<Scopes>,
    /// Resource servers it is for; empty: our own endpoints alone.
    pub audience: Vec<String>,
    /// RFC 7638 thumbprint of the key it is bound to (RFC 9449 §6).
    pub jkt: Option<Hash>,
}
