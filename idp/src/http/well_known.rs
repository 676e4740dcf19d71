//! Documents for browsers, password managers and phones, public at every host of a realm.
//!
//! WebAuthn L3 §5.11.1 (`webauthn`), A Well-Known URL for Relying Party Passkey Endpoints, A Well-Known URL for Changing
//! Passwords, Digital Asset Links §3, Apple "Supporting associated domains".

use poem::Response;
use serde_json::{Map, Value, json};

use super::exchange::{Exchange, Outcome};
use super::{answer, cors, policy};

/// Where a password is changed.
const PASSWORD_PAGE: &str = "/account/password";

/// `GET /.well-known/webauthn`: origins that may use the RP ID of this host without being under it.
pub async fn webauthn(x: Exchange) -> Outcome {
    Ok(public(&json!({ "origins": x.rp.related_origins })))
}

/// `GET /.well-known/passkey-endpoints`: the pages where passkeys are made and managed. Empty where there are none.
pub async fn passkey_endpoints(x: Exchange) -> Outcome {
    let page = Value::from(format!("{}/account/security", x.realm.issuer));
    let mut members = Map::new();
    // Who asks is not known: what some group has is somewhere on the page.
    if policy::all(&x).any(|policy| policy.enabled && policy.allow_registration) {
        members.insert("enroll".to_owned(), page.clone());
    }
    if policy::all(&x).any(|policy| policy.enabled) {
        members.insert("manage".to_owned(), page);
    }
    Ok(public(&members.into()))
}

/// `GET /.well-known/change-password`: a temporary redirect, so that the page may move.
pub async fn change_password(x: Exchange) -> Outcome {
    let mut response = answer::typed(302, "text/plain", "");
    answer::header(&mut response, "location", &format!("{}{PASSWORD_PAGE}", x.realm.issuer));
    Ok(response)
}

/// `GET /.well-known/assetlinks.json`.
pub async fn asset_links(x: Exchange) -> Outcome {
    Ok(public(&x.realm.settings.native_apps.asset_links()))
}

/// `GET /.well-known/apple-app-site-association`.
pub async fn site_association(x: Exchange) -> Outcome {
    Ok(public(&x.realm.settings.native_apps.site_association()))
}

/// Not for long: who takes an origin or an application off the list wants it gone.
fn public(document: &Value) -> Response {
    let mut response = answer::json(200, document);
    answer::header(&mut response, "cache-control", "public, max-age=300");
    cors::anyone(&mut response);
    response
}
