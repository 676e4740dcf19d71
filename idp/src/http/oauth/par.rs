//! `POST /par`: a client pushes its authorization request before it sends the browser. RFC 9126.
//! And what becomes of a `request_uri`: opened as often as a browser brings it, consumed by its code.

use idp_core::client::Client;
use idp_core::id::FlowId;
use idp_core::oauth::authorize::par::{self, LIFETIME_S, Reference};
use idp_core::oauth::authorize::{AuthorizationRequest, REQUEST_LIFETIME_S, Unaddressed, address, known};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use idp_core::secret::{Hash, sha256};
use idp_store::pushed_requests::{PushRequest, UsePushedRequest};
use serde_json::{Value, json};

use super::client::{Caller, authenticate};
use super::request_object;
use super::token::respond_with;
use super::validated::{Way, validated};
use crate::event;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::throttle::network;
use crate::http::problem::Problem;

/// Pushes of a public client in a minute, from one address and in all: anybody can push them, and each is a row for an
/// hour. One address is a household or the way out of a company.
const PUBLIC: (u32, u32) = (60, 600);
/// Pushes of a client with credentials, which come from its own few addresses: a hundred sign-ins a second.
const CONFIDENTIAL: u32 = 6000;

/// `POST /par`.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let caller = authenticate(&x, &params).await?;
    let outcome = push(&x, &params, &caller).await;
    respond_with(&x, &caller, 201, outcome)
}

async fn push(x: &Exchange, params: &RawParams, caller: &Caller) -> Result<Value, Problem> {
    admit(x, &caller.client)?;
    let refuse = |error| Problem::OAuth(error, caller.basic);
    let object = request_object::open(x, params, &caller.client).await?.map_err(refuse)?;
    let way = Way { pushed: true, by_object: object.is_some() };
    let params = object.as_ref().unwrap_or(params);
    let to = address(params, Some(&caller.client)).map_err(|reason| {
        // Here there is somebody to tell, whatever the redirect URI.
        refuse(OAuthError::naming(ErrorCode::InvalidRequest, reason.rule(), &reason.to_string()))
    })?;
    let request = validated(x, params, &caller.client, to, way).await?.map_err(refuse)?;
    let request = par::kept(request, caller.jkt).map_err(refuse)?;
    let secret: [u8; 32] = x.app.random();
    let op = PushRequest {
        realm: x.realm.id,
        hash: sha256(&secret),
        client_id: caller.client.id.clone(),
        request,
        expires: x.now.plus_s(LIFETIME_S + REQUEST_LIFETIME_S),
    };
    x.app.store.write(op).await?;
    event::note(|e| e.outcome = Some("pushed"));
    Ok(json!({ "request_uri": par::request_uri(&secret), "expires_in": LIFETIME_S }))
}

/// Bounds what is written before anybody signed in.
fn admit(x: &Exchange, client: &Client) -> Result<(), Problem> {
    let admit = |label: &str, of: &[u8], most| {
        let key = x.app.sealer().mac(x.realm.id, label, &[of]);
        x.app.rates.admit(key, most, x.now).map_err(|seconds| Problem::Wait { status: 429, code: "par.rate", seconds })
    };
    let id = client.id.as_str().as_bytes();
    if !client.settings.is_public() {
        return admit("par.client", id, CONFIDENTIAL);
    }
    // The address first: one sender must not use up what the client's users share.
    admit("par.address", &network(x.address), PUBLIC.0)?;
    admit("par.client", id, PUBLIC.1)
}

/// Opens a pushed request with a browser. Of the other parameters only `client_id` counts (RFC 9126 §4).
///
/// # Errors
/// A page: there is no address but in the request itself.
pub async fn open(
    x: &Exchange,
    params: &RawParams,
    client: Option<&Client>,
    hash: Hash,
) -> Result<AuthorizationRequest, Problem> {
    let client = known(params, client)?;
    let found = x.app.store.find_pushed_request(x.realm.id, &hash, x.now).await?.ok_or(Unaddressed::RequestUri)?;
    let request = found.open(client, FlowId::new(x.now, x.app.random()), x.now)?;
    request.to.recheck(Some(client))?;
    event::note(|e| e.client_id = Some(client.id.to_string()));
    Ok(AuthorizationRequest { pushed: Some(hash), ..request })
}

/// The request that a reference from a page stands for.
///
/// # Errors
/// A page when its code was issued meanwhile.
pub async fn follow(x: &Exchange, reference: Reference) -> Result<AuthorizationRequest, Problem> {
    let found = x.app.store.find_pushed_request(x.realm.id, reference.hash(), x.now).await?;
    Ok(reference.request(&found.ok_or(Unaddressed::RequestUri)?)?)
}

/// Consumes the request, if it was pushed, for the code about to be issued.
///
/// # Errors
/// A page when somebody was faster.
pub async fn consume(x: &Exchange, request: &AuthorizationRequest) -> Result<(), Problem> {
    let Some(hash) = request.pushed else { return Ok(()) };
    let used = x.app.store.write(UsePushedRequest { realm: x.realm.id, hash, now: x.now }).await?;
    if used { Ok(()) } else { Err(Unaddressed::RequestUri.into()) }
}
