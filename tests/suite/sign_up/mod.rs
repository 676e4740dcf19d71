//! `/signup` and its JSON form: who may make an account, and how.

mod api;
mod pages;
mod refusals;

use idp_core::realm::SelfRegistration;
use idp_core::user_schema::UserSchema;
use serde_json::{Value, json};

use crate::world::{Browser, Db, Page, World};

/// A realm where anybody may make an account.
pub async fn open(db: Db) -> World {
    let w = World::start(db).await;
    w.set_settings(|s| s.self_registration = SelfRegistration::Open).await;
    w
}

/// The identity schema of Ory Kratos' guide to passkeys.
pub fn kratos() -> UserSchema {
    let marks = json!({ "credentials": { "passkey": { "display_name": true } },
        "verification": { "via": "email" }, "recovery": { "via": "email" } });
    let email = json!({ "type": "string", "format": "email", "title": "E-Mail", "ory.sh/kratos": marks });
    let first = json!({ "type": "string", "title": "First Name" });
    let last = json!({ "type": "string", "title": "Last Name" });
    let name = json!({ "type": "object", "properties": { "first": first, "last": last } });
    let traits = json!({ "type": "object", "properties": { "email": email, "name": name }, "required": ["email"] });
    let schema = "http://json-schema.org/draft-07/schema#";
    UserSchema::new(json!({ "$schema": schema, "type": "object", "properties": { "traits": traits } })).unwrap()
}

/// Begins a sign-up.
pub async fn begin(browser: &mut Browser, username: &str, traits: Value) -> Page {
    browser.json("/webauthn/register/options", &json!({ "username": username, "traits": traits })).await
}

/// How many accounts there are.
pub async fn accounts(w: &World) -> usize {
    w.app.store.list_accounts(w.realm, "", 1000).await.unwrap().len()
}
