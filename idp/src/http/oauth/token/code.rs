//! `grant_type=authorization_code`. RFC 6749 §4.1.3, OIDC Core §3.1.3.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::grant::{Grant, GrantDetail, GrantState};
use idp_core::oauth::authorize::code::Code;
use idp_core::oauth::grants::code::{self, Decision};
use idp_core::oauth::resource;
use idp_core::seal::Purpose;
use idp_store::codes::{BurnCode, RedeemCode, Redeemed};
use idp_store::grants::Guard;
use serde_json::{Value, json};

use super::{TokenRequest, may_use};
use crate::http::exchange::Exchange;
use crate::http::oauth::issue::{self, Issue};
use crate::http::problem::Problem;

/// Redeems a code.
///
/// # Errors
/// The client's, or a fault of ours.
pub async fn redeem(x: &Exchange, request: &TokenRequest) -> Result<Value, Problem> {
    let refuse = |error| Problem::OAuth(error, false);
    let (client, params) = (request.client(), &request.params);
    let sealed: Option<Code> = params.one("code").and_then(|c| x.open(Purpose::Code, c));
    let code = match code::decide(params, client, sealed, request.caller.jkt, x.now) {
        Decision::Refuse(error) => return Err(refuse(error)),
        Decision::Burn(code, error) => {
            let detail = json!({ "rule": error.rule, "presented_by": client.id.as_str() });
            let audit = x.audit(AuditEvent::CodeBurnt, Actor::Client(client.id.clone()), detail);
            let grant = grant(x, request, &code);
            x.app.store.write(BurnCode { realm: x.realm.id, grant, audit }).await?;
            return Err(refuse(error));
        }
        Decision::Redeem(code) => code,
    };
    let audience = resource::narrow(params, &code.resources, &x.realm.issuer).map_err(refuse)?;
    if !may_use(x, client, Some(&code.account_id)).await? {
        return Err(refuse(code::session_gone()));
    }
    let grant = grant(x, request, &code);
    let refresh = issue::new_refresh_token(x, client, &grant);
    let mut audit = x.audit(AuditEvent::CodeRedeemed, Actor::Client(client.id.clone()), json!({}));
    audit.account_id = Some(code.account_id);
    let op = RedeemCode {
        realm: x.realm.id,
        grant: grant.clone(),
        refresh: refresh.as_ref().map(|token| token.row),
        guard: if code.by_consent { Guard::Consent } else { Guard::Parties },
        audit,
    };
    match x.app.store.write(op).await? {
        Redeemed::Redeemed => {}
        Redeemed::Reused => return Err(refuse(code::reused())),
        Redeemed::Gone => return Err(refuse(code::session_gone())),
    }
    let issue = Issue {
        client,
        grant: &grant,
        scope: None,
        audience,
        jkt: request.caller.jkt,
        nonce: code.nonce.as_deref(),
        refresh_token: refresh.map(|token| token.text),
    };
    issue::answer(x, issue, "redeemed").await
}

/// The grant row a code becomes. It outlives the code and every token, so that reuse is noticed.
fn grant(x: &Exchange, request: &TokenRequest, code: &Code) -> Grant {
    let client = request.client();
    let mut grant = Grant {
        id: code.id,
        client_id: code.client_id.clone(),
        account_id: Some(code.account_id),
        sid: Some(code.sid),
        scope: code.scope.as_str().to_owned(),
        detail: GrantDetail {
            auth: Some(code.auth.clone()),
            resources: code.resources.clone(),
            claims: code.claims.clone(),
            jkt: request.caller.jkt.filter(|_| client.settings.is_public()),
        },
        offline: code.scope.contains("offline_access"),
        hears_of_logout: client.settings.hears_of_logout(),
        state: GrantState::Live,
        created: x.now,
        expires: code.expires,
    };
    grant.expires = issue::end_of(x, client, &grant);
    grant
}
