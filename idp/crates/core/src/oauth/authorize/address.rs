//! Where an answer may go, and how. Until client, redirect URI and response mode are known good, an error can only
//! become a page of our own; only a holder of an [`Addressed`] can build an answer.
//! RFC 6749 §4.1.2.1, RFC 9700 §4.11, OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode.

use serde::{Deserialize, Serialize};

use crate::client::{Client, ClientState};
use crate::id::ClientId;
use crate::oauth::params::RawParams;
use crate::oauth::redirect;
use crate::secret::Hash;

/// How the parameters of an answer travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// In the query of the redirect URI: what a request that says nothing gets.
    Query,
    /// In its fragment, which the client's server never sees.
    Fragment,
    /// In a form that the browser posts there.
    FormPost,
}

impl ResponseMode {
    /// Every one there is.
    pub const ALL: &[Self] = &[Self::Query, Self::Fragment, Self::FormPost];

    /// The value of `response_mode`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The mode a request asks for; `None`: an unknown one, or a form for an address that takes none (RFC 8252 §7.1).
    pub fn asked(params: &RawParams, redirect_uri: &str) -> Option<Self> {
        let Some(text) = params.one("response_mode") else { return Some(Self::Query) };
        let mode = Self::ALL.iter().copied().find(|mode| mode.text() == text)?;
        (mode != Self::FormPost || redirect::origin(redirect_uri).is_some()).then_some(mode)
    }
}

/// A checked place to answer to. Made by [`address`] for clients, by [`Addressed::of_device`] for our own page (or opened
/// from our own seal).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressed {
    client_id: ClientId,
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
    /// SHA-256 of the device code; the redirect URI is our own page then.
    device: Option<Hash>,
}

impl Addressed {
    /// Our own page: the answer itself is fetched by the device that holds the code (RFC 8628 §3.4).
    pub fn of_device(client_id: ClientId, issuer: &str, device: Hash) -> Self {
        Self {
            client_id,
            redirect_uri: format!("{issuer}/device"),
            mode: ResponseMode::Query,
            state: None,
            device: Some(device),
        }
    }

    /// The client that asked.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Its redirect URI, byte for byte as sent.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// How the answer travels.
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// Its `state`, byte for byte.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The device authorization that is answered: SHA-256 of its code. `None`: the browser carries the answer.
    pub const fn device(&self) -> Option<&Hash> {
        self.device.as_ref()
    }

    /// Whether the client still is what it was when the request was sealed: an admin may have disabled it
    /// or removed the URI while the user was on our pages.
    ///
    /// # Errors
    /// [`Unaddressed`] as for a new request.
    pub fn recheck(&self, client: Option<&Client>) -> Result<(), Unaddressed> {
        let client = active(client)?;
        (self.device.is_some() || registered(client, &self.redirect_uri))
            .then_some(())
            .ok_or(Unaddressed::RedirectUriMismatch)
    }
}

/// Why there is no address to answer to. Becomes a page with status 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaddressed {
    #[error("client_id, redirect_uri or request_uri came twice")]
    Doubled,
    #[error("client_id is missing")]
    ClientMissing,
    #[error("no such client")]
    ClientUnknown,
    #[error("the client is disabled")]
    ClientDisabled,
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    #[error("redirect_uri is not registered for the client")]
    RedirectUriMismatch,
    #[error("request_uri was not pushed by this client, has expired or was used")]
    RequestUri,
}

impl Unaddressed {
    /// Every reason, for documentation.
    pub const ALL: &[Self] = &[
        Self::Doubled,
        Self::ClientMissing,
        Self::ClientUnknown,
        Self::ClientDisabled,
        Self::RedirectUriMissing,
        Self::RedirectUriMismatch,
        Self::RequestUri,
    ];

    /// Code shown on the error page and in the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Doubled => "parameter_twice",
            Self::ClientMissing => "client_id_missing",
            Self::ClientUnknown => "client_unknown",
            Self::ClientDisabled => "client_disabled",
            Self::RedirectUriMissing => "redirect_uri_missing",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::RequestUri => "invalid_request_uri",
        }
    }

    /// Id of the rule.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Doubled => "address.once",
            Self::ClientMissing | Self::ClientUnknown | Self::ClientDisabled => "address.client",
            Self::RedirectUriMissing | Self::RedirectUriMismatch => "address.redirect_uri",
            Self::RequestUri => "address.request_uri",
        }
    }
}

/// The client that asks: the one that `client_id` names, or that authenticated.
///
/// # Errors
/// [`Unaddressed`]; nothing else that is wrong can be told to anybody.
pub fn known<'a>(params: &RawParams, client: Option<&'a Client>) -> Result<&'a Client, Unaddressed> {
    if matches!(params.doubled(), Some("client_id" | "redirect_uri" | "request_uri")) {
        return Err(Unaddressed::Doubled);
    }
    if client.is_none() && params.one("client_id").is_none() {
        return Err(Unaddressed::ClientMissing);
    }
    active(client)
}

/// Finds the place to answer to.
///
/// # Errors
/// [`Unaddressed`]; the caller shows a page and redirects nowhere.
pub fn address(params: &RawParams, client: Option<&Client>) -> Result<Addressed, Unaddressed> {
    let client = known(params, client)?;
    let redirect_uri = params.one("redirect_uri").ok_or(Unaddressed::RedirectUriMissing)?;
    if !registered(client, redirect_uri) {
        return Err(Unaddressed::RedirectUriMismatch);
    }
    let state = if params.doubled() == Some("state") { None } else { params.one("state") };
    // Asked for an unknown mode or twice: the refusal goes by the mode that every client understands.
    let mode = Some(params).filter(|p| p.doubled() != Some("response_mode"));
    let mode = mode.and_then(|p| ResponseMode::asked(p, redirect_uri)).unwrap_or(ResponseMode::Query);
    Ok(Addressed {
        client_id: client.id.clone(),
        mode,
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        device: None,
    })
}

fn active(client: Option<&Client>) -> Result<&Client, Unaddressed> {
    match client {
        None => Err(Unaddressed::ClientUnknown),
        Some(c) if c.state == ClientState::Disabled => Err(Unaddressed::ClientDisabled),
        Some(c) => Ok(c),
    }
}

fn registered(client: &Client, uri: &str) -> bool {
    client.settings.redirect_uris.iter().any(|r| redirect::matches(r, uri))
}
