//! Verifying our own signed tokens when they come back. RFC 7515 §5.2, RFC 8725 §3.
//!
//! The algorithm is the one of the key found by `kid` among ours, never the one the token names.

use crate::client::SigningAlg;
use crate::id::ClientId;
use crate::jose::foreign::{Claims, Demand, Unverified};
use crate::jose::jwk::PublicJwk;
use crate::jose::keyset::{StoredKey, TokenType};
use crate::oidc::logout::Hint;

/// The claims of a token of this issuer, signed by any of `keys`, retired ones too, whatever its age. The `typ` keeps
/// apart what the same keys sign for different uses.
pub fn own(token: &str, typ: TokenType, issuer: &str, keys: &[StoredKey]) -> Option<Claims> {
    let demand = Demand { algs: SigningAlg::ALL, types: &[typ.text()], untyped: false };
    let token = Unverified::read(token, &demand).ok()?;
    let key = keys.iter().find(|k| Some(&k.kid) == token.kid.as_ref())?;
    // The published JWK names its algorithm, so the token's must be that one.
    let claims = token.by(&PublicJwk::parse(&key.public_jwk).ok()?).ok()?;
    (claims.text("iss") == Some(issuer)).then_some(claims)
}

/// Verifies an `id_token_hint`: an ID token of this issuer, however old (OIDC Core §3.1.2.1, RP-Initiated Logout §2).
pub fn id_token_hint(token: &str, issuer: &str, keys: &[StoredKey]) -> Option<Hint> {
    let claims = own(token, TokenType::Jwt, issuer, keys)?;
    // Signed userinfo has the same type, but says nothing about a time.
    claims.exp?;
    Some(Hint {
        client_id: ClientId::parse(claims.text("aud")?).ok()?,
        subject: claims.text("sub")?.to_owned(),
        sid: claims.text("sid").map(str::to_owned),
    })
}
