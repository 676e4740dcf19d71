//! `/account/applications`: what applications get, and the way to take it back.
//! OIDC Core §3.1.2.4, RFC 7009 §2 (what tokens rested on is revoked with it).

use std::collections::BTreeMap;

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::ClientId;
use idp_core::oauth::scope::Scopes;
use idp_core::time::Timestamp;
use idp_store::consents::DeleteConsent;
use serde_json::json;

use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::login::consent;
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{ApplicationRow, Applications, Page};

/// `GET /account/applications`.
pub async fn get(mut x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let revoked = x.query().one("revoked").is_some();
    let page = Applications { csrf: x.csrf(), applications: rows(&x, &visitor, usize::MAX).await?, revoked };
    x.page_for(&Page::Applications(page), Some(visitor.account.username))
}

/// What an application was allowed, by consent or by use.
struct Allowed {
    scopes: Scopes,
    since: Option<Timestamp>,
    offline: bool,
}

/// The applications of an account: those agreed to, and those that have something now without having asked; of many
/// the first by id.
///
/// # Errors
/// Only when the store fails.
pub async fn rows(x: &Exchange, visitor: &Visitor, most: usize) -> Result<Vec<ApplicationRow>, Problem> {
    let (store, account) = (&x.app.store, &visitor.account);
    let mut all: BTreeMap<String, Allowed> = BTreeMap::new();
    for given in store.list_consents(x.realm.id, &account.id).await? {
        let scopes = Scopes::from_stored(&given.scope);
        let allowed = Allowed { scopes, since: Some(given.updated), offline: false };
        all.insert(given.client_id.as_str().to_owned(), allowed);
    }
    for granted in store.list_granted(x.realm.id, &account.id, x.now).await? {
        let nothing = || Allowed { scopes: Scopes::from_stored(""), since: None, offline: false };
        let allowed = all.entry(granted.client_id.as_str().to_owned()).or_insert_with(nothing);
        allowed.scopes = allowed.scopes.union(&Scopes::from_stored(&granted.scope));
        allowed.offline |= granted.offline;
    }
    let scopes = all.values().fold(Scopes::from_stored(""), |scopes, allowed| scopes.union(&allowed.scopes));
    let groups = consent::groups(x, &scopes, account).await?;
    let mut rows = Vec::with_capacity(all.len().min(most));
    for (id, allowed) in all {
        if rows.len() == most {
            break;
        }
        // What was deleted since has nothing any more.
        let Ok(client_id) = ClientId::parse(&id) else { continue };
        let Some(client) = store.cached_client(x.realm.id, &client_id).await? else { continue };
        rows.push(ApplicationRow {
            id,
            application: authorize::application(&client),
            items: consent::items_in(x, &allowed.scopes, &client, (account, &groups)),
            since: allowed.since,
            offline: allowed.offline,
        });
    }
    Ok(rows)
}

/// `POST /account/applications/revoke`: the consent goes, and every grant with it.
pub async fn revoke(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let unknown = || Problem::api(404, "application_unknown", "this application has nothing of yours");
    let client = form.one("client_id").and_then(|id| ClientId::parse(id).ok()).ok_or_else(unknown)?;
    let mut audit = x.audit(AuditEvent::ConsentWithdrawn, Actor::Account(visitor.account.id), json!({}));
    audit.client_id = Some(client.clone());
    let op = DeleteConsent { realm: x.realm.id, account: visitor.account.id, client, audit };
    if !x.app.store.write(op).await? {
        return Err(unknown());
    }
    x.go("/account/applications?revoked=1")
}
