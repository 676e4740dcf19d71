//! Introspection: what a token is worth, to whom it concerns. RFC 7662 §2.2, RFC 9470 §6.2, RFC 9449 §6.2.

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::encoding::base64url;
use crate::grant::Grant;
use crate::oauth::access_token::{AccessToken, audience};
use crate::oauth::scope::Scopes;
use crate::realm::Realm;
use crate::rule::Rule;

/// The rules.
pub const RULES: &[Rule] = &[
    Rule { id: "introspect.params", spec: "RFC 7662 §2.1", text: "`token` is there, no parameter twice." },
    Rule {
        id: "introspect.confidential",
        spec: "RFC 7662 §2.1",
        text: "Whoever asks has proved who it is: public clients may not introspect.",
    },
    Rule {
        id: "introspect.audience",
        spec: "RFC 7662 §4",
        text: "Whoever asks is the token's client or serves one of its resources; anybody else reads exactly \
               `{\"active\":false}`.",
    },
];

/// A good token, and whose it is.
pub struct Introspected<'a> {
    pub token: &'a AccessToken,
    pub grant: &'a Grant,
    /// `sub` as the token's client knows it; `None`: the client acts for itself.
    pub subject: Option<String>,
}

/// What `caller` is told about a token. `None`: it is good for nothing.
pub fn answer(found: Option<&Introspected<'_>>, caller: &Client, realm: &Realm) -> Value {
    match found {
        Some(found) if concerns(found, caller) => Value::Object(members(found, realm)),
        _ => json!({ "active": false }),
    }
}

fn concerns(found: &Introspected<'_>, caller: &Client) -> bool {
    found.grant.client_id == caller.id || found.token.audience.iter().any(|uri| caller.settings.serves.contains(uri))
}

fn members(found: &Introspected<'_>, realm: &Realm) -> Map<String, Value> {
    let Introspected { token, grant, subject } = found;
    let scope = token.scope.as_ref().map_or(grant.scope.as_str(), Scopes::as_str);
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("active", true.into());
    put("iss", realm.issuer.as_str().into());
    put("client_id", grant.client_id.as_str().into());
    put("sub", subject.as_deref().unwrap_or(grant.client_id.as_str()).into());
    put("scope", scope.into());
    put("exp", token.expires.secs().into());
    put("iat", token.issued.secs().into());
    put("token_type", if token.jkt.is_some() { "DPoP" } else { "Bearer" }.into());
    put("aud", audience(&token.audience, &realm.issuer));
    if let Some(jkt) = token.jkt {
        put("cnf", json!({ "jkt": base64url(jkt) }));
    }
    if let Some(auth) = &grant.detail.auth {
        put("auth_time", auth.auth_time.secs().into());
        put("amr", auth.amr.clone().into());
        if let Some(acr) = &auth.acr {
            put("acr", acr.as_str().into());
        }
    }
    members
}
