//! Metadata BLOBs: a JWS of what FIDO knows of all models, verified and read into a compact table.
//!
//! FIDO Metadata Service v3.1 §3.1.6, §3.1.7, §3.2. One entry that cannot be read is left out, an unknown status is passed
//! over: vendors' mistakes must not cost the rest of the BLOB.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Certification, Entry, ModelKey, Status};
use crate::encoding::from_base64url;
use crate::passkey::attestation::x509;
use crate::passkey::cose::RS256;
use crate::time::Timestamp;

/// Longest BLOB that is read; in 2025 it has 7 MiB.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The root of FIDO's signing certificates: GlobalSign Root CA - R3.
const FIDO_ROOT: &str = include_str!("globalsign-r3.pem");

/// The name in FIDO's signing certificate. Its root signs for half the web, so that the name must be looked at too.
const FIDO_NAME: &str = "mds.fidoalliance.org";

/// Whose signature a BLOB must bear.
#[derive(Clone, Debug)]
pub struct Signer {
    roots: Vec<Vec<u8>>,
    name: Option<&'static str>,
}

impl Signer {
    /// FIDO itself.
    pub fn fido() -> Self {
        let roots = crate::passkey::policy::trust::certificates(FIDO_ROOT).unwrap_or_default();
        Self { roots, name: Some(FIDO_NAME) }
    }

    /// Any certificate under roots of one's own, DER.
    pub const fn own(roots: Vec<Vec<u8>>) -> Self {
        Self { roots, name: None }
    }
}

/// Why a BLOB is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    #[error("it is not a JWS in compact form with an x5c header")]
    Form,
    #[error("its signing certificate is not FIDO's, not valid now, or not under a root that is believed")]
    Chain,
    #[error("its signature is wrong, or made by another algorithm than RS256 and ES256")]
    Signature,
    #[error("what is signed is not a metadata BLOB")]
    Payload,
}

/// A BLOB that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// `no`; each BLOB has a greater one.
    pub number: i64,
    /// When the next one is due.
    pub next_update: Timestamp,
    pub entries: Vec<(ModelKey, Entry)>,
    /// Entries that could not be read.
    pub skipped: usize,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5c: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    no: i64,
    next_update: String,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    aaguid: Option<uuid::Uuid>,
    #[serde(default)]
    attestation_certificate_key_identifiers: Vec<String>,
    #[serde(default)]
    metadata_statement: Statement,
    #[serde(default)]
    status_reports: Vec<Report>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Statement {
    description: String,
    key_protection: Vec<String>,
    attestation_root_certificates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: String,
    #[serde(default)]
    effective_date: Option<String>,
}

impl Report {
    /// Whether its day has come; without one it holds while it is in the BLOB (MDS §3.1.3).
    fn holds(&self, now: Timestamp) -> bool {
        let Some(text) = &self.effective_date else { return true };
        day(text).is_some_and(|day| day <= now)
    }
}

/// The start of a day in UTC.
fn day(text: &str) -> Option<Timestamp> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(Timestamp::from_ms(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
}

/// Reads a BLOB.
///
/// # Errors
/// [`BlobError`] with the first thing that is wrong; nothing of it is to be believed then.
pub fn read(bytes: &[u8], signer: &Signer, now: Timestamp) -> Result<Blob, BlobError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BlobError::Form)?.trim();
    let (signed, signature) = text.rsplit_once('.').ok_or(BlobError::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(BlobError::Form)?;
    let header = from_base64url(header).ok_or(BlobError::Form)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| BlobError::Form)?;
    let signature = from_base64url(signature).ok_or(BlobError::Form)?;
    let chain: Option<Vec<Vec<u8>>> = header.x5c.iter().map(|text| STANDARD.decode(text).ok()).collect();
    let chain = chain.filter(|chain| !chain.is_empty()).ok_or(BlobError::Form)?;

    x509::root_of(&chain, signer.roots.iter().map(Vec::as_slice), now).ok_or(BlobError::Chain)?;
    let leaf = chain.first().and_then(|der| x509::parse(der)).ok_or(BlobError::Chain)?;
    if !signer.name.is_none_or(|name| x509::is_named(&leaf, name)) {
        return Err(BlobError::Chain);
    }
    let good = match header.alg.as_str() {
        "RS256" => x509::verifies(&leaf, RS256, signed.as_bytes(), &signature) == Some(true),
        // JWS writes the two numbers one after the other (RFC 7518 §3.4), certificates as DER.
        "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &leaf.public_key().subject_public_key.data)
            .verify(signed.as_bytes(), &signature)
            .is_ok(),
        _ => false,
    };
    if !good {
        return Err(BlobError::Signature);
    }
    let payload = from_base64url(payload).ok_or(BlobError::Payload)?;
    blob(&payload, now).ok_or(BlobError::Payload)
}

fn blob(payload: &[u8], now: Timestamp) -> Option<Blob> {
    let Payload { no, next_update, entries } = serde_json::from_slice(payload).ok()?;
    let mut blob =
        Blob { number: no, next_update: day(&next_update)?, entries: Vec::with_capacity(entries.len()), skipped: 0 };
    for value in entries {
        let raw: Option<RawEntry> = serde_json::from_value(value).ok();
        match raw.and_then(|raw| raw.read(now)) {
            Some(entries) => blob.entries.extend(entries),
            None => blob.skipped += 1,
        }
    }
    Some(blob)
}

impl RawEntry {
    /// The entry under each of its keys; none for authenticators of another protocol. `None`: it cannot be read.
    fn read(self, now: Timestamp) -> Option<Vec<(ModelKey, Entry)>> {
        let mut keys = Vec::new();
        keys.extend(self.aaguid.filter(|aaguid| !aaguid.is_nil()).map(|aaguid| ModelKey::Aaguid(aaguid.into_bytes())));
        for text in &self.attestation_certificate_key_identifiers {
            keys.push(ModelKey::KeyId(key_id(text)?));
        }
        let statement = self.metadata_statement;
        let root = |text: &String| {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            STANDARD.decode(text).ok()
        };
        let protects = |word: &str| statement.key_protection.iter().any(|found| found == word);
        let entry = Entry {
            // What is wrong with a model is taken at once, whatever day it gives; what speaks for it, from its day on.
            statuses: self.status_reports.iter().filter_map(|report| Status::parse(&report.status)).collect(),
            certification: self
                .status_reports
                .iter()
                .filter(|report| report.holds(now))
                .filter_map(|report| Certification::parse(&report.status))
                .max()
                .unwrap_or(Certification::None),
            hardware: ["hardware", "tee", "secure_element"].into_iter().any(protects) && !protects("software"),
            roots: statement.attestation_root_certificates.iter().map(root).collect::<Option<_>>()?,
            description: statement.description,
        };
        Some(keys.into_iter().map(|key| (key, entry.clone())).collect())
    }
}

/// 40 hexadecimal digits.
fn key_id(text: &str) -> Option<[u8; 20]> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let bytes: Vec<u8> =
        digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    bytes.try_into().ok().filter(|_| text.len() == 40)
}
