//! Request objects: the parameters of an authorization request in a JWT that the client signed.
//! RFC 9101, OIDC Core §6.
//!
//! What comes out holds the object's parameters and nothing else: one that somebody wrote beside it into the URL, or
//! changed there, is not seen (RFC 9101 §6.3). The other rules are then asked of these parameters as of any.

use serde_json::Value;

use crate::client::SigningAlg;
use crate::id::ClientId;
use crate::jose::foreign::{Claims, Demand, InvalidJws, Unverified, unsigned};
use crate::jose::jwk::JwkSet;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::rule::Rule;
use crate::time::Timestamp;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule {
        id: "jar.form",
        spec: "RFC 9101 §6.2",
        text: "A request object is a well-formed JWT of its type; `none` only for a client that registered it.",
    },
    Rule { id: "jar.key", spec: "RFC 9101 §6.2", text: "Its key is one of the client's." },
    Rule { id: "jar.signature", spec: "RFC 9101 §6.2", text: "Its signature verifies." },
    Rule {
        id: "jar.client",
        spec: "RFC 9101 §5",
        text: "`client_id` and `iss` are the client's; `sub` is not, so that no client assertion is one.",
    },
    Rule { id: "jar.audience", spec: "RFC 9101 §4", text: "`aud` holds the issuer." },
    Rule { id: "jar.time", spec: "RFC 7519 §4.1.4", text: "It holds now, if it says when." },
    Rule { id: "jar.nested", spec: "RFC 9101 §4", text: "It holds neither `request` nor `request_uri`." },
];

/// How far the client's clock may be off, in seconds (FAPI 2.0 §5.3.2.1).
pub const SKEW_S: i64 = 30;

/// Claims about the JWT itself; no parameters.
const OF_THE_JWT: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What a request object must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub client_id: &'a ClientId,
    pub issuer: &'a str,
    /// `None`: the client has none, so that only an unsigned object can be good.
    pub keys: Option<&'a JwkSet>,
    pub algs: &'a [SigningAlg],
    /// The client registered `request_object_signing_alg` `none` (OIDC Core §6.1).
    pub unsigned: bool,
    /// `aud` must be there; else it is only judged when it is.
    pub aud_required: bool,
    pub now: Timestamp,
}

/// The parameters in a request object.
///
/// # Errors
/// `invalid_request_object`; under the rule `jar.key` newer keys of the client may help.
pub fn open(object: &str, expected: &Expected<'_>) -> Result<RawParams, OAuthError> {
    let claims = verified(object, expected).map_err(refused)?;
    let id = expected.client_id.as_str();
    let is_client = |name| claims.members.get(name).is_none_or(|value| value.as_str() == Some(id));
    if !is_client("client_id") || !is_client("iss") || claims.text("sub") == Some(id) {
        return Err(refuse(
            "jar.client",
            "the request object must name the client_id in client_id and iss, not in sub",
        ));
    }
    let for_us = match claims.members.get("aud") {
        None => !expected.aud_required,
        Some(Value::Array(several)) => several.iter().any(|aud| aud.as_str() == Some(expected.issuer)),
        Some(aud) => aud.as_str() == Some(expected.issuer),
    };
    if !for_us {
        return Err(refuse("jar.audience", "aud of the request object must hold the issuer"));
    }
    let latest = expected.now.plus_s(SKEW_S);
    if claims.exp.is_some_and(|exp| exp.plus_s(SKEW_S) <= expected.now)
        || [claims.nbf, claims.iat].into_iter().flatten().any(|begin| begin > latest)
    {
        return Err(refuse("jar.time", "the request object is expired or not valid yet; check the clock"));
    }
    if claims.members.contains_key("request") || claims.members.contains_key("request_uri") {
        return Err(refuse("jar.nested", "a request object holds neither request nor request_uri"));
    }
    Ok(params(&claims, id))
}

fn verified(object: &str, expected: &Expected<'_>) -> Result<Claims, InvalidJws> {
    let types = &["oauth-authz-req+jwt", "JWT"];
    let demand = Demand { algs: expected.algs, types, untyped: true };
    match Unverified::read(object, &demand) {
        Err(InvalidJws::Alg) if expected.unsigned => unsigned(object, &demand),
        read => read.and_then(|token| token.by_one_of(expected.keys.ok_or(InvalidJws::UnknownKey)?)),
    }
}

fn refused(error: InvalidJws) -> OAuthError {
    let rule = match error {
        InvalidJws::UnknownKey => "jar.key",
        InvalidJws::Signature => "jar.signature",
        _ => "jar.form",
    };
    OAuthError::naming(ErrorCode::InvalidRequestObject, rule, &format!("the request object {error}"))
}

const fn refuse(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, rule, text)
}

/// Claims as the parameters they would be in a query (RFC 9101 §4): a number by its digits, an object as JSON text, an
/// array of texts under `resource` as the parameter repeated (RFC 8707 §2).
fn params(claims: &Claims, client_id: &str) -> RawParams {
    let of_request = claims.members.iter().filter(|(name, _)| *name != "client_id" && !OF_THE_JWT.contains(&&***name));
    let pairs = of_request.flat_map(|(name, value)| {
        let values: Vec<String> = match value {
            Value::Null => Vec::new(),
            Value::String(text) => vec![text.clone()],
            Value::Array(several) if name == "resource" => {
                several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            other => vec![other.to_string()],
        };
        values.into_iter().map(|value| (name.clone(), value))
    });
    std::iter::once(("client_id".to_owned(), client_id.to_owned())).chain(pairs).collect()
}
