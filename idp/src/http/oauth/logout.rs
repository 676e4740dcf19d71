//! `/logout`: RP-initiated logout, and the user's own. RP-Initiated Logout 1.0,
//! Front-Channel Logout 1.0.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::Sid;
use idp_core::jose::jws;
use idp_core::oauth::params::RawParams;
use idp_core::oidc::frontchannel::{self, LogoutFrame};
use idp_core::oidc::logout::{self, InvalidLogout, LogoutRequest};
use idp_core::oidc::subject;
use idp_core::seal::Purpose;
use idp_store::sessions::EndSession;
use serde_json::json;

use super::authorize::application;
use crate::http::answer;
use crate::http::cookies::CookieKind;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;
use crate::views::{Application, ErrorKind, ErrorPage, LoggedOut, LogoutConfirm, Page, Person};

/// `GET /logout`.
pub async fn get(x: Exchange) -> Outcome {
    let query = x.query();
    let request = match query.one("logout") {
        Some(sealed) => open(&x, sealed)?,
        None => receive(&x, &query).await?,
    };
    let Some(visitor) = x.visitor().await? else { return done(x, request).await };
    if is_hinted(&x, &request, &visitor).await? {
        end(x, request, visitor).await
    } else {
        ask(x, request, visitor).await
    }
}

/// `POST /logout`: as GET; goes on by 303 since a cross-site POST carries no cookie.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let request = receive(&x, &params).await?;
    let sealed = x.seal(Purpose::Logout, &request)?;
    Ok(answer::redirect(&format!("/logout?logout={sealed}")))
}

/// `POST /logout/confirm`: the user's answer.
pub async fn confirm(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = open(&x, form.one("logout").unwrap_or_default())?;
    match (form.one("decision"), x.visitor().await?) {
        (Some("yes"), Some(visitor)) => end(x, request, visitor).await,
        (Some("yes"), None) => done(x, request).await,
        (Some("no"), _) => {
            let application = named(&x, &request).await?;
            x.page(&Page::LoggedOut(LoggedOut { kept: true, application, href: Some("/account".to_owned()) }))
        }
        _ => Err(Problem::bad("decision_missing", "decision is yes or no")),
    }
}

/// Whether the hint is for the session at hand, or without a session for whoever is signed in.
async fn is_hinted(x: &Exchange, request: &LogoutRequest, visitor: &Visitor) -> Result<bool, Problem> {
    let Some(id) = &request.client_id else { return Ok(false) };
    let Some(client) = x.app.store.cached_client(x.realm.id, id).await? else { return Ok(false) };
    Ok(match (&request.hinted, &request.hinted_subject) {
        (Some(sid), _) => *sid == subject::sid(x.app.sealer(), x.realm.id, &client, &visitor.session.sid),
        (None, Some(subject)) => subject::of(&client, &visitor.account) == *subject,
        (None, None) => false,
    })
}

fn open(x: &Exchange, sealed: &str) -> Result<LogoutRequest, Problem> {
    let opened: Option<LogoutRequest> = x.open(Purpose::Logout, sealed);
    opened
        .filter(|request| !request.is_expired(x.now))
        .ok_or_else(|| Problem::bad("logout_invalid", "this sign-out cannot be continued: start again"))
}

async fn receive(x: &Exchange, params: &RawParams) -> Result<LogoutRequest, Problem> {
    let refuse = |reason: InvalidLogout| {
        Problem::Page(
            400,
            Box::new(ErrorPage {
                kind: if reason == InvalidLogout::RedirectUri {
                    ErrorKind::RedirectMismatch
                } else {
                    ErrorKind::BadRequest
                },
                code: reason.code().to_owned(),
                detail: Some(reason.to_string()),
                application: None,
                href: None,
            }),
        )
    };
    let hint = match params.one("id_token_hint") {
        None => None,
        Some(token) => {
            let ring = x.app.keys(x.realm.id).await?;
            let hint = jws::id_token_hint(token, &x.realm.issuer, &ring.stored);
            Some(hint.ok_or_else(|| refuse(InvalidLogout::Hint))?)
        }
    };
    let client = match logout::client_of(params, hint.as_ref()).map_err(refuse)? {
        Some(id) => x.app.store.cached_client(x.realm.id, &id).await?,
        None => None,
    };
    logout::validate(params, hint.as_ref(), client.as_deref(), x.now).map_err(refuse)
}

async fn named(x: &Exchange, request: &LogoutRequest) -> Result<Option<Application>, Problem> {
    let Some(id) = &request.client_id else { return Ok(None) };
    Ok(x.app.store.cached_client(x.realm.id, id).await?.map(|c| application(&c)))
}

async fn ask(mut x: Exchange, request: LogoutRequest, visitor: Visitor) -> Outcome {
    let page = LogoutConfirm {
        csrf: x.csrf(),
        application: named(&x, &request).await?,
        logout: x.seal(Purpose::Logout, &request)?,
        person: Person::new(&visitor.account.username, visitor.account.profile.name.as_deref()),
    };
    x.page(&Page::LogoutConfirm(page))
}

async fn end(mut x: Exchange, request: LogoutRequest, visitor: Visitor) -> Outcome {
    let account = visitor.account.id;
    let audit = x.audit(AuditEvent::SessionEnded, Actor::Account(account), json!({ "by": "logout" }));
    x.app.store.write(EndSession { realm: x.realm.id, sid: visitor.session.sid, account, audit }).await?;
    x.app.session_ended.notify_one();
    let frames = frames(&x, &visitor.session.sid).await?;
    if frames.is_empty() {
        return done(x, request).await;
    }
    let application = named(&x, &request).await?;
    let href = match &request.then {
        Some(then) => then.clone(),
        None => format!("/logout?logout={}", x.seal(Purpose::Logout, &request)?),
    };
    forget(&mut x);
    x.frames(frames, href, application)
}

/// What tells the clients of a session by the front channel.
async fn frames(x: &Exchange, sid: &Sid) -> Result<Vec<LogoutFrame>, Problem> {
    let mut frames = Vec::new();
    for id in x.app.store.list_clients_of_session(x.realm.id, sid).await? {
        let client = x.app.store.cached_client(x.realm.id, &id).await?;
        frames.extend(client.and_then(|client| {
            let sid = subject::sid(x.app.sealer(), x.realm.id, &client, sid);
            frontchannel::frame(&x.realm, &client, &sid)
        }));
    }
    Ok(frames)
}

fn forget(x: &mut Exchange) {
    x.remove_cookie(CookieKind::Session);
    x.remove_cookie(CookieKind::Login);
}

async fn done(mut x: Exchange, request: LogoutRequest) -> Outcome {
    forget(&mut x);
    if let Some(then) = &request.then {
        return x.go(then);
    }
    let application = named(&x, &request).await?;
    x.page(&Page::LoggedOut(LoggedOut { kept: false, application, href: Some("/login".to_owned()) }))
}
