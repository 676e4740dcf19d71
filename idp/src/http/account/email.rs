//! `/account/email/…`: a code mailed to one's address and typed in shows that one reads mail there.
//! OIDC Core §5.1 (`email_verified`), NIST SP 800-63B-4 §3.1.3.1.

use idp_core::account::verification::{LIFETIME_S, Verification};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::mail::{MOST_WINDOW_S, Mail, MailTemplate, impersonal};
use idp_core::oauth::device::{shown, typed, user_code};
use idp_core::seal::Purpose;
use idp_core::secret::sha256;
use idp_store::accounts::{AccountChange, UpdateAccount};
use idp_store::email_verification::{MailCode, VerifyEmail};
use idp_store::mails::QueueMail;
use idp_store::used_once::Once;
use serde_json::json;

use super::profile::{Shows, show};
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::letter::letter;
use crate::http::login::throttle;
use crate::http::problem::Problem;
use crate::views::ProfileNotice;

/// `POST /account/email/code`: mails a code.
pub async fn send(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let profile = &visitor.account.profile;
    let verifies = x.realm.settings.schema().email().is_some_and(|part| part.verification);
    let Some(email) = profile.email.clone().filter(|_| verifies && x.app.store.queues_mail()) else {
        return Err(Problem::api(403, "verification_off", "addresses are not verified by mail here"));
    };
    if profile.email_verified {
        return x.go("/account?verified=1");
    }
    let guess = match throttle::begin_mail_code(&x, visitor.account.id).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return waits(x, visitor, seconds, None).await,
        other => other?,
    };
    let code = user_code(x.app.random());
    let verification =
        Verification { account: visitor.account.id, email: email.clone(), code: code.clone(), issued: x.now };
    let to = (visitor.account.id, MailTemplate::AddressCode);
    let mail = Mail { address: email, ..letter(&x, to, LIFETIME_S, impersonal(&json!({})), Some(&shown(&code)))? };
    let mail = QueueMail { realm: x.realm.id, mail, audit: None };
    let op = MailCode { account: visitor.account.id, mail, throttle: throttle::counted(&x, &guess) };
    if !x.app.store.write(op).await? {
        return waits(x, visitor, MOST_WINDOW_S, None).await;
    }
    let sealed = x.seal(Purpose::Address, &verification)?;
    told(x, visitor, ProfileNotice::CodeSent, Some(sealed)).await
}

/// `POST /account/email/verify`: the code from the mail.
pub async fn verify(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let sealed = form.one("verification").unwrap_or_default().to_owned();
    let sent: Option<Verification> = x.open(Purpose::Address, &sealed);
    let Some(sent) = sent.filter(|sent| sent.is_open(&visitor.account, x.now)) else {
        return told(x, visitor, ProfileNotice::CodeOver, None).await;
    };
    let guess = match throttle::begin_code_guess(&x, visitor.account.id).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return waits(x, visitor, seconds, Some(sealed)).await,
        other => other?,
    };
    let code = typed(form.one("code").unwrap_or_default()).unwrap_or_default();
    if !sent.is_code(&code) {
        x.app.store.write(throttle::counted(&x, &guess)).await?;
        return told(x, visitor, ProfileNotice::WrongCode, Some(sealed)).await;
    }
    let account = &visitor.account;
    let mut profile = account.profile.clone();
    profile.email_verified = true;
    let audit = x.audit(AuditEvent::EmailVerified, Actor::Account(account.id), json!({ "email": sent.email }));
    let op = VerifyEmail {
        account: UpdateAccount { realm: x.realm.id, id: account.id, profile, seen: account.updated, now: x.now, audit },
        once: Once { hash: sha256(sealed.as_bytes()), expires: sent.issued.plus_s(LIFETIME_S) },
    };
    match x.app.store.write(op).await? {
        AccountChange::Done => x.go("/account?verified=1"),
        _ => told(x, visitor, ProfileNotice::CodeOver, None).await,
    }
}

async fn waits(x: Exchange, visitor: Visitor, seconds: i64, verification: Option<String>) -> Outcome {
    told(x, visitor, ProfileNotice::throttled(seconds), verification).await
}

async fn told(x: Exchange, visitor: Visitor, notice: ProfileNotice, verification: Option<String>) -> Outcome {
    let document = x.realm.settings.schema().document(&visitor.account.profile);
    show(x, visitor, Shows { document, problems: Vec::new(), notice: Some(notice), verification }).await
}
