//! RP-initiated logout: OpenID Connect RP-Initiated Logout 1.0 §2 and §3.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::id::ClientId;
use crate::oauth::params::RawParams;
use crate::rule::Rule;
use crate::time::Timestamp;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule { id: "logout.params", spec: "RP-Initiated Logout §2", text: "No parameter comes twice." },
    Rule {
        id: "logout.hint",
        spec: "RP-Initiated Logout §2",
        text: "An `id_token_hint` verifies with a key of this realm, retired ones too; its age does not matter.",
    },
    Rule {
        id: "logout.client",
        spec: "RP-Initiated Logout §2",
        text: "`client_id` names the client the hint was issued to.",
    },
    Rule {
        id: "logout.redirect_uri",
        spec: "RP-Initiated Logout §3",
        text: "`post_logout_redirect_uri` is registered, byte for byte, for a client that is named.",
    },
    Rule {
        id: "logout.confirm",
        spec: "RP-Initiated Logout §6",
        text: "Without a hint for the session at hand, the user is asked.",
    },
];

/// How long a sealed logout may wait for its answer, in seconds.
const REQUEST_LIFETIME_S: i64 = 3600;

/// What a verified `id_token_hint` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub client_id: ClientId,
    /// `sub` as the client knows it.
    pub subject: String,
    /// `sid` as the client knows it.
    pub sid: Option<String>,
}

/// A validated logout request; travels sealed while the user is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequest {
    pub issued: Timestamp,
    pub client_id: Option<ClientId>,
    /// Where to go afterwards, checked against the client, with `state` already appended.
    pub then: Option<String>,
    /// The session the hint was issued in: ends without a question.
    pub hinted: Option<String>,
    /// Whom the hint names, as its client knows them: for hints without `sid`.
    pub hinted_subject: Option<String>,
}

impl LogoutRequest {
    /// Whether it is too old to be gone on with.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.ms_since(self.issued) > REQUEST_LIFETIME_S * 1000
    }
}

/// Why a logout request leads to our error page. Nothing is ended and nobody is sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLogout {
    #[error("a parameter came twice")]
    Doubled,
    #[error("id_token_hint is not an ID token of this issuer")]
    Hint,
    #[error("client_id is not the client the id_token_hint was issued to")]
    Client,
    #[error("post_logout_redirect_uri is not registered for the client")]
    RedirectUri,
    #[error("post_logout_redirect_uri needs id_token_hint or client_id")]
    NoClient,
}

impl InvalidLogout {
    /// Code for the error page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Doubled => "parameter_twice",
            Self::Hint => "id_token_hint_invalid",
            Self::Client => "client_mismatch",
            Self::RedirectUri => "post_logout_redirect_uri_mismatch",
            Self::NoClient => "client_id_missing",
        }
    }
}

/// Which client a request is about; to be loaded before [`validate`].
///
/// # Errors
/// When `client_id` contradicts the hint or something came twice.
pub fn client_of(params: &RawParams, hint: Option<&Hint>) -> Result<Option<ClientId>, InvalidLogout> {
    if params.doubled().is_some() {
        return Err(InvalidLogout::Doubled);
    }
    let named = params.one("client_id").map(ClientId::parse).transpose().map_err(|_| InvalidLogout::Client)?;
    match (named, hint) {
        (Some(named), Some(hint)) if named != hint.client_id => Err(InvalidLogout::Client),
        (None, Some(hint)) => Ok(Some(hint.client_id.clone())),
        (named, _) => Ok(named),
    }
}

/// Validates a request for `client` (as [`client_of`] named it).
///
/// # Errors
/// [`InvalidLogout`].
pub fn validate(
    params: &RawParams,
    hint: Option<&Hint>,
    client: Option<&Client>,
    now: Timestamp,
) -> Result<LogoutRequest, InvalidLogout> {
    let then = match (params.one("post_logout_redirect_uri"), client) {
        (None, _) => None,
        (Some(_), None) => return Err(InvalidLogout::NoClient),
        (Some(uri), Some(client)) => {
            if !client.settings.post_logout_redirect_uris.iter().any(|r| r == uri) {
                return Err(InvalidLogout::RedirectUri);
            }
            Some(with_state(uri, params.one("state")))
        }
    };
    Ok(LogoutRequest {
        issued: now,
        client_id: client.map(|c| c.id.clone()),
        then,
        hinted: hint.and_then(|h| h.sid.clone()),
        hinted_subject: hint.map(|h| h.subject.clone()),
    })
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let joint = if uri.contains('?') { '&' } else { '?' };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    format!("{uri}{joint}{query}")
}
