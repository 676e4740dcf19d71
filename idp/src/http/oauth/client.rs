//! The client behind a request of its own: token, introspection, revocation, pushed requests, device authorization.
//! RFC 6749 §2.3, OIDC Core §9.

use std::sync::Arc;

use idp_core::client::Client;
use idp_core::oauth::client_auth;
use idp_core::oauth::params::RawParams;
use idp_core::secret::Hash;
use poem::http::header;

use crate::event;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// An authenticated client.
pub struct Caller {
    pub client: Arc<Client>,
    /// It used HTTP Basic, so refusals name that scheme (RFC 6749 §5.2).
    pub basic: bool,
    /// RFC 7638 thumbprint of the key that the request proved (RFC 9449).
    pub jkt: Option<Hash>,
}

/// Authenticates the client of a request.
///
/// # Errors
/// `invalid_client` or `invalid_request`.
pub async fn authenticate(x: &Exchange, params: &RawParams) -> Result<Caller, Problem> {
    let authorization = x.header(header::AUTHORIZATION).map(str::to_owned);
    let basic = authorization.is_some();
    let refuse = |error| Problem::OAuth(error, basic);
    let presented = client_auth::present(authorization.as_deref(), params).map_err(refuse)?;
    let client = x.app.store.cached_client(x.realm.id, &presented.client_id).await?;
    client_auth::authenticate(&presented, client.as_deref()).map_err(refuse)?;
    // `authenticate` refuses without a client.
    let Some(client) = client else { return Err(Problem::internal("a client vanished")) };
    event::note(|e| e.client_id = Some(client.id.to_string()));
    Ok(Caller { client, basic, jkt: None })
}
