//! What is kept of a passkey.

use serde::{Deserialize, Serialize};

use crate::id::AccountId;
use crate::time::Timestamp;

/// Whether a passkey may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyState {
    Active,
    /// Set aside, for instance because its counter went back; an admin or its owner decides.
    Suspended,
}

/// One registered passkey (WebAuthn L3 §4 "credential record").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// 1 to 1023 bytes.
    pub credential_id: Vec<u8>,
    pub account_id: AccountId,
    /// The RP ID it was made for; it works nowhere else.
    pub rp_id: String,
    /// COSE_Key as the authenticator gave it (RFC 9052 §7).
    pub public_key: Vec<u8>,
    /// COSE algorithm of the key.
    pub alg: i64,
    /// Last signature counter seen.
    pub counter: u32,
    /// When the counter was last written.
    pub counter_at: Timestamp,
    /// User verification was done at least once.
    pub uv_initialized: bool,
    /// `credProps.rk`, where the browser said so.
    pub discoverable: Option<bool>,
    /// BE: the key may be synced. Fixed for life.
    pub backup_eligible: bool,
    /// BS: the key is synced now.
    pub backup_state: bool,
    /// As the browser reported them; unsigned.
    pub transports: Vec<String>,
    /// `platform` or `cross-platform`, as the browser reported; unsigned.
    pub attachment: Option<String>,
    pub aaguid: [u8; 16],
    /// Attestation statement format as sent; `none` and self attestation prove nothing about the model.
    pub attestation_format: String,
    /// What its owner calls it.
    pub name: String,
    pub state: PasskeyState,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
    /// Browser and system of the last use, in words.
    pub last_used_client: Option<String>,
    /// Network of the last use, as [`crate::place::of`] writes it.
    pub last_used_place: Option<String>,
}

impl Passkey {
    /// Takes one of the account's places for passkeys of an RP ID; one that is suspended does not.
    pub fn takes_place(&self, rp_id: &str) -> bool {
        self.rp_id == rp_id && self.state == PasskeyState::Active
    }
}

/// serde helper: bytes as base64url text.
pub mod base64url_bytes {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes base64url without padding.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&crate::encoding::base64url(bytes))
    }

    /// Reads base64url without padding.
    ///
    /// # Errors
    /// When the text is not base64url.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        crate::encoding::from_base64url(&text).ok_or_else(|| D::Error::custom("not base64url"))
    }
}
