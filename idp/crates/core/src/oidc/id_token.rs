//! The ID token: who signed in, how and when. OIDC Core §2 and §3.1.3.6.

use serde_json::{Value, json};

use crate::client::SigningAlg;
use crate::oauth::authorize::code::Code;
use crate::realm::Realm;
use crate::time::Timestamp;

/// Claims of the ID token bought by `code`, together with `access_token`, to be signed with `alg`.
/// `acr`, `amr` and `auth_time` were fixed when the code was issued; nothing here can make them stronger.
pub fn claims(realm: &Realm, code: &Code, access_token: &str, alg: SigningAlg, now: Timestamp) -> Value {
    let mut claims = json!({
        "iss": realm.issuer,
        "sub": code.account_id.to_string(),
        "aud": code.client_id.as_str(),
        "exp": now.plus_s(realm.settings.id_token_lifetime_s).secs(),
        "iat": now.secs(),
        "auth_time": code.auth.auth_time.secs(),
        "amr": code.auth.amr,
        "sid": code.sid.to_string(),
        "at_hash": alg.left_half_hash(access_token),
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
