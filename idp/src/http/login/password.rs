//! `POST /login/password`: user name and password. Costs the same and says the same for names that do not exist.

use std::sync::Arc;

use idp_core::account::{Account, meant};
use idp_core::credential::password::MOST_BYTES;
use idp_core::secret::Secret;
use idp_core::session::Method;
use poem::http::HeaderName;
use serde::Deserialize;
use serde_json::json;

use super::finish::finish;
use super::page::{Shown, show};
use super::proved::Proved;
use super::stand::{Stand, next_url};
use super::throttle::{self, Guess};
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{GoOn, LoginNotice, LoginStep, Page};

/// `POST /login/password`: by the form, or as JSON for callers that keep no pages.
pub async fn post(mut x: Exchange) -> Outcome {
    if x.sends_json() {
        return by_json(x).await;
    }
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let username: String = form.one("username").unwrap_or_default().trim().chars().take(254).collect();
    let password = Secret::new(form.one("password").unwrap_or_default().to_owned());
    if password.expose().len() > MOST_BYTES {
        return Err(Problem::bad("password_too_long", "a password has at most 1024 bytes"));
    }
    let account = named(&x, &username).await?;
    let back = |notice| Shown {
        request: request.clone(),
        username: username.clone(),
        step: LoginStep::Prove,
        again: false,
        by_password: true,
        notice: Some(notice),
    };

    let id = account.as_ref().map(|a| a.id);
    let guess = match throttle::begin(&x, &username, id).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => {
            let minutes = u32::try_from((seconds + 59) / 60).unwrap_or(1);
            let mut response = show(x, back(LoginNotice::Throttled { minutes })).await?;
            answer::header(&mut response, "retry-after", &seconds.to_string());
            return Ok(response);
        }
        other => other?,
    };
    let guess = check(&x, guess, account.as_ref(), password).await?;
    let (Some(account), Some(guess)) = (account, guess) else {
        return show(x, back(LoginNotice::WrongPassword)).await;
    };
    let stand = finish(&mut x, proved(account, &guess), request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        return show(x, back(LoginNotice::PasskeyNeeded)).await;
    }
    let next = next_url(&x, stand, request.as_ref())?;
    if stand == Stand::Upgrade {
        return x.page(&Page::GoOn(GoOn { href: next, application: None, upgrades: true }));
    }
    x.go(&next)
}

#[derive(Deserialize)]
struct Body {
    username: String,
    password: String,
    request: Option<String>,
}

/// `{"username", "password", "request"?}` with the token of the browser: `{"status", "next"}` as of a passkey.
async fn by_json(mut x: Exchange) -> Outcome {
    x.check_origin()?;
    let token = x.header(HeaderName::from_static("x-csrf-token")).map(str::to_owned);
    x.check_csrf(token.as_deref())?;
    let body: Body = x.json().await?;
    let request = authorize::reopen_some(&x, body.request.as_deref()).await?;
    let password = Secret::new(body.password);
    if password.expose().len() > MOST_BYTES {
        return Err(Problem::bad("password_too_long", "a password has at most 1024 bytes"));
    }
    let username: String = body.username.trim().chars().take(254).collect();
    let account = named(&x, &username).await?;
    let guess = throttle::begin(&x, &username, account.as_ref().map(|a| a.id)).await?;
    let guess = check(&x, guess, account.as_ref(), password).await?;
    let (Some(account), Some(guess)) = (account, guess) else {
        let text = "user name and password do not belong together";
        return Err(Problem::api(401, "password_wrong", text));
    };
    let stand = finish(&mut x, proved(account, &guess), request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        return Err(Problem::api(403, "policy_refused", "this account signs in with a passkey only"));
    }
    let next = next_url(&x, stand, request.as_ref())?;
    x.reply(200, &json!({ "status": stand.text(), "next": next }))
}

fn proved(account: Account, guess: &Guess) -> Proved {
    Proved {
        account,
        method: Method::Password,
        passkey: None,
        challenge: None,
        totp: None,
        clear: guess.of_name(),
        doubtful: false,
    }
}

/// Checks a password in a task of its own: a caller who hangs up neither escapes the count nor frees the place of his
/// guess early. `None`: it was wrong.
async fn check(
    x: &Exchange,
    guess: Guess,
    account: Option<&Account>,
    password: Secret<String>,
) -> Result<Option<Guess>, Problem> {
    let failure = throttle::failure(x, &guess, account.map(|a| a.id), "password");
    let hash = account.and_then(|a| a.password_hash.clone());
    let app = Arc::clone(&x.app);
    let checked: Result<Option<Guess>, Problem> = tokio::spawn(async move {
        if app.passwords.verify(password, hash).await? {
            return Ok(Some(guess));
        }
        app.store.write(failure).await?;
        Ok(None)
    })
    .await
    .map_err(Problem::internal)?;
    checked
}

/// The account of a typed name or address. As many look-ups for one that does not exist.
pub async fn named(x: &Exchange, typed: &str) -> Result<Option<Account>, Problem> {
    let by_name = x.app.store.find_account_by_username(x.realm.id, typed).await?;
    if !typed.contains('@') {
        return Ok(by_name);
    }
    let by_email = x.app.store.find_account_by_email(x.realm.id, typed).await?;
    Ok(meant(by_name, by_email))
}
