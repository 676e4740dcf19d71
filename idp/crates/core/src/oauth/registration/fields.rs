//! The client metadata a client may set for itself: each field's name, what it may be, and which setting it is.
//! RFC 7591 §2, OIDC Registration §2; further names of RFC 9101 §10.5, RFC 9126 §6, RFC 9449 §5.2 and the logout
//! specifications.

use serde_json::{Map, Value, json};
use url::Url;

use super::refuse;
use crate::client::{ClientSettings, GrantType, RequestObjectAlg, SigningAlg, SubjectType};
use crate::oauth::client_auth::METHODS;
use crate::oauth::error::OAuthError;

/// Texts in one list at most.
const MOST: usize = 50;

/// One field. Those that the table does not know are ignored (RFC 7591 §2).
pub struct Field {
    /// As it stands in the document.
    pub name: &'static str,
    pub spec: &'static str,
    /// What it may be, in words.
    pub values: &'static str,
    /// Writes it into the settings; `None`: it is none of the values.
    read: fn(&mut ClientSettings, &Value) -> Option<()>,
    /// The value that is registered, where there is one.
    write: fn(&ClientSettings) -> Option<Value>,
}

macro_rules! fields {
    ($($name:literal, $spec:literal, $values:expr, $read:expr, $write:expr;)*) => {
        /// Every field.
        pub const FIELDS: &[Field] =
            &[$(Field { name: $name, spec: $spec, values: $values, read: $read, write: $write },)*];
    };
}

const TEXT: &str = "a text";
const URL: &str = "a URL";
const TEXTS: &str = "a list of at most 50 texts";
const FLAG: &str = "true or false";
const ALG: &str = "RS256, ES256, EdDSA or PS256";
const NOT_ENCRYPTED: &str = "left out: nothing is encrypted here";

fields! {
    "client_name", "RFC 7591 §2", TEXT, |s, v| put(&mut s.name, text(v)), |s| Some(json!(s.name));
    "redirect_uris", "RFC 7591 §2", TEXTS, |s, v| put(&mut s.redirect_uris, texts(v)), |s| list(&s.redirect_uris);
    "response_types", "RFC 7591 §2", "a list of code alone",
        |_, v| texts(v)?.iter().all(|kind| kind == "code").then_some(()),
        |s| Some(if s.grant_types.contains(&GrantType::AuthorizationCode) { json!(["code"]) } else { json!([]) });
    "grant_types", "RFC 7591 §2", "a list of grant types of the metadata", grants, |s| Some(json!(s.grant_types));
    "token_endpoint_auth_method", "RFC 7591 §2", "an authentication method of the metadata",
        |s, v| put(&mut s.auth_method, METHODS.iter().find(|(_, name, _)| v == name).map(|row| row.0)),
        |s| Some(json!(s.auth_method));
    "token_endpoint_auth_signing_alg", "OIDC Registration §2", ALG,
        |s, v| some(&mut s.assertion_alg, alg(v)), |s| s.assertion_alg.map(|alg| json!(alg));
    "jwks", "RFC 7591 §2", "a JWK set",
        |s, v| some(&mut s.jwks, v.is_object().then(|| v.clone())), |s| s.jwks.clone();
    "jwks_uri", "RFC 7591 §2", URL, |s, v| some(&mut s.jwks_uri, text(v)), |s| link(&s.jwks_uri);
    "scope", "RFC 7591 §2", "scopes with blanks between them",
        |s, v| some(&mut s.scopes, v.as_str().map(|v| v.split_ascii_whitespace().map(str::to_owned).collect())),
        |s| s.scopes.as_ref().map(|scopes| json!(scopes.join(" ")));
    "contacts", "RFC 7591 §2", TEXTS, |s, v| put(&mut s.contacts, texts(v)), |s| list(&s.contacts);
    "client_uri", "RFC 7591 §2", URL, |s, v| some(&mut s.client_uri, text(v)), |s| link(&s.client_uri);
    "logo_uri", "RFC 7591 §2", URL, |s, v| some(&mut s.logo_uri, text(v)), |s| link(&s.logo_uri);
    "policy_uri", "RFC 7591 §2", URL, |s, v| some(&mut s.policy_uri, text(v)), |s| link(&s.policy_uri);
    "tos_uri", "RFC 7591 §2", URL, |s, v| some(&mut s.tos_uri, text(v)), |s| link(&s.tos_uri);
    "subject_type", "OIDC Registration §2", "public or pairwise",
        |s, v| put(&mut s.subject_type, subject(v)), |s| Some(json!(s.subject_type));
    "sector_identifier_uri", "OIDC Registration §5", URL, sector, |s| link(&s.sector_identifier_uri);
    "id_token_signed_response_alg", "OIDC Registration §2", ALG,
        |s, v| put(&mut s.id_token_alg, alg(v)), |s| Some(json!(s.id_token_alg));
    "userinfo_signed_response_alg", "OIDC Registration §2", ALG,
        |s, v| some(&mut s.userinfo_alg, alg(v)), |s| s.userinfo_alg.map(|alg| json!(alg));
    "request_object_signing_alg", "OIDC Registration §2", "RS256, ES256, EdDSA, PS256 or none",
        |s, v| some(&mut s.request_object_alg, object_alg(v)), |s| s.request_object_alg.map(|alg| json!(alg));
    "require_signed_request_object", "RFC 9101 §10.5", FLAG,
        |s, v| put(&mut s.require_request_object, v.as_bool()), |s| Some(json!(s.require_request_object));
    "require_pushed_authorization_requests", "RFC 9126 §6", FLAG,
        |s, v| put(&mut s.require_par, v.as_bool()), |s| Some(json!(s.require_par));
    "dpop_bound_access_tokens", "RFC 9449 §5.2", FLAG,
        |s, v| put(&mut s.dpop_bound, v.as_bool()), |s| Some(json!(s.dpop_bound));
    "default_max_age", "OIDC Registration §2", "a number of seconds, at most a year",
        |s, v| some(&mut s.default_max_age_s, v.as_i64()), |s| s.default_max_age_s.map(|age| json!(age));
    // Every ID token holds auth_time.
    "require_auth_time", "OIDC Registration §2", "true or false; true is registered",
        |_, v| v.is_boolean().then_some(()), |_| Some(json!(true));
    "default_acr_values", "OIDC Registration §2", TEXTS,
        |s, v| put(&mut s.default_acr_values, texts(v)), |s| list(&s.default_acr_values);
    "post_logout_redirect_uris", "RP-Initiated Logout §3.1", TEXTS,
        |s, v| put(&mut s.post_logout_redirect_uris, texts(v)), |s| list(&s.post_logout_redirect_uris);
    "backchannel_logout_uri", "Back-Channel Logout §2.2", URL,
        |s, v| some(&mut s.backchannel_logout_uri, text(v)), |s| link(&s.backchannel_logout_uri);
    "backchannel_logout_session_required", "Back-Channel Logout §2.2", FLAG,
        |s, v| put(&mut s.backchannel_logout_session_required, v.as_bool()),
        |s| Some(json!(s.backchannel_logout_session_required));
    "frontchannel_logout_uri", "Front-Channel Logout §2", URL,
        |s, v| some(&mut s.frontchannel_logout_uri, text(v)), |s| link(&s.frontchannel_logout_uri);
    "frontchannel_logout_session_required", "Front-Channel Logout §2", FLAG,
        |s, v| put(&mut s.frontchannel_logout_session_required, v.as_bool()),
        |s| Some(json!(s.frontchannel_logout_session_required));
    "id_token_encrypted_response_alg", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    "id_token_encrypted_response_enc", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    "userinfo_encrypted_response_alg", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    "userinfo_encrypted_response_enc", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    "request_object_encryption_alg", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    "request_object_encryption_enc", "OIDC Registration §2", NOT_ENCRYPTED, |_, _| None, |_| None;
    // A promise we would not keep.
    "tls_client_certificate_bound_access_tokens", "RFC 8705 §3.4", "false: keys are bound by DPoP",
        |_, v| (*v == Value::Bool(false)).then_some(()), |_| None;
}

fn put<T>(setting: &mut T, value: Option<T>) -> Option<()> {
    *setting = value?;
    Some(())
}

fn some<T>(setting: &mut Option<T>, value: Option<T>) -> Option<()> {
    *setting = Some(value?);
    Some(())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().filter(|list| list.len() <= MOST)?.iter().map(text).collect()
}

fn alg(value: &Value) -> Option<SigningAlg> {
    SigningAlg::from_text(value.as_str()?)
}

fn object_alg(value: &Value) -> Option<RequestObjectAlg> {
    if value == "none" { Some(RequestObjectAlg::Unsigned) } else { alg(value).map(RequestObjectAlg::Signed) }
}

fn subject(value: &Value) -> Option<SubjectType> {
    match value.as_str()? {
        "public" => Some(SubjectType::Public),
        "pairwise" => Some(SubjectType::Pairwise),
        _ => None,
    }
}

fn grants(settings: &mut ClientSettings, value: &Value) -> Option<()> {
    let mut grants: Vec<GrantType> = texts(value)?.iter().map(|name| GrantType::parse(name)).collect::<Option<_>>()?;
    // Each once, in the order of the table.
    grants = GrantType::ALL.iter().copied().filter(|grant| grants.contains(grant)).collect();
    settings.grant_types = grants;
    Some(())
}

/// The host of the document is the sector (OIDC Core §8.1).
fn sector(settings: &mut ClientSettings, value: &Value) -> Option<()> {
    let uri = text(value)?;
    settings.sector = Some(Url::parse(&uri).ok()?.host_str()?.to_owned());
    settings.sector_identifier_uri = Some(uri);
    Some(())
}

fn list(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| json!(texts))
}

fn link(link: &Option<String>) -> Option<Value> {
    link.as_ref().map(|link| json!(link))
}

/// Writes what a document says over `settings`; null counts as left out (RFC 7592 §2.2).
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata` with the field and what it may be.
pub fn read(document: &Map<String, Value>, mut settings: ClientSettings) -> Result<ClientSettings, OAuthError> {
    for field in FIELDS {
        let value = document.get(field.name).filter(|value| !value.is_null());
        if value.is_some_and(|value| (field.read)(&mut settings, value).is_none()) {
            return Err(refuse("registration.fields", field.name, &format!("must be {}", field.values)));
        }
    }
    Ok(settings)
}

/// The document of what is registered.
pub fn write(settings: &ClientSettings) -> Map<String, Value> {
    let value = |field: &Field| Some((field.name.to_owned(), (field.write)(settings)?));
    FIELDS.iter().filter_map(value).collect()
}

/// The name of a setting in a document.
pub(super) fn name_of(setting: &str) -> &str {
    match setting {
        "name" => "client_name",
        "auth_method" => "token_endpoint_auth_method",
        "assertion_alg" => "token_endpoint_auth_signing_alg",
        "scopes" => "scope",
        "sector" => "sector_identifier_uri",
        "id_token_alg" => "id_token_signed_response_alg",
        "require_request_object" => "require_signed_request_object",
        "default_max_age_s" => "default_max_age",
        same => same,
    }
}
