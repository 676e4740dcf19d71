//! The one error renderer: whatever went wrong becomes a page, a redirect, or JSON here and nowhere else.
//! RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3, RFC 9457.

use std::error::Error as StdError;

use idp_core::client::SigningAlg;
use idp_core::oauth::authorize::{Addressed, Unaddressed, respond};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::passkey::Refused;
use idp_core::realm::Realm;
use idp_core::user_schema;
use poem::Response;
use poem::http::StatusCode;
use serde_json::json;

use super::answer;
use crate::event;
use crate::views::{Application, ErrorKind, ErrorPage, Page, ViewError};

/// How a route speaks; decides what an error looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Pages for people.
    Page,
    /// JSON for our own pages and API callers (problem+json, RFC 9457).
    Api,
    /// JSON of RFC 6749 §5.2.
    OAuth,
    /// Protected resources (RFC 6750 §3).
    Bearer,
}

impl Surface {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Page => "a page",
            Self::Api => "problem+json (RFC 9457)",
            Self::OAuth => "JSON (RFC 6749 §5.2)",
            Self::Bearer => "`WWW-Authenticate` (RFC 6750 §3)",
        }
    }
}

/// Everything that can go wrong in a handler.
#[derive(Debug)]
pub enum Problem {
    /// Shown to the person.
    Page(u16, Box<ErrorPage>),
    /// Sent back to the client through the browser.
    Denied(Box<Addressed>, OAuthError),
    /// Answered to the client; `true`: it used HTTP Basic (RFC 6749 §5.2).
    OAuth(OAuthError, bool),
    /// A request with a bad access token.
    Bearer(Option<OAuthError>),
    /// A request that is wrong in itself: status, code, public detail, where to go on.
    Request { status: u16, code: &'static str, detail: String, next: Option<String> },
    /// What somebody typed about a user does not fit: 422, each by the path of its trait.
    Traits(Vec<user_schema::Problem>),
    /// Too busy, or too many tries: seconds to wait.
    Wait { status: u16, code: &'static str, seconds: i64 },
    /// Our fault. The chain is logged once, the caller sees the request id.
    Internal(Box<dyn StdError + Send + Sync>),
}

impl Problem {
    /// A 400 for a malformed request.
    pub fn bad(code: &'static str, detail: &str) -> Self {
        Self::api(400, code, detail)
    }

    /// A request that is wrong in itself.
    pub fn api(status: u16, code: &'static str, detail: &str) -> Self {
        Self::Request { status, code, detail: detail.to_owned(), next: None }
    }

    /// A page for the person.
    pub fn page(status: u16, kind: ErrorKind, code: &str) -> Self {
        let page = ErrorPage { kind, code: code.to_owned(), detail: None, application: None, href: None };
        Self::Page(status, Box::new(page))
    }

    /// A fault of ours.
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// The form was opened in another browser, or its cookie is gone.
    pub fn cookies() -> Self {
        Self::api(403, "csrf_mismatch", "this form belongs to another browser session: load the page again")
    }

    /// The request comes from a page of another site.
    pub fn foreign_origin() -> Self {
        Self::api(403, "origin_mismatch", "the request comes from an origin that is not one of this provider's")
    }

    /// The request came to a host that does not serve it.
    pub fn wrong_host(realm: &Realm) -> Self {
        let detail = format!("this is done at {}", realm.issuer);
        Self::Request { status: 421, code: "wrong_host", detail, next: Some(realm.issuer.clone()) }
    }

    /// Nobody is signed in.
    pub fn signed_out() -> Self {
        Self::api(401, "not_signed_in", "sign in first")
    }

    /// The sealed request is over; the page names the application to go back to.
    pub fn expired(application: Option<Application>, href: Option<String>) -> Self {
        let code = "request_expired".to_owned();
        Self::Page(400, Box::new(ErrorPage { kind: ErrorKind::Expired, code, detail: None, application, href }))
    }

    /// Says in the request's wide event what went wrong.
    pub fn note(&self) {
        let (error, rule) = match self {
            Self::Page(_, page) => (page.code.clone(), None),
            Self::Denied(_, error) | Self::OAuth(error, _) | Self::Bearer(Some(error)) => {
                (error.code.text().to_owned(), Some(error.rule))
            }
            Self::Traits(_) => ("traits_invalid".to_owned(), None),
            Self::Bearer(None) => ("token_missing".to_owned(), None),
            Self::Request { code, .. } | Self::Wait { code, .. } => ((*code).to_owned(), None),
            Self::Internal(_) => ("internal".to_owned(), None),
        };
        event::note(|e| {
            e.error = Some(error);
            e.rule = rule;
        });
    }
}

impl From<idp_store::Error> for Problem {
    fn from(error: idp_store::Error) -> Self {
        match error {
            idp_store::Error::Busy => Self::Wait { status: 503, code: "busy", seconds: 1 },
            idp_store::Error::Nul => Self::bad("nul_character", "a value holds a NUL character"),
            error => Self::internal(error),
        }
    }
}

impl From<crate::password::Overloaded> for Problem {
    fn from(_: crate::password::Overloaded) -> Self {
        Self::Wait { status: 503, code: "busy", seconds: 2 }
    }
}

impl From<crate::keys::KeysError> for Problem {
    fn from(error: crate::keys::KeysError) -> Self {
        match error {
            crate::keys::KeysError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<Unaddressed> for Problem {
    fn from(reason: Unaddressed) -> Self {
        let kind = match reason {
            Unaddressed::ClientMissing | Unaddressed::ClientUnknown | Unaddressed::ClientDisabled => {
                ErrorKind::UnknownApplication
            }
            Unaddressed::RedirectUriMissing | Unaddressed::RedirectUriMismatch => ErrorKind::RedirectMismatch,
            Unaddressed::Doubled | Unaddressed::RequestUri => ErrorKind::BadRequest,
        };
        let detail = Some(reason.to_string());
        let code = reason.code().to_owned();
        Self::Page(400, Box::new(ErrorPage { kind, code, detail, application: None, href: None }))
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        tracing::info!(refused = %refused, "a passkey ceremony was refused");
        Self::Request { status: 400, code: refused.code(), detail: refused.public().to_owned(), next: None }
    }
}

/// Renders a problem in the manner of its surface.
pub fn render(problem: Problem, surface: Surface, to: &answer::Recipient<'_>) -> Response {
    match problem {
        Problem::Page(status, page) => page_answer(status, *page, to),
        Problem::Denied(address, error) => {
            let back = respond::with_error(&address, &to.realm.issuer, &error);
            answer::back(to, back).unwrap_or_else(|error| faulty(&error, to))
        }
        Problem::OAuth(error, basic) => oauth(&error, basic),
        Problem::Bearer(error) => bearer(error.as_ref()),
        Problem::Wait { status, code, seconds } => {
            let detail = format!("wait {seconds} s and try again");
            let mut response = request(status, code, detail, None, surface, to);
            answer::header(&mut response, "retry-after", &seconds.to_string());
            response
        }
        Problem::Traits(problems) => traits(&problems, surface, to),
        Problem::Request { status, code, detail, next } => request(status, code, detail, next, surface, to),
        Problem::Internal(error) => {
            log_chain(&*error, to.request_id);
            request(500, "internal", "something went wrong on our side".to_owned(), None, surface, to)
        }
    }
}

/// Logs an error with its causes, once.
fn log_chain(error: &(dyn StdError + 'static), request_id: &str) {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        cause = inner.source();
    }
    tracing::error!(request_id, error = chain, "a request failed on our side");
}

fn request(
    status: u16,
    code: &'static str,
    detail: String,
    next: Option<String>,
    surface: Surface,
    to: &answer::Recipient<'_>,
) -> Response {
    match surface {
        Surface::Page => {
            let kind = match (status, code) {
                (_, "csrf_mismatch" | "origin_mismatch" | "handoff_refused") => ErrorKind::Cookies,
                (401 | 403, _) => ErrorKind::Forbidden,
                (404, _) => ErrorKind::NotFound,
                (429, _) => ErrorKind::TooMany,
                (503, _) => ErrorKind::Unavailable,
                (500.., _) => ErrorKind::Internal,
                _ => ErrorKind::BadRequest,
            };
            let page = ErrorPage { kind, code: code.to_owned(), detail: Some(detail), application: None, href: next };
            page_answer(status, page, to)
        }
        Surface::OAuth | Surface::Bearer => {
            let error = match status {
                503 | 429 => ErrorCode::TemporarilyUnavailable.text(),
                500.. => "server_error",
                _ => ErrorCode::InvalidRequest.text(),
            };
            let body = json!({ "error": error, "error_description": detail, "request_id": to.request_id });
            answer::json(status, &body)
        }
        Surface::Api => {
            let title = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Error");
            let mut body = json!({
                "type": "about:blank",
                "title": title,
                "status": status,
                "code": code,
                "detail": detail,
                "request_id": to.request_id,
            });
            if let (Some(next), Some(members)) = (next, body.as_object_mut()) {
                members.insert("next".to_owned(), next.into());
            }
            answer::typed(status, "application/problem+json", body.to_string())
        }
    }
}

fn traits(problems: &[user_schema::Problem], surface: Surface, to: &answer::Recipient<'_>) -> Response {
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let detail = said.join("; ");
    if surface != Surface::Api {
        return request(422, "traits_invalid", detail, None, surface, to);
    }
    let list: Vec<_> = problems.iter().map(|p| json!({ "path": p.path.join("."), "detail": p.text })).collect();
    let body = json!({
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "code": "traits_invalid",
        "detail": detail,
        "problems": list,
        "request_id": to.request_id,
    });
    answer::typed(422, "application/problem+json", body.to_string())
}

fn page_answer(status: u16, mut page: ErrorPage, to: &answer::Recipient<'_>) -> Response {
    page.detail = page.detail.map(|d| d.chars().take(300).collect());
    let shown = answer::page(to, &Page::Error(page)).map(|mut response| {
        response.set_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        response
    });
    shown.unwrap_or_else(|error| faulty(&error, to))
}

/// The theme failed: all that is left is plain text.
fn faulty(error: &ViewError, to: &answer::Recipient<'_>) -> Response {
    log_chain(error, to.request_id);
    answer::typed(500, "text/plain; charset=utf-8", format!("internal error, request {}", to.request_id))
}

fn oauth(error: &OAuthError, basic: bool) -> Response {
    let body = json!({ "error": error.code.text(), "error_description": error.description });
    let mut response = answer::json(error.code.status(), &body);
    if error.code == ErrorCode::InvalidClient && basic {
        answer::header(&mut response, "www-authenticate", r#"Basic realm="token", charset="UTF-8""#);
    }
    response
}

fn bearer(error: Option<&OAuthError>) -> Response {
    // RFC 6750 §3.1: a request without any authentication gets no error code.
    let Some(error) = error else {
        let mut response = answer::typed(401, "application/json", "{}".to_owned());
        answer::header(&mut response, "www-authenticate", "Bearer");
        return response;
    };
    let body = json!({ "error": error.code.text(), "error_description": error.description });
    // RFC 9449 §7.1 and §9: at a protected resource a bad proof is 401, and the challenge names the algorithms.
    let by_dpop = matches!(error.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce);
    let mut response = answer::json(if by_dpop { 401 } else { error.code.status() }, &body);
    let scheme = if by_dpop { "DPoP" } else { "Bearer" };
    let mut challenge = format!(r#"{scheme} error="{}", error_description="{}""#, error.code.text(), error.description);
    if by_dpop {
        let algs: Vec<_> = SigningAlg::FAPI.iter().map(|alg| alg.text()).collect();
        challenge.push_str(&format!(r#", algs="{}""#, algs.join(" ")));
    }
    answer::header(&mut response, "www-authenticate", &challenge);
    response
}
