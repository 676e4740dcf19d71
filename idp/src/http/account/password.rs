//! `/account/password`: one's own password is set, changed or removed. NIST SP 800-63B-4 §3.1.1.2, ASVS 5.0 §6.2.

use std::sync::Arc;

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::held::Held;
use idp_core::credential::password::{MOST_BYTES, least};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::policy::Mode;
use idp_core::passkey::record::Passkey;
use idp_core::secret::Secret;
use idp_core::session::{AuthEvent, Method};
use idp_store::passwords::{Keep, PasswordSet, SetPassword};
use serde_json::json;

use super::fresh;
use super::removal::{held, removal, way_in};
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::login::throttle;
use crate::http::new_password::judge;
use crate::http::problem::Problem;
use crate::views::{Page, PasswordForm, PasswordNotice};

/// `GET /account/password`.
pub async fn get(x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    show(x, &visitor, &passkeys, None).await
}

/// `POST /account/password`: sets or changes it.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    let (visitor, passkeys) = match owner(&mut x, &form).await? {
        Some(owner) => owner,
        None => return x.go("/login?again=1"),
    };
    if visitor.policy.mode == Mode::PasskeyOnly {
        return Err(Problem::api(403, "passwords_off", "passwords are switched off here: make a passkey"));
    }
    let account = &visitor.account;
    if asks_current(&x, &visitor)
        && let Some(notice) = wrong_current(&x, &visitor, &form).await?
    {
        return show(x, &visitor, &passkeys, Some(notice)).await;
    }
    let hash = match judge(&x, account, &visitor.policy, &form).await? {
        Ok(hash) => hash,
        Err(notice) => return show(x, &visitor, &passkeys, Some(notice)).await,
    };
    let keep = if form.one("keep").is_some() { Keep::All } else { Keep::One(visitor.session.sid) };
    let detail = json!({ "changed": account.password_hash.is_some(), "sessions_kept": keep == Keep::All });
    let op = SetPassword {
        realm: x.realm.id,
        account: account.id,
        hash: Some(hash),
        seen_version: account.password_version,
        keep,
        way_in: None,
        clear: throttle::of_names(&x, account),
        now: x.now,
        audit: x.audit(AuditEvent::PasswordSet, Actor::Account(account.id), detail),
    };
    match x.app.store.write(op).await? {
        PasswordSet::Done => {
            x.app.session_ended.notify_one();
            x.go("/account/security?password=set")
        }
        _ => Err(changed()),
    }
}

/// `POST /account/password/remove`.
pub async fn remove(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    let (visitor, passkeys) = match owner(&mut x, &form).await? {
        Some(owner) => owner,
        None => return x.go("/login?again=1"),
    };
    let account = &visitor.account;
    let op = SetPassword {
        realm: x.realm.id,
        account: account.id,
        hash: None,
        seen_version: account.password_version,
        keep: Keep::One(visitor.session.sid),
        way_in: Some(way_in(&x, &visitor, &form)),
        clear: Vec::new(),
        now: x.now,
        audit: x.audit(AuditEvent::PasswordRemoved, Actor::Account(account.id), json!({})),
    };
    match x.app.store.write(op).await? {
        PasswordSet::Done => {
            x.app.session_ended.notify_one();
            x.go("/account/security?password=removed")
        }
        PasswordSet::LastWayIn => show(x, &visitor, &passkeys, Some(PasswordNotice::LastWayIn)).await,
        PasswordSet::Changed | PasswordSet::PassGone => Err(changed()),
    }
}

fn changed() -> Problem {
    Problem::api(409, "password_changed", "the password was changed meanwhile: load the page again")
}

/// Whose form it is, after a sign-in that is fresh and strong enough; `None`: it is not.
pub async fn owner(x: &mut Exchange, form: &RawParams) -> Result<Option<(Visitor, Vec<Passkey>)>, Problem> {
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    let fresh = fresh::require(x, &visitor, &passkeys).is_ok();
    Ok(fresh.then_some((visitor, passkeys)))
}

/// Whether the old password is asked for: not of whoever has just signed in with a passkey, who may have forgotten it.
fn asks_current(x: &Exchange, visitor: &Visitor) -> bool {
    let by_passkey = |event: &AuthEvent| matches!(event.method, Method::Passkey(_));
    let fresh = visitor.session.events.iter().any(|event| by_passkey(event) && fresh::is_young(x, event));
    visitor.account.password_hash.is_some() && !fresh
}

/// Checks the old password as a sign-in would, with the same throttle.
async fn wrong_current(x: &Exchange, visitor: &Visitor, form: &RawParams) -> Result<Option<PasswordNotice>, Problem> {
    let account = &visitor.account;
    let guess = match throttle::begin(x, &account.username, Some(account.id)).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return Ok(Some(PasswordNotice::throttled(seconds))),
        other => other?,
    };
    let failure = throttle::failure(x, &guess, Some(account.id), "password");
    let current = form.one("current").unwrap_or_default();
    if current.len() > MOST_BYTES {
        return Err(Problem::bad("password_too_long", "a password has at most 1024 bytes"));
    }
    let (current, hash) = (Secret::new(current.to_owned()), account.password_hash.clone());
    let app = Arc::clone(&x.app);
    // In a task of its own: a caller who hangs up does not escape the count.
    let checked: Result<bool, Problem> = tokio::spawn(async move {
        let right = app.passwords.verify(current, hash).await?;
        if !right {
            app.store.write(failure).await?;
        }
        drop(guess);
        Ok(right)
    })
    .await
    .map_err(Problem::internal)?;
    Ok((!checked?).then_some(PasswordNotice::WrongCurrent))
}

async fn show(mut x: Exchange, visitor: &Visitor, passkeys: &[Passkey], notice: Option<PasswordNotice>) -> Outcome {
    let account = &visitor.account;
    let without = Held { password: false, ..held(&x, visitor, passkeys).await? };
    let status = notice.as_ref().map_or(200, PasswordNotice::status);
    let page = PasswordForm {
        csrf: x.csrf(),
        username: account.username.clone(),
        is_set: account.password_hash.is_some(),
        settable: visitor.policy.mode != Mode::PasskeyOnly,
        asks_current: asks_current(&x, visitor),
        least: least(&x.realm.settings, &visitor.policy),
        removal: removal(&x, visitor, &without),
        notice,
    };
    x.page_with(status, &Page::PasswordForm(page), Some(account.username.clone()))
}
