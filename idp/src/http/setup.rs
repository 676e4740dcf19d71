//! `/setup`: the one-time links of the first owner and of access passes.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::password::{LEAST_CHARACTERS, WeakPassword, check_new};
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::Mode;
use idp_core::secret::Secret;
use idp_store::passwords::{PasswordSet, UsePassForPassword};
use serde_json::json;

use super::exchange::{Exchange, Outcome};
use super::problem::Problem;
use super::webauthn::register_options::live_pass;
use crate::start;
use crate::views::{ErrorKind, Message, MessageKind, Page, Setup, SetupKind, SetupNotice};

/// `GET /setup`.
pub async fn get(x: Exchange) -> Outcome {
    let query = x.query();
    let secret = query.one("token").unwrap_or_default().to_owned();
    // A link of before the issuer moved leads to where passkeys are made now; `here` says that this host is meant.
    if !x.is_home() && query.one("here").is_none() {
        let home = start::setup_url(&x.realm, &secret);
        return x.go(&home);
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
    if x.realm.policy.mode == Mode::PasskeyOnly {
        return Err(Problem::api(403, "passwords_off", "passwords are switched off here: make a passkey"));
    }
    let account = x.app.store.find_account(x.realm.id, &id).await?.ok_or_else(over)?;
    let password = form.one("password").unwrap_or_default();
    let names = [account.username.as_str(), account.profile.email.as_deref().unwrap_or_default()];
    if let Err(weak) = check_new(password, &names) {
        let notice = match weak {
            WeakPassword::Short => SetupNotice::PasswordTooShort,
            WeakPassword::Long => return Err(Problem::bad("password_too_long", &weak.to_string())),
            WeakPassword::Name | WeakPassword::Repeated => SetupNotice::PasswordTooCommon,
        };
        return show(x, secret, pass, Some(notice)).await;
    }
    let hash = x.app.passwords.hash(Secret::new(password.to_owned()), x.app.random()).await?;
    let mut audit = x.audit(AuditEvent::PasswordSet, Actor::Pass, json!({}));
    audit.account_id = Some(id);
    let op = UsePassForPassword { realm: x.realm.id, account: id, pass: pass.hash, hash, now: x.now, audit };
    match x.app.store.write(op).await? {
        PasswordSet::Done => x.page(&done_page(MessageKind::PasswordSet)),
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

async fn show(mut x: Exchange, secret: String, pass: Pass, notice: Option<SetupNotice>) -> Outcome {
    let account = match pass.account_id {
        Some(id) => Some(x.app.store.find_account(x.realm.id, &id).await?.ok_or_else(over)?),
        None => None,
    };
    let status = if notice.is_some() { 422 } else { 200 };
    let page = Setup {
        csrf: x.csrf(),
        pass: secret,
        kind: if pass.kind == PassKind::Setup { SetupKind::FirstOwner } else { SetupKind::AccessPass },
        username: account.as_ref().map(|a| a.username.clone()).unwrap_or_default(),
        email: account.and_then(|a| a.profile.email).unwrap_or_default(),
        password_allowed: pass.kind == PassKind::Access && x.realm.policy.mode != Mode::PasskeyOnly,
        password_min: LEAST_CHARACTERS,
        rp_host: x.rp.rp_id.clone(),
        expires: pass.expires,
        notice,
    };
    let mut response = x.page(&Page::Setup(page))?;
    response.set_status(poem::http::StatusCode::from_u16(status).map_err(Problem::internal)?);
    Ok(response)
}
