//! `grant_type=client_credentials`. RFC 6749 §4.4.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::grant::{Grant, GrantDetail, GrantState};
use idp_core::id::GrantId;
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::grants::client_credentials;
use idp_store::grants::StartGrant;
use serde_json::{Value, json};

use super::TokenRequest;
use crate::http::exchange::Exchange;
use crate::http::oauth::issue::{self, Issue};
use crate::http::problem::Problem;

/// Gives a client a token for itself.
///
/// # Errors
/// The client's, or a fault of ours.
pub async fn start(x: &Exchange, request: &TokenRequest) -> Result<Value, Problem> {
    let refuse = |error| Problem::OAuth(error, false);
    let client = request.client();
    let plan = client_credentials::decide(&request.params, client, &x.realm.issuer).map_err(refuse)?;
    let grant = Grant {
        id: GrantId::new(x.now, x.app.random()),
        client_id: client.id.clone(),
        account_id: None,
        sid: None,
        scope: plan.scope.as_str().to_owned(),
        detail: GrantDetail { resources: plan.audience.clone(), ..GrantDetail::default() },
        offline: false,
        hears_of_logout: false,
        state: GrantState::Live,
        created: x.now,
        expires: x.now.plus_s(x.realm.settings.access_token_lifetime_s + 60),
    };
    let detail = json!({ "scope": grant.scope, "resources": grant.detail.resources });
    let audit = x.audit(AuditEvent::ClientToken, Actor::Client(client.id.clone()), detail);
    if !x.app.store.write(StartGrant { realm: x.realm.id, grant: grant.clone(), audit }).await? {
        let text = "the client is unknown or disabled";
        return Err(refuse(OAuthError::new(ErrorCode::InvalidClient, "client.active", text)));
    }
    let issue = Issue {
        client,
        grant: &grant,
        scope: None,
        audience: plan.audience,
        jkt: request.caller.jkt,
        nonce: None,
        refresh_token: None,
    };
    issue::answer(x, issue, "client_token").await
}
