//! DPoP proofs: the sender holds the key its tokens are bound to. RFC 9449.
//!
//! Pure: the caller keeps [`Proof::once`] until [`Proof::expires`] and refuses a second one with [`replayed`]. The key
//! of that row holds the sender's key, so nobody can push another's rows out or claim another's `jti`.

use serde_json::Value;
use url::Url;

use crate::client::SigningAlg;
use crate::encoding::base64url;
use crate::id::RealmId;
use crate::jose::foreign::{Claims, Demand, InvalidJws, Unverified};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::rule::Rule;
use crate::seal::Sealer;
use crate::secret::{Hash, same, sha256};
use crate::time::Timestamp;

/// The rules, in the order of RFC 9449 §4.3.
pub const RULES: &[Rule] = &[
    Rule { id: "dpop.form", spec: "RFC 9449 §4.3 step 2", text: "The proof is a well-formed JWT." },
    Rule { id: "dpop.typ", spec: "RFC 9449 §4.3 step 4", text: "`typ` is `dpop+jwt`." },
    Rule { id: "dpop.alg", spec: "RFC 9449 §4.3 step 5", text: "`alg` is one of the supported asymmetric ones." },
    Rule { id: "dpop.key", spec: "RFC 9449 §4.3 step 7", text: "`jwk` is a public key that is supported." },
    Rule { id: "dpop.signature", spec: "RFC 9449 §4.3 step 6", text: "The signature verifies with that key." },
    Rule { id: "dpop.method", spec: "RFC 9449 §4.3 step 8", text: "`htm` is the method of the request." },
    Rule {
        id: "dpop.uri",
        spec: "RFC 9449 §4.3 step 9",
        text: "`htu` is the URI of the request, without query and fragment.",
    },
    Rule {
        id: "dpop.nonce",
        spec: "RFC 9449 §4.3 step 10",
        text: "A `nonce` is one of ours and young; where one is demanded, it is there.",
    },
    Rule {
        id: "dpop.fresh",
        spec: "RFC 9449 §4.3 step 11",
        text: "`iat` is at most 60 seconds past, 300 beside a good nonce, and at most 30 seconds ahead.",
    },
    Rule {
        id: "dpop.ath",
        spec: "RFC 9449 §4.3 step 12",
        text: "Beside an access token, `ath` is the hash of that token.",
    },
    Rule { id: "dpop.jti", spec: "RFC 9449 §4.2", text: "`jti` has 1 to 128 characters." },
    Rule { id: "dpop.once", spec: "RFC 9449 §11.1", text: "A proof works once for each key." },
];

/// How old a proof may be, in seconds.
pub const PAST_S: i64 = 60;

/// How old a proof may be that holds a good nonce, in seconds. The nonce shows its age by our own clock, so the
/// sender's may be further off.
pub const PAST_WITH_NONCE_S: i64 = 300;

/// How far ahead of ours the sender's clock may be, in seconds (FAPI 2.0 §5.3.2.1).
pub const AHEAD_S: i64 = 30;

/// Life of a nonce window in seconds; a nonce is accepted for two to three of them.
pub const NONCE_WINDOW_S: i64 = 60;

/// What a proof must be about.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub algs: &'a [SigningAlg],
    /// Method of the request, as it came.
    pub method: &'a str,
    /// Absolute URI of the request as clients know it: the issuer's scheme and host, not the proxy's.
    pub uri: &'a str,
    /// Nonces that are good, as of [`nonces`].
    pub nonces: &'a [String],
    /// Whether a proof without nonce is refused.
    pub nonce_demanded: bool,
    /// The access token the proof comes with.
    pub access_token: Option<&'a str>,
    pub now: Timestamp,
}

/// A proof that was found good, but for replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint of the key (RFC 7638); what tokens are bound to as `cnf.jkt`.
    pub jkt: Hash,
    /// SHA-256 over key and `jti`: key of the row that makes the proof work once.
    pub once: Hash,
    /// Until when that row must be kept; from then on the proof is too old anyway, on a slower replica too.
    pub expires: Timestamp,
}

/// Checks a proof: the value of the one `DPoP` header.
///
/// # Errors
/// `use_dpop_nonce` when a fresh nonce would help, else `invalid_dpop_proof`.
pub fn check(proof: &str, expected: &Expected<'_>) -> Result<Proof, OAuthError> {
    let demand = Demand { algs: expected.algs, types: &["dpop+jwt"], untyped: false };
    let verified = Unverified::read(proof, &demand).and_then(|token| token.by_its_own_key());
    let (key, claims) = verified.map_err(refused)?;
    if claims.text("htm") != Some(expected.method) {
        return Err(refuse("dpop.method", "htm is not the method of the request"));
    }
    if !claims.text("htu").is_some_and(|htu| same_uri(htu, expected.uri)) {
        return Err(refuse("dpop.uri", "htu is not the URI of the request"));
    }
    let past_s = if holds_nonce(&claims, expected)? { PAST_WITH_NONCE_S } else { PAST_S };
    let expires = fresh(&claims, past_s, expected.now)?;
    let ath = expected.access_token.map(|token| base64url(sha256(token.as_bytes())));
    if ath.is_some_and(|ath| !claims.text("ath").is_some_and(|a| same(a.as_bytes(), ath.as_bytes()))) {
        return Err(refuse("dpop.ath", "ath is not the hash of the access token"));
    }
    let jti = claims.text("jti").filter(|jti| (1..=128).contains(&jti.chars().count()));
    let jti = jti.ok_or_else(|| refuse("dpop.jti", "jti is missing or longer than 128 characters"))?;
    let once = sha256(&[&key.thumbprint, jti.as_bytes()].concat());
    Ok(Proof { jkt: key.thumbprint, once, expires })
}

/// What a proof gets that was seen before.
pub const fn replayed() -> OAuthError {
    refuse("dpop.once", "the DPoP proof was used before")
}

/// Nonces that are accepted at `now`, the one to hand out first. Nothing is stored: each is a MAC over the number of
/// its minute. Besides the present minute and the two before it, the next one counts, so that a replica whose clock is
/// ahead hands out nothing useless.
pub fn nonces(sealer: &Sealer, realm: RealmId, now: Timestamp) -> [String; 4] {
    let window = now.secs().div_euclid(NONCE_WINDOW_S);
    [0, -1, -2, 1].map(|step| {
        let mac = sealer.mac(realm, "dpop-nonce", &[&window.saturating_add(step).to_be_bytes()]);
        base64url(mac.split_at(16).0)
    })
}

const fn refuse(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidDpopProof, rule, text)
}

fn refused(error: InvalidJws) -> OAuthError {
    let rule = match error {
        InvalidJws::Typ => "dpop.typ",
        InvalidJws::Alg => "dpop.alg",
        InvalidJws::Key(_) | InvalidJws::UnknownKey => "dpop.key",
        InvalidJws::Signature => "dpop.signature",
        _ => "dpop.form",
    };
    OAuthError::naming(ErrorCode::InvalidDpopProof, rule, &format!("the DPoP proof {error}"))
}

/// Whether there is a good nonce. One that is not ours is never overlooked (RFC 9449 §4.3 step 10): it may be one that
/// has just become too old.
fn holds_nonce(claims: &Claims, expected: &Expected<'_>) -> Result<bool, OAuthError> {
    let known = |n: &str| expected.nonces.iter().any(|good| same(good.as_bytes(), n.as_bytes()));
    match claims.members.get("nonce") {
        None if !expected.nonce_demanded => Ok(false),
        Some(Value::String(nonce)) if known(nonce) => Ok(true),
        _ => Err(OAuthError::new(
            ErrorCode::UseDpopNonce,
            "dpop.nonce",
            "use the nonce of the DPoP-Nonce header in the DPoP proof",
        )),
    }
}

/// When the proof's row may be forgotten; an error when the proof is not of this time.
fn fresh(claims: &Claims, past_s: i64, now: Timestamp) -> Result<Timestamp, OAuthError> {
    let iat = claims.iat.ok_or_else(|| refuse("dpop.fresh", "iat is missing"))?;
    if iat.plus_s(past_s) < now {
        return Err(refuse("dpop.fresh", "the DPoP proof is too old; check the clock"));
    }
    if now.plus_s(AHEAD_S) < iat {
        return Err(refuse("dpop.fresh", "iat is ahead of the time here; check the clock"));
    }
    // What `nbf` and `exp` say is not asked of a proof (RFC 9449 §4.2), but a proof that ended itself has ended.
    if claims.exp.is_some_and(|exp| exp.plus_s(AHEAD_S) <= now) {
        return Err(refuse("dpop.fresh", "the DPoP proof is expired"));
    }
    Ok(iat.plus_s(past_s + AHEAD_S))
}

/// Whether two URIs are the same but for query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3.
/// What only a browser's parser would mend (blanks, backslashes, a single slash) is another URI.
fn same_uri(htu: &str, expected: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    let parts = |text: &str| {
        let url = Url::parse(text).ok().filter(|_| text.contains("://") && !text.contains(odd))?;
        let plain = url.username().is_empty() && url.password().is_none();
        plain.then(|| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port(), url.path().to_owned()))
    };
    parts(htu).is_some_and(|htu| Some(htu) == parts(expected))
}
