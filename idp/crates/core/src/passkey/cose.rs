//! COSE keys and their signatures.
//!
//! RFC 9052 §7, RFC 9053, RFC 8230 §4; signature formats of WebAuthn L3 §6.5.5.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use ciborium::Value;

use super::cbor;

/// ECDSA on P-256 with SHA-256.
pub const ES256: i64 = -7;
/// Ed25519.
pub const EDDSA: i64 = -8;
/// ECDSA on P-384 with SHA-384.
pub const ES384: i64 = -35;
/// ECDSA on P-521 with SHA-512.
pub const ES512: i64 = -36;
/// RSASSA-PKCS1-v1_5 with SHA-256.
pub const RS256: i64 = -257;

/// Algorithms whose signatures are verified here.
pub const SUPPORTED: &[i64] = &[ES256, EDDSA, ES384, ES512, RS256];

/// Longest COSE_Key that is read; an RSA key of 8192 bits takes about 1050 bytes.
pub const MAX_KEY_LEN: usize = 2048;

/// Why a COSE_Key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key is not a COSE_Key")]
    Malformed,
    #[error("the key's algorithm {0} is not one that is verified here")]
    Algorithm(i64),
    #[error("the key's parameters do not belong to its algorithm")]
    Parameters,
}

/// A credential public key whose form is checked; [`PublicKey::is_valid`] looks deeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// An uncompressed point (SEC 1 §2.3.3) and the algorithm that goes with its curve.
    Ec2 { alg: i64, point: Vec<u8> },
    /// Ed25519 (RFC 8032 §5.1.2).
    Ed25519 { x: [u8; 32] },
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    /// Reads a COSE_Key that fills `bytes`.
    ///
    /// # Errors
    /// [`KeyError`]: not CBOR or something after it, an algorithm not in [`SUPPORTED`], or a key type,
    /// curve or length that is not the algorithm's (so that one key cannot be used under two algorithms).
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > MAX_KEY_LEN {
            return Err(KeyError::Malformed);
        }
        let (value, rest) = cbor::read(bytes).ok_or(KeyError::Malformed)?;
        if !rest.is_empty() {
            return Err(KeyError::Malformed);
        }
        let map = cbor::entries(value).ok_or(KeyError::Malformed)?;
        let number = |label| cbor::at(&map, label).and_then(cbor::integer);
        let bytes = |label| cbor::at(&map, label).and_then(Value::as_bytes);
        let (Some(kty), Some(alg)) = (number(1), number(3)) else { return Err(KeyError::Malformed) };
        match (alg, kty, number(-1)) {
            (ES256, 2, Some(1)) => ec2(alg, 32, bytes(-2), bytes(-3)),
            (ES384, 2, Some(2)) => ec2(alg, 48, bytes(-2), bytes(-3)),
            (ES512, 2, Some(3)) => ec2(alg, 66, bytes(-2), bytes(-3)),
            (EDDSA, 1, Some(6)) => {
                let x = bytes(-2).and_then(|x| x.as_slice().try_into().ok()).ok_or(KeyError::Parameters)?;
                Ok(Self::Ed25519 { x })
            }
            (RS256, 3, None) => {
                let (Some(n), Some(e)) = (bytes(-1), bytes(-2)) else { return Err(KeyError::Parameters) };
                rsa(n, e)
            }
            (alg, ..) if SUPPORTED.contains(&alg) => Err(KeyError::Parameters),
            (alg, ..) => Err(KeyError::Algorithm(alg)),
        }
    }

    /// The COSE algorithm of the key.
    pub const fn alg(&self) -> i64 {
        match self {
            Self::Ec2 { alg, .. } => *alg,
            Self::Ed25519 { .. } => EDDSA,
            Self::Rsa { .. } => RS256,
        }
    }

    /// Whether the signature library takes the key: an EC point lies on its curve.
    pub fn is_valid(&self) -> bool {
        match self.algorithm() {
            Ok((algorithm, key)) => ParsedPublicKey::new(algorithm, key).is_ok(),
            Err(rsa) => rsa.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).is_ok(),
        }
    }

    /// Whether `signature` over `message` was made with this key's private half.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.algorithm() {
            Ok((algorithm, key)) => UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok(),
            Err(rsa) => rsa.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }

    /// The key as the signature library wants it: RSA in its parts, the others as one string.
    fn algorithm(&self) -> Result<OneString<'_>, RsaPublicKeyComponents<&[u8]>> {
        match self {
            Self::Ec2 { alg: ES256, point } => Ok((&ECDSA_P256_SHA256_ASN1, point)),
            Self::Ec2 { alg: ES384, point } => Ok((&ECDSA_P384_SHA384_ASN1, point)),
            Self::Ec2 { point, .. } => Ok((&ECDSA_P521_SHA512_ASN1, point)),
            Self::Ed25519 { x } => Ok((&ED25519, x)),
            Self::Rsa { n, e } => Err(RsaPublicKeyComponents { n, e }),
        }
    }
}

/// A key that is one string of bytes, and its algorithm.
type OneString<'a> = (&'static dyn VerificationAlgorithm, &'a [u8]);

/// An RSA key of 2048 to 8192 bits without leading zeros (RFC 8230 §4). With an exponent of 1 anybody could sign.
fn rsa(n: &[u8], e: &[u8]) -> Result<PublicKey, KeyError> {
    let positive_odd = |number: &[u8]| number.first() != Some(&0) && number.last().is_some_and(|last| last % 2 == 1);
    let lengths = (256..=1024).contains(&n.len()) && (1..=5).contains(&e.len());
    if lengths && positive_odd(n) && positive_odd(e) && e != [1] {
        Ok(PublicKey::Rsa { n: n.to_vec(), e: e.to_vec() })
    } else {
        Err(KeyError::Parameters)
    }
}

/// An EC2 key: both coordinates in full length (RFC 9053 §7.1.1; compressed points are not allowed by
/// WebAuthn L3 §5.8.5).
fn ec2(alg: i64, len: usize, x: Option<&Vec<u8>>, y: Option<&Vec<u8>>) -> Result<PublicKey, KeyError> {
    match (x, y) {
        (Some(x), Some(y)) if x.len() == len && y.len() == len => {
            let mut point = Vec::with_capacity(1 + 2 * len);
            point.push(4);
            point.extend_from_slice(x);
            point.extend_from_slice(y);
            Ok(PublicKey::Ec2 { alg, point })
        }
        _ => Err(KeyError::Parameters),
    }
}
