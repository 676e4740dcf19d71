//! Clients: the applications people sign in to (RFC 6749 §2).

use serde::{Deserialize, Serialize};

use crate::encoding::base64url;
use crate::id::ClientId;
use crate::secret::{Hash, sha256, sha512};
use crate::time::Timestamp;

/// How a client proves who it is at the token endpoint (OIDC Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A public client; PKCE is required of it.
    None,
    /// HTTP Basic with form-encoded parts (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// A JWT signed with the client's own key (OIDC Core §9).
    PrivateKeyJwt,
}

/// Signature of tokens, ours and those that clients sign. A client that says nothing gets RS256 (OIDC Registration
/// §2); commands choose ES256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlg {
    RS256,
    ES256,
    /// With Ed25519 alone (RFC 8037 §3.1).
    EdDSA,
    PS256,
}

impl SigningAlg {
    /// Every algorithm; each realm has a key for each.
    pub const ALL: &[Self] = &[Self::RS256, Self::ES256, Self::EdDSA, Self::PS256];

    /// The JWS `alg` value (RFC 7518 §3.1, RFC 8037 §3.1).
    pub const fn text(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::PS256 => "PS256",
        }
    }

    /// The algorithm with this `alg` value; case counts.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|alg| alg.text() == text)
    }

    /// `at_hash` and its kin: base64url of the left half of the hash the signature uses (OIDC Core §3.1.3.6). Ed25519
    /// hashes with SHA-512 inside (RFC 8032 §5.1), and that is what clients compare with.
    pub fn left_half_hash(self, text: &str) -> String {
        match self {
            Self::RS256 | Self::ES256 | Self::PS256 => base64url(sha256(text.as_bytes()).split_at(16).0),
            Self::EdDSA => base64url(sha512(text.as_bytes()).split_at(32).0),
        }
    }
}

/// Whether people are asked before a client learns about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMode {
    /// Asked once, remembered.
    Ask,
    /// Never asked: an application of the realm's own. Not honoured for loopback and private-scheme
    /// redirects, where anybody could pose as the client (RFC 8252 §8.6).
    Skip,
}

/// Whether a client may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    Active,
    Disabled,
}

/// What an admin set for a client; stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// What people read on the sign-in and consent pages.
    pub name: String,
    /// Compared byte for byte; only the port of a loopback IP literal may differ (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Origins besides those of the redirect URIs that may call token and userinfo from a browser.
    #[serde(default)]
    pub web_origins: Vec<String>,
    pub auth_method: ClientAuthMethod,
    pub id_token_alg: SigningAlg,
    pub consent: ConsentMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Home page of the application, for "back to …" links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub state: ClientState,
    /// SHA-256 of the random secret; `None` for a public client.
    pub secret_hash: Option<Hash>,
    pub settings: ClientSettings,
    pub created: Timestamp,
    pub updated: Timestamp,
}
