//! The JSON that browsers send back from a ceremony.
//!
//! WebAuthn L3 §5.1.8: `RegistrationResponseJSON` and `AuthenticationResponseJSON`. Binary members are
//! base64url; plain base64 is understood too, since callers' libraries disagree. Unknown members are ignored.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{Ceremony, Reason, Refused};
use crate::encoding::from_base64_lenient;

/// Longest binary member, in bytes; TPM and enterprise attestations take some 8 KiB.
const MAX_BINARY: usize = 64 * 1024;
/// Longest text member, in bytes.
const MAX_TEXT: usize = 64;
/// Most transports that are kept.
const MAX_TRANSPORTS: usize = 8;

/// What `navigator.credentials.create()` gave.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    #[serde(deserialize_with = "binary")]
    pub id: Vec<u8>,
    #[serde(deserialize_with = "binary")]
    pub raw_id: Vec<u8>,
    /// `public-key`.
    #[serde(rename = "type")]
    pub type_: String,
    pub response: AttestationResponse,
    /// `platform` or `cross-platform`; unsigned.
    #[serde(default, deserialize_with = "short_text")]
    pub authenticator_attachment: Option<String>,
    #[serde(default, rename = "clientExtensionResults", deserialize_with = "or_default")]
    pub extensions: ExtensionResults,
}

/// `AuthenticatorAttestationResponseJSON`. Its copies of parts of the attestation object are not read:
/// only what the authenticator wrote counts.
#[derive(Clone, Debug, Deserialize)]
pub struct AttestationResponse {
    #[serde(rename = "clientDataJSON", deserialize_with = "binary")]
    pub client_data_json: Vec<u8>,
    #[serde(rename = "attestationObject", deserialize_with = "binary")]
    pub attestation_object: Vec<u8>,
    /// How the browser reached the authenticator; unsigned.
    #[serde(default, deserialize_with = "short_texts")]
    pub transports: Vec<String>,
}

/// Client extension outputs that are looked at; unsigned.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ExtensionResults {
    #[serde(default, rename = "credProps", deserialize_with = "or_default")]
    pub cred_props: CredProps,
}

/// Output of the `credProps` extension (WebAuthn L3 §10.1.3).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CredProps {
    /// Whether the passkey is discoverable, where the browser knows.
    #[serde(default)]
    pub rk: Option<bool>,
}

/// What `navigator.credentials.get()` gave.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationResponse {
    #[serde(deserialize_with = "binary")]
    pub id: Vec<u8>,
    #[serde(deserialize_with = "binary")]
    pub raw_id: Vec<u8>,
    /// `public-key`.
    #[serde(rename = "type")]
    pub type_: String,
    pub response: AssertionResponse,
    /// `platform` or `cross-platform`; unsigned.
    #[serde(default, deserialize_with = "short_text")]
    pub authenticator_attachment: Option<String>,
}

/// `AuthenticatorAssertionResponseJSON`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    #[serde(rename = "clientDataJSON", deserialize_with = "binary")]
    pub client_data_json: Vec<u8>,
    #[serde(deserialize_with = "binary")]
    pub authenticator_data: Vec<u8>,
    #[serde(deserialize_with = "binary")]
    pub signature: Vec<u8>,
    /// The account's handle as the authenticator keeps it.
    #[serde(default, deserialize_with = "optional_binary")]
    pub user_handle: Option<Vec<u8>>,
}

impl RegistrationResponse {
    /// Reads the `credential` member of a request's body.
    ///
    /// # Errors
    /// [`Reason::Malformed`] when a member is missing, too long or not what it should be.
    pub fn from_json(value: &Value) -> Result<Self, Refused> {
        read(value).map_err(|e| Refused::new(Ceremony::Registration, Reason::Malformed).because(&e))
    }
}

impl AuthenticationResponse {
    /// Reads the `credential` member of a request's body.
    ///
    /// # Errors
    /// [`Reason::Malformed`] when a member is missing, too long or not what it should be.
    pub fn from_json(value: &Value) -> Result<Self, Refused> {
        read(value).map_err(|e| Refused::new(Ceremony::Assertion, Reason::Malformed).because(&e))
    }
}

/// serde would also take arrays of the members' values.
fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, serde_json::Error> {
    match (value, value.get("response")) {
        (Value::Object(_), Some(Value::Object(_)) | None) => T::deserialize(value),
        _ => Err(serde_json::Error::custom("not an object with an object `response`")),
    }
}

fn decode<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    if text.len() > MAX_BINARY / 3 * 4 + 4 {
        return Err(E::custom("a binary member is too long"));
    }
    from_base64_lenient(text).ok_or_else(|| E::custom("a binary member is not base64url"))
}

fn binary<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    decode(&String::deserialize(d)?)
}

/// An empty handle is read as none: some callers' libraries send "" for null.
fn optional_binary<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text: Option<String> = Option::deserialize(d)?;
    text.filter(|t| !t.is_empty()).map(|t| decode(&t)).transpose()
}

fn short_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(d)?;
    match text {
        Some(text) if text.len() > MAX_TEXT => Err(D::Error::custom("a text member is too long")),
        text => Ok(text),
    }
}

fn short_texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<String> = Option::deserialize(d)?.unwrap_or_default();
    if texts.len() > MAX_TRANSPORTS || texts.iter().any(|t| t.len() > MAX_TEXT) {
        return Err(D::Error::custom("too many or too long transports"));
    }
    Ok(texts)
}

/// null counts as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}
