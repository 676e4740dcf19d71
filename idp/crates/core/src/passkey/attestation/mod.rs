//! Attestation: what an authenticator says of itself when it makes a passkey, and whose word that is.
//!
//! WebAuthn L3 §6.5, §8. The statement is verified here (§7.1 steps 21, 22), the chain against roots in
//! [`Statement::root_among`] (steps 23, 24). A statement of a format that is not known counts as none.

mod android;
mod apple;
mod der;
mod packed;
mod tpm;
mod u2f;
pub(super) mod x509;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ciborium::Value;

use super::cbor;
use super::cose::PublicKey;
use super::record::Attestation;
use crate::secret::Hash;
use crate::time::Timestamp;

/// Whether some bytes are one certificate.
pub fn is_certificate(der: &[u8]) -> bool {
    x509::parse(der).is_some()
}

/// Longest statement format identifier (WebAuthn L3 §8.1).
const MAX_FMT_LEN: usize = 32;

/// The format of U2F keys.
pub(super) const U2F: &str = "fido-u2f";

/// WebAuthn L3 §6.5.4.
pub(super) struct AttestationObject {
    pub fmt: String,
    pub auth_data: Vec<u8>,
    statement: Vec<(Value, Value)>,
}

/// What a statement is held against.
pub(super) struct Claim<'a> {
    pub auth_data: &'a [u8],
    pub client_data_hash: &'a [u8; 32],
    pub rp_id_hash: &'a [u8; 32],
    pub aaguid: &'a [u8; 16],
    pub credential_id: &'a [u8],
    pub key: &'a PublicKey,
}

impl Claim<'_> {
    /// What most formats sign: authenticator data and client data hash.
    fn signed(&self) -> Vec<u8> {
        [self.auth_data, self.client_data_hash].concat()
    }
}

/// What a statement proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub format: String,
    /// Never `Verified` yet: that takes a root.
    pub attestation: Attestation,
    /// The certificates of a statement that is right, DER, leaf first; empty where nothing is certified.
    pub chain: Vec<Vec<u8>>,
    /// The statement itself says that the key sits in a trusted execution environment or a secure element (Android).
    pub hardware: bool,
}

/// Why a statement is wrong, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Wrong(&'static str);

/// What a format's verification found: certificates, or that it cannot tell.
enum Found {
    Certified {
        chain: Vec<Vec<u8>>,
        hardware: bool,
    },
    SelfSigned,
    /// Right in form, but made with an algorithm that is not verified here.
    Unverified,
}

impl AttestationObject {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (value, rest) = cbor::read(bytes)?;
        if !rest.is_empty() {
            return None;
        }
        let mut map = cbor::entries(value)?;
        let fmt = cbor::take(&mut map, "fmt")?.into_text().ok()?;
        let auth_data = cbor::take(&mut map, "authData")?.into_bytes().ok()?;
        let statement = cbor::entries(cbor::take(&mut map, "attStmt")?)?;
        (fmt.len() <= MAX_FMT_LEN).then_some(Self { fmt, auth_data, statement })
    }

    /// Verifies the statement by the procedure of its format (WebAuthn L3 §7.1 step 22).
    pub(super) fn verify(&self, claim: &Claim<'_>) -> Result<Statement, Wrong> {
        let members = Members(&self.statement);
        let found = match self.fmt.as_str() {
            // WebAuthn L3 §8.7: an empty map.
            "none" if self.statement.is_empty() => return Ok(self.proved(Attestation::None)),
            "none" => return Err(Wrong("a none statement is not empty")),
            "packed" => packed::verify(&members, claim)?,
            "tpm" => tpm::verify(&members, claim)?,
            "android-key" => android::verify(&members, claim)?,
            "apple" => apple::verify(&members, claim)?,
            U2F => u2f::verify(&members, claim)?,
            _ => Found::Unverified,
        };
        Ok(match found {
            Found::SelfSigned => self.proved(Attestation::SelfSigned),
            Found::Unverified => self.proved(Attestation::Unverified),
            Found::Certified { chain, hardware } => {
                Statement { chain, hardware, ..self.proved(Attestation::Unverified) }
            }
        })
    }

    fn proved(&self, attestation: Attestation) -> Statement {
        Statement { format: self.fmt.clone(), attestation, chain: Vec::new(), hardware: false }
    }
}

impl Statement {
    /// The root that the statement's chain leads to (WebAuthn L3 §7.1 step 24); `None`: to none of these.
    pub fn root_among<'r>(&self, roots: impl IntoIterator<Item = &'r [u8]>, now: Timestamp) -> Option<Hash> {
        x509::root_of(&self.chain, roots, now)
    }

    /// How the metadata name the makers of U2F keys: SHA-1 of the key in the attestation certificate
    /// (RFC 5280 §4.2.1.2 method 1).
    pub fn key_id(&self) -> Option<[u8; 20]> {
        let leaf = x509::parse(self.chain.first().filter(|_| self.format == U2F)?)?;
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &leaf.public_key().subject_public_key.data).as_ref().try_into().ok()
    }
}

/// The members of a statement.
struct Members<'a>(&'a [(Value, Value)]);

impl Members<'_> {
    fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.find(name)?.as_bytes().map(Vec::as_slice)
    }

    fn alg(&self) -> Result<i64, Wrong> {
        self.find("alg").and_then(cbor::integer).ok_or(Wrong("alg is not a number"))
    }

    fn sig(&self) -> Result<&[u8], Wrong> {
        self.bytes("sig").ok_or(Wrong("sig is not bytes"))
    }

    /// `x5c`: one certificate or more, the leaf first.
    fn x5c(&self) -> Result<Vec<Vec<u8>>, Wrong> {
        let items = self.find("x5c").and_then(Value::as_array).ok_or(Wrong("x5c is not an array"))?;
        let chain: Option<Vec<Vec<u8>>> = items.iter().map(|item| item.as_bytes().cloned()).collect();
        let chain = chain.ok_or(Wrong("x5c holds something else than bytes"))?;
        if (1..=x509::MOST).contains(&chain.len()) { Ok(chain) } else { Err(Wrong("x5c is empty or too long")) }
    }
}

/// The leaf of a chain.
fn leaf(chain: &[Vec<u8>]) -> Result<x509_parser::prelude::X509Certificate<'_>, Wrong> {
    chain.first().and_then(|der| x509::parse(der)).ok_or(Wrong("the attestation certificate cannot be read"))
}

/// Verifies a statement's signature by its leaf; `None`: by an algorithm that is not verified here.
fn check(
    leaf: &x509_parser::prelude::X509Certificate<'_>,
    alg: i64,
    message: &[u8],
    signature: &[u8],
) -> Result<Option<()>, Wrong> {
    match x509::verifies(leaf, alg, message, signature) {
        Some(true) => Ok(Some(())),
        Some(false) => Err(Wrong("sig is not the attestation certificate's")),
        None => Ok(None),
    }
}

/// The model that a certificate names, if it names one, is the authenticator's (id-fido-gen-ce-aaguid).
fn check_aaguid(leaf: &x509_parser::prelude::X509Certificate<'_>, aaguid: &[u8; 16]) -> Result<(), Wrong> {
    match x509::extension(leaf, "1.3.6.1.4.1.45724.1.1.4") {
        None => Ok(()),
        Some((_, true)) => Err(Wrong("the certificate's AAGUID is critical")),
        Some((value, false)) if der::Der::only(value, der::OCTET_STRING) == Some(aaguid) => Ok(()),
        Some(_) => Err(Wrong("the certificate is for another AAGUID")),
    }
}
