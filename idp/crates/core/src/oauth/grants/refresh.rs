//! Using a refresh token: RFC 6749 §6, RFC 9700 §4.14.2, RFC 9449 §5.
//!
//! oxide-auth's machine carries the sequence and judges the scope; lifetime, key, rotation and return are ours.

use std::borrow::Cow;

use oxide_auth::code_grant::refresh::{Input, Output, Refresh, Request};
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant};
use url::Url;

use crate::client::{Client, ClientProfile};
use crate::grant::{Grant, RefreshToken};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::oauth::resource;
use crate::oauth::scope::Scopes;
use crate::realm::RealmSettings;
use crate::rule::Rule;
use crate::secret::Hash;
use crate::time::Timestamp;

/// How long the same successor is given again, in seconds: two requests of one client that crossed.
pub const GRACE_S: i64 = 10;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule { id: "refresh.params", spec: "RFC 6749 §6", text: "`refresh_token` is there, no parameter twice." },
    Rule { id: "refresh.client", spec: "RFC 6749 §6", text: "The token was issued to this client by this realm." },
    Rule {
        id: "refresh.live",
        spec: "RFC 6749 §6",
        text: "What it rests on is still good: grant, account, client, groups, and the session unless `offline_access`.",
    },
    Rule {
        id: "refresh.fresh",
        spec: "RFC 9700 §4.14.2",
        text: "Neither its absolute nor its idle lifetime has passed.",
    },
    Rule {
        id: "refresh.key",
        spec: "RFC 9449 §5",
        text: "A public client proves the key its token is bound to; a confidential one may change it.",
    },
    Rule { id: "refresh.scope", spec: "RFC 6749 §6", text: "The scope is what was granted, or less." },
    Rule {
        id: "refresh.once",
        spec: "RFC 9700 §4.14.2",
        text: "A rotating token works once; within 10 s the same successor is given again while it is unused, any \
               other return revokes the family.",
    },
];

/// What a refresh is to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Narrower than the grant's; `None`: the same.
    pub scope: Option<Scopes>,
    /// Resource servers the new access token is for.
    pub audience: Vec<String>,
    /// The token is followed by a successor.
    pub rotates: bool,
}

/// What a refresh is judged by.
pub struct Facts<'a> {
    pub params: &'a RawParams,
    pub client: &'a Client,
    pub settings: &'a RealmSettings,
    /// Issuer of the realm, always allowed as a resource.
    pub issuer: &'a str,
    /// The token that was presented, with its grant; `None`: there is none of that hash.
    pub found: Option<(&'a Grant, &'a RefreshToken)>,
    /// Whether everything the grant rests on is still good.
    pub good: bool,
    /// Thumbprint of the key the request proved.
    pub jkt: Option<Hash>,
    pub now: Timestamp,
}

/// Decides about a presented refresh token.
///
/// # Errors
/// The rule that refuses; nothing is to be written then.
pub fn decide(facts: &Facts<'_>) -> Result<Plan, OAuthError> {
    let Facts { params, client, now, .. } = *facts;
    once(params)?;
    let (grant, token) = match facts.found {
        Some((grant, token)) if grant.client_id == client.id => (grant, token),
        _ => return Err(refuse("refresh.client", "the refresh token is not one of this client's")),
    };
    if !facts.good {
        return Err(gone());
    }
    let idle_since = now.plus_s(facts.settings.refresh_token_idle_s.saturating_neg());
    // A token that was used is judged by the write: it may be a return.
    if now >= token.expires || token.used.is_none() && token.active < idle_since {
        return Err(refuse("refresh.fresh", "the refresh token has expired"));
    }
    if client.settings.is_public() && grant.detail.jkt != facts.jkt {
        return Err(refuse("refresh.key", "the refresh token is bound to another DPoP key"));
    }
    drive(params, client, grant)?;
    // What an admin has taken from the client since is no longer given.
    let still = facts.settings.scopes_for(&client.settings).join(" ");
    let granted = Scopes::from_stored(&grant.scope);
    let scope = granted.only(params.one("scope").unwrap_or(&grant.scope)).only(&still);
    let scope = (scope != granted).then_some(scope);
    let mut audience = resource::narrow(params, &grant.detail.resources, facts.issuer)?;
    audience.retain(|uri| uri == facts.issuer || client.settings.resources.contains(uri));
    if audience.is_empty() && !grant.detail.resources.is_empty() {
        let text = "this client may no longer ask for the resources that were granted";
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "resource.allowed", text));
    }
    Ok(Plan { scope, audience, rotates: rotates(client, grant) })
}

/// Whether the tokens of a grant are followed by successors: those of a public client that nothing binds, and of
/// whoever asks for it. Others keep theirs, which survives a lost answer (FAPI 2.0 Security Profile §5.3.2.1).
pub fn rotates(client: &Client, grant: &Grant) -> bool {
    let settings = &client.settings;
    settings.profile != ClientProfile::Fapi2
        && (settings.rotate_refresh_tokens || settings.is_public() && grant.detail.jkt.is_none())
}

/// What is said when the token came back.
pub const fn reused() -> OAuthError {
    refuse("refresh.once", "the refresh token was used before; everything granted with it is revoked")
}

/// What is said when something the grant rests on has ended.
pub const fn gone() -> OAuthError {
    refuse("refresh.live", "what this refresh token rests on has ended")
}

const fn refuse(rule: &'static str, text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, rule, text)
}

fn once(params: &RawParams) -> Result<(), OAuthError> {
    let text = match params.doubled() {
        Some(name) => format!("the parameter {name} came twice"),
        None if params.one("refresh_token").is_none() => "refresh_token is missing".to_owned(),
        None => return Ok(()),
    };
    Err(OAuthError::naming(ErrorCode::InvalidRequest, "refresh.params", &text))
}

/// Takes the request through the sequence of RFC 6749 §6 up to the point where a token may be issued.
fn drive(params: &RawParams, client: &Client, grant: &Grant) -> Result<(), OAuthError> {
    let malformed = || OAuthError::new(ErrorCode::InvalidRequest, "refresh.params", "the request is malformed");
    let request = RefreshRequest { params, client };
    let mut machine = Refresh::new(&request);
    // The client was authenticated before; the machine is told so.
    let Output::Unauthenticated { .. } = machine.advance(Input::None) else { return Err(malformed()) };
    let scope = || params.one("scope").map(Cow::Borrowed);
    let Output::RecoverRefresh { .. } = machine.advance(Input::Authenticated { scope: scope() }) else {
        return Err(malformed());
    };
    let found = MachineGrant {
        owner_id: grant.account_id.map(|id| id.to_string()).unwrap_or_default(),
        client_id: grant.client_id.to_string(),
        scope: grant.scope.parse().map_err(|_| malformed())?,
        // Not looked at in this sequence, but the type wants one.
        redirect_uri: Url::parse("about:blank").map_err(|_| malformed())?,
        // The machine reads the wall clock; lifetimes were judged by ours, so it never lapses here.
        until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        extensions: Extensions::new(),
    };
    match machine.advance(Input::Recovered { scope: scope(), grant: Some(Box::new(found)) }) {
        Output::Refresh { .. } => Ok(()),
        _ => Err(OAuthError::new(ErrorCode::InvalidScope, "refresh.scope", "scope is not part of what was granted")),
    }
}

/// The request as oxide-auth's machine wants to read it.
struct RefreshRequest<'a> {
    params: &'a RawParams,
    client: &'a Client,
}

impl Request for RefreshRequest<'_> {
    fn valid(&self) -> bool {
        self.params.doubled().is_none()
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.params.one("refresh_token").map(Cow::Borrowed)
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.one("scope").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.one("grant_type").map(Cow::Borrowed)
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client.id.as_str()), Cow::Borrowed(&[])))
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
