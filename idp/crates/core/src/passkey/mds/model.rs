//! What the FIDO Metadata Service says about models of authenticators, as far as it is judged here.
//!
//! FIDO Metadata Statement v3.1, FIDO Metadata Service v3.1 §3.1.3 and §3.1.4, FIDO Registry of Predefined Values §3.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::secret::Hash;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $($(#[$item:meta])* $variant:ident = $text:literal,)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$item])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in a BLOB and in policies.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of a name; `None`: not one we know.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.text() == text)
            }
        }
    };
}

words! {
    /// A status that a policy may refuse (`AuthenticatorStatus`, FIDO MDS §3.1.4). Certifications are [`Certification`].
    Status:
    NotFidoCertified = "NOT_FIDO_CERTIFIED",
    SelfAssertionSubmitted = "SELF_ASSERTION_SUBMITTED",
    UserVerificationBypass = "USER_VERIFICATION_BYPASS",
    AttestationKeyCompromise = "ATTESTATION_KEY_COMPROMISE",
    UserKeyRemoteCompromise = "USER_KEY_REMOTE_COMPROMISE",
    UserKeyPhysicalCompromise = "USER_KEY_PHYSICAL_COMPROMISE",
    UpdateAvailable = "UPDATE_AVAILABLE",
    Retired = "RETIRED",
    Revoked = "REVOKED",
}

words! {
    /// How thoroughly a model was certified; weakest first.
    Certification:
    None = "none",
    Fido = "FIDO_CERTIFIED",
    L1 = "FIDO_CERTIFIED_L1",
    L1Plus = "FIDO_CERTIFIED_L1plus",
    L2 = "FIDO_CERTIFIED_L2",
    L2Plus = "FIDO_CERTIFIED_L2plus",
    L3 = "FIDO_CERTIFIED_L3",
    L3Plus = "FIDO_CERTIFIED_L3plus",
}

/// What is known of a passkey's model, kept with the passkey and written anew at each accepted refresh. The default is
/// a model nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Statuses that were ever reported and not superseded by leaving the BLOB.
    pub statuses: BTreeSet<Status>,
    pub certification: Certification,
    /// Private keys sit in hardware, a trusted execution environment or a secure element, all of them.
    pub hardware: bool,
    /// The root that verified the passkey's attestation is one of the model's.
    pub vouched: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self { statuses: BTreeSet::new(), certification: Certification::None, hardware: false, vouched: false }
    }
}

/// One entry of the compact table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The vendor's words for it.
    pub description: String,
    pub statuses: BTreeSet<Status>,
    pub certification: Certification,
    pub hardware: bool,
    /// Attestation roots, DER.
    #[serde(with = "roots_text")]
    pub roots: Vec<Vec<u8>>,
}

impl Entry {
    /// What the entry says of a passkey whose attestation chained up to `root`.
    pub fn model(&self, root: Option<&Hash>) -> Model {
        let is_ours = |der: &Vec<u8>| root.is_some_and(|root| crate::secret::sha256(der) == *root);
        Model {
            statuses: self.statuses.clone(),
            certification: self.certification,
            hardware: self.hardware,
            vouched: self.roots.iter().any(is_ours),
        }
    }
}

/// How an entry is found: by AAGUID, or for U2F keys, which have none, by the key that signed their attestation
/// (`attestationCertificateKeyIdentifiers`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelKey {
    Aaguid([u8; 16]),
    /// SHA-1 of the certificate's public key (RFC 5280 §4.2.1.2 method 1).
    KeyId([u8; 20]),
}

impl ModelKey {
    /// The key of a passkey, if its model can be told. The zero AAGUID is nobody's.
    pub fn of(aaguid: [u8; 16], key_id: Option<[u8; 20]>) -> Option<Self> {
        match key_id {
            _ if aaguid != [0; 16] => Some(Self::Aaguid(aaguid)),
            Some(id) => Some(Self::KeyId(id)),
            None => None,
        }
    }

    /// As the store keeps it: an AAGUID with its hyphens, or 40 hexadecimal digits.
    pub fn text(&self) -> String {
        match self {
            Self::Aaguid(aaguid) => uuid::Uuid::from_bytes(*aaguid).to_string(),
            Self::KeyId(id) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// serde: certificates as base64url texts.
mod roots_text {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::encoding::{base64url, from_base64url};

    pub(super) fn serialize<S: Serializer>(roots: &[Vec<u8>], s: S) -> Result<S::Ok, S::Error> {
        roots.iter().map(base64url).collect::<Vec<_>>().serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        let read = |text: &String| from_base64url(text).ok_or_else(|| D::Error::custom("not base64url"));
        texts.iter().map(read).collect()
    }
}
