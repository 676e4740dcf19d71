//! `POST /introspect`: a resource server asks what a token is worth. RFC 7662, RFC 9701.

use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::introspect::{self, Introspected};
use idp_core::oidc::subject;

use super::access::{self, Access};
use super::client::authenticate;
use super::token::respond;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;

/// `POST /introspect`.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let caller = authenticate(&x, &params).await?;
    let refuse = |code, rule, text| Err(Problem::OAuth(OAuthError::new(code, rule, text), caller.basic));
    if caller.client.settings.is_public() {
        let text = "only a client that proves who it is may introspect";
        return respond(&x, &caller, refuse(ErrorCode::InvalidClient, "introspect.confidential", text));
    }
    let (None, Some(token)) = (params.doubled(), params.one("token")) else {
        return respond(&x, &caller, refuse(ErrorCode::InvalidRequest, "introspect.params", "send token, once"));
    };
    let found = access::find(&x, token).await?;
    let found = match &found {
        None => None,
        Some(Access { token, status, client, account }) => {
            let subject = account.as_ref().map(|account| subject::of(client, account));
            Some(Introspected { token, grant: &status.grant, subject })
        }
    };
    respond(&x, &caller, Ok(introspect::answer(found.as_ref(), &caller.client, &x.realm)))
}
