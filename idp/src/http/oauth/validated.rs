//! From parameters to a validated request: what `/authorize` and `/par` share. OIDC Core §3.1.2.2.

use idp_core::client::Client;
use idp_core::id::FlowId;
use idp_core::jose::jws;
use idp_core::oauth::authorize::{Addressed, AuthorizationRequest, Input, validate};
use idp_core::oauth::error::OAuthError;
use idp_core::oauth::params::RawParams;

use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// How the parameters of a request came.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub pushed: bool,
    pub by_object: bool,
}

/// Runs the rules over the parameters of a request. The inner error is the client's.
///
/// # Errors
/// Only when the store fails.
pub async fn validated(
    x: &Exchange,
    params: &RawParams,
    client: &Client,
    to: Addressed,
    way: Way,
) -> Result<Result<AuthorizationRequest, OAuthError>, Problem> {
    let hint = match params.one("id_token_hint") {
        None => None,
        Some(token) => {
            let ring = x.app.keys(x.realm.id).await?;
            Some(jws::id_token_hint(token, &x.realm.issuer, &ring.stored).map(|h| h.subject).ok_or(()))
        }
    };
    let input = Input { params, client, realm: &x.realm, pushed: way.pushed, by_object: way.by_object, hint };
    Ok(validate(&input, to, FlowId::new(x.now, x.app.random()), x.now))
}
