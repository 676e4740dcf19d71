//! `/account/sessions`: the browsers that are signed in; ended one by one, or all others at once.
//! ASVS 5.0 §7.5.2: whoever ends sessions has signed in lately.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::Sid;
use idp_store::sessions::{EndAccountSessions, EndSession};
use serde_json::json;

use super::fresh;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;
use crate::views::{Page, SessionRow, Sessions, SessionsNotice};

/// `GET /account/sessions`.
pub async fn get(mut x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let query = x.query();
    let notice = match (query.one("ended"), query.one("others")) {
        (Some(_), _) => Some(SessionsNotice::Ended),
        (_, others) => others.map(|_| SessionsNotice::OthersEnded),
    };
    let page = Sessions { csrf: x.csrf(), sessions: rows(&x, &visitor).await?, notice };
    x.page_for(&Page::Sessions(page), Some(visitor.account.username))
}

/// The live sessions of the account, this one first, then those used last.
///
/// # Errors
/// Only when the store fails.
pub async fn rows(x: &Exchange, visitor: &Visitor) -> Result<Vec<SessionRow>, Problem> {
    let idle_s = x.realm.settings.session_idle_s;
    let sessions = x.app.store.list_sessions(x.realm.id, &visitor.account.id, x.now, idle_s).await?;
    let row = |session: idp_core::session::Session| {
        let last = session.events.last();
        SessionRow {
            id: session.sid.to_string(),
            client: last.and_then(|event| event.client.clone()),
            place: last.and_then(|event| event.place.clone()),
            created: session.created,
            active: session.active,
            current: session.sid == visitor.session.sid,
        }
    };
    let mut rows: Vec<_> = sessions.into_iter().map(row).collect();
    rows.sort_by_key(|row| (!row.current, std::cmp::Reverse(row.active)));
    Ok(rows)
}

/// `POST /account/sessions/end`.
pub async fn end(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let unknown = || Problem::api(404, "session_unknown", "you have no such session");
    let sid: Sid = form.one("sid").and_then(|text| text.parse().ok()).ok_or_else(unknown)?;
    if !fresh(&x, &visitor).await? {
        return x.go("/login?again=1");
    }
    let detail = json!({ "sid": sid.to_string() });
    let audit = x.audit(AuditEvent::SessionEnded, Actor::Account(visitor.account.id), detail);
    let op = EndSession { realm: x.realm.id, sid, account: visitor.account.id, audit };
    if !x.app.store.write(op).await? {
        return Err(unknown());
    }
    x.app.session_ended.notify_one();
    x.go("/account/sessions?ended=1")
}

/// `POST /account/sessions/end-others`: all but this one.
pub async fn end_others(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    if !fresh(&x, &visitor).await? {
        return x.go("/login?again=1");
    }
    let audit = x.audit(AuditEvent::SessionEnded, Actor::Account(visitor.account.id), json!({ "all_others": true }));
    let keep = Some(visitor.session.sid);
    x.app.store.write(EndAccountSessions { realm: x.realm.id, account: visitor.account.id, keep, audit }).await?;
    x.app.session_ended.notify_one();
    x.go("/account/sessions?others=1")
}

async fn fresh(x: &Exchange, visitor: &Visitor) -> Result<bool, Problem> {
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    Ok(fresh::require(x, visitor, &passkeys).is_ok())
}
