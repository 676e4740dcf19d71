//! `private_key_jwt`: a client proves itself by a JWT that it signed. RFC 7523 §3, RFC 7521 §4.2, OIDC Core §9.
//!
//! Pure: the caller keeps [`Assertion::once`] until [`Assertion::expires`] and refuses a second one with [`replayed`].

use serde_json::Value;

use crate::client::SigningAlg;
use crate::id::ClientId;
use crate::jose::foreign::{Claims, Demand, InvalidJws, Unverified};
use crate::jose::jwk::JwkSet;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::rule::Rule;
use crate::secret::{Hash, sha256};
use crate::time::Timestamp;

/// The one `client_assertion_type` (RFC 7523 §2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule {
        id: "client.assertion.type",
        spec: "RFC 7523 §2.2",
        text: "`client_assertion` comes with the `client_assertion_type` of JWTs.",
    },
    Rule {
        id: "client.assertion.form",
        spec: "RFC 7523 §3",
        text: "The assertion is a well-formed JWT, signed by an algorithm the client may use.",
    },
    Rule { id: "client.assertion.key", spec: "OIDC Core §10.1", text: "Its key is one of the client's." },
    Rule { id: "client.assertion.signature", spec: "RFC 7523 §3 step 9", text: "Its signature verifies." },
    Rule { id: "client.assertion.names", spec: "RFC 7523 §3 step 1", text: "`iss` and `sub` are the `client_id`." },
    Rule {
        id: "client.assertion.audience",
        spec: "RFC 10070",
        text: "`aud` is the issuer alone; for older clients also an endpoint.",
    },
    Rule {
        id: "client.assertion.time",
        spec: "RFC 7523 §3 step 4",
        text: "It holds now, and for at most 300 seconds from `iat`, or from now when there is no `iat`.",
    },
    Rule { id: "client.assertion.jti", spec: "OIDC Core §9", text: "`jti` has 1 to 256 characters." },
    Rule { id: "client.assertion.once", spec: "OIDC Core §9", text: "An assertion works once." },
];

/// Life of an assertion in seconds. It is made for one request; whoever steals one out of a log shall find it dead, and
/// what was used need not be remembered longer. From `iat` on, since libraries in use write an `exp` an hour ahead.
pub const LIFETIME_S: i64 = 300;

/// How far the client's clock may be off, in seconds (FAPI 2.0 §5.3.2.1).
pub const SKEW_S: i64 = 30;

/// Whom an assertion must be meant for.
#[derive(Clone, Copy, Debug)]
pub struct AssertionAudience<'a> {
    pub issuer: &'a str,
    /// Endpoints that older clients name instead (OIDC Core §9, RFC 9126 §2); empty for all others: a server that
    /// pretends to have our endpoint would else get an assertion that is good here.
    pub also: &'a [&'a str],
    /// An array of one is refused, too (FAPI 2.0 §5.3.2.1).
    pub strict_string: bool,
}

/// What an assertion must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub client_id: &'a ClientId,
    pub keys: &'a JwkSet,
    pub algs: &'a [SigningAlg],
    pub audience: AssertionAudience<'a>,
    pub now: Timestamp,
}

/// An assertion that was found good, but for replay. Only [`check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub(super) client_id: ClientId,
    /// SHA-256 over client and `jti`: key of the row that makes the assertion work once.
    pub once: Hash,
    /// Until when that row must be kept; from then on the assertion is expired anyway, on a slower replica too.
    pub expires: Timestamp,
}

/// Checks an assertion.
///
/// # Errors
/// `invalid_client`; under the rule `client.assertion.key` newer keys of the client may help.
pub fn check(assertion: &str, expected: &Expected<'_>) -> Result<Assertion, OAuthError> {
    let demand = Demand { algs: expected.algs, types: &["JWT", "client-authentication+jwt"], untyped: true };
    let verified = Unverified::read(assertion, &demand).and_then(|token| token.by_one_of(expected.keys));
    let claims = verified.map_err(refused)?;
    let id = expected.client_id.as_str();
    if claims.text("iss") != Some(id) || claims.text("sub") != Some(id) {
        return Err(refuse("client.assertion.names", "iss and sub of the client assertion must be the client_id"));
    }
    if !is_meant_for(claims.members.get("aud"), &expected.audience) {
        return Err(refuse("client.assertion.audience", "aud of the client assertion must be the issuer alone"));
    }
    let end = end(&claims, expected.now)?;
    let jti = claims.text("jti").filter(|jti| (1..=256).contains(&jti.chars().count()));
    let jti = jti.ok_or_else(|| refuse("client.assertion.jti", "jti is missing or longer than 256 characters"))?;
    Ok(Assertion {
        client_id: expected.client_id.clone(),
        // No client id has a zero byte, so that no two pairs make the same text.
        once: sha256(format!("{id}\0{jti}").as_bytes()),
        expires: end.plus_s(2 * SKEW_S),
    })
}

/// What an assertion gets that was seen before.
pub const fn replayed() -> OAuthError {
    refuse("client.assertion.once", "the client assertion was used before")
}

const fn refuse(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, rule, text)
}

fn refused(error: InvalidJws) -> OAuthError {
    let rule = match error {
        InvalidJws::UnknownKey => "client.assertion.key",
        InvalidJws::Signature => "client.assertion.signature",
        _ => "client.assertion.form",
    };
    OAuthError::naming(ErrorCode::InvalidClient, rule, &format!("the client assertion {error}"))
}

/// Compared byte for byte (RFC 7523 §3 step 3). More than one audience is refused: another one could replay it here.
fn is_meant_for(aud: Option<&Value>, audience: &AssertionAudience<'_>) -> bool {
    let one = match aud {
        Some(Value::Array(several)) if !audience.strict_string => match several.as_slice() {
            [one] => one.as_str(),
            _ => None,
        },
        aud => aud.and_then(Value::as_str),
    };
    one.is_some_and(|one| one == audience.issuer || audience.also.contains(&one))
}

/// When the assertion ends; an error when it does not hold now.
fn end(claims: &Claims, now: Timestamp) -> Result<Timestamp, OAuthError> {
    const RULE: &str = "client.assertion.time";
    let exp = claims.exp.ok_or_else(|| refuse(RULE, "exp is missing in the client assertion"))?;
    let latest = now.plus_s(SKEW_S);
    if claims.nbf.is_some_and(|nbf| nbf > latest) || claims.iat.is_some_and(|iat| iat > latest) {
        return Err(refuse(RULE, "the client assertion is not valid yet; check the clock"));
    }
    let end = claims.iat.map_or(exp, |iat| exp.min(iat.plus_s(LIFETIME_S)));
    if end.plus_s(SKEW_S) <= now {
        return Err(refuse(RULE, "the client assertion is expired; check the clock"));
    }
    if end > latest.plus_s(LIFETIME_S) {
        return Err(refuse(RULE, "exp of a client assertion without iat must be at most 300 seconds ahead"));
    }
    Ok(end)
}
