//! TPM attestation. WebAuthn L3 §8.3; TPM 2.0 Library Part 2 §10.12.8, §12.2.4.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{X509Certificate, X509Version};

use super::{Claim, Found, Members, Wrong, check, check_aaguid, leaf, x509};
use crate::passkey::cose::{ES256, ES384, ES512, PublicKey, RS256};

/// TPM_GENERATED_VALUE, TPM_ST_ATTEST_CERTIFY, TPM_ALG_NULL.
const GENERATED: u32 = 0xff54_4347;
const ATTEST_CERTIFY: u16 = 0x8017;
const ALG_NULL: u16 = 0x0010;

pub(super) fn verify(members: &Members<'_>, claim: &Claim<'_>) -> Result<Found, Wrong> {
    if members.find("ver").and_then(ciborium::Value::as_text) != Some("2.0") {
        return Err(Wrong("ver is not 2.0"));
    }
    let (alg, sig, chain) = (members.alg()?, members.sig()?, members.x5c()?);
    let cert_info = members.bytes("certInfo").ok_or(Wrong("certInfo is not bytes"))?;
    let pub_area = members.bytes("pubArea").ok_or(Wrong("pubArea is not bytes"))?;

    let public = Public::read(pub_area).ok_or(Wrong("pubArea cannot be read"))?;
    if !public.is_key(claim.key) {
        return Err(Wrong("pubArea is of another key"));
    }
    let attest = Attest::read(cert_info).ok_or(Wrong("certInfo is not a TPM's certification of a key"))?;
    let leaf = leaf(&chain)?;
    let (Some(hash), Some(name_hash)) = (hash_of(alg), name_hash(public.name_alg)) else {
        return Ok(Found::Unverified);
    };
    if attest.extra_data != digest(hash, &claim.signed()).as_ref() {
        return Err(Wrong("certInfo is not of this ceremony"));
    }
    let name = [&public.name_alg.to_be_bytes(), digest(name_hash, pub_area).as_ref()].concat();
    if attest.name != name {
        return Err(Wrong("certInfo certifies another key"));
    }
    if check(&leaf, alg, cert_info, sig)?.is_none() {
        return Ok(Found::Unverified);
    }
    check_requirements(&leaf)?;
    check_aaguid(&leaf, claim.aaguid)?;
    drop(leaf);
    Ok(Found::Certified { chain, hardware: false })
}

/// The hash of a signature algorithm. Windows' older TPMs sign with SHA-1; a collision would have to be found for a
/// challenge of ours within minutes, by somebody who holds a genuine TPM already.
fn hash_of(alg: i64) -> Option<&'static Algorithm> {
    Some(match alg {
        ES256 | RS256 => &SHA256,
        ES384 | -258 => &SHA384,
        ES512 | -259 => &SHA512,
        x509::RS1 => &SHA1_FOR_LEGACY_USE_ONLY,
        _ => return None,
    })
}

/// The hash of a key's name, by TPM_ALG_ID.
const fn name_hash(alg: u16) -> Option<&'static Algorithm> {
    match alg {
        0x000b => Some(&SHA256),
        0x000c => Some(&SHA384),
        0x000d => Some(&SHA512),
        _ => None,
    }
}

/// Reads big-endian numbers and sized buffers.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// TPM2B: a length and so many bytes.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// An algorithm with `parameters` numbers after it, unless it is none.
    fn algorithm(&mut self, parameters: usize) -> Option<()> {
        if self.u16()? != ALG_NULL {
            self.take(2 * parameters)?;
        }
        Some(())
    }
}

/// TPMT_PUBLIC.
struct Public<'a> {
    name_alg: u16,
    unique: Unique<'a>,
}

enum Unique<'a> {
    Rsa { exponent: u32, modulus: &'a [u8] },
    Ecc { curve: u16, x: &'a [u8], y: &'a [u8] },
}

impl<'a> Public<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let kind = reader.u16()?;
        let name_alg = reader.u16()?;
        // objectAttributes and authPolicy say how the key may be used, not which it is.
        reader.u32()?;
        reader.sized()?;
        // symmetric (key bits and mode) and scheme (hash).
        reader.algorithm(2)?;
        reader.algorithm(1)?;
        let unique = match kind {
            0x0001 => {
                reader.u16()?;
                // 0 stands for the usual one.
                let exponent = match reader.u32()? {
                    0 => 65537,
                    exponent => exponent,
                };
                Unique::Rsa { exponent, modulus: reader.sized()? }
            }
            0x0023 => {
                let curve = reader.u16()?;
                reader.algorithm(1)?;
                Unique::Ecc { curve, x: reader.sized()?, y: reader.sized()? }
            }
            _ => return None,
        };
        reader.0.is_empty().then_some(Self { name_alg, unique })
    }

    fn is_key(&self, key: &PublicKey) -> bool {
        match (&self.unique, key) {
            (Unique::Rsa { exponent, modulus }, PublicKey::Rsa { n, e }) => {
                let e = e.iter().fold(0, |e: u64, byte| e << 8 | u64::from(*byte));
                *modulus == n.as_slice() && u64::from(*exponent) == e
            }
            (Unique::Ecc { curve, x, y }, PublicKey::Ec2 { alg, point }) => {
                let same_curve = matches!((*curve, *alg), (0x0003, ES256) | (0x0004, ES384) | (0x0005, ES512));
                // A TPM may leave leading zeros out.
                let length = point.len() / 2;
                let pad = |number: &[u8]| [&vec![0; length.saturating_sub(number.len())], number].concat();
                same_curve && *point == [&[4], pad(x).as_slice(), pad(y).as_slice()].concat()
            }
            _ => false,
        }
    }
}

/// TPMS_ATTEST of the kind TPMS_CERTIFY_INFO.
struct Attest<'a> {
    extra_data: &'a [u8],
    name: &'a [u8],
}

impl<'a> Attest<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u32()? != GENERATED || reader.u16()? != ATTEST_CERTIFY {
            return None;
        }
        reader.sized()?;
        let extra_data = reader.sized()?;
        // clockInfo and firmwareVersion.
        reader.take(17 + 8)?;
        let name = reader.sized()?;
        reader.sized()?;
        reader.0.is_empty().then_some(Self { extra_data, name })
    }
}

/// WebAuthn L3 §8.3.1.
fn check_requirements(leaf: &X509Certificate<'_>) -> Result<(), Wrong> {
    let mut purpose = false;
    let mut named = 0;
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usage) => {
                purpose = usage.other.iter().any(|oid| oid.to_id_string() == "2.23.133.8.3");
            }
            ParsedExtension::SubjectAlternativeName(alternative) => {
                let directories = alternative.general_names.iter().filter_map(|name| match name {
                    GeneralName::DirectoryName(name) => Some(name),
                    _ => None,
                });
                for attribute in directories.flat_map(|name| name.iter_attributes()) {
                    match attribute.attr_type().to_id_string().as_str() {
                        "2.23.133.2.1" => named |= 1,
                        "2.23.133.2.2" => named |= 2,
                        "2.23.133.2.3" => named |= 4,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let holds = [
        (leaf.version() == X509Version::V3, "the TPM's certificate is not of version 3"),
        (leaf.subject().iter().next().is_none(), "the TPM's certificate has a subject"),
        (named == 0b111, "the TPM's certificate does not name manufacturer, model and version"),
        (purpose, "the certificate is not for attestation by a TPM"),
        (x509::is_ca(leaf) == Some(false), "the TPM's certificate is not said to be no authority"),
    ];
    holds.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(Wrong(why)))
}
