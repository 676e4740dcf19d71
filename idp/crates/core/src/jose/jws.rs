//! Verifying our own signed tokens when they come back as hints. RFC 7515 §5.2, RFC 8725 §3.
//!
//! The algorithm is the one of the key found by `kid` among ours, never the one the token names; `jku`, `jwk`
//! and `x5u` are never followed.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::client::SigningAlg;
use crate::id::{AccountId, ClientId, Sid};
use crate::jose::keyset::StoredKey;
use crate::oidc::logout::Hint;

/// Longest token that is looked at.
const MOST_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
struct HintClaims {
    sub: String,
    aud: String,
    sid: Option<String>,
}

/// Verifies an `id_token_hint`: an ID token of this issuer, signed by any of `keys`, retired ones too, however old
/// (OIDC Core §3.1.2.1, RP-Initiated Logout §2).
pub fn id_token_hint(token: &str, issuer: &str, keys: &[StoredKey]) -> Option<Hint> {
    if token.len() > MOST_BYTES {
        return None;
    }
    let header = decode_header(token).ok()?;
    let key = keys.iter().find(|k| Some(&k.kid) == header.kid.as_ref())?;
    let jwk: Jwk = serde_json::from_str(&key.public_jwk).ok()?;
    let mut validation = Validation::new(match key.alg {
        SigningAlg::RS256 => Algorithm::RS256,
        SigningAlg::ES256 => Algorithm::ES256,
        SigningAlg::EdDSA => Algorithm::EdDSA,
        SigningAlg::PS256 => Algorithm::PS256,
    });
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["iss", "sub", "aud"]);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = decode::<HintClaims>(token, &DecodingKey::from_jwk(&jwk).ok()?, &validation).ok()?.claims;
    Some(Hint {
        client_id: ClientId::parse(&claims.aud).ok()?,
        account_id: claims.sub.parse::<AccountId>().ok()?,
        sid: claims.sid.map(|s| s.parse::<Sid>()).transpose().ok()?,
    })
}
