//! `/login/totp`: the code of an authenticator app, after a password, after a passkey, or for a session. RFC 6238.

use std::sync::Arc;

use idp_core::account::Account;
use idp_core::interact::{Factor, Step};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::session::Method;
use idp_store::totp::TotpUse;

use super::finish::finish;
use super::partial::Partial;
use super::proved::Proved;
use super::stand::{Stand, next_url};
use super::throttle::{self, Guess};
use crate::http::account::totp::{open, seal};
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{CodeNotice, Page, Person, TotpLogin};

/// Whose code is asked for, and after what.
struct Asked {
    account: Account,
    /// After a passkey: the password would do as well.
    after_passkey: bool,
    voluntary: bool,
}

/// `GET /login/totp`.
pub async fn get(x: Exchange) -> Outcome {
    let request = authorize::reopen_some(&x, x.query().one("request")).await?;
    match asked(&x, request.as_ref()).await? {
        Some(asked) => show(x, request, asked, None).await,
        None => match request {
            // The session or the request changed meanwhile: the dispatcher knows where to.
            Some(request) => authorize::proceed(x, request).await,
            None => x.go("/login"),
        },
    }
}

/// `POST /login/totp`.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let Some(asked) = asked(&x, request.as_ref()).await? else { return x.go("/login") };
    let id = asked.account.id;
    let guess = match throttle::begin_totp(&x, id).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => {
            let notice = CodeNotice::throttled(seconds);
            let mut response = show(x, request, asked, Some(notice)).await?;
            answer::header(&mut response, "retry-after", &seconds.to_string());
            return Ok(response);
        }
        other => other?,
    };
    let (guess, totp) = match check(&x, guess, &asked.account, form.one("code").unwrap_or_default()).await? {
        Some(right) => right,
        None => return show(x, request, asked, Some(CodeNotice::Wrong)).await,
    };
    let proved = Proved {
        account: asked.account,
        method: Method::Totp,
        passkey: None,
        challenge: None,
        totp: Some(totp),
        clear: guess.of_name(),
        doubtful: false,
    };
    let stand = finish(&mut x, proved, request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        let text = "these factors do not let in here: sign in with a passkey";
        return Err(Problem::api(403, "policy_refused", text));
    }
    let next = next_url(&x, stand, request.as_ref())?;
    x.go(&next)
}

/// Whom the code is asked of: whoever gave another factor just now, else the session where its request wants one more.
async fn asked(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<Option<Asked>, Problem> {
    if let Some(partial) = Partial::read(x, request.map(|r| r.id)) {
        let found = x.app.store.find_account(x.realm.id, &partial.account).await?;
        let Some(account) = found.filter(|account| account.totp.is_some()) else { return Ok(None) };
        let events = partial.events_of(&account);
        let after_passkey = events.iter().any(|e| matches!(e.method, Method::Passkey(_)));
        // A password that was changed meanwhile is worth nothing, and a code alone is none.
        return Ok((!events.is_empty()).then_some(Asked { account, after_passkey, voluntary: false }));
    }
    let (Some(request), Some(visitor)) = (request, x.visitor().await?) else { return Ok(None) };
    let client = authorize::client_of(x, request).await?;
    Ok(match authorize::decide(x, request, &client, Some(&visitor)).await? {
        Step::StepUp { factor: Factor::Totp, voluntary } => {
            Some(Asked { account: visitor.account, after_passkey: false, voluntary })
        }
        _ => None,
    })
}

/// Checks a code in a task of its own: a caller who hangs up does not escape the count. `None`: it was wrong, or its
/// step was used.
async fn check(x: &Exchange, guess: Guess, account: &Account, code: &str) -> Result<Option<(Guess, TotpUse)>, Problem> {
    let failure = throttle::failure(x, &guess, Some(account.id), "totp");
    let found = x.app.store.find_totp(x.realm.id, &account.id).await?;
    let step = match &found {
        Some(totp) => open(x, &totp.sealed)?.step_of(code, x.now).filter(|step| *step > totp.last_step),
        None => None,
    };
    if let (Some(step), Some(totp)) = (step, found) {
        let sealed = seal(x, &open(x, &totp.sealed)?)?;
        return Ok(Some((guess, TotpUse { step, sealed })));
    }
    let app = Arc::clone(&x.app);
    tokio::spawn(async move { app.store.write(failure).await.map(|_| drop(guess)) })
        .await
        .map_err(Problem::internal)??;
    Ok(None)
}

async fn show(
    mut x: Exchange,
    request: Option<AuthorizationRequest>,
    asked: Asked,
    notice: Option<CodeNotice>,
) -> Outcome {
    let (application, sealed) = match &request {
        None => (None, None),
        Some(request) => {
            let client = authorize::client_of(&x, request).await?;
            (Some(authorize::application_of(&client, request)), Some(authorize::seal(&x, request)?))
        }
    };
    let login = sealed.as_ref().map_or("/login?switch=1".to_owned(), |s| format!("/login?switch=1&request={s}"));
    let account = &asked.account;
    let by_password = asked.after_passkey && account.password_hash.is_some();
    let page = TotpLogin {
        csrf: x.csrf(),
        request: sealed,
        application,
        person: Person::new(&account.username, account.profile.name.as_deref()),
        voluntary: asked.voluntary,
        after_passkey: asked.after_passkey,
        password_href: by_password.then(|| format!("{login}&password=1")),
        switch_href: login,
        notice,
    };
    let status = notice.map_or(200, CodeNotice::status);
    x.page_with(status, &Page::TotpLogin(page), None)
}
