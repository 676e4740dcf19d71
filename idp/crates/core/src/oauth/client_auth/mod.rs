//! Client authentication at the token endpoint: one row a method, exactly one method a request.
//! RFC 6749 §2.3.1, RFC 7521 §4.2, OIDC Core §9.

pub mod assertion;
mod secret;

use crate::client::{Client, ClientAuthMethod, ClientState};
use crate::id::ClientId;
use crate::jose::foreign::peek;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::rule::Rule;
use crate::secret::{Secret, same, sha256};
use assertion::Assertion;
use secret::basic;

/// The rows, for documentation and discovery.
pub const METHODS: &[(ClientAuthMethod, &str, Rule)] = &[
    (
        ClientAuthMethod::ClientSecretBasic,
        "client_secret_basic",
        Rule {
            id: "client.secret_basic",
            spec: "RFC 6749 §2.3.1",
            text: "Id and secret come form-encoded in the `Authorization` header.",
        },
    ),
    (
        ClientAuthMethod::ClientSecretPost,
        "client_secret_post",
        Rule { id: "client.secret_post", spec: "RFC 6749 §2.3.1", text: "Id and secret come in the body." },
    ),
    (
        ClientAuthMethod::PrivateKeyJwt,
        "private_key_jwt",
        Rule {
            id: "client.private_key_jwt",
            spec: "OIDC Core §9",
            text: "A JWT signed by the client comes in the body; `client_id` may be left out.",
        },
    ),
    (
        ClientAuthMethod::None,
        "none",
        Rule {
            id: "client.none",
            spec: "OIDC Core §9",
            text: "A public client sends its id alone and proves itself by PKCE.",
        },
    ),
];

/// Rules that hold for every method.
pub const RULES: &[Rule] = &[
    Rule { id: "client.one_method", spec: "RFC 6749 §2.3", text: "A request uses one method of authentication." },
    Rule { id: "client.registered_method", spec: "OIDC Core §9", text: "The method is the one set for the client." },
    Rule {
        id: "client.secret",
        spec: "RFC 6749 §2.3.1",
        text: "The secret is right; compared by hash in constant time.",
    },
    Rule { id: "client.active", spec: "RFC 6749 §5.2", text: "The client exists and is not disabled." },
];

/// What a request presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    pub client_id: ClientId,
    pub method: ClientAuthMethod,
    secret: Option<Secret<String>>,
    /// The JWT of `private_key_jwt`, for [`assertion::check`].
    pub assertion: Option<Secret<String>>,
}

/// Reads who a request says it comes from.
///
/// # Errors
/// `invalid_request` for two methods at once, `invalid_client` for none or a malformed one.
pub fn present(authorization: Option<&str>, body: &RawParams) -> Result<Presented, OAuthError> {
    let body_id = body.one("client_id");
    let body_secret = body.one("client_secret");
    if body.one("client_assertion").is_some() || body.one("client_assertion_type").is_some() {
        if authorization.is_some() || body_secret.is_some() {
            return Err(contradicts("the client assertion came beside another client authentication"));
        }
        return present_assertion(body_id, body);
    }
    let Some(header) = authorization else {
        let id = body_id.ok_or_else(|| refuse("client.one_method", "the client is not named: send client_id"))?;
        let method = if body_secret.is_some() { ClientAuthMethod::ClientSecretPost } else { ClientAuthMethod::None };
        let secret = body_secret.map(|s| Secret::new(s.to_owned()));
        return Ok(Presented { client_id: parse(id)?, method, secret, assertion: None });
    };
    if body_secret.is_some() {
        return Err(contradicts("the client secret came in the header and in the body"));
    }
    let (id, secret) = basic(header).ok_or_else(|| {
        refuse("client.secret_basic", "the Authorization header is not Basic with an id and a secret")
    })?;
    // An id in the body besides the header must name the same client, else one could be bound to the other's code.
    if body_id.is_some_and(|other| other != id) {
        return Err(contradicts("client_id differs between header and body"));
    }
    Ok(Presented {
        client_id: parse(&id)?,
        method: ClientAuthMethod::ClientSecretBasic,
        secret: Some(Secret::new(secret)),
        assertion: None,
    })
}

/// Whose assertion it is says its `sub`, unverified as yet: it names the client whose keys will tell (RFC 7521 §4.2).
fn present_assertion(body_id: Option<&str>, body: &RawParams) -> Result<Presented, OAuthError> {
    let (Some(text), Some(assertion::TYPE)) = (body.one("client_assertion"), body.one("client_assertion_type")) else {
        return Err(refuse(
            "client.assertion.type",
            "send client_assertion with the client_assertion_type of RFC 7523",
        ));
    };
    let subject = peek(text, "sub").ok_or_else(|| refuse("client.assertion.form", "the client assertion is no JWT"))?;
    if body_id.is_some_and(|id| id != subject) {
        return Err(contradicts("client_id is not the sub of the client assertion"));
    }
    Ok(Presented {
        client_id: parse(&subject)?,
        method: ClientAuthMethod::PrivateKeyJwt,
        secret: None,
        assertion: Some(Secret::new(text.to_owned())),
    })
}

/// The client, if it is active and the method is the one it registered: to be asked before its keys are fetched.
///
/// # Errors
/// `invalid_client`.
pub fn registered<'a>(presented: &Presented, client: Option<&'a Client>) -> Result<&'a Client, OAuthError> {
    let client = match client {
        Some(c) if c.state == ClientState::Active => c,
        _ => return Err(refuse("client.active", "the client is unknown or disabled")),
    };
    let registered = client.settings.auth_method;
    if presented.method != registered {
        let name = METHODS.iter().find(|(m, ..)| *m == registered).map_or("another method", |(_, name, _)| name);
        let text = format!("this client authenticates by {name}");
        return Err(OAuthError::naming(ErrorCode::InvalidClient, "client.registered_method", &text));
    }
    Ok(client)
}

/// Judges what was presented against the client it names. `proved` is what [`assertion::check`] made of an assertion.
///
/// # Errors
/// `invalid_client` for each reason, in words that help the client's developer and nobody else.
pub fn authenticate<'a>(
    presented: &Presented,
    client: Option<&'a Client>,
    proved: Option<&Assertion>,
) -> Result<&'a Client, OAuthError> {
    let client = registered(presented, client)?;
    match (presented.method, &presented.secret, &client.secret_hash) {
        (ClientAuthMethod::None, None, _) => Ok(client),
        (ClientAuthMethod::PrivateKeyJwt, ..) => match proved {
            Some(assertion) if assertion.client_id == client.id => Ok(client),
            _ => Err(refuse("client.private_key_jwt", "the client assertion was not verified")),
        },
        (ClientAuthMethod::ClientSecretBasic | ClientAuthMethod::ClientSecretPost, Some(secret), Some(hash))
            if same(&sha256(secret.expose().as_bytes()), hash) =>
        {
            Ok(client)
        }
        _ => Err(refuse("client.secret", "the client secret is wrong")),
    }
}

fn refuse(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, rule, text)
}

fn contradicts(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "client.one_method", text)
}

fn parse(id: &str) -> Result<ClientId, OAuthError> {
    ClientId::parse(id).map_err(|_| refuse("client.active", "the client is unknown or disabled"))
}

#[cfg(test)]
mod tests {
    use super::{ClientAuthMethod, present};
    use crate::oauth::params::RawParams;

    #[test]
    fn reads_a_secret_with_every_odd_character() {
        // "a.b" and "s:e&c=r%+t" form-encoded, then base64
        let pair = "YS5iOnMlM0FlJTI2YyUzRHIlMjUlMkJ0";
        let p = present(Some(&format!("bAsIc {pair}")), &RawParams::default()).unwrap();
        assert_eq!(p.client_id.as_str(), "a.b");
        assert_eq!(p.secret.unwrap().expose(), "s:e&c=r%+t");
        assert_eq!(p.method, ClientAuthMethod::ClientSecretBasic);
    }

    #[test]
    fn refuses_two_methods_and_two_names() {
        let header = Some("Basic YTpi");
        for body in ["client_id=a&client_secret=b", "client_secret=b", "client_id=other"] {
            let error = present(header, &RawParams::parse(body.as_bytes())).unwrap_err();
            assert_eq!(error.rule, "client.one_method", "{body}");
        }
        for header in ["Bearer YTpi", "Basic", "Basic !", "Basic YQ"] {
            assert!(present(Some(header), &RawParams::default()).is_err(), "{header}");
        }
    }
}
