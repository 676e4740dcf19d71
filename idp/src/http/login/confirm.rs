//! `/login/enrol/code` and `/login/enrol/confirm`: a mailed code allows a first passkey to whoever gave a password.
//! NIST SP 800-63B-4 §3.1.3.1.
//!
//! Nobody gets a mail who was not signed in to, or whose password was not given, a moment before.

use idp_core::credential::recovery_code::mailed_as_typed;
use idp_core::mail::{MOST_WINDOW_S, Mail, MailTemplate};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::oauth::params::RawParams;
use idp_core::passkey::enrolment::FirstPasskey;
use idp_store::email_verification::MailCode;
use idp_store::mails::QueueMail;
use idp_store::used_once::UseOnce;
use serde_json::json;

use super::confirmation::{Confirmation, LIFETIME_S};
use super::enrol::{self, Asked, Enrolling};
use super::partial::Partial;
use super::throttle;
use crate::http::account::{fresh, security};
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::letter::letter;
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::CodeNotice;

/// Who wants to make a first passkey, and on which page.
enum Maker {
    /// In the midst of a sign-in.
    Signing(Box<Asked>),
    /// In the account.
    Owner(Box<(Visitor, Enrolling)>),
}

impl Maker {
    /// By the form that was sent, which says where it stood.
    async fn find(x: &Exchange, form: &RawParams, request: Option<&AuthorizationRequest>) -> Result<Self, Problem> {
        if form.one("account").is_none()
            && let Some(asked) = Asked::find(x, request).await?
        {
            return Ok(Self::Signing(Box::new(asked)));
        }
        let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
        let enrolling = Enrolling::by_session(x, &visitor).await?;
        Ok(Self::Owner(Box::new((visitor, enrolling))))
    }

    fn enrolling(&self) -> &Enrolling {
        match self {
            Self::Signing(asked) => &asked.enrolling,
            Self::Owner(owner) => &owner.1,
        }
    }

    /// The page again, with what is to be said of the code.
    async fn show(self, x: Exchange, request: Option<AuthorizationRequest>, notice: Option<CodeNotice>) -> Outcome {
        match self {
            Self::Signing(asked) => enrol::show(x, request, *asked, notice).await,
            Self::Owner(owner) => security::show_code(x, owner.0, &owner.1.passkeys, notice).await,
        }
    }

    async fn throttled(self, x: Exchange, request: Option<AuthorizationRequest>, seconds: i64) -> Outcome {
        let mut response = self.show(x, request, Some(CodeNotice::throttled(seconds))).await?;
        answer::header(&mut response, "retry-after", &seconds.to_string());
        Ok(response)
    }

    /// Where the page is.
    fn page(&self, x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<String, Problem> {
        Ok(match (self, request) {
            (Self::Owner(_), _) => "/account/security".to_owned(),
            (Self::Signing(_), None) => "/login/enrol".to_owned(),
            (Self::Signing(_), Some(request)) => format!("/login/enrol?request={}", authorize::seal(x, request)?),
        })
    }
}

/// `POST /login/enrol/code`: mails a code to the verified address of the account.
pub async fn send(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let maker = Maker::find(&x, &form, request.as_ref()).await?;
    let page = maker.page(&x, request.as_ref())?;
    let enrolling = maker.enrolling();
    let account = enrolling.account.clone();
    let email = match (enrolling.way(&x), &account.profile.email) {
        (FirstPasskey::ByCode, Some(email)) => email.clone(),
        (FirstPasskey::Proved, _) => return x.go(&page),
        _ => return Err(fresh::needs_link()),
    };
    if !enrolling.fresh {
        let sealed = request.as_ref().map(|r| authorize::seal(&x, r)).transpose()?;
        return x.go(&sealed.map_or("/login?again=1".to_owned(), |sealed| format!("/login?again=1&request={sealed}")));
    }
    let guess = match throttle::begin_mail_code(&x, account.id).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return maker.throttled(x, request, seconds).await,
        other => other?,
    };
    let confirmation = Confirmation::begin(&mut x, &account, email.clone());
    let (to, code) = ((account.id, MailTemplate::EnrolCode), &confirmation.mailed.code);
    let mail = Mail { address: email, ..letter(&x, to, LIFETIME_S, json!({}), Some(code))? };
    let mail = QueueMail { realm: x.realm.id, mail, audit: None };
    if !x.app.store.write(MailCode { account: account.id, mail, throttle: throttle::counted(&x, &guess) }).await? {
        return maker.throttled(x, request, MOST_WINDOW_S).await;
    }
    confirmation.keep(&mut x)?;
    // Mails take their time.
    Partial::prolong(&mut x, request.as_ref().map(|r| r.id), LIFETIME_S)?;
    x.go(&page)
}

/// `POST /login/enrol/confirm`: the code from the mail. Right, a passkey may be made in this browser for a while.
pub async fn check(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let maker = Maker::find(&x, &form, request.as_ref()).await?;
    let page = maker.page(&x, request.as_ref())?;
    match maker.enrolling().way(&x) {
        FirstPasskey::ByCode => {}
        FirstPasskey::Proved => return x.go(&page),
        FirstPasskey::ByLink => return Err(fresh::needs_link()),
    }
    let account = maker.enrolling().account.id;
    let Some(waiting) = Confirmation::waiting(&x, &maker.enrolling().account) else {
        return maker.show(x, request, Some(CodeNotice::Wrong)).await;
    };
    let guess = match throttle::begin_code_guess(&x, account).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return maker.throttled(x, request, seconds).await,
        other => other?,
    };
    if !waiting.mailed.is_code(&mailed_as_typed(form.one("code").unwrap_or_default())) {
        x.app.store.write(throttle::failure(&x, &guess, Some(account), "mailed_code")).await?;
        return maker.show(x, request, Some(CodeNotice::Wrong)).await;
    }
    let once = UseOnce { realm: x.realm.id, values: vec![waiting.once(&x)] };
    if x.app.store.write(once).await?.is_some() {
        return maker.show(x, request, Some(CodeNotice::Wrong)).await;
    }
    waiting.confirm(x.now).keep(&mut x)?;
    Partial::prolong(&mut x, request.as_ref().map(|r| r.id), LIFETIME_S)?;
    x.go(&page)
}
