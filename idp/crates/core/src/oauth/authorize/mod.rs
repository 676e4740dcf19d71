//! The authorization request: from raw parameters to a validated request that can be sealed.
//! RFC 6749 §4.1.1, OIDC Core §3.1.2.1, RFC 7636, RFC 9700.

mod address;
pub mod claims;
pub mod code;
pub mod jar;
pub mod par;
pub mod respond;
pub mod rules;

pub use address::{Addressed, ResponseMode, Unaddressed, address, known};

use serde::{Deserialize, Serialize};

use claims::ClaimsRequest;

use crate::client::Client;
use crate::id::{AccountId, FlowId};
use crate::oauth::error::OAuthError;
use crate::oauth::params::RawParams;
use crate::oauth::resource;
use crate::oauth::scope::Scopes;
use crate::realm::Realm;
use crate::secret::Hash;
use crate::time::Timestamp;

/// How long a sealed request may take from `/authorize` to its answer, in seconds.
pub const REQUEST_LIFETIME_S: i64 = 3600;

/// `prompt` (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub none: bool,
    pub login: bool,
    pub consent: bool,
    pub select_account: bool,
}

/// The authentication context a client asks for (OIDC Core §3.1.2.1 and §5.5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcrDemand {
    /// Values in order of preference, as the client spelled them.
    pub values: Vec<String>,
    /// One of the values or an error.
    pub essential: bool,
}

/// A validated authorization request. It travels sealed through the browser, and nothing of it is stored; or it was
/// pushed, and a reference to it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub id: FlowId,
    pub issued: Timestamp,
    /// Where the answer goes.
    pub to: Addressed,
    pub scope: Scopes,
    pub nonce: Option<String>,
    /// S256 challenge (RFC 7636 §4.2), 43 characters.
    pub code_challenge: Option<String>,
    pub prompt: Prompt,
    /// `max_age` in seconds.
    pub max_age_s: Option<i64>,
    pub acr: AcrDemand,
    /// Claims asked for by name (OIDC Core §5.5).
    pub claims: ClaimsRequest,
    /// Resource servers asked for (RFC 8707 §2.1).
    pub resources: Vec<String>,
    /// Thumbprint of the only DPoP key that may redeem the code (RFC 9449 §10).
    pub jkt: Option<Hash>,
    /// Languages of the pages in order of preference, as sent.
    pub ui_locales: Option<String>,
    /// Fills in the user name field.
    pub login_hint: Option<String>,
    /// Of an `id_token_hint`, only whom it names: `sub` as this client would know them.
    pub hinted: Option<String>,
    /// What it is kept under, if it was pushed.
    pub pushed: Option<Hash>,
    /// The account the user picked in the chooser for this request.
    pub selected: Option<AccountId>,
    /// The user went on without the step-up that a voluntary `acr_values` offered.
    pub step_up_declined: bool,
    /// The user put off making a passkey.
    pub enrolment_put_off: bool,
}

impl AuthorizationRequest {
    /// Whether the request is too old to be answered.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.ms_since(self.issued) > REQUEST_LIFETIME_S * 1000
    }
}

/// What the rules look at.
pub struct Input<'a> {
    pub params: &'a RawParams,
    pub client: &'a Client,
    pub realm: &'a Realm,
    /// It came from the client itself, authenticated, not through a browser (RFC 9126).
    pub pushed: bool,
    /// The parameters are those of a request object (RFC 9101).
    pub by_object: bool,
    /// Verified subject of `id_token_hint`: `Some(Err)` when the hint does not verify.
    pub hint: Option<Result<String, ()>>,
}

/// Validates the parameters in the order of [`rules::RULES`]; those of [`resource::RULES`] come last.
///
/// # Errors
/// The first rule that refuses; the error goes back to the client, whose address is already known good.
pub fn validate(
    input: &Input<'_>,
    to: Addressed,
    id: FlowId,
    now: Timestamp,
) -> Result<AuthorizationRequest, OAuthError> {
    for rule in rules::RULES {
        (rule.check)(input)?;
    }
    Ok(AuthorizationRequest {
        id,
        issued: now,
        to,
        scope: rules::scope::parse(input)?,
        nonce: input.params.one("nonce").map(str::to_owned),
        code_challenge: input.params.one("code_challenge").map(str::to_owned),
        prompt: rules::prompt::parse(input)?,
        max_age_s: rules::max_age::parse(input)?,
        acr: rules::acr::parse(input)?,
        claims: rules::claims::parse(input)?,
        resources: resource::parse(input.params, input.client, &input.realm.issuer)?,
        jkt: rules::dpop::parse(input)?,
        ui_locales: input.params.one("ui_locales").map(str::to_owned),
        login_hint: input.params.one("login_hint").map(|h| h.chars().take(254).collect()),
        hinted: input.hint.clone().and_then(Result::ok),
        pushed: None,
        selected: None,
        step_up_declined: false,
        enrolment_put_off: false,
    })
}
