//! Verifying what others signed: client assertions, DPoP proofs, request objects, and our own tokens that come back.
//! RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3.
//!
//! Header and payload are read here, strictly; only the signature is left to the library. The algorithm is one of the
//! caller's list, the key one the caller holds: `jku`, `x5u`, `x5c` and (but for DPoP) `jwk` are never looked at.

use serde_json::{Map, Value};

use super::json;
use super::jwk::{InvalidJwk, JwkSet, PublicJwk};
use crate::client::SigningAlg;
use crate::encoding::from_base64url;
use crate::time::Timestamp;

/// Longest token that is looked at, in bytes.
pub const MOST_BYTES: usize = 16 * 1024;

/// First number that a double does not tell from its neighbour (2⁵³); no date comes near.
const DATE_END: f64 = 9_007_199_254_740_992.0;

/// Why a token of somebody else is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJws {
    #[error("is longer than 16 KiB")]
    Long,
    #[error("is not three base64url parts without padding")]
    Form,
    #[error("has a header that is no JSON object, names a member twice, or has one of a wrong type")]
    Header,
    #[error("has an `alg` that is not allowed here")]
    Alg,
    #[error("has a `typ` that is not the one expected here")]
    Typ,
    #[error("has `crit` or `b64` in its header: no extension is understood")]
    Critical,
    #[error("is signed with a key that {0}")]
    Key(#[from] InvalidJwk),
    #[error("is signed with a key that is not known, or not for its `alg`")]
    UnknownKey,
    #[error("has a wrong signature")]
    Signature,
    #[error("has a payload that is no JSON object, or names a member twice")]
    Payload,
    #[error("has a `{0}` that is not a number of seconds from 0 to 2^53")]
    Date(&'static str),
}

/// What a caller accepts.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    pub algs: &'a [SigningAlg],
    /// Values of `typ`, without `application/`; compared without regard to case (RFC 7515 §4.1.9).
    pub types: &'a [&'a str],
    /// A token without `typ` is good too.
    pub untyped: bool,
}

/// Claims whose signature is verified, or that were registered to come unsigned.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    pub exp: Option<Timestamp>,
    pub nbf: Option<Timestamp>,
    pub iat: Option<Timestamp>,
    /// Every claim, as it came.
    pub members: Map<String, Value>,
}

impl Claims {
    fn read(payload: &str) -> Result<Self, InvalidJws> {
        let members = from_base64url(payload).and_then(|p| json::object(&p)).ok_or(InvalidJws::Payload)?;
        let date = |name| members.get(name).map(|value| date(value).ok_or(InvalidJws::Date(name))).transpose();
        Ok(Self { exp: date("exp")?, nbf: date("nbf")?, iat: date("iat")?, members })
    }

    /// A claim that is a text; `None` when it is missing or something else.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

/// `NumericDate` (RFC 7519 §2): a number, fractions allowed.
#[expect(clippy::cast_possible_truncation, reason = "within 2⁵³ s, so the milliseconds fit into 63 bits")]
fn date(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64().filter(|s| (0.0..DATE_END).contains(s))?;
    Some(Timestamp::from_ms((seconds * 1000.0) as i64))
}

/// The key that a token claims to be signed with, before anything of it is checked: to see whether the keys at hand
/// may be too old.
pub fn kid(token: &str) -> Option<String> {
    let parts = Parts::split(token).ok()?;
    Some(parts.text("kid").ok()??.to_owned())
}

/// A token whose header was read and found good; nothing of it is proved yet.
pub struct Unverified<'a> {
    /// Which key is said to have signed; an opaque text.
    pub kid: Option<String>,
    alg: SigningAlg,
    jwk: Option<Value>,
    /// Header and payload with the dot between: what is signed.
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    /// Reads a compact JWS as far as its header.
    ///
    /// # Errors
    /// [`InvalidJws`].
    pub fn read(token: &'a str, demand: &Demand<'_>) -> Result<Self, InvalidJws> {
        let parts = Parts::split(token)?;
        parts.check_typ(demand)?;
        let alg = parts.text("alg")?.and_then(SigningAlg::from_text).filter(|alg| demand.algs.contains(alg));
        Ok(Self {
            kid: parts.text("kid")?.map(str::to_owned),
            alg: alg.ok_or(InvalidJws::Alg)?,
            jwk: parts.header.get("jwk").cloned(),
            signed: parts.signed,
            payload: parts.payload,
            signature: parts.signature,
        })
    }

    /// The claims, if one of `keys` signed them: one that bears the token's `kid`, or without `kid` one that fits.
    ///
    /// # Errors
    /// [`InvalidJws::UnknownKey`] when none could have, and the others.
    pub fn by_one_of(&self, keys: &JwkSet) -> Result<Claims, InvalidJws> {
        let mut result = Err(InvalidJws::UnknownKey);
        for key in keys.candidates(self.alg, self.kid.as_deref()) {
            result = self.by(key);
            if result != Err(InvalidJws::Signature) {
                break;
            }
        }
        result
    }

    /// The claims, if `key` signed them.
    ///
    /// # Errors
    /// [`InvalidJws`].
    pub fn by(&self, key: &PublicJwk) -> Result<Claims, InvalidJws> {
        if !key.fits(self.alg) {
            return Err(InvalidJws::UnknownKey);
        }
        if !key.verifies(self.alg, self.signed, self.signature) {
            return Err(InvalidJws::Signature);
        }
        Claims::read(self.payload)
    }

    /// The claims and the key in the header that signed them. It proves possession of that key and nothing else.
    ///
    /// # Errors
    /// [`InvalidJws::Header`] without a `jwk`, and the others.
    pub fn by_its_own_key(&self) -> Result<(PublicJwk, Claims), InvalidJws> {
        let members = self.jwk.as_ref().and_then(Value::as_object).ok_or(InvalidJws::Header)?;
        let key = PublicJwk::from_members(members)?;
        let claims = self.by(&key)?;
        Ok((key, claims))
    }
}

/// The claims of a token that is signed by nobody (`alg: none`, RFC 7518 §3.6), for callers whose client registered
/// that. `demand.algs` is not looked at.
///
/// # Errors
/// [`InvalidJws`]: also for a token with a signature.
pub fn unsigned(token: &str, demand: &Demand<'_>) -> Result<Claims, InvalidJws> {
    let parts = Parts::split(token)?;
    parts.check_typ(demand)?;
    if parts.text("alg")? != Some("none") {
        return Err(InvalidJws::Alg);
    }
    if parts.signature.is_empty() { Claims::read(parts.payload) } else { Err(InvalidJws::Signature) }
}

/// A text among the claims of a token that nobody verified: good for finding whose keys to verify it with.
pub fn peek(token: &str, name: &str) -> Option<String> {
    let payload = Parts::split(token).ok()?.payload;
    Claims::read(payload).ok()?.text(name).map(str::to_owned)
}

/// The three parts (RFC 7515 §7.1), the header decoded.
struct Parts<'a> {
    header: Map<String, Value>,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, InvalidJws> {
        if token.len() > MOST_BYTES {
            return Err(InvalidJws::Long);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidJws::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidJws::Form)?;
        let header = from_base64url(header).ok_or(InvalidJws::Form)?;
        if payload.contains('.') || from_base64url(signature).is_none() {
            return Err(InvalidJws::Form);
        }
        let header = json::object(&header).ok_or(InvalidJws::Header)?;
        // Understanding an extension is what `crit` demands, and with `b64` (RFC 7797) another text would be signed.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(InvalidJws::Critical);
        }
        Ok(Self { header, signed, payload, signature })
    }

    /// A header member that must be a text if it is there.
    fn text(&self, name: &str) -> Result<Option<&str>, InvalidJws> {
        self.header.get(name).map(|value| value.as_str().ok_or(InvalidJws::Header)).transpose()
    }

    fn check_typ(&self, demand: &Demand<'_>) -> Result<(), InvalidJws> {
        const PREFIX: &str = "application/";
        let good = match self.text("typ")? {
            None => demand.untyped,
            Some(typ) => {
                let prefixed = typ.get(..PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(PREFIX));
                let short = if prefixed { typ.get(PREFIX.len()..).unwrap_or_default() } else { typ };
                demand.types.iter().any(|t| t.eq_ignore_ascii_case(short))
            }
        };
        if good { Ok(()) } else { Err(InvalidJws::Typ) }
    }
}
