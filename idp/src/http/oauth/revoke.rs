//! `POST /revoke`: a client gives a token back. RFC 7009.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::GrantId;
use idp_core::oauth::revoke;
use idp_core::secret::sha256;
use idp_store::grants::RevokeGrant;
use serde_json::json;

use super::access;
use super::client::authenticate;
use super::token::respond;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;

/// `POST /revoke`. Unknown tokens and those of others are answered alike (RFC 7009 §2.2); all tokens of a grant go
/// together (§2.1).
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let caller = authenticate(&x, &params).await?;
    let token = match revoke::token(&params) {
        Ok(token) => token,
        Err(error) => return respond(&x, &caller, Err(Problem::OAuth(error, caller.basic))),
    };
    if let Some(id) = grant_of(&x, token).await?
        && let Some(status) = x.app.store.find_grant(x.realm.id, &id).await?
        && status.grant.client_id == caller.client.id
    {
        let mut audit = x.audit(AuditEvent::TokenRevoked, Actor::Client(caller.client.id.clone()), json!({}));
        audit.account_id = status.grant.account_id;
        x.app.store.write(RevokeGrant { realm: x.realm.id, id, audit }).await?;
    }
    respond(&x, &caller, Ok(json!({})))
}

/// The grant a token belongs to; `token_type_hint` would only save us one look (RFC 7009 §2.1).
async fn grant_of(x: &Exchange, token: &str) -> Result<Option<GrantId>, Problem> {
    if let Some(opened) = access::open(x, token).await? {
        return Ok(Some(opened.grant));
    }
    let found = x.app.store.find_refresh_token(x.realm.id, &sha256(token.as_bytes())).await?;
    Ok(found.map(|f| f.status.grant.id))
}
