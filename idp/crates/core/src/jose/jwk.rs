//! Public keys of others: what clients register, publish or put into a DPoP proof.
//! RFC 7517 §4 and §5, RFC 7518 §6, RFC 8037 §2, RFC 7638.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::json;
use crate::client::SigningAlg;
use crate::encoding::from_base64url;
use crate::secret::{Hash, sha256};

/// Longest JWK set that is read, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;

/// Most keys of a set.
pub const MOST_KEYS: usize = 50;

/// Most keys one signature is tried with: whoever publishes fifty large keys does not make us compute fifty times.
const MOST_TRIED: usize = 4;

/// Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Why a key or a set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwk {
    #[error("is not a JSON object, or a member comes twice")]
    Json,
    #[error("is longer than 64 KiB")]
    Long,
    #[error("has no `keys`, or more than 50")]
    Keys,
    #[error("holds a private or shared key, which nobody may see; make a new one")]
    Private,
    #[error("is of a kind that is not supported: RSA, EC with P-256 or OKP with Ed25519")]
    Kind,
    #[error("is for an algorithm that is not supported or not its kind's")]
    Algorithm,
    #[error("is not for verifying signatures (`use`, `key_ops`)")]
    Use,
    #[error("has a member that is missing or not of its form")]
    Member,
    #[error("is an RSA key of less than 2048 or more than 8192 bits, or with a bad exponent")]
    Rsa,
    #[error("is not a point of its curve")]
    Point,
}

/// The numbers of a public key, as base64url texts.
pub(super) enum Numbers {
    Rsa { n: String, e: String },
    P256 { x: String, y: String },
    Ed25519 { x: String },
}

impl Numbers {
    /// The required members in lexicographic order without blanks (RFC 7638 §3).
    pub(super) fn canonical(&self) -> String {
        match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        }
    }

    /// The key's thumbprint (RFC 7638 §3).
    pub(super) fn thumbprint(&self) -> Hash {
        sha256(self.canonical().as_bytes())
    }

    /// The numbers are in range, and spelled in the one way the RFC leaves: no padding, no leading zeros, full length.
    fn check(&self) -> Result<(), InvalidJwk> {
        let bytes = |text: &str| from_base64url(text).ok_or(InvalidJwk::Member);
        match self {
            Self::Rsa { n, e } => rsa(&bytes(n)?, &bytes(e)?),
            Self::P256 { x, y } => {
                let (x, y) = (bytes(x)?, bytes(y)?);
                let whole = x.len() == 32 && y.len() == 32;
                let point = [&[4], x.as_slice(), &y].concat();
                let on_curve = whole && ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok();
                if on_curve { Ok(()) } else { Err(InvalidJwk::Point) }
            }
            Self::Ed25519 { x } => {
                if bytes(x)?.len() == 32 {
                    Ok(())
                } else {
                    Err(InvalidJwk::Point)
                }
            }
        }
    }

    fn decoding(&self) -> Result<DecodingKey, InvalidJwk> {
        match self {
            Self::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            Self::P256 { x, y } => DecodingKey::from_ec_components(x, y),
            Self::Ed25519 { x } => DecodingKey::from_ed_components(x),
        }
        .map_err(|_| InvalidJwk::Member)
    }

    const fn is_for(&self, alg: SigningAlg) -> bool {
        match self {
            Self::Rsa { .. } => matches!(alg, SigningAlg::RS256 | SigningAlg::PS256),
            Self::P256 { .. } => matches!(alg, SigningAlg::ES256),
            Self::Ed25519 { .. } => matches!(alg, SigningAlg::EdDSA),
        }
    }
}

/// 2048 to 8192 bits, odd; an odd exponent above 1, with which anybody could sign.
fn rsa(n: &[u8], e: &[u8]) -> Result<(), InvalidJwk> {
    let positive_odd = |number: &[u8]| number.first() != Some(&0) && number.last().is_some_and(|last| last % 2 == 1);
    let bits = |number: &[u8]| number.first().map_or(0, |f| number.len() * 8 - f.leading_zeros() as usize);
    let ok = (2048..=8192).contains(&bits(n)) && e.len() <= 4 && positive_odd(n) && positive_odd(e) && e != [1];
    if ok { Ok(()) } else { Err(InvalidJwk::Rsa) }
}

/// A public key for signatures, its form and range checked.
#[derive(Clone)]
pub struct PublicJwk {
    /// Compared with the `kid` of a token, never opened, fetched or looked up.
    pub kid: Option<String>,
    /// SHA-256 thumbprint (RFC 7638); the `jkt` of DPoP.
    pub thumbprint: Hash,
    algs: Vec<SigningAlg>,
    key: DecodingKey,
}

impl std::fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicJwk({:?}, {:?})", self.kid, self.algs)
    }
}

impl PublicJwk {
    /// Reads a JWK from its text.
    ///
    /// # Errors
    /// [`InvalidJwk`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidJwk> {
        if text.len() > MOST_BYTES {
            return Err(InvalidJwk::Long);
        }
        Self::from_members(&json::object(text.as_bytes()).ok_or(InvalidJwk::Json)?)
    }

    /// Reads a JWK from the members of its object.
    ///
    /// # Errors
    /// [`InvalidJwk`] says what is wrong.
    pub fn from_members(jwk: &Map<String, Value>) -> Result<Self, InvalidJwk> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err(InvalidJwk::Private);
        }
        let optional = |name: &str| jwk.get(name).map(|v| v.as_str().ok_or(InvalidJwk::Member)).transpose();
        let required = |name: &str| optional(name)?.map(str::to_owned).ok_or(InvalidJwk::Member);
        let numbers = match (required("kty")?.as_str(), optional("crv")?) {
            ("RSA", _) => Numbers::Rsa { n: required("n")?, e: required("e")? },
            ("EC", Some("P-256")) => Numbers::P256 { x: required("x")?, y: required("y")? },
            ("OKP", Some("Ed25519")) => Numbers::Ed25519 { x: required("x")? },
            _ => return Err(InvalidJwk::Kind),
        };
        let verifies =
            jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|o| o.contains(&"verify".into())));
        if optional("use")?.is_some_and(|u| u != "sig") || !verifies {
            return Err(InvalidJwk::Use);
        }
        let named = optional("alg")?;
        let fits = |alg: &SigningAlg| numbers.is_for(*alg) && named.is_none_or(|n| n == alg.text());
        let algs: Vec<_> = SigningAlg::ALL.iter().copied().filter(fits).collect();
        if algs.is_empty() {
            return Err(InvalidJwk::Algorithm);
        }
        numbers.check()?;
        let kid = optional("kid")?.map(str::to_owned);
        Ok(Self { kid, thumbprint: numbers.thumbprint(), algs, key: numbers.decoding()? })
    }

    /// Whether the key is one for `alg`, by its kind and by the `alg` it may name.
    pub fn fits(&self, alg: SigningAlg) -> bool {
        self.algs.contains(&alg)
    }

    /// Whether `signature`, in base64url without padding, over `message` was made with this key's private half.
    pub(super) fn verifies(&self, alg: SigningAlg, message: &str, signature: &str) -> bool {
        let algorithm = match alg {
            SigningAlg::RS256 => Algorithm::RS256,
            SigningAlg::ES256 => Algorithm::ES256,
            SigningAlg::EdDSA => Algorithm::EdDSA,
            SigningAlg::PS256 => Algorithm::PS256,
        };
        self.fits(alg) && crypto::verify(signature, message.as_bytes(), &self.key, algorithm).unwrap_or(false)
    }
}

/// The keys of somebody else.
#[derive(Clone, Debug)]
pub struct JwkSet {
    keys: Vec<PublicJwk>,
}

impl JwkSet {
    /// Reads a JWK set. Keys that are of other kinds, for other uses or out of range are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// [`InvalidJwk`] when it is no set, holds a private key, or leaves no key at all; then the reason is the first
    /// key's.
    pub fn parse(text: &str) -> Result<Self, InvalidJwk> {
        if text.len() > MOST_BYTES {
            return Err(InvalidJwk::Long);
        }
        let set = json::object(text.as_bytes()).ok_or(InvalidJwk::Json)?;
        let members = set.get("keys").and_then(Value::as_array).filter(|k| k.len() <= MOST_KEYS);
        let mut left_out = InvalidJwk::Keys;
        let mut keys = Vec::new();
        for member in members.ok_or(InvalidJwk::Keys)? {
            match member.as_object().ok_or(InvalidJwk::Json).and_then(PublicJwk::from_members) {
                Ok(key) => keys.push(key),
                Err(InvalidJwk::Private) => return Err(InvalidJwk::Private),
                Err(reason) if left_out == InvalidJwk::Keys => left_out = reason,
                Err(_) => {}
            }
        }
        if keys.is_empty() { Err(left_out) } else { Ok(Self { keys }) }
    }

    /// Whether a key bears `kid`.
    pub fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Keys that a signature by `alg` may be tried with: those that bear `kid`, or without one all that fit. At most
    /// four.
    pub(super) fn candidates(&self, alg: SigningAlg, kid: Option<&str>) -> impl Iterator<Item = &PublicJwk> {
        let named = move |key: &&PublicJwk| kid.is_none() || key.kid.as_deref() == kid;
        self.keys.iter().filter(move |key| key.fits(alg)).filter(named).take(MOST_TRIED)
    }
}
