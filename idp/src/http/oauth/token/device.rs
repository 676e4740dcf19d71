//! `grant_type=urn:ietf:params:oauth:grant-type:device_code`. RFC 8628 §3.4 and §3.5.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::grant::{Grant, GrantDetail, GrantState};
use idp_core::id::GrantId;
use idp_core::oauth::authorize::claims::ClaimsRequest;
use idp_core::oauth::device::{Approval, DeviceCode};
use idp_core::oauth::grants::device::{self, Decision};
use idp_core::secret::sha256;
use idp_store::devices::{DeviceRedeemed, NotePoll, RedeemDevice};
use serde_json::{Value, json};

use super::{TokenRequest, may_use};
use crate::http::exchange::Exchange;
use crate::http::oauth::issue::{self, Issue};
use crate::http::problem::Problem;

/// Answers a poll: not yet, no, or the tokens.
///
/// # Errors
/// The client's, or a fault of ours.
pub async fn poll(x: &Exchange, request: &TokenRequest) -> Result<Value, Problem> {
    let refuse = |error| Problem::OAuth(error, false);
    let (client, params) = (request.client(), &request.params);
    let hash = sha256(params.one("device_code").unwrap_or_default().as_bytes());
    let found = x.app.store.find_device_code(x.realm.id, &hash).await?;
    let decision = device::decide(params, client, found.as_ref(), &x.realm.issuer, x.now);
    match (decision, found) {
        (Decision::Redeem { approval, audience }, Some(code)) => redeem(x, request, &code, approval, audience).await,
        (Decision::Wait { interval_s, error }, Some(code)) => {
            let op = NotePoll { realm: x.realm.id, hash, seen: code.polled, interval_s, now: x.now };
            let noted = x.app.store.write(op).await?;
            // Two polls at once: one of them came too soon.
            Err(refuse(if noted { error } else { device::too_fast() }))
        }
        (Decision::Refuse(error), _) => Err(refuse(error)),
        // `decide` refuses where nothing was found.
        (_, None) => Err(refuse(device::gone())),
    }
}

async fn redeem(
    x: &Exchange,
    request: &TokenRequest,
    code: &DeviceCode,
    approval: Approval,
    audience: Vec<String>,
) -> Result<Value, Problem> {
    let refuse = |error| Problem::OAuth(error, false);
    let client = request.client();
    if !may_use(x, client, Some(&approval.account_id)).await? {
        return Err(refuse(device::gone()));
    }
    let grant = grant(x, request, code, approval);
    let refresh = issue::new_refresh_token(x, client, &grant);
    let mut audit = x.audit(AuditEvent::DeviceRedeemed, Actor::Client(client.id.clone()), json!({}));
    audit.account_id = grant.account_id;
    let op = RedeemDevice {
        realm: x.realm.id,
        hash: code.hash,
        grant: grant.clone(),
        refresh: refresh.as_ref().map(|token| token.row),
        audit,
    };
    match x.app.store.write(op).await? {
        DeviceRedeemed::Redeemed => {}
        DeviceRedeemed::Used => return Err(refuse(device::used())),
        DeviceRedeemed::Gone => return Err(refuse(device::gone())),
    }
    let issue = Issue {
        client,
        grant: &grant,
        scope: None,
        audience,
        jkt: request.caller.jkt,
        nonce: None,
        refresh_token: refresh.map(|token| token.text),
    };
    issue::answer(x, issue, "device_redeemed").await
}

/// The grant row of an approved device.
fn grant(x: &Exchange, request: &TokenRequest, code: &DeviceCode, approval: Approval) -> Grant {
    let client = request.client();
    let scope = &code.request.scope;
    let mut grant = Grant {
        id: GrantId::new(x.now, x.app.random()),
        client_id: client.id.clone(),
        account_id: Some(approval.account_id),
        sid: Some(approval.sid),
        scope: scope.as_str().to_owned(),
        detail: GrantDetail {
            auth: Some(approval.auth),
            resources: code.request.resources.clone(),
            claims: ClaimsRequest::default(),
            jkt: request.caller.jkt.filter(|_| client.settings.is_public()),
        },
        offline: scope.contains("offline_access"),
        hears_of_logout: client.settings.hears_of_logout(),
        state: GrantState::Live,
        created: x.now,
        expires: x.now,
    };
    grant.expires = issue::end_of(x, client, &grant);
    grant
}
