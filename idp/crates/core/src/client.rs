//! Clients: the applications people sign in to (RFC 6749 §2).

pub mod check;

use serde::{Deserialize, Serialize};

use crate::encoding::base64url;
use crate::id::ClientId;
use crate::passkey::policy::ClientPolicy;
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

impl ClientAuthMethod {
    /// Whether the client and we share a secret.
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// A way to get tokens (RFC 7591 §2, `grant_types`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
}

impl GrantType {
    /// Every one that the token endpoint knows.
    pub const ALL: &[Self] = &[Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::DeviceCode];

    /// The value of `grant_type`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }

    /// From the value of `grant_type`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|grant| grant.text() == text)
    }
}

/// A bundle of rules a client is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientProfile {
    /// OpenID Connect Core and RFC 9700.
    #[default]
    Oidc,
    /// FAPI 2.0 Security Profile: PAR, sender-constrained tokens, `private_key_jwt`, no RS256, no refresh rotation.
    Fapi2,
}

/// Whom a client assertion must be addressed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The issuer identifier alone (RFC 10070).
    #[default]
    Issuer,
    /// The issuer or the URL of the token endpoint, for older clients.
    IssuerOrTokenEndpoint,
}

/// What an access token looks like to its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// A sealed reference; resource servers introspect it.
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068).
    Jwt,
}

/// How a client may sign request objects (RFC 9101 §10.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestObjectAlg {
    /// Unsigned: they prove nothing more than parameters do.
    #[serde(rename = "none")]
    Unsigned,
    #[serde(untagged)]
    Signed(SigningAlg),
}

/// What `sub` is to a client (OIDC Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same for every client.
    #[default]
    Public,
    /// Another for each sector, so that clients cannot compare notes.
    Pairwise,
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

    /// Those that FAPI 2.0 Security Profile §5.4.1 allows; also those of DPoP proofs.
    pub const FAPI: &[Self] = &[Self::ES256, Self::EdDSA, Self::PS256];

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

/// A role at a client: members of the group have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMapping {
    /// As the client reads it in `roles`.
    pub role: String,
    pub group: String,
}

/// What an admin set for a client; stored as JSON. Each field has a default, so an older row keeps its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSettings {
    /// What people read on the sign-in and consent pages.
    pub name: String,
    /// Compared byte for byte; only the port of a loopback IP literal may differ (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    /// Origins besides those of the redirect URIs that may call token and userinfo from a browser.
    pub web_origins: Vec<String>,
    pub grant_types: Vec<GrantType>,
    pub profile: ClientProfile,

    // ---- how it proves who it is --------------------------------------------------------------------------
    pub auth_method: ClientAuthMethod,
    /// Its public keys (RFC 7517 §5), given here or fetched from `jwks_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The only algorithm of its assertions; `None`: any that is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_alg: Option<SigningAlg>,
    pub assertion_audience: AssertionAudience,
    /// Tokens are bound to a key of the client (RFC 9449 §5.2, `dpop_bound_access_tokens`).
    pub dpop_bound: bool,

    // ---- what it may ask ----------------------------------------------------------------------------------
    /// Authorization requests are pushed first (RFC 9126 §6).
    pub require_par: bool,
    /// The only algorithm of its request objects; `None`: any that is supported, signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_alg: Option<RequestObjectAlg>,
    /// Requests come as request objects (RFC 9101 §10.5, `require_signed_request_object`).
    pub require_request_object: bool,
    /// Scopes it may ask for; `None`: the standard ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Resource servers it may ask tokens for (RFC 8707 §2).
    pub resources: Vec<String>,
    /// Resource identifiers for which this client is the resource server: it may introspect their tokens.
    pub serves: Vec<String>,
    /// Only members of one of these groups may use it; empty: everybody.
    pub allowed_groups: Vec<String>,
    /// What its users are to it, told by the scope `roles`.
    pub roles: Vec<RoleMapping>,
    /// `acr_values` where a request names none (OIDC Registration §2, `default_acr_values`).
    pub default_acr_values: Vec<String>,
    /// One of the requested values or an error, not only where `claims` says essential.
    pub acr_binding: bool,
    /// `max_age` in seconds where a request names none (OIDC Registration §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age_s: Option<i64>,

    /// What it demands of sign-ins on top of its users' policies.
    #[serde(skip_serializing_if = "ClientPolicy::is_empty")]
    pub policy: ClientPolicy,

    // ---- what it gets -------------------------------------------------------------------------------------
    pub id_token_alg: SigningAlg,
    /// Userinfo as a signed JWT (OIDC Core §5.3.2); `None`: as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_alg: Option<SigningAlg>,
    pub access_token: AccessTokenFormat,
    /// A new refresh token at each use, also where the client could keep one.
    pub rotate_refresh_tokens: bool,
    pub subject_type: SubjectType,
    /// Host that pairwise subjects are made for; `None`: that of the redirect URIs (OIDC Core §8.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// Document that listed the redirect URIs when the client registered; its host is the sector (OIDC Registration §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,

    // ---- what it is told when a session ends --------------------------------------------------------------
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    pub frontchannel_logout_session_required: bool,

    // ---- what people see ----------------------------------------------------------------------------------
    pub consent: ConsentMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Home page of the application, for "back to …" links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Mail addresses of those responsible for it.
    pub contacts: Vec<String>,
    /// It registered or changed itself, and no admin has looked at it since.
    pub unverified: bool,
}

impl Default for ClientSettings {
    /// What a registration that says nothing means (OIDC Registration §2): a confidential client, RS256.
    fn default() -> Self {
        Self {
            name: String::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            web_origins: Vec::new(),
            grant_types: vec![GrantType::AuthorizationCode],
            profile: ClientProfile::Oidc,
            auth_method: ClientAuthMethod::ClientSecretBasic,
            jwks: None,
            jwks_uri: None,
            assertion_alg: None,
            assertion_audience: AssertionAudience::Issuer,
            dpop_bound: false,
            require_par: false,
            request_object_alg: None,
            require_request_object: false,
            scopes: None,
            resources: Vec::new(),
            serves: Vec::new(),
            allowed_groups: Vec::new(),
            roles: Vec::new(),
            default_acr_values: Vec::new(),
            acr_binding: false,
            default_max_age_s: None,
            policy: ClientPolicy::default(),
            id_token_alg: SigningAlg::RS256,
            userinfo_alg: None,
            access_token: AccessTokenFormat::Opaque,
            rotate_refresh_tokens: false,
            subject_type: SubjectType::Public,
            sector: None,
            sector_identifier_uri: None,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: false,
            consent: ConsentMode::Ask,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            client_uri: None,
            contacts: Vec::new(),
            unverified: false,
        }
    }
}

impl ClientSettings {
    /// Whether it has no way to keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == ClientAuthMethod::None
    }

    /// Whether its requests must be pushed.
    pub fn needs_par(&self) -> bool {
        self.require_par || self.profile == ClientProfile::Fapi2
    }

    /// Whether its tokens must be bound to a key.
    pub fn needs_dpop(&self) -> bool {
        self.dpop_bound || self.profile == ClientProfile::Fapi2
    }

    /// Whether it hears of the end of a session.
    pub const fn hears_of_logout(&self) -> bool {
        self.backchannel_logout_uri.is_some() || self.frontchannel_logout_uri.is_some()
    }
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub state: ClientState,
    /// SHA-256 of the random secret; `None` for a public client.
    pub secret_hash: Option<Hash>,
    /// SHA-256 of the registration access token (RFC 7592 §3); `None` where no registration manages it.
    pub registration_hash: Option<Hash>,
    pub settings: ClientSettings,
    pub created: Timestamp,
    pub updated: Timestamp,
}
