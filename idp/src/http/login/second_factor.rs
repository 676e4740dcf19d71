//! `GET /login/second-factor`: one passkey more, after a password or for a session.

use idp_core::interact::{Factor, Step};
use idp_core::passkey::policy::{Combination, Holds, Verdict, usable_in};
use idp_core::session::Method;

use super::away::{Known, elsewhere};
use super::finish;
use super::partial::Partial;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::views::{Demands, Page, Person, SecondFactor, SecondFactorReason};

/// `GET /login/second-factor`.
pub async fn get(mut x: Exchange) -> Outcome {
    let query = x.query();
    let request = authorize::reopen_some(&x, query.one("request")).await?;
    let sealed = request.as_ref().map(|r| authorize::seal(&x, r)).transpose()?;
    let totp = sealed.as_ref().map_or("/login/totp".to_owned(), |s| format!("/login/totp?request={s}"));
    let login = sealed.as_ref().map_or("/login?switch=1".to_owned(), |s| format!("/login?switch=1&request={s}"));

    let (account, reason, voluntary) = if let Some(partial) = Partial::read(&x, request.as_ref().map(|r| r.id)) {
        let account = x.app.store.find_account(x.realm.id, &partial.account).await?;
        if let Some(account) = &account {
            let events = partial.events_of(account);
            let by_passkey = events.iter().any(|e| matches!(e.method, Method::Passkey(_)));
            if account.totp.is_some()
                && (by_passkey || finish::verdict(&x, account, &events).await? == Verdict::AskTotp)
            {
                return x.go(&totp);
            }
            if by_passkey {
                return x.go(&format!("{login}&password=1"));
            }
        }
        (account, SecondFactorReason::AfterPassword, false)
    } else {
        let visitor = x.visitor().await?;
        let (Some(request), Some(visitor)) = (&request, visitor) else { return x.go(&login) };
        let client = authorize::client_of(&x, request).await?;
        match authorize::decide(&x, request, &client, Some(&visitor)).await? {
            Step::StepUp { factor: Factor::Passkey, voluntary } => {
                (Some(visitor.account), SecondFactorReason::StepUp, voluntary)
            }
            // The session or the request changed meanwhile: the dispatcher knows where to.
            _ => return authorize::proceed(x, request.clone()).await,
        }
    };
    let Some(account) = account else { return x.go(&login) };
    let (application, demands) = match &request {
        Some(request) => {
            let client = authorize::client_of(&x, request).await?;
            (Some(authorize::application_of(&client, request)), Demands::from(&client.settings.policy))
        }
        None => (None, Demands::default()),
    };
    // Whoever has lost the passkey may have the app: where it does as well, it is offered.
    let holds = Holds { totp: account.totp.is_some(), ..Holds::default() };
    let policy = policy::of(&x, &account.id).await?;
    let app_does = account.totp.is_some() && reason == SecondFactorReason::AfterPassword;
    let totp_href = (app_does && policy.accepts(Combination::PasswordAndTotp, holds)).then_some(totp);
    let rp_ids = if x.realm.relying_parties.len() > 1 {
        let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
        usable_in(&passkeys, &x.realm.relying_parties, &policy).map(|p| p.rp_id.clone()).collect()
    } else {
        Vec::new()
    };
    let known =
        Known { account: Some(account.id), second: reason == SecondFactorReason::AfterPassword, rp_ids: Some(&rp_ids) };
    let elsewhere = elsewhere(&mut x, request.as_ref().zip(sealed.as_deref()), known)?;
    let page = SecondFactor {
        csrf: x.csrf(),
        request: sealed,
        application,
        demands,
        person: Person::new(&account.username, account.profile.name.as_deref()),
        reason,
        voluntary,
        rp_host: x.rp.rp_id.clone(),
        elsewhere,
        totp_href,
        switch_href: login,
    };
    x.page(&Page::SecondFactor(page))
}
