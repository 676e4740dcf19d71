//! `/consent`: what an application asks for, in words. OIDC Core §3.1.2.4.

use idp_core::account::{Account, Address};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::interact::Step;
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::scope::{self, Scopes};
use idp_store::consents::SaveConsent;
use serde_json::json;

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{self, ConsentItem, Page, Person};

/// `GET /consent`.
pub async fn get(mut x: Exchange) -> Outcome {
    let request = authorize::reopen(&x, x.query().one("request")).await?;
    let client = authorize::client_of(&x, &request).await?;
    let visitor = x.visitor().await?;
    let step = authorize::decide(&x, &request, &client, visitor.as_ref()).await?;
    let (Step::Consent, Some(visitor)) = (step, visitor) else { return authorize::proceed(x, request).await };
    let sealed = authorize::seal(&x, &request)?;
    let account = &visitor.account;
    let page = views::Consent {
        csrf: x.csrf(),
        application: authorize::application(&client),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        items: items(&request.scope, account),
        switch_href: format!("/login/choose?request={sealed}"),
        request: sealed,
    };
    x.page(&Page::Consent(page))
}

/// `POST /consent`.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen(&x, form.one("request")).await?;
    let client = authorize::client_of(&x, &request).await?;
    match form.one("decision") {
        Some("allow") => {}
        Some("deny") => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "consent.denied", "the user said no");
            return Err(Problem::Denied(Box::new(request.to), error));
        }
        _ => return Err(Problem::bad("decision_missing", "decision is allow or deny")),
    }
    let visitor = x.visitor().await?;
    // Agreeing counts for what was asked after sign-in and step-up alone; anything else goes where it belongs.
    let step = authorize::decide(&x, &request, &client, visitor.as_ref()).await?;
    let (Step::Consent, Some(visitor)) = (step, visitor) else { return authorize::proceed(x, request).await };
    let account = visitor.account.id;
    let detail = json!({ "scope": request.scope.as_str() });
    let mut audit = x.audit(AuditEvent::ConsentGiven, Actor::Account(account), detail);
    audit.client_id = Some(client.id.clone());
    let consent = idp_store::consents::Consent {
        account_id: account,
        client_id: client.id.clone(),
        scope: request.scope.as_str().to_owned(),
        flow: request.id,
        updated: x.now,
    };
    x.app.store.write(SaveConsent { realm: x.realm.id, consent, audit }).await?;
    authorize::proceed(x, request).await
}

/// What each scope gives away, with the person's own values.
fn items(scopes: &Scopes, account: &Account) -> Vec<ConsentItem> {
    scopes
        .iter()
        .map(|scope| match scope {
            "openid" => ConsentItem::Identity { value: Some(account.username.clone()) },
            "profile" => ConsentItem::Profile { value: account.profile.name.clone() },
            "email" => ConsentItem::Email { value: account.profile.email.clone() },
            "address" => ConsentItem::Address { value: account.profile.address.as_ref().map(Address::lines) },
            "phone" => ConsentItem::Phone { value: account.profile.phone_number.clone() },
            scope::OFFLINE => ConsentItem::Offline,
            other => ConsentItem::Other { scope: other.to_owned() },
        })
        .collect()
}
