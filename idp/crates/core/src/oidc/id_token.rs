//! The ID token: who signed in, how and when. OIDC Core §2, §3.1.3.6 and §12.2.

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::grant::AuthContext;
use crate::oidc::claims as person;
use crate::realm::Realm;
use crate::time::Timestamp;

/// What an ID token is made of.
pub struct IdToken<'a> {
    pub client: &'a Client,
    /// Fixed when the grant began; nothing later can make it stronger, a refresh neither.
    pub auth: &'a AuthContext,
    /// `sub` as this client knows it.
    pub subject: &'a str,
    /// `sid` as this client knows it.
    pub sid: Option<String>,
    pub nonce: Option<&'a str>,
    /// The access token issued beside it.
    pub access_token: &'a str,
    /// What it tells about the user besides.
    pub person: Map<String, Value>,
}

/// The claims of an ID token.
pub fn claims(realm: &Realm, token: IdToken<'_>, now: Timestamp) -> Value {
    let mut claims = json!({
        "iss": realm.issuer,
        "sub": token.subject,
        "aud": token.client.id.as_str(),
        "exp": now.plus_s(realm.settings.id_token_lifetime_s).secs(),
        "iat": now.secs(),
        "auth_time": token.auth.auth_time.secs(),
        "amr": token.auth.amr,
        "at_hash": token.client.settings.id_token_alg.left_half_hash(token.access_token),
    });
    if let Some(claims) = claims.as_object_mut() {
        let optional = [("acr", token.auth.acr.clone()), ("nonce", token.nonce.map(str::to_owned)), ("sid", token.sid)];
        claims.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        person::add(claims, token.person);
    }
    claims
}
