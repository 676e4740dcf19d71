//! Claims about a person, by scope: one row a claim. OIDC Core §5.1 and §5.4.

use serde_json::{Map, Value};

use crate::account::{Account, Profile};
use crate::oauth::scope::Scopes;

type Read = fn(&Profile) -> Option<Value>;

macro_rules! text {
    ($field:ident) => {
        |p| p.$field.clone().map(Value::String)
    };
}

/// Scope, claim, where it comes from.
const CLAIMS: &[(&str, &str, Read)] = &[
    ("profile", "name", text!(name)),
    ("profile", "given_name", text!(given_name)),
    ("profile", "family_name", text!(family_name)),
    ("profile", "middle_name", text!(middle_name)),
    ("profile", "nickname", text!(nickname)),
    ("profile", "profile", text!(profile)),
    ("profile", "picture", text!(picture)),
    ("profile", "website", text!(website)),
    ("profile", "gender", text!(gender)),
    ("profile", "birthdate", text!(birthdate)),
    ("profile", "zoneinfo", text!(zoneinfo)),
    ("profile", "locale", text!(locale)),
    ("email", "email", text!(email)),
    ("email", "email_verified", |p| p.email.as_ref().map(|_| Value::Bool(p.email_verified))),
    ("phone", "phone_number", text!(phone_number)),
    ("phone", "phone_number_verified", |p| p.phone_number.as_ref().map(|_| Value::Bool(p.phone_number_verified))),
    ("address", "address", |p| p.address.as_ref().and_then(|address| serde_json::to_value(address).ok())),
];

/// Claims of the ID token besides those of [`CLAIMS`].
const ID_TOKEN: &[&str] = &["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

/// Claims of a person that `scopes` open, `sub` first.
pub fn of(account: &Account, scopes: &Scopes) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), account.id.to_string().into());
    for (scope, name, read) in CLAIMS {
        if scopes.contains(scope)
            && let Some(value) = read(&account.profile)
        {
            claims.insert((*name).to_owned(), value);
        }
    }
    if scopes.contains("profile") {
        claims.insert("preferred_username".to_owned(), account.username.clone().into());
        claims.insert("updated_at".to_owned(), account.updated.secs().into());
    }
    claims
}

/// Every claim that can be had, for discovery.
pub fn supported() -> Vec<&'static str> {
    let of_person = CLAIMS.iter().map(|(_, name, _)| *name);
    ID_TOKEN.iter().copied().chain(of_person).chain(["preferred_username", "updated_at"]).collect()
}
