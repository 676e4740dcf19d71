//! `/login`: passkey first, or the user name first.

use idp_core::credential::recovery::Recovery;
use idp_core::interact::Step;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::policy::{Mode, Policy};
use idp_core::sign_up;

use super::away::{Known, elsewhere};
use super::partial::Partial;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::views::{self, LoginNotice, LoginStep, Page};

/// `GET /login`.
pub async fn get(x: Exchange) -> Outcome {
    let query = x.query();
    let request = authorize::reopen_some(&x, query.one("request")).await?;
    let visitor = x.visitor().await?;
    let switch = query.one("switch").is_some();
    let by_password = query.one("password").is_some();
    let mut username = request.as_ref().and_then(|r| r.login_hint.clone()).unwrap_or_default();
    let mut again = false;
    if by_password && let Some(partial) = Partial::read(&x, request.as_ref().map(|r| r.id)) {
        let account = x.app.store.find_account(x.realm.id, &partial.account).await?;
        username = account.map(|a| a.username).unwrap_or_default();
    } else if let Some(visitor) = visitor.filter(|_| !switch) {
        again = match &request {
            // What is to be done next takes a young sign-in.
            _ if query.one("again").is_some() => true,
            // Signed in already, and nothing asks for more: there is nothing to do here.
            None => return x.go("/account/security"),
            Some(request) => {
                let client = authorize::client_of(&x, request).await?;
                let step = authorize::decide(&x, request, &client, Some(&visitor)).await?;
                // Back or reload after the sign-in: nothing more is asked here.
                if !matches!(step, Step::Login { .. } | Step::StepUp { .. }) {
                    return authorize::proceed(x, request.clone()).await;
                }
                true
            }
        };
        if again {
            username = visitor.account.username;
        }
    }
    let step = if by_password && !username.is_empty() { LoginStep::Prove } else { LoginStep::Identify };
    let notice = query.one("signed-up").map(|_| LoginNotice::SignedUp);
    show(x, Shown { request, username, step, again, by_password, notice }).await
}

/// `POST /login`: the user name was typed; never says whether it exists.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let username: String = form.one("username").unwrap_or_default().trim().chars().take(254).collect();
    let step = if username.is_empty() { LoginStep::Identify } else { LoginStep::Prove };
    show(x, Shown { request, username, step, again: false, by_password: false, notice: None }).await
}

/// What the page shows.
pub struct Shown {
    pub request: Option<AuthorizationRequest>,
    pub username: String,
    pub step: LoginStep,
    pub again: bool,
    /// The password is asked as one more factor.
    pub by_password: bool,
    pub notice: Option<LoginNotice>,
}

/// Answers with the sign-in page; 401 or 429 when it comes back with a reason.
///
/// # Errors
/// When the request cannot be sealed again, or the theme is faulty.
pub async fn show(mut x: Exchange, shown: Shown) -> Outcome {
    let (application, sealed) = match &shown.request {
        None => (None, None),
        Some(request) => {
            let client = authorize::client_of(&x, request).await?;
            (Some(authorize::application_of(&client, request)), Some(authorize::seal(&x, request)?))
        }
    };
    let restart_href = match &sealed {
        Some(sealed) => format!("/login?switch=1&request={sealed}"),
        None => "/login?switch=1".to_owned(),
    };
    let sign_up_href = sign_up::possible(&x.realm).ok().filter(|()| !shown.again).map(|()| match &sealed {
        Some(sealed) => format!("/signup?request={sealed}"),
        None => "/signup".to_owned(),
    });
    let status = match shown.notice {
        None | Some(LoginNotice::SignedUp) => 200,
        Some(LoginNotice::Throttled { .. }) => 429,
        Some(_) => 401,
    };
    // Nobody is known yet, and a name typed must not change what is shown: whatever lets in somebody is offered.
    let by_passkey = |of: &Policy| of.enabled && of.allow_login && of.mode != Mode::PasswordThenPasskey;
    let by_password = |of: &Policy| match of.mode {
        Mode::PasskeyOnly => false,
        // There the password is the second factor, after a passkey.
        Mode::PasskeyThenSecondFactor => shown.by_password,
        Mode::PasskeyFirst | Mode::PasswordThenPasskey | Mode::Optional => true,
    };
    let (passkey_allowed, password_allowed) = (policy::all(&x).any(by_passkey), policy::all(&x).any(by_password));
    let away = shown.request.as_ref().zip(sealed.as_deref());
    let elsewhere = if passkey_allowed { elsewhere(&mut x, away, Known::default())? } else { Vec::new() };
    let page = views::Login {
        csrf: x.csrf(),
        request: sealed,
        application,
        step: shown.step,
        username: shown.username,
        passkey_allowed,
        password_allowed,
        again: shown.again,
        recovers: x.recovery() != Recovery::Off,
        rp_host: x.rp.rp_id.clone(),
        elsewhere,
        notice: shown.notice,
        restart_href,
        sign_up_href,
    };
    x.page_with(status, &Page::Login(page), None)
}
