//! `POST /device_authorization`: a device begins; somebody will answer on another one. RFC 8628 §3.1 and §3.2.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::encoding::base64url;
use idp_core::oauth::device::{self, DeviceCode, DeviceRequest, DeviceState, INTERVAL_S, LIFETIME_S, shown};
use idp_core::oauth::params::RawParams;
use idp_core::secret::sha256;
use idp_store::devices::{DeviceStarted, StartDevice};
use serde_json::{Value, json};

use super::client::{Caller, authenticate};
use super::token::respond;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::throttle::network;
use crate::http::problem::Problem;

/// How often a user code is drawn; a second one is needed once in millions of requests.
const DRAWS: usize = 5;

/// `POST /device_authorization`.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let caller = authenticate(&x, &params).await?;
    let outcome = start(&x, &caller, &params).await;
    respond(&x, &caller, outcome)
}

async fn start(x: &Exchange, caller: &Caller, params: &RawParams) -> Result<Value, Problem> {
    let client = &caller.client;
    let refuse = |error| Problem::OAuth(error, caller.basic);
    let (scope, resources) = device::parse(params, client, &x.realm).map_err(refuse)?;
    let code = base64url(x.app.random::<32>());
    let mut device = DeviceCode {
        hash: sha256(code.as_bytes()),
        user_code: String::new(),
        client_id: client.id.clone(),
        request: DeviceRequest { scope, resources, address: x.address.to_string() },
        state: DeviceState::Waiting,
        approval: None,
        interval_s: INTERVAL_S,
        polled: None,
        expires: x.now.plus_s(LIFETIME_S),
    };
    for _ in 0..DRAWS {
        device.user_code = device::user_code(x.app.random());
        let op = StartDevice {
            realm: x.realm.id,
            device: device.clone(),
            network: base64url(network(x.address)),
            now: x.now,
            audit: x.audit(AuditEvent::DeviceStarted, Actor::Client(client.id.clone()), json!({})),
        };
        match x.app.store.write(op).await? {
            DeviceStarted::Started => return Ok(answer(x, &code, &device)),
            DeviceStarted::Taken => {}
            DeviceStarted::Full => {
                return Err(Problem::Wait { status: 429, code: "device_waiting", seconds: 60 });
            }
        }
    }
    Err(Problem::internal("no user code is free"))
}

/// RFC 8628 §3.2.
fn answer(x: &Exchange, code: &str, device: &DeviceCode) -> Value {
    let page = format!("{}/device", x.realm.issuer);
    let user_code = shown(&device.user_code);
    json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": LIFETIME_S,
        "interval": INTERVAL_S,
    })
}
