//! Answers: pages, redirects, JSON, with the headers every answer carries.

use idp_core::oauth::authorize::respond::Answer;
use idp_core::oauth::redirect;
use idp_core::oidc::frontchannel::LogoutFrame;
use idp_core::realm::Realm;
use idp_core::time::Timestamp;
use poem::http::header::{self, HeaderName, HeaderValue};
use poem::http::{Method, StatusCode};
use poem::{Body, Response};
use serde_json::Value;

use crate::app::App;
use crate::views::{Application, FormPost, Frame, GoOn, LogoutFrames, Page, ViewError};

/// Whom an answer is for; enough to render a page without the exchange.
pub struct Recipient<'a> {
    pub app: &'a App,
    pub realm: &'a Realm,
    pub method: &'a Method,
    pub request_id: &'a str,
    pub signed_in_as: Option<String>,
    pub now: Timestamp,
}

/// Renders a page.
///
/// # Errors
/// Only for a faulty theme.
pub fn page(to: &Recipient<'_>, page: &Page) -> Result<Response, ViewError> {
    let frame = Frame {
        realm_name: to.realm.display_name.clone(),
        brand_color: to.realm.settings.brand_color.clone(),
        lang: "en".to_owned(),
        request_id: to.request_id.to_owned(),
        signed_in_as: to.signed_in_as.clone(),
        help: None,
        privacy: None,
        now: to.now,
    };
    Ok(typed(200, "text/html; charset=utf-8", to.app.views.render(page, &frame)?))
}

/// What every page may do: scripts, styles and forms come from and go to this origin alone; nothing is framed.
macro_rules! policy {
    ($form_action:literal) => {
        concat!(
            "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action ",
            $form_action
        )
    };
}

/// Sends the browser on: by 303 after a GET, by a page after a POST, because `form-action 'self'` binds the
/// whole chain of redirects that follows a POST.
pub fn go(to: &Recipient<'_>, url: &str, application: Option<Application>) -> Response {
    if *to.method != Method::POST {
        return redirect(url);
    }
    page(to, &Page::GoOn(GoOn { href: url.to_owned(), application, upgrades: false })).unwrap_or_else(|_| redirect(url))
}

/// Sends the browser back to a client with its answer.
///
/// # Errors
/// Only for a faulty theme.
pub fn back(to: &Recipient<'_>, answer: Answer) -> Result<Response, ViewError> {
    let (action, fields) = match answer {
        Answer::Redirect(url) => return Ok(go(to, &url, None)),
        Answer::Post { action, fields } => (action, fields),
    };
    let policy = redirect::form_action(&action).map(|allowed| format!(policy!("{}"), allowed));
    let mut response = page(to, &Page::FormPost(FormPost::new(action, fields)))?;
    // Without an address that takes a form, the policy of every page stays.
    if let Some(policy) = policy {
        header(&mut response, "content-security-policy", &policy);
    }
    Ok(response)
}

/// A page that loads addresses of clients in frames, and then goes on.
///
/// # Errors
/// Only for a faulty theme.
pub fn frames(
    to: &Recipient<'_>,
    frames: Vec<LogoutFrame>,
    href: String,
    application: Option<Application>,
) -> Result<Response, ViewError> {
    let mut origins: Vec<&str> = frames.iter().map(|frame| frame.origin.as_str()).collect();
    origins.sort_unstable();
    origins.dedup();
    let policy = format!("{}; frame-src {}", policy!("'self'"), origins.join(" "));
    let frames = frames.into_iter().map(|frame| frame.address).collect();
    let mut response = page(to, &Page::LogoutFrames(LogoutFrames { frames, href, application }))?;
    header(&mut response, "content-security-policy", &policy);
    Ok(response)
}

/// A 303 (RFC 9700 §4.12: never 307, which would send a password on).
pub fn redirect(url: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
    response.headers_mut().reserve(HEADERS);
    header(&mut response, "location", url);
    response
}

/// JSON that must not be kept.
pub fn json(status: u16, body: &Value) -> Response {
    // Straight into bytes: through `Display` each piece would be checked and copied once more.
    typed(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
}

/// An answer of a content type.
pub fn typed(status: u16, content_type: &'static str, body: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::builder().status(status).body(body);
    response.headers_mut().reserve(HEADERS);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Room for the headers of most answers, so that the map does not grow while it is filled.
const HEADERS: usize = 12;

/// Sets a header; a value with characters no header can have is dropped.
pub fn header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// Made before the first request: each is only copied by reference.
static EVERY: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];
static POLICY: HeaderValue = HeaderValue::from_static(policy!("'self'"));
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What every answer carries. The one page that may post elsewhere brought a policy of its own; nothing is cached
/// unless the handler said otherwise.
pub fn harden(response: &mut Response, https: bool) {
    let headers = response.headers_mut();
    headers.extend(EVERY.iter().cloned());
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| POLICY.clone());
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| NO_STORE.clone());
}
