//! `/account/activity`: what happened to the account, from the audit trail, with "was this you?".
//! NIST SP 800-63B-4 §4.6, ASVS 5.0 §6.3.5 (suspicious attempts are told).

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::AuditId;
use idp_store::audit::AuditRow;

use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;
use crate::views::{Activity, ActivityRow, Page};

/// Rows of a page.
const PAGE: usize = 30;

/// `GET /account/activity`.
pub async fn get(mut x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let before: Option<AuditId> = x.query().one("before").and_then(|text| text.parse().ok());
    let (rows, last) = list(&x, &visitor, before, PAGE).await?;
    let older_href = last.map(|id| format!("/account/activity?before={id}"));
    let page = Activity { csrf: x.csrf(), rows, older_href };
    x.page_for(&Page::Activity(page), Some(visitor.account.username))
}

/// The newest rows, for the page that shows everything at a glance.
///
/// # Errors
/// Only when the store fails.
pub async fn newest(x: &Exchange, visitor: &Visitor, count: usize) -> Result<Vec<ActivityRow>, Problem> {
    Ok(list(x, visitor, None, count).await?.0)
}

/// Rows from before `before` on, and the last one's id if there are more.
async fn list(
    x: &Exchange,
    visitor: &Visitor,
    before: Option<AuditId>,
    count: usize,
) -> Result<(Vec<ActivityRow>, Option<AuditId>), Problem> {
    let most = i64::try_from(count + 1).unwrap_or(i64::MAX);
    let found = x.app.store.list_activity(x.realm.id, &visitor.account.id, before.as_ref(), most).await?;
    let last = (found.len() > count).then(|| found.get(count.saturating_sub(1)).map(|row| row.id)).flatten();
    let mut rows = Vec::with_capacity(count);
    for row in found.into_iter().take(count) {
        rows.extend(show(x, visitor, row).await?);
    }
    Ok((rows, last))
}

/// One row; none for an event that this program does not know.
async fn show(x: &Exchange, visitor: &Visitor, row: AuditRow) -> Result<Option<ActivityRow>, Problem> {
    let Some(event) = AuditEvent::parse(&row.event) else { return Ok(None) };
    let fact = |name: &str| row.detail.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let named = fact("passkey").or_else(|| fact("to"));
    let application = match row.client_id.as_deref().map(idp_core::id::ClientId::parse) {
        Some(Ok(id)) => x.app.store.cached_client(x.realm.id, &id).await?.map(|client| client.settings.name.clone()),
        _ => None,
    };
    let own = Actor::Account(visitor.account.id).text();
    let opens = matches!(
        event,
        AuditEvent::SignIn
            | AuditEvent::PasskeyRegistered
            | AuditEvent::PasswordSet
            | AuditEvent::DeviceApproved
            | AuditEvent::ConsentGiven
            | AuditEvent::EmailChanged
    );
    let current = fact("sid").is_some_and(|sid| sid == visitor.session.sid.to_string());
    Ok(Some(ActivityRow {
        kind: row.event.replace(['.', '_'], "-"),
        at: row.at,
        what: named.or(application).or_else(|| fact("state")).unwrap_or_default(),
        client: fact("browser"),
        place: fact("place"),
        by_operator: row.actor != own && row.actor.starts_with("operator"),
        factor_href: match event {
            AuditEvent::PasskeyRegistered => Some("/account/security#passkeys"),
            AuditEvent::PasswordSet => Some("/account/security#other"),
            _ => None,
        },
        doubtful: opens && !current,
    }))
}
