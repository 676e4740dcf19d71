//! Clients that register and manage themselves.
//! RFC 7591, RFC 7592, OIDC Dynamic Client Registration 1.0.

pub mod fields;
pub mod policy;

use serde_json::{Map, Value, json};
use url::Url;

use crate::client::{Client, ClientSettings, ClientState};
use crate::jose::json::object;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::pass::{Pass, PassKind};
use crate::realm::RealmSettings;
use crate::rule::Rule;
use crate::secret::{same, sha256};
use crate::time::Timestamp;

/// The rules of both endpoints.
pub const RULES: &[Rule] = &[
    Rule {
        id: "registration.enabled",
        spec: "RFC 7591 §3",
        text: "The realm lets clients register: `registration` is `token` or `open`; else 403.",
    },
    Rule {
        id: "registration.initial_token",
        spec: "RFC 7591 §3",
        text: "Under `token` an initial access token comes as `Bearer`; one for a single use is used up by the commit \
               that makes the client. One that comes under `open` must be good, too.",
    },
    Rule {
        id: "registration.body",
        spec: "RFC 7591 §3.1",
        text: "The body is one JSON object of at most 64 KiB without doubled members.",
    },
    Rule {
        id: "registration.fields",
        spec: "RFC 7591 §2",
        text: "Each field that is known is of its type and names what is supported; others are ignored.",
    },
    Rule {
        id: "registration.settings",
        spec: "RFC 7591 §3.2.2",
        text: "The whole could be set by an admin: addresses, keys and fields that need each other.",
    },
    Rule {
        id: "registration.grants",
        spec: "RFC 7591 §5",
        text: "Grants are `authorization_code` and `refresh_token`, and what an admin allowed.",
    },
    Rule {
        id: "registration.scopes",
        spec: "RFC 7591 §2",
        text: "Scopes are those of `registration_scopes`, and what an admin allowed; left out, all of the former.",
    },
    Rule {
        id: "registration.links", spec: "RFC 7591 §5", text: "What pages link to is https. None of it is fetched."
    },
    Rule {
        id: "registration.sector",
        spec: "OIDC Registration §5",
        text: "The document at `sector_identifier_uri` lists every redirect URI.",
    },
    Rule {
        id: "registration.unverified",
        spec: "RFC 7591 §5",
        text: "Until an admin looked at it, and again when it changed, people are told and always asked.",
    },
    Rule {
        id: "registration.limits",
        spec: "RFC 7591 §5",
        text: "A realm holds at most 1000 unverified clients; without a token, one address is slowed down after 100 an \
               hour. A client that nobody agreed to for 30 days is deleted.",
    },
    Rule {
        id: "registration.token",
        spec: "RFC 7592 §2",
        text: "The registration access token of this very client comes as `Bearer`; an unknown client is answered alike.",
    },
    Rule {
        id: "registration.replace",
        spec: "RFC 7592 §2.2",
        text: "An update names this client and, if it names one, its secret; what it leaves out falls to its default.",
    },
];

/// A refusal that names a field and says what is wrong with it.
fn refuse(rule: &'static str, field: &str, what: &str) -> OAuthError {
    let code = if field == "redirect_uris" { ErrorCode::InvalidRedirectUri } else { ErrorCode::InvalidClientMetadata };
    OAuthError::naming(code, rule, &format!("{field}: {}", what.replace('"', "'")))
}

/// Reads a body.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn document(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    object(body).ok_or_else(|| refuse("registration.body", "body", "must be one JSON object without doubled members"))
}

/// The settings of a new client.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata`, the field named.
pub fn register(document: &Map<String, Value>, realm: &RealmSettings) -> Result<ClientSettings, OAuthError> {
    let base = ClientSettings { scopes: Some(realm.registration_scopes.clone()), ..ClientSettings::default() };
    let settings = ClientSettings { unverified: true, ..named(fields::read(document, base)?) };
    policy::check(&settings, None, realm)?;
    Ok(settings)
}

/// What a client becomes: fields left out fall to their defaults, what only an admin sets stays. A client that changed
/// is unverified again.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata`, the field named.
pub fn replace(
    document: &Map<String, Value>,
    client: &Client,
    realm: &RealmSettings,
) -> Result<ClientSettings, OAuthError> {
    let wrong = |field, what| Err(refuse("registration.replace", field, what));
    if document.get("client_id").is_none_or(|id| *id != client.id.as_str()) {
        return wrong("client_id", "must be the client's own");
    }
    let secret = document.get("client_secret").filter(|secret| !secret.is_null());
    let is_its_own = |secret: &Value| {
        let hash = secret.as_str().map(|secret| sha256(secret.as_bytes()));
        hash.zip(client.secret_hash).is_some_and(|(sent, known)| same(&sent, &known))
    };
    if secret.is_some_and(|secret| !is_its_own(secret)) {
        return wrong("client_secret", "is not the client's");
    }
    let was = &client.settings;
    let base = ClientSettings {
        scopes: Some(realm.registration_scopes.clone()),
        web_origins: was.web_origins.clone(),
        profile: was.profile,
        assertion_audience: was.assertion_audience,
        resources: was.resources.clone(),
        serves: was.serves.clone(),
        allowed_groups: was.allowed_groups.clone(),
        roles: was.roles.clone(),
        acr_binding: was.acr_binding,
        access_token: was.access_token,
        rotate_refresh_tokens: was.rotate_refresh_tokens,
        sector: was.sector.clone().filter(|_| was.sector_identifier_uri.is_none()),
        consent: was.consent,
        unverified: was.unverified,
        ..ClientSettings::default()
    };
    let mut settings = named(fields::read(document, base)?);
    policy::check(&settings, Some(was), realm)?;
    settings.unverified |= settings != *was;
    Ok(settings)
}

/// A client without a name is called by the host that its answers go to (RFC 7591 §2).
fn named(mut settings: ClientSettings) -> ClientSettings {
    if settings.name.is_empty() {
        let url = settings.redirect_uris.first().and_then(|uri| Url::parse(uri).ok());
        let host = url.map(|url| url.host_str().unwrap_or(url.scheme()).chars().take(100).collect());
        settings.name = host.unwrap_or_else(|| "unnamed".to_owned());
    }
    settings
}

/// What a client is told about itself (RFC 7591 §3.2.1, RFC 7592 §3). A secret is in the answer that makes it alone: we
/// keep its hash.
pub fn describe(client: &Client, issuer: &str, token: &str, secret: Option<&str>) -> Value {
    let mut document = fields::write(&client.settings);
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("client_id", json!(client.id.as_str()));
    put("client_id_issued_at", json!(client.created.secs()));
    put("registration_access_token", json!(token));
    put("registration_client_uri", json!(format!("{issuer}/register/{}", client.id)));
    if let Some(secret) = secret {
        put("client_secret", json!(secret));
    }
    if client.secret_hash.is_some() {
        put("client_secret_expires_at", json!(0));
    }
    Value::Object(document)
}

/// Judges the document at `sector_identifier_uri`.
///
/// # Errors
/// `invalid_client_metadata` with the redirect URI that is missing.
pub fn sector(document: &Value, settings: &ClientSettings) -> Result<(), OAuthError> {
    let Some(listed) = document.as_array() else { return Err(sector_refused("the document is not a JSON array")) };
    match settings.redirect_uris.iter().find(|uri| !listed.iter().any(|one| one == *uri)) {
        Some(missing) => Err(sector_refused(&format!("the document does not list {missing}"))),
        None => Ok(()),
    }
}

/// The refusal of a sector, for this reason.
pub fn sector_refused(what: &str) -> OAuthError {
    refuse("registration.sector", "sector_identifier_uri", what)
}

/// The token of an `Authorization` header (RFC 6750 §2.1).
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether an initial access token may be used. The commit that makes the client asks again.
///
/// # Errors
/// `invalid_token`.
pub fn admit(pass: Option<&Pass>, now: Timestamp) -> Result<&Pass, OAuthError> {
    let good = |pass: &&Pass| {
        let again = match pass.kind {
            PassKind::Registration => pass.used.is_none(),
            PassKind::Registrations => true,
            PassKind::Setup | PassKind::Access => false,
        };
        again && now < pass.expires
    };
    pass.filter(good).ok_or_else(spent)
}

/// The initial access token is not to be used (any more).
pub fn spent() -> OAuthError {
    let text = "the initial access token is wrong, expired or used";
    OAuthError::new(ErrorCode::InvalidToken, "registration.initial_token", text)
}

/// The client, if `token` is its registration access token; compared by hash in constant time.
///
/// # Errors
/// `invalid_token`, alike for a client that is unknown, disabled, or never registered itself.
pub fn manage(client: Option<Client>, token: &str) -> Result<Client, OAuthError> {
    let sent = sha256(token.as_bytes());
    let own = |client: &Client| client.registration_hash.is_some_and(|known| same(&sent, &known));
    client.filter(own).filter(|client| client.state == ClientState::Active).ok_or_else(|| {
        let text = "this is not the registration access token of a client";
        OAuthError::new(ErrorCode::InvalidToken, "registration.token", text)
    })
}
