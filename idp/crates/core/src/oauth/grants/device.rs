//! Polling with a device code: RFC 8628 §3.4 and §3.5.

use crate::client::Client;
use crate::oauth::device::{Approval, DeviceCode, DeviceState, INTERVAL_S};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::oauth::resource;
use crate::rule::Rule;
use crate::time::Timestamp;

/// The rules, in the order they are asked.
pub const RULES: &[Rule] = &[
    Rule {
        id: "device_code.params",
        spec: "RFC 8628 §3.4",
        text: "`device_code` is there, no parameter but `resource` twice.",
    },
    Rule {
        id: "device_code.client",
        spec: "RFC 8628 §3.4",
        text: "The code was issued to this client; presented by another one it stays as it was.",
    },
    Rule {
        id: "device_code.once",
        spec: "RFC 8628 §3.4",
        text: "A code works once; later and parallel requests get `invalid_grant`.",
    },
    Rule { id: "device_code.fresh", spec: "RFC 8628 §3.5", text: "The code is at most 600 s old: `expired_token`." },
    Rule {
        id: "device_code.denied",
        spec: "RFC 8628 §3.5",
        text: "Nobody refused: `access_denied`, as often as it is asked.",
    },
    Rule {
        id: "device_code.pace",
        spec: "RFC 8628 §3.5",
        text: "While nobody has answered, polls are an interval apart; sooner is `slow_down`, and the interval grows by \
               5 s for good.",
    },
    Rule {
        id: "device_code.answered", spec: "RFC 8628 §3.5", text: "Somebody has answered: `authorization_pending`."
    },
    Rule {
        id: "device_code.session",
        spec: "OIDC Core §3.1.3.2",
        text: "Account, client, consent and the session that approved are still good.",
    },
];

/// What is to happen with a presented device code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Redeem it; the guarded write says whether it still was there.
    Redeem { approval: Approval, audience: Vec<String> },
    /// Note the poll and the interval from now on, then refuse.
    Wait { interval_s: i64, error: OAuthError },
    /// Refuse; nothing changes.
    Refuse(OAuthError),
}

/// Decides about a device code. `found` is the row of its hash, if there is one.
pub fn decide(
    params: &RawParams,
    client: &Client,
    found: Option<&DeviceCode>,
    issuer: &str,
    now: Timestamp,
) -> Decision {
    match check(params, client, found, now) {
        Err(error) => Decision::Refuse(error),
        Ok(device) => match (device.state, &device.approval) {
            (DeviceState::Approved, Some(approval)) => {
                match resource::narrow(params, &device.request.resources, issuer) {
                    Ok(audience) => Decision::Redeem { approval: approval.clone(), audience },
                    Err(error) => Decision::Refuse(error),
                }
            }
            _ => wait(device, now),
        },
    }
}

fn check<'a>(
    params: &RawParams,
    client: &Client,
    found: Option<&'a DeviceCode>,
    now: Timestamp,
) -> Result<&'a DeviceCode, OAuthError> {
    if let Some(name) = params.doubled() {
        let text = format!("the parameter {name} came twice");
        return Err(OAuthError::naming(ErrorCode::InvalidRequest, "device_code.params", &text));
    }
    if params.one("device_code").is_none() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "device_code.params", "device_code is missing"));
    }
    let Some(device) = found.filter(|device| device.client_id == client.id) else {
        let text = "the device code is not one of this client's";
        return Err(OAuthError::new(ErrorCode::InvalidGrant, "device_code.client", text));
    };
    match device.state {
        DeviceState::Used => Err(used()),
        _ if now >= device.expires => {
            let text = "the device code has expired: ask for a new one";
            Err(OAuthError::new(ErrorCode::ExpiredToken, "device_code.fresh", text))
        }
        DeviceState::Denied => Err(OAuthError::new(ErrorCode::AccessDenied, "device_code.denied", "the user said no")),
        DeviceState::Waiting | DeviceState::Approved => Ok(device),
    }
}

fn wait(device: &DeviceCode, now: Timestamp) -> Decision {
    let early = device.polled.is_some_and(|polled| now < polled.plus_s(device.interval_s));
    if early {
        return Decision::Wait { interval_s: device.interval_s.saturating_add(INTERVAL_S), error: too_fast() };
    }
    let text = "the user has not answered yet";
    let error = OAuthError::new(ErrorCode::AuthorizationPending, "device_code.answered", text);
    Decision::Wait { interval_s: device.interval_s, error }
}

/// What is said to polls that come too soon, also of two at once.
pub const fn too_fast() -> OAuthError {
    OAuthError::new(ErrorCode::SlowDown, "device_code.pace", "wait 5 seconds longer between requests from now on")
}

/// What is said when the code was used before, or a parallel request was faster.
pub const fn used() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "device_code.once", "the device code was used before")
}

/// What is said when session, account, client or consent ended between the answer and the poll.
pub const fn gone() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "device_code.session", "the sign-in behind this approval has ended")
}
