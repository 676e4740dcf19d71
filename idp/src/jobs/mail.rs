//! Mails: sends what waits in the outbox. RFC 5321 §4.5.4.1 (tries again, less and less often, and gives up).
//!
//! Several processes share the rows: whoever takes one puts it off first, so that it is taken by one alone and comes
//! back if that one dies.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::mail::next_try;
use idp_core::seal::{NotSealedHere, Purpose};
use idp_core::secret::Secret;
use idp_store::mails::{ClaimMails, SettleMail, TakenMail};
use serde_json::json;
use tokio::sync::watch;

use crate::app::App;
use crate::mail::{MailError, Mailer, compose};
use crate::views::ViewError;

/// Time from the start to the first look for what is due again or another process wrote: whatever starts has other
/// things to do.
const FIRST: Duration = Duration::from_secs(60);
/// Time between looks.
const EVERY: Duration = Duration::from_secs(10);
/// Mails taken at once.
const BATCH: i64 = 20;
/// Mails sent at the same time.
const AT_ONCE: usize = 5;
/// How long mails belong to who took them, in seconds: longer than a batch takes where each step of each
/// conversation runs into its timeout.
const LEASE_S: i64 = 600;

/// Why a mail could not even be tried; it is again after its lease.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(#[from] idp_store::Error),
    #[error("its words cannot be rendered")]
    View(#[from] ViewError),
    #[error("its code cannot be opened")]
    Sealed(#[from] NotSealedHere),
}

/// Sends until `stopped` becomes true: at once what this process queued, now and then what others did.
pub async fn send(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let Some(mailer) = &app.mailer else { return };
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = EVERY,
            () = app.store.mail_queued() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = drain(&app, mailer, &stopped).await {
            tracing::warn!(%error, "mails that wait cannot be read; it is tried again");
        }
    }
}

/// Sends what is due now; of a long queue only what was taken when `stopped` becomes true.
async fn drain(app: &App, mailer: &Mailer, stopped: &watch::Receiver<bool>) -> Result<(), idp_store::Error> {
    while !*stopped.borrow() && app.store.has_due_mail(app.now()).await? {
        let now = app.now();
        let taken = app.store.write(ClaimMails { now, until: now.plus_s(LEASE_S), most: BATCH }).await?;
        let sends: Vec<_> = taken.iter().map(|taken| attempt(app, mailer, taken)).collect();
        stream::iter(sends).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
    Ok(())
}

async fn attempt(app: &App, mailer: &Mailer, taken: &TakenMail) {
    if let Err(error) = one(app, mailer, taken).await {
        let (template, cause) =
            (taken.mail.template.text(), std::error::Error::source(&error).map(ToString::to_string));
        tracing::error!(template, %error, cause, "a mail cannot be made; it is tried again");
    }
}

/// Sends one mail and notes what became of it.
async fn one(app: &App, mailer: &Mailer, taken: &TakenMail) -> Result<(), Fault> {
    let TakenMail { realm, mail, attempts } = taken;
    let mut op = SettleMail { realm: *realm, id: mail.id, attempts: *attempts, again: None, audit: None };
    let Some(realm) = app.store.cached_realms().await?.by_id(*realm).cloned() else {
        return Ok(app.store.write(op).await.map(drop)?);
    };
    let outcome = if mail.expires <= app.now() {
        None
    } else {
        let account = match &mail.account_id {
            Some(id) => app.store.find_account(realm.id, id).await?,
            None => None,
        };
        let secret = mail.secret_sealed.as_ref();
        let secret = secret.map(|s| app.sealer().open_bytes(Purpose::Mail, realm.id, s)).transpose()?;
        let secret = secret.map(|s| String::from_utf8(s).map(Secret::new)).transpose().map_err(|_| NotSealedHere)?;
        let letter = compose(&app.views, &realm, mail, account.as_ref(), secret.as_ref())?;
        Some(mailer.send(&letter).await)
    };
    let [random] = app.random();
    let tries_left = outcome.as_ref().is_some_and(|sent| sent.as_ref().is_err_and(|error| !error.is_final()));
    if tries_left {
        op.again = next_try(*attempts, mail.expires, app.now(), random);
    }
    let word = match (&outcome, op.again) {
        (Some(Ok(())), _) => "sent",
        (_, Some(_)) => "put_off",
        _ => "given_up",
    };
    app.metrics.mail(word);
    if word != "sent" {
        let error = outcome.and_then(Result::err);
        let reason = error.as_ref().map_or_else(|| "late".to_owned(), MailError::reason);
        let cause = error.as_ref().and_then(|e| std::error::Error::source(e)).map(ToString::to_string);
        let template = mail.template.text();
        tracing::warn!(template, reason, cause, attempts, outcome = word, "a mail was not sent");
        op.audit = (word == "given_up").then(|| audit(app, taken, &reason));
    }
    Ok(app.store.write(op).await.map(drop)?)
}

fn audit(app: &App, taken: &TakenMail, reason: &str) -> Audit {
    let detail = json!({ "template": taken.mail.template.text(), "reason": reason, "attempts": taken.attempts });
    Audit { account_id: taken.mail.account_id, ..app.audit(AuditEvent::MailUndelivered, Actor::System, "job", detail) }
}
