//! Redeeming an authorization code: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5.
//!
//! The sequence of RFC 6749 is driven by oxide-auth's machine; what the RFC leaves to us (exact redirect match,
//! PKCE, expiry by our clock, burning) is decided here before the machine may go on.

use std::borrow::Cow;

use oxide_auth::code_grant::accesstoken::{AccessToken, Authorization, Input, Output, Request};
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant};
use url::Url;

use crate::client::Client;
use crate::encoding::base64url;
use crate::oauth::authorize::code::Code;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::rule::Rule;
use crate::secret::{Hash, same, sha256};
use crate::time::Timestamp;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule { id: "code.params", spec: "RFC 6749 §4.1.3", text: "`code` and `redirect_uri` are there, none twice." },
    Rule { id: "code.sealed_here", spec: "RFC 6749 §4.1.3", text: "The code was issued by this realm." },
    Rule { id: "code.client", spec: "RFC 6749 §4.1.3", text: "The code was issued to this client; else it is burnt." },
    Rule {
        id: "code.redirect_uri",
        spec: "RFC 6749 §4.1.3",
        text: "The redirect URI is the one of the request; else the code is burnt.",
    },
    Rule {
        id: "code.verifier",
        spec: "RFC 7636 §4.6",
        text: "The verifier hashes to the challenge; a missing, needless or wrong one burns the code.",
    },
    Rule {
        id: "code.key",
        spec: "RFC 9449 §10",
        text: "A code asked for with `dpop_jkt` is redeemed with that key; else it is burnt.",
    },
    Rule { id: "code.fresh", spec: "RFC 6749 §4.1.2", text: "The code is at most 60 seconds old." },
    Rule {
        id: "code.once",
        spec: "RFC 6749 §4.1.2",
        text: "A code works once; a second use revokes what the first one bought.",
    },
    Rule {
        id: "code.session",
        spec: "OIDC Core §3.1.3.2",
        text: "The session, the account and the client are still good.",
    },
];

/// What is to happen with a presented code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Redeem it; the guarded write says whether it still was there.
    Redeem(Box<Code>),
    /// Make it worthless for everybody and refuse.
    Burn(Box<Code>, OAuthError),
    /// Refuse; there is nothing to burn.
    Refuse(OAuthError),
}

/// Decides about a code. `code` is what the seal held, `None` when it did not open.
/// `jkt` is the thumbprint of the DPoP key that the request proved.
pub fn decide(params: &RawParams, client: &Client, code: Option<Code>, jkt: Option<Hash>, now: Timestamp) -> Decision {
    if let Some(name) = params.doubled() {
        let text = format!("the parameter {name} came twice");
        return Decision::Refuse(OAuthError::naming(ErrorCode::InvalidRequest, "code.params", &text));
    }
    for name in ["code", "redirect_uri"] {
        if params.one(name).is_none() {
            let text = format!("{name} is missing");
            return Decision::Refuse(OAuthError::naming(ErrorCode::InvalidRequest, "code.params", &text));
        }
    }
    let Some(code) = code else {
        return Decision::Refuse(grant("code.sealed_here", "the code is not one of ours"));
    };
    // First of all: an old code lies in logs and histories, and finding one must not end what it once bought.
    if now > code.expires {
        return Decision::Refuse(grant("code.fresh", "the code has expired"));
    }
    if let Err(error) = check(params, client, &code).and_then(|()| key(&code, jkt)) {
        return Decision::Burn(Box::new(code), error);
    }
    match drive(params, client, &code) {
        Ok(()) => Decision::Redeem(Box::new(code)),
        Err(error) => Decision::Burn(Box::new(code), error),
    }
}

/// What is said when the write found the code already used.
pub const fn reused() -> OAuthError {
    grant("code.once", "the code was used before; its tokens are revoked")
}

/// What is said when session, account or client ended between the code and its redemption.
pub const fn session_gone() -> OAuthError {
    grant("code.session", "the sign-in behind this code has ended")
}

const fn grant(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, rule, text)
}

fn check(params: &RawParams, client: &Client, code: &Code) -> Result<(), OAuthError> {
    if code.client_id != client.id {
        return Err(grant("code.client", "the code was issued to another client"));
    }
    let redirect_uri = params.one("redirect_uri").unwrap_or_default();
    if sha256(redirect_uri.as_bytes()) != code.redirect_hash {
        return Err(grant("code.redirect_uri", "redirect_uri is not the one of the authorization request"));
    }
    let refuse = |text| Err(grant("code.verifier", text));
    match (&code.code_challenge, params.one("code_verifier")) {
        (None, None) if client.settings.is_public() => refuse("a public client must use PKCE"),
        (None, None) => Ok(()),
        (None, Some(_)) => refuse("code_verifier without a code_challenge in the authorization request"),
        (Some(_), None) => refuse("code_verifier is missing"),
        (Some(_), Some(verifier)) if !well_formed(verifier) => {
            refuse("code_verifier has 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
        }
        (Some(challenge), Some(verifier)) => {
            if same(base64url(sha256(verifier.as_bytes())).as_bytes(), challenge.as_bytes()) {
                Ok(())
            } else {
                refuse("code_verifier does not match the code_challenge")
            }
        }
    }
}

/// A code bound to a key is redeemed with that key (RFC 9449 §10).
fn key(code: &Code, jkt: Option<Hash>) -> Result<(), OAuthError> {
    if code.jkt.is_some() && code.jkt != jkt {
        return Err(grant("code.key", "the code is bound to another DPoP key"));
    }
    Ok(())
}

/// RFC 7636 §4.1.
fn well_formed(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// Takes the request through the sequence of RFC 6749 §4.1.3 up to the point where a token may be issued.
fn drive(params: &RawParams, client: &Client, code: &Code) -> Result<(), OAuthError> {
    let refuse = |_| OAuthError::new(ErrorCode::InvalidRequest, "code.params", "the request is malformed");
    let request = TokenRequest { params, client };
    let mut machine = AccessToken::new(&request);
    // The client was authenticated before; the machine is told so.
    expect(machine.advance(Input::None), |o| matches!(o, Output::Authenticate { .. })).map_err(refuse)?;
    expect(machine.advance(Input::Authenticated), |o| matches!(o, Output::Recover { .. })).map_err(refuse)?;
    let found = MachineGrant {
        owner_id: code.account_id.to_string(),
        client_id: code.client_id.to_string(),
        scope: code.scope.as_str().parse().map_err(|_| refuse(()))?,
        redirect_uri: Url::parse(params.one("redirect_uri").unwrap_or_default()).map_err(|_| refuse(()))?,
        // The machine reads the wall clock; expiry was judged by ours, so it never lapses here.
        until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        extensions: Extensions::new(),
    };
    expect(machine.advance(Input::Recovered(Some(Box::new(found)))), |o| matches!(o, Output::Extend { .. }))
        .map_err(refuse)?;
    let extended = Input::Extended { access_extensions: Extensions::new() };
    expect(machine.advance(extended), |o| matches!(o, Output::Issue { .. })).map_err(refuse)
}

fn expect(output: Output<'_>, step: impl FnOnce(&Output<'_>) -> bool) -> Result<(), ()> {
    if step(&output) { Ok(()) } else { Err(()) }
}

/// The request as oxide-auth's machine wants to read it.
struct TokenRequest<'a> {
    params: &'a RawParams,
    client: &'a Client,
}

impl Request for TokenRequest<'_> {
    fn valid(&self) -> bool {
        self.params.doubled().is_none()
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.params.one("code").map(Cow::Borrowed)
    }

    fn authorization(&self) -> Authorization<'_> {
        Authorization::Username(Cow::Borrowed(self.client.id.as_str()))
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.params.one("redirect_uri").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.one("grant_type").map(Cow::Borrowed)
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
