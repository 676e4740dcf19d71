//! X.509 certificates as attestations and metadata use them: signatures, and chains up to given roots.
//!
//! RFC 5280 §4 and §6.1, without names, policies and revocation: the roots vouch for models, the metadata revoke them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::passkey::cose::{EDDSA, ES256, ES384, ES512, PublicKey, RS256};
use crate::secret::{Hash, sha256};
use crate::time::Timestamp;

/// Most certificates of a statement or a metadata BLOB that are looked at, roots not counted.
pub(in crate::passkey) const MOST: usize = 8;

/// RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8812 §2): only TPMs still sign so.
pub(super) const RS1: i64 = -65535;

/// Reads a certificate that fills `der`. What no signature covers must be what RFC 5280 says, too: the outer algorithm is
/// the signed one (§4.1.1.2), and bit strings are whole bytes.
pub(in crate::passkey) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    let whole = [&certificate.signature_value, &certificate.public_key().subject_public_key];
    let good = rest.is_empty()
        && certificate.signature_algorithm == certificate.tbs_certificate.signature
        && whole.iter().all(|bits| bits.unused_bits == 0);
    good.then_some(certificate)
}

/// Which kind of key a certificate has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa,
}

/// `None`: a key of a kind that is not verified here.
pub(super) fn kind(key: &SubjectPublicKeyInfo<'_>) -> Option<Kind> {
    let curve = || key.algorithm.parameters.as_ref()?.as_oid().ok().map(|oid| oid.to_id_string());
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.10045.2.1" => match curve()?.as_str() {
            "1.2.840.10045.3.1.7" => Some(Kind::P256),
            "1.3.132.0.34" => Some(Kind::P384),
            "1.3.132.0.35" => Some(Kind::P521),
            _ => None,
        },
        "1.3.101.112" => Some(Kind::Ed25519),
        "1.2.840.113549.1.1.1" => Some(Kind::Rsa),
        _ => None,
    }
}

type Algorithm = &'static dyn VerificationAlgorithm;

/// The algorithm of a COSE identifier with a key of this kind.
fn by_cose(alg: i64, kind: Kind) -> Option<Algorithm> {
    Some(match (alg, kind) {
        (ES256, Kind::P256) => &ECDSA_P256_SHA256_ASN1,
        (ES384, Kind::P384) => &ECDSA_P384_SHA384_ASN1,
        (ES512, Kind::P521) => &ECDSA_P521_SHA512_ASN1,
        (EDDSA, Kind::Ed25519) => &ED25519,
        (RS256, Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA256,
        (-258, Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA384,
        (-259, Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA512,
        (RS1, Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        _ => return None,
    })
}

/// The algorithm by which one certificate signed another (RFC 5758, RFC 4055, RFC 8410). None with SHA-1.
fn by_oid(oid: &str, kind: Kind) -> Option<Algorithm> {
    Some(match (oid, kind) {
        ("1.2.840.10045.4.3.2", Kind::P256) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Kind::P256) => &ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Kind::P256) => &ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", Kind::P384) => &ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Kind::P384) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Kind::P384) => &ECDSA_P384_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", Kind::P521) => &ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Kind::P521) => &ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Kind::P521) => &ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", Kind::Ed25519) => &ED25519,
        ("1.2.840.113549.1.1.11", Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

/// Whether the key of a certificate made `signature` over `message`. `None`: not an algorithm that is verified here.
pub(in crate::passkey) fn verifies(
    certificate: &X509Certificate<'_>,
    alg: i64,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let key = certificate.public_key();
    let algorithm = by_cose(alg, kind(key)?)?;
    Some(UnparsedPublicKey::new(algorithm, &key.subject_public_key.data).verify(message, signature).is_ok())
}

/// Whether a certificate is for just this credential's key.
pub(super) fn is_key_of(certificate: &X509Certificate<'_>, key: &PublicKey) -> bool {
    let info = certificate.public_key();
    let bytes = info.subject_public_key.data.as_ref();
    match (key, kind(info)) {
        (PublicKey::Ec2 { alg: ES256, point }, Some(Kind::P256))
        | (PublicKey::Ec2 { alg: ES384, point }, Some(Kind::P384))
        | (PublicKey::Ec2 { alg: ES512, point }, Some(Kind::P521)) => point == bytes,
        (PublicKey::Ed25519 { x }, Some(Kind::Ed25519)) => x == bytes,
        (PublicKey::Rsa { n, e }, Some(Kind::Rsa)) => match info.parsed() {
            Ok(x509_parser::public_key::PublicKey::RSA(rsa)) => {
                unpadded(rsa.modulus) == n && unpadded(rsa.exponent) == e
            }
            _ => false,
        },
        _ => false,
    }
}

/// A positive DER integer without its leading zero.
fn unpadded(number: &[u8]) -> &[u8] {
    number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..)).unwrap_or_default()
}

/// The value of an extension, and whether it is critical.
pub(super) fn extension<'a>(certificate: &'a X509Certificate<'_>, oid: &str) -> Option<(&'a [u8], bool)> {
    let found = certificate.extensions().iter().find(|extension| extension.oid.to_id_string() == oid)?;
    Some((found.value, found.critical))
}

/// Whether a certificate is for a DNS name, by its alternative names or else its common name (RFC 9525 §6).
pub(in crate::passkey) fn is_named(certificate: &X509Certificate<'_>, name: &str) -> bool {
    match certificate.subject_alternative_name() {
        Ok(Some(names)) => names
            .value
            .general_names
            .iter()
            .any(|found| matches!(found, GeneralName::DNSName(found) if found.eq_ignore_ascii_case(name))),
        _ => certificate.subject().iter_common_name().any(|found| found.as_str() == Ok(name)),
    }
}

/// What a certificate may do, as far as its extensions say so.
struct Powers {
    /// `cA` of the basic constraints; `None`: there are none.
    ca: Option<bool>,
    path_len: Option<u32>,
    /// Key usage lets it sign certificates, or says nothing.
    signs: bool,
    /// Some critical extension is not understood here.
    puzzling: bool,
}

fn powers(certificate: &X509Certificate<'_>) -> Powers {
    let mut powers = Powers { ca: None, path_len: None, signs: true, puzzling: false };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                (powers.ca, powers.path_len) = (Some(basic.ca), basic.path_len_constraint);
            }
            ParsedExtension::KeyUsage(usage) => powers.signs = usage.key_cert_sign(),
            // What these say does not limit which keys a root vouches for.
            ParsedExtension::ExtendedKeyUsage(_)
            | ParsedExtension::SubjectAlternativeName(_)
            | ParsedExtension::CertificatePolicies(_) => {}
            _ => powers.puzzling |= extension.critical,
        }
    }
    powers
}

/// `cA` of the basic constraints; `None`: there are none.
pub(super) fn is_ca(certificate: &X509Certificate<'_>) -> Option<bool> {
    powers(certificate).ca
}

fn is_valid_at(certificate: &X509Certificate<'_>, now: Timestamp) -> bool {
    let validity = certificate.validity();
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now.secs())
}

/// Whether `issuer` signed `certificate` and may do so with `below` authorities between it and the leaf.
fn issued(issuer: &X509Certificate<'_>, certificate: &X509Certificate<'_>, below: usize) -> bool {
    let powers = powers(issuer);
    let may = !powers.puzzling && powers.signs && powers.path_len.is_none_or(|most| below <= most as usize);
    if !may || powers.ca != Some(true) || issuer.subject().as_raw() != certificate.issuer().as_raw() {
        return false;
    }
    let key = issuer.public_key();
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    kind(key).and_then(|kind| by_oid(&oid, kind)).is_some_and(|algorithm| {
        UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
            .verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
            .is_ok()
    })
}

/// The root up to which a chain leads, as SHA-256 of its DER. The leaf comes first, the others in any order; a chain may
/// end at a certificate that is itself listed (WebAuthn L3 §7.1 step 24). `None`: to none of them, not valid now, or an
/// authority that may not issue what it issued.
pub(in crate::passkey) fn root_of<'r>(
    chain: &[Vec<u8>],
    roots: impl IntoIterator<Item = &'r [u8]>,
    now: Timestamp,
) -> Option<Hash> {
    let roots: Vec<&[u8]> = roots.into_iter().collect();
    let (leaf, others) = chain.split_first().filter(|_| chain.len() <= MOST)?;
    if roots.contains(&leaf.as_slice()) {
        return Some(sha256(leaf));
    }
    let mut current = parse(leaf)?;
    if powers(&current).puzzling || is_ca(&current) == Some(true) || !is_valid_at(&current, now) {
        return None;
    }
    let authorities: Vec<(X509Certificate<'_>, &[u8])> =
        others.iter().filter_map(|der| Some((parse(der)?, der.as_slice()))).collect();
    let anchors: Vec<(X509Certificate<'_>, &[u8])> = roots.iter().filter_map(|der| Some((parse(der)?, *der))).collect();
    for below in 0..MOST {
        // A root is believed as it is; RFC 5280 §6.1.1 (d) asks nothing of its validity.
        if let Some((_, der)) = anchors.iter().find(|(root, _)| issued(root, &current, below)) {
            return Some(sha256(der));
        }
        let (next, der) = authorities.iter().find(|(authority, _)| {
            authority.subject() != authority.issuer()
                && is_valid_at(authority, now)
                && issued(authority, &current, below)
        })?;
        if roots.contains(der) {
            return Some(sha256(der));
        }
        current = next.clone();
    }
    None
}
