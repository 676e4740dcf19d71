//! `/setup`: the one-time links of the first owner and of access passes.

use std::sync::Arc;

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::password::least;
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::Mode;
use idp_store::passwords::{PasswordSet, UsePassForPassword};
use serde_json::json;

use super::exchange::{Exchange, Outcome};
use super::new_password::judge;
use super::policy;
use super::problem::Problem;
use super::webauthn::register_options::live_pass;
use crate::start;
use crate::views::{ErrorKind, Message, MessageKind, Page, PasswordNotice, Setup, SetupCode, SetupKind};

/// `GET /setup`.
pub async fn get(x: Exchange) -> Outcome {
    let query = x.query();
    let secret = query.one("token").unwrap_or_default().to_owned();
    // A link of before the issuer moved leads to where passkeys are made now; `here` says that this host is meant.
    if !x.is_home() && query.one("here").is_none() {
        let home = start::setup_url(&x.realm, &secret);
        return x.go(&home);
    }
    // Whoever was given a code in place of a link.
    if secret.is_empty() {
        return x.page(&Page::SetupCode(SetupCode {}));
    }
    let pass = open(&x, &secret).await?;
    show(x, secret, pass, None).await
}

/// `POST /setup`: sets a password with an access pass.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let secret = form.one("pass").unwrap_or_default().to_owned();
    let pass = open(&x, &secret).await?;
    let Some(id) = pass.account_id.filter(|_| pass.kind == PassKind::Access) else {
        return Err(Problem::bad("password_needs_account", "the first owner signs in with a passkey"));
    };
    let policy = policy::of(&x, &id).await?;
    if policy.mode == Mode::PasskeyOnly {
        return Err(Problem::api(403, "passwords_off", "passwords are switched off here: make a passkey"));
    }
    let account = x.app.store.find_account(x.realm.id, &id).await?.ok_or_else(over)?;
    let hash = match judge(&x, &account, &policy, &form).await? {
        Ok(hash) => hash,
        Err(notice) => return show(x, secret, pass, Some(notice)).await,
    };
    let mut audit = x.audit(AuditEvent::PasswordSet, Actor::Pass, json!({}));
    audit.account_id = Some(id);
    let op = UsePassForPassword { realm: x.realm.id, account: id, pass: pass.hash, hash, now: x.now, audit };
    match x.app.store.write(op).await? {
        PasswordSet::Done => {
            x.app.session_ended.notify_one();
            x.page(&done_page(MessageKind::PasswordSet))
        }
        _ => Err(over()),
    }
}

/// `GET /setup/done`: a passkey was made; it signs in once in the same visit.
pub async fn done(x: Exchange) -> Outcome {
    x.page(&done_page(MessageKind::PasskeyCreated))
}

fn done_page(kind: MessageKind) -> Page {
    Page::Message(Message { kind, person: None, href: "/login?switch=1".to_owned() })
}

async fn open(x: &Exchange, secret: &str) -> Result<Pass, Problem> {
    match live_pass(x, secret).await {
        Err(Problem::Request { .. }) => Err(over()),
        other => other,
    }
}

fn over() -> Problem {
    Problem::page(403, ErrorKind::LinkOver, "link_over")
}

async fn show(mut x: Exchange, secret: String, pass: Pass, notice: Option<PasswordNotice>) -> Outcome {
    let account = match pass.account_id {
        Some(id) => Some(x.app.store.find_account(x.realm.id, &id).await?.ok_or_else(over)?),
        None => None,
    };
    let status = if notice.is_some() { 422 } else { 200 };
    let policy = match pass.account_id {
        Some(id) => policy::of(&x, &id).await?,
        None => Arc::clone(&x.realm.policy),
    };
    let passkey_allowed = match pass.account_id {
        Some(_) if !policy.enabled || !policy.allow_registration => false,
        Some(id) => pass.enrols(&policy, &x.app.store.list_passkeys(x.realm.id, &id).await?),
        None => true,
    };
    let page = Setup {
        csrf: x.csrf(),
        pass: secret,
        kind: if pass.kind == PassKind::Setup { SetupKind::FirstOwner } else { SetupKind::AccessPass },
        username: account.as_ref().map(|a| a.username.clone()).unwrap_or_default(),
        email: account.and_then(|a| a.profile.email).unwrap_or_default(),
        passkey_allowed,
        password_allowed: pass.kind == PassKind::Access && policy.mode != Mode::PasskeyOnly,
        password_min: least(&x.realm.settings, &policy),
        rp_host: x.rp.rp_id.clone(),
        expires: pass.expires,
        notice,
    };
    x.page_with(status, &Page::Setup(page), None)
}
