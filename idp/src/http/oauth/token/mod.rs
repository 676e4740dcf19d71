//! `POST /token`: a code, a refresh token, a device code or a client's own credentials become tokens. RFC 6749 §3.2
//! and §5.

mod client_credentials;
mod code;
mod device;
mod refresh;

use idp_core::client::{Client, GrantType};
use idp_core::id::AccountId;
use idp_core::interact::is_member;
use idp_core::oauth::grants::grant_type;
use idp_core::oauth::params::RawParams;
use serde_json::Value;

use super::client::{Caller, authenticate};
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::{Problem, Surface, render};
use crate::http::{answer, cors};

/// One request of an authenticated client.
pub struct TokenRequest {
    pub caller: Caller,
    pub params: RawParams,
}

impl TokenRequest {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.caller.client
    }
}

/// `POST /token`.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let caller = authenticate(&x, &params).await?;
    let request = TokenRequest { caller, params };
    let outcome = match grant_type(&request.params, request.client(), request.caller.jkt.as_ref()) {
        Ok(GrantType::AuthorizationCode) => code::redeem(&x, &request).await,
        Ok(GrantType::RefreshToken) => refresh::refresh(&x, &request).await,
        Ok(GrantType::ClientCredentials) => client_credentials::start(&x, &request).await,
        Ok(GrantType::DeviceCode) => device::poll(&x, &request).await,
        Err(error) => Err(Problem::OAuth(error, request.caller.basic)),
    };
    respond(&x, &request.caller, outcome)
}

/// `OPTIONS` of the endpoints that pages of clients call.
pub async fn preflight(x: Exchange) -> Outcome {
    Ok(cors::preflight(&x.headers, "GET, POST"))
}

/// Renders an answer or a refusal so that a page of the client may read either.
///
/// # Errors
/// What is not the client's to know.
pub fn respond(x: &Exchange, caller: &Caller, outcome: Result<Value, Problem>) -> Outcome {
    respond_with(x, caller, 200, outcome)
}

/// The same with another status for the answer.
///
/// # Errors
/// What is not the client's to know.
pub fn respond_with(x: &Exchange, caller: &Caller, status: u16, outcome: Result<Value, Problem>) -> Outcome {
    let mut response = match outcome {
        Ok(body) => answer::json(status, &body),
        Err(problem @ Problem::OAuth(..)) => {
            problem.note();
            render(problem, Surface::OAuth, &x.recipient(None))
        }
        Err(problem) => return Err(problem),
    };
    cors::client(&mut response, &x.headers, &caller.client);
    Ok(response)
}

/// Whether the groups of an account let it use a client.
///
/// # Errors
/// Only when the store fails.
pub async fn may_use(x: &Exchange, client: &Client, account: Option<&AccountId>) -> Result<bool, Problem> {
    let Some(account) = account.filter(|_| !client.settings.allowed_groups.is_empty()) else { return Ok(true) };
    let groups = x.app.store.list_groups_of(x.realm.id, account).await?;
    Ok(is_member(client, groups.iter().map(|group| group.name.as_str())))
}
