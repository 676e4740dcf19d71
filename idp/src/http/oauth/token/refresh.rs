//! `grant_type=refresh_token`. RFC 6749 §6, OIDC Core §12.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::oauth::grants::refresh::{self, Facts, GRACE_S};
use idp_core::secret::sha256;
use idp_store::refresh_tokens::{Refreshed, UseRefreshToken};
use serde_json::{Value, json};

use super::{TokenRequest, may_use};
use crate::http::exchange::Exchange;
use crate::http::oauth::issue::{self, Issue};
use crate::http::problem::Problem;

/// Uses a refresh token.
///
/// # Errors
/// The client's, or a fault of ours.
pub async fn refresh(x: &Exchange, request: &TokenRequest) -> Result<Value, Problem> {
    let refuse = |error| Problem::OAuth(error, false);
    let (client, params) = (request.client(), &request.params);
    let presented = params.one("refresh_token").unwrap_or_default();
    let hash = sha256(presented.as_bytes());
    let found = x.app.store.find_refresh_token(x.realm.id, &hash).await?;
    let good = match &found {
        Some(f) => f.status.is_good() && may_use(x, client, f.status.grant.account_id.as_ref()).await?,
        None => false,
    };
    let facts = Facts {
        params,
        client,
        settings: &x.realm.settings,
        issuer: &x.realm.issuer,
        found: found.as_ref().map(|f| (&f.status.grant, &f.token)),
        good,
        jkt: request.caller.jkt,
        now: x.now,
    };
    let plan = refresh::decide(&facts).map_err(refuse)?;
    // `decide` refuses where nothing was found.
    let Some(found) = found else { return Err(refuse(refresh::gone())) };
    let grant = found.status.grant;
    let successor = plan.rotates.then(|| issue::successor(x, presented, found.token.expires));
    let mut audit = x.audit(AuditEvent::TokenRefreshed, Actor::Client(client.id.clone()), json!({}));
    audit.account_id = grant.account_id;
    let op = UseRefreshToken {
        realm: x.realm.id,
        presented: hash,
        grant: grant.clone(),
        successor: successor.as_ref().map(|token| token.row),
        now: x.now,
        session_since: x.now.plus_s(x.realm.settings.session_idle_s.saturating_neg()),
        grace_since: x.now.plus_s(-GRACE_S),
        audit,
    };
    match x.app.store.write(op).await? {
        Refreshed::Done | Refreshed::Repeated => {}
        Refreshed::Reused => return Err(refuse(refresh::reused())),
        Refreshed::Gone => return Err(refuse(refresh::gone())),
    }
    let issue = Issue {
        client,
        grant: &grant,
        scope: plan.scope,
        audience: plan.audience,
        jkt: request.caller.jkt,
        nonce: None,
        refresh_token: Some(successor.map_or_else(|| presented.to_owned(), |token| token.text)),
    };
    issue::answer(x, issue, "refreshed").await
}
