//! What is kept of a passkey.

use serde::{Deserialize, Serialize};

use super::mds::{Model, ModelKey};
use crate::id::AccountId;
use crate::secret::Hash;
use crate::time::Timestamp;

/// Whether a passkey may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyState {
    Active,
    /// Set aside, for instance because its counter went back; an admin or its owner decides.
    Suspended,
}

/// What the attestation of a passkey proved when it was registered (WebAuthn L3 §6.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attestation {
    /// There was none.
    None,
    /// Signed by the new key itself: proves possession, says nothing about the model.
    SelfSigned,
    /// A statement that nobody vouches for: worth as much as none.
    Unverified,
    /// A statement that leads to a root of the metadata or of the policy.
    Verified,
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
    /// The authenticator's own word unless its attestation was verified.
    pub aaguid: [u8; 16],
    /// Attestation statement format as sent.
    pub attestation_format: String,
    pub attestation: Attestation,
    /// SHA-256 of the root that verified it.
    pub attestation_root: Option<Hash>,
    /// What stands for the AAGUID of a U2F key: SHA-1 of the key that signed its attestation.
    pub attestation_key_id: Option<[u8; 20]>,
    /// The statement itself says that the key sits in a trusted execution environment or a secure element (Android).
    pub attestation_hardware: bool,
    /// What the metadata say of its model, as of the last accepted refresh.
    pub model: Model,
    /// What its owner calls it.
    pub name: String,
    pub state: PasskeyState,
    /// Why it is suspended, in a word or two for machines: `counter`, `mds:REVOKED`.
    pub suspended_reason: Option<String>,
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

    /// How the metadata name its model, if they can.
    pub fn model_key(&self) -> Option<ModelKey> {
        ModelKey::of(self.aaguid, self.attestation_key_id)
    }

    /// Whether somebody else than the authenticator says that its key cannot leave hardware: its attestation was
    /// verified, and FIDO's metadata or the statement itself say where the key sits. Never for a synced passkey.
    pub fn is_hardware(&self) -> bool {
        let known = self.model.hardware && self.model.vouched;
        self.attestation == Attestation::Verified && !self.backup_eligible && (known || self.attestation_hardware)
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

/// serde helper: an AAGUID as base64url text.
pub mod aaguid_text {
    use serde::{Deserializer, Serializer, de::Error as _};

    /// Writes base64url without padding.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(aaguid: &[u8; 16], s: S) -> Result<S::Ok, S::Error> {
        super::base64url_bytes::serialize(aaguid, s)
    }

    /// Reads base64url without padding.
    ///
    /// # Errors
    /// When the text is not 16 bytes of base64url.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 16], D::Error> {
        let bytes = super::base64url_bytes::deserialize(d)?;
        bytes.try_into().map_err(|_| D::Error::custom("an AAGUID has 16 bytes"))
    }
}
