//! The standard claims about a person: one row a claim, and the scope that opens it. OIDC Core §5.1 and §5.4.

use serde_json::Value;

use crate::account::Account;
use crate::client::ClientSettings;
use crate::oauth::scope;

/// What claims are read from.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub client: &'a ClientSettings,
    pub account: &'a Account,
    /// Names of the user's groups, by name; needed where a claim reads them.
    pub groups: &'a [String],
}

impl Facts<'_> {
    /// What the user is at the client, by groups, in the order of the client's settings.
    pub fn roles(&self) -> Vec<String> {
        let mut roles: Vec<String> = Vec::new();
        for mapping in &self.client.roles {
            if self.groups.contains(&mapping.group) && !roles.contains(&mapping.role) {
                roles.push(mapping.role.clone());
            }
        }
        roles
    }
}

/// Reads one claim.
pub type Read = fn(&Facts<'_>) -> Option<Value>;

macro_rules! text {
    ($field:ident) => {
        |f| f.account.profile.$field.clone().map(Value::String)
    };
}

/// Scope, claim, where it comes from.
pub const CLAIMS: &[(&str, &str, Read)] = &[
    ("profile", "name", text!(name)),
    ("profile", "given_name", text!(given_name)),
    ("profile", "family_name", text!(family_name)),
    ("profile", "middle_name", text!(middle_name)),
    ("profile", "nickname", text!(nickname)),
    ("profile", "preferred_username", |f| Some(f.account.username.clone().into())),
    ("profile", "profile", text!(profile)),
    ("profile", "picture", text!(picture)),
    ("profile", "website", text!(website)),
    ("profile", "gender", text!(gender)),
    ("profile", "birthdate", text!(birthdate)),
    ("profile", "zoneinfo", text!(zoneinfo)),
    ("profile", "locale", text!(locale)),
    ("profile", "updated_at", |f| Some(f.account.updated.secs().into())),
    ("email", "email", text!(email)),
    ("email", "email_verified", |f| {
        let profile = &f.account.profile;
        profile.email.as_ref().map(|_| profile.email_verified.into())
    }),
    ("phone", "phone_number", text!(phone_number)),
    ("phone", "phone_number_verified", |f| {
        let profile = &f.account.profile;
        profile.phone_number.as_ref().map(|_| profile.phone_number_verified.into())
    }),
    ("address", "address", |f| f.account.profile.address.as_ref().and_then(|a| serde_json::to_value(a).ok())),
    (scope::GROUPS, "groups", |f| Some(f.groups.to_vec().into())),
    (scope::ROLES, "roles", |f| Some(f.roles().into())),
];

/// The value of a standard claim.
pub fn value(name: &str, facts: &Facts<'_>) -> Option<Value> {
    CLAIMS.iter().find(|(_, claim, _)| *claim == name).and_then(|(.., read)| read(facts))
}

/// Whether a claim is a standard one about the user, of one value.
pub fn is_standard(name: &str) -> bool {
    CLAIMS.iter().any(|(scope, claim, _)| *claim == name && !matches!(*scope, scope::GROUPS | scope::ROLES))
}
