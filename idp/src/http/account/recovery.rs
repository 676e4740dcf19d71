//! `/account/recovery/cancel`: a recovery that somebody began is cancelled, by the link in the mail or from a session.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::AccountId;
use idp_core::secret::sha256;
use idp_store::recoveries::CancelRecovery;
use serde_json::json;

use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::stand::{Stand, next_url};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{ErrorKind, Message, MessageKind, Page, RecoveryCancel};

/// `GET /account/recovery/cancel`: the question before, since programs open the links of mails, too.
pub async fn get(mut x: Exchange) -> Outcome {
    let token = x.query().one("token").unwrap_or_default().to_owned();
    by_link(&x, &token).await?;
    let page = RecoveryCancel { csrf: x.csrf(), token };
    x.page(&Page::RecoveryCancel(page))
}

/// `POST /account/recovery/cancel`: with the link's token, or by whoever is signed in.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let token = form.one("token").unwrap_or_default().to_owned();
    if token.is_empty() {
        let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
        let account = visitor.account.id;
        cancel(&x, account, Actor::Account(account)).await?;
        return x.go("/account/security?recovery=cancelled");
    }
    let account = by_link(&x, &token).await?;
    cancel(&x, account, Actor::Anonymous).await?;
    let href = "/account/security".to_owned();
    x.page(&Page::Message(Message { kind: MessageKind::RecoveryCancelled, person: None, href }))
}

/// `GET /login/recovery/stopped`: somebody signed in whose account was being recovered, and must hear of it: the mail
/// about it may have gone to whoever began that.
pub async fn stopped(x: Exchange) -> Outcome {
    let request = authorize::reopen_some(&x, x.query().one("request")).await?;
    if x.visitor().await?.is_none() {
        return x.go("/login");
    }
    let href = next_url(&x, Stand::Complete, request.as_ref())?;
    x.page(&Page::Message(Message { kind: MessageKind::RecoveryStopped, person: None, href }))
}

async fn by_link(x: &Exchange, token: &str) -> Result<AccountId, Problem> {
    let found = x.app.store.find_recovery_to_cancel(x.realm.id, &sha256(token.as_bytes()), x.now).await?;
    let over = || Problem::page(403, ErrorKind::LinkOver, "link_over");
    found.map(|recovery| recovery.account).ok_or_else(over)
}

async fn cancel(x: &Exchange, account: AccountId, actor: Actor) -> Result<(), Problem> {
    let mut audit = x.audit(AuditEvent::RecoveryCancelled, actor, json!({}));
    audit.account_id = Some(account);
    x.app.store.write(CancelRecovery { realm: x.realm.id, account, now: x.now, audit }).await?;
    Ok(())
}
