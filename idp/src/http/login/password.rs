//! `POST /login/password`: user name and password. Costs the same and says the same for names that do not exist.

use idp_core::account::Account;
use idp_core::credential::password::MOST_BYTES;
use idp_core::secret::Secret;
use idp_core::session::Method;

use super::finish::{Proved, Stand, finish, next_url};
use super::page::{Shown, show};
use super::throttle;
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{LoginNotice, LoginStep};

/// `POST /login/password`.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = match form.one("request") {
        Some(sealed) => Some(authorize::reopen(&x, Some(sealed)).await?),
        None => None,
    };
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
    let hash = account.as_ref().and_then(|a| a.password_hash.clone());
    let right = x.app.passwords.verify(password, hash).await?;
    let Some(account) = account.filter(|_| right) else {
        throttle::failed(&x, &guess, id).await?;
        return show(x, back(LoginNotice::WrongPassword)).await;
    };
    let proved = Proved {
        account,
        method: Method::Password,
        passkey: None,
        challenge: None,
        clear: guess.of_name(),
        doubtful: false,
    };
    let stand = finish(&mut x, proved, request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        return show(x, back(LoginNotice::PasskeyNeeded)).await;
    }
    let next = next_url(&x, stand, request.as_ref())?;
    x.go(&next)
}

/// The account of a typed name or address. As many look-ups for one that does not exist.
pub async fn named(x: &Exchange, typed: &str) -> Result<Option<Account>, Problem> {
    let by_name = x.app.store.find_account_by_username(x.realm.id, typed).await?;
    if !typed.contains('@') {
        return Ok(by_name);
    }
    let by_email = x.app.store.find_account_by_email(x.realm.id, typed).await?;
    Ok(by_name.or(by_email))
}
