//! `/device`: somebody enters the code that a device shows, signs in, and answers. RFC 8628 §3.3 and §5.
//!
//! The code entered becomes an authorization request of its own, so that sign-in, policy and account chooser are the usual
//! ones; only its last step is here.

use idp_core::acr::Authenticated;
use idp_core::audit::{Actor, AuditEvent};
use idp_core::grant::AuthContext;
use idp_core::id::FlowId;
use idp_core::interact::Step;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::oauth::device::{Approval, DeviceCode, LIFETIME_S, authorization_request, shown, typed};
use idp_core::seal::Purpose;
use idp_store::consents::Consent;
use idp_store::devices::{ApproveDevice, DenyDevice};
use poem::http::StatusCode;
use serde_json::json;

use super::answer::header;
use super::cookies::CookieKind;
use super::exchange::{Exchange, Outcome, Visitor};
use super::login::{consent, throttle};
use super::oauth::authorize;
use super::problem::Problem;
use crate::event;
use crate::views::{self, DeviceNotice, ErrorKind, ErrorPage, Message, MessageKind, Page, Person};

/// Codes that one browser can answer for at a time: one a tab.
const MOST_ENTERED: usize = 4;

/// `GET /device`: a code in the address fills in the field and does no more (RFC 8628 §5.4).
pub async fn get(x: Exchange) -> Outcome {
    let query = x.query();
    let user_code = query.one("user_code").and_then(typed).map(|code| shown(&code)).unwrap_or_default();
    // Where the pages of the sign-in come back to without one.
    let notice = match query.one("error") {
        None => None,
        Some("access_denied") => Some(DeviceNotice::Cancelled),
        Some(_) => Some(DeviceNotice::Refused),
    };
    show(x, user_code, notice)
}

/// `POST /device`: the code was entered.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let text: String = form.one("user_code").unwrap_or_default().chars().take(40).collect();
    let account = x.visitor().await?.map(|v| v.account.id);
    let guess = match throttle::begin_code(&x, account).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => {
            let minutes = u32::try_from((seconds + 59) / 60).unwrap_or(1);
            let mut response = show(x, text, Some(DeviceNotice::Throttled { minutes }))?;
            header(&mut response, "retry-after", &seconds.to_string());
            return Ok(response);
        }
        other => other?,
    };
    let found = match typed(&text) {
        Some(code) => x.app.store.find_user_code(x.realm.id, &code).await?,
        None => None,
    };
    let Some(device) = found.filter(|device| device.is_open(x.now)) else {
        x.app.store.write(throttle::counted(&x, &guess)).await?;
        return show(x, text, Some(DeviceNotice::WrongCode));
    };
    let client = x.app.store.cached_client(x.realm.id, &device.client_id).await?;
    let Some(client) = client else { return show(x, text, Some(DeviceNotice::WrongCode)) };
    let id = FlowId::new(x.now, x.app.random());
    let request = authorization_request(&device, &client, &x.realm.issuer, id, x.now);
    remember(&mut x, id)?;
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}

/// `GET /device/confirm`: who asks, from where, for what.
pub async fn confirm(x: Exchange) -> Outcome {
    let request = authorize::reopen(&x, x.query().one("request")).await?;
    let Some(device) = open(&x, &request).await? else { return show(x, String::new(), Some(DeviceNotice::Over)) };
    let Some((visitor, _)) = signed_in(&x, &request).await? else { return authorize::proceed(x, request).await };
    ask(x, &request, &device, &visitor).await
}

/// `POST /device/confirm`: the answer.
pub async fn answer(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen(&x, form.one("request")).await?;
    let Some(device) = open(&x, &request).await? else { return show(x, String::new(), Some(DeviceNotice::Over)) };
    let allowed = match form.one("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(Problem::bad("decision_missing", "decision is allow or deny")),
    };
    let Some((visitor, authenticated)) = signed_in(&x, &request).await? else {
        return authorize::proceed(x, request).await;
    };
    let answered = if allowed {
        approve(&x, &request, &device, &visitor, authenticated).await?
    } else {
        deny(&x, &device, &visitor).await?
    };
    if !answered {
        return show(x, String::new(), Some(DeviceNotice::Over));
    }
    event::note(|e| e.outcome = Some(if allowed { "device_approved" } else { "device_denied" }));
    let kind = if allowed { MessageKind::DeviceAllowed } else { MessageKind::DeviceDenied };
    x.page(&Page::Message(Message { kind, person: None, href: "/account/security".to_owned() }))
}

/// The device a request is about, if it still waits for an answer.
///
/// # Errors
/// 400 for a request of no device, 403 where its code was not entered in this browser.
async fn open(x: &Exchange, request: &AuthorizationRequest) -> Result<Option<DeviceCode>, Problem> {
    let Some(hash) = request.to.device() else {
        return Err(Problem::bad("request_invalid", "this request was not made by a device"));
    };
    if !entered(x).contains(&request.id) {
        return Err(Problem::Page(
            403,
            Box::new(ErrorPage {
                kind: ErrorKind::NotEntered,
                code: "device_not_entered".to_owned(),
                detail: None,
                application: None,
                href: Some("/device".to_owned()),
            }),
        ));
    }
    let found = x.app.store.find_device_code(x.realm.id, hash).await?;
    Ok(found.filter(|device| device.is_open(x.now)))
}

/// Whoever signed in for this request, if nothing is missing.
async fn signed_in(x: &Exchange, request: &AuthorizationRequest) -> Result<Option<(Visitor, Authenticated)>, Problem> {
    let client = authorize::client_of(x, request).await?;
    let visitor = x.visitor().await?;
    match (authorize::decide(x, request, &client, visitor.as_ref()).await?, visitor) {
        (Step::Issue(authenticated), Some(visitor)) => Ok(Some((visitor, *authenticated))),
        _ => Ok(None),
    }
}

async fn approve(
    x: &Exchange,
    request: &AuthorizationRequest,
    device: &DeviceCode,
    visitor: &Visitor,
    authenticated: Authenticated,
) -> Result<bool, Problem> {
    let account_id = visitor.account.id;
    let scope = device.request.scope.as_str();
    let detail = json!({ "scope": scope, "device_address": device.request.address });
    let mut audit = x.audit(AuditEvent::DeviceApproved, Actor::Account(account_id), detail);
    audit.client_id = Some(device.client_id.clone());
    let op = ApproveDevice {
        realm: x.realm.id,
        hash: device.hash,
        approval: Approval {
            account_id,
            sid: visitor.session.sid,
            auth: AuthContext {
                acr: authenticated.acr,
                amr: authenticated.amr.into_iter().map(str::to_owned).collect(),
                auth_time: authenticated.auth_time,
            },
        },
        consent: Consent {
            account_id,
            client_id: device.client_id.clone(),
            scope: scope.to_owned(),
            flow: request.id,
            updated: x.now,
        },
        now: x.now,
        audit,
    };
    Ok(x.app.store.write(op).await?)
}

async fn deny(x: &Exchange, device: &DeviceCode, visitor: &Visitor) -> Result<bool, Problem> {
    let detail = json!({ "device_address": device.request.address });
    let mut audit = x.audit(AuditEvent::DeviceDenied, Actor::Account(visitor.account.id), detail);
    audit.client_id = Some(device.client_id.clone());
    Ok(x.app.store.write(DenyDevice { realm: x.realm.id, hash: device.hash, now: x.now, audit }).await?)
}

/// The requests whose codes were entered with this browser. No page of another site can plant them: they are sealed, and
/// the form that enters a code carries this browser's token.
fn entered(x: &Exchange) -> Vec<FlowId> {
    x.cookie(CookieKind::Device).and_then(|sealed| x.open(Purpose::Device, sealed)).unwrap_or_default()
}

fn remember(x: &mut Exchange, id: FlowId) -> Result<(), Problem> {
    let mut flows = entered(x);
    flows.insert(0, id);
    flows.truncate(MOST_ENTERED);
    let sealed = x.seal(Purpose::Device, &flows)?;
    x.set_cookie(CookieKind::Device, &sealed);
    Ok(())
}

/// The page that takes a code.
fn show(mut x: Exchange, user_code: String, notice: Option<DeviceNotice>) -> Outcome {
    let status = match notice {
        Some(DeviceNotice::Throttled { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(DeviceNotice::WrongCode | DeviceNotice::Over) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let page = views::Device { csrf: x.csrf(), user_code, notice };
    let mut response = x.page(&Page::Device(page))?;
    response.set_status(status);
    Ok(response)
}

async fn ask(mut x: Exchange, request: &AuthorizationRequest, device: &DeviceCode, visitor: &Visitor) -> Outcome {
    let client = authorize::client_of(&x, request).await?;
    let account = &visitor.account;
    let sealed = authorize::seal(&x, request)?;
    let items = consent::items(&x, &request.scope, &client, account).await?;
    let page = views::DeviceConfirm {
        csrf: x.csrf(),
        application: authorize::application_of(&client, request),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        items,
        user_code: shown(&device.user_code),
        address: device.request.address.clone(),
        started: device.expires.plus_s(-LIFETIME_S),
        switch_href: format!("/login/choose?request={sealed}"),
        request: sealed,
    };
    x.page(&Page::DeviceConfirm(page))
}
