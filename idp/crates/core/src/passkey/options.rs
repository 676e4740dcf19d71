//! The options that browsers get, as `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` read them.
//!
//! WebAuthn L3 §5.1.9, §5.1.10. Own types: those of webauthn-rs-proto know fewer transports and attestation values.

use serde::{Deserialize, Serialize};

use super::CEREMONY_LIFETIME_S;
use super::policy::{Hint, PasskeyType, Requirement};
use super::record::{Passkey, base64url_bytes};

/// The browser's time limit, in milliseconds: the life of the challenge.
pub(super) const TIMEOUT_MS: i64 = CEREMONY_LIFETIME_S * 1000;

/// Which authenticator somebody chose to register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    ThisDevice,
    Phone,
    SecurityKey,
}

impl Kind {
    /// The type the passkey should turn out to be.
    pub const fn passkey_type(self) -> PasskeyType {
        match self {
            Self::ThisDevice => PasskeyType::Device,
            Self::Phone => PasskeyType::Phone,
            Self::SecurityKey => PasskeyType::SecurityKey,
        }
    }
}

/// `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    pub rp: RelyingPartyEntity,
    pub user: UserEntity,
    #[serde(with = "base64url_bytes")]
    pub challenge: Vec<u8>,
    pub pub_key_cred_params: Vec<CredentialParameters>,
    /// Milliseconds.
    pub timeout: i64,
    pub exclude_credentials: Vec<CredentialDescriptor>,
    pub authenticator_selection: AuthenticatorSelection,
    pub hints: Vec<Hint>,
    pub attestation: &'static str,
    pub extensions: CreationExtensions,
}

/// `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    #[serde(with = "base64url_bytes")]
    pub challenge: Vec<u8>,
    /// Milliseconds.
    pub timeout: i64,
    pub rp_id: String,
    pub allow_credentials: Vec<CredentialDescriptor>,
    pub user_verification: Requirement,
    pub hints: Vec<Hint>,
}

/// `PublicKeyCredentialRpEntity`.
#[derive(Clone, Debug, Serialize)]
pub struct RelyingPartyEntity {
    pub id: String,
    pub name: String,
}

/// `PublicKeyCredentialUserEntityJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserEntity {
    #[serde(with = "base64url_bytes")]
    pub id: Vec<u8>,
    pub name: String,
    pub display_name: String,
}

/// `PublicKeyCredentialParameters`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CredentialParameters {
    #[serde(rename = "type")]
    pub type_: &'static str,
    pub alg: i64,
}

/// `PublicKeyCredentialDescriptorJSON`.
#[derive(Clone, Debug, Serialize)]
pub struct CredentialDescriptor {
    #[serde(rename = "type")]
    pub type_: &'static str,
    #[serde(with = "base64url_bytes")]
    pub id: Vec<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transports: Vec<String>,
}

impl From<&Passkey> for CredentialDescriptor {
    fn from(passkey: &Passkey) -> Self {
        Self { type_: "public-key", id: passkey.credential_id.clone(), transports: passkey.transports.clone() }
    }
}

/// `AuthenticatorSelectionCriteria`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_attachment: Option<&'static str>,
    pub resident_key: Requirement,
    /// For WebAuthn L1 browsers.
    pub require_resident_key: bool,
    pub user_verification: Requirement,
}

/// Extensions asked for at registration.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationExtensions {
    /// Tells whether the passkey became discoverable (WebAuthn L3 §10.1.3).
    pub cred_props: bool,
}
