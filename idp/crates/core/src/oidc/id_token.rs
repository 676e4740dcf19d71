//! The ID token: who signed in, how and when. OIDC Core §2 and §3.1.3.6.

use serde_json::{Value, json};

use crate::encoding::base64url;
use crate::oauth::authorize::code::Code;
use crate::realm::Realm;
use crate::secret::sha256;
use crate::time::Timestamp;

/// Claims of the ID token bought by `code`, together with `access_token`.
/// `acr`, `amr` and `auth_time` were fixed when the code was issued; nothing here can make them stronger.
pub fn claims(realm: &Realm, code: &Code, access_token: &str, now: Timestamp) -> Value {
    let mut claims = json!({
        "iss": realm.issuer,
        "sub": code.account_id.to_string(),
        "aud": code.client_id.as_str(),
        "exp": now.plus_s(realm.settings.id_token_lifetime_s).secs(),
        "iat": now.secs(),
        "auth_time": code.auth.auth_time.secs(),
        "amr": code.auth.amr,
        "sid": code.sid.to_string(),
        "at_hash": left_half_hash(access_token),
    });
    if let Some(claims) = claims.as_object_mut() {
        if let Some(acr) = &code.auth.acr {
            claims.insert("acr".to_owned(), acr.clone().into());
        }
        if let Some(nonce) = &code.nonce {
            claims.insert("nonce".to_owned(), nonce.clone().into());
        }
    }
    claims
}

/// `at_hash` for RS256 and ES256: base64url of the left half of SHA-256 (OIDC Core §3.1.3.6).
fn left_half_hash(token: &str) -> String {
    let hash = sha256(token.as_bytes());
    base64url(hash.split_at(16).0)
}
