//! `/consent`: what an application asks for, in words. OIDC Core §3.1.2.4.

use idp_core::account::{Account, Address};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::client::Client;
use idp_core::interact::Step;
use idp_core::interact::consent::asked_scopes;
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::scope::{self, Scopes};
use idp_core::oidc::standard::Facts;
use idp_store::consents::SaveConsent;
use serde_json::json;

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::{authorize, person};
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
    let asked = asked_scopes(&x.realm, &client, &request);
    let page = views::Consent {
        csrf: x.csrf(),
        application: authorize::application(&client),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        items: items(&x, &asked, &client, account).await?,
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
    let asked = asked_scopes(&x.realm, &client, &request);
    let detail = json!({ "scope": asked.as_str() });
    let mut audit = x.audit(AuditEvent::ConsentGiven, Actor::Account(account), detail);
    audit.client_id = Some(client.id.clone());
    let consent = idp_store::consents::Consent {
        account_id: account,
        client_id: client.id.clone(),
        scope: asked.as_str().to_owned(),
        flow: request.id,
        updated: x.now,
    };
    x.app.store.write(SaveConsent { realm: x.realm.id, consent, audit }).await?;
    authorize::proceed(x, request).await
}

/// What each scope gives away, with the person's own values.
pub async fn items(
    x: &Exchange,
    scopes: &Scopes,
    client: &Client,
    account: &Account,
) -> Result<Vec<ConsentItem>, Problem> {
    let groups = groups(x, scopes, account).await?;
    Ok(items_in(x, scopes, client, (account, &groups)))
}

/// The account's groups, where these scopes tell of them.
///
/// # Errors
/// Only when the store fails.
pub async fn groups(x: &Exchange, scopes: &Scopes, account: &Account) -> Result<Vec<String>, Problem> {
    let told = scopes.contains(scope::GROUPS) || scopes.contains(scope::ROLES);
    if told { person::groups(x, account).await } else { Ok(Vec::new()) }
}

/// The same for an account whose groups are known.
pub fn items_in(
    x: &Exchange,
    scopes: &Scopes,
    client: &Client,
    (account, groups): (&Account, &[String]),
) -> Vec<ConsentItem> {
    let realm = &x.realm.settings;
    let facts = Facts { client: &client.settings, account, groups };
    let list = |values: &[String]| (!values.is_empty()).then(|| values.join(", "));
    let profile = &account.profile;
    let item = |scope: &str| match scope {
        "openid" => ConsentItem::Identity { value: Some(account.username.clone()) },
        "profile" => ConsentItem::Profile { value: profile.name.clone() },
        "email" => ConsentItem::Email { value: profile.email.clone() },
        "address" => ConsentItem::Address { value: profile.address.as_ref().map(Address::lines) },
        "phone" => ConsentItem::Phone { value: profile.phone_number.clone() },
        scope::GROUPS => ConsentItem::Groups { value: list(groups) },
        scope::ROLES => ConsentItem::Roles { value: list(&facts.roles()) },
        scope::OFFLINE => ConsentItem::Offline,
        other => ConsentItem::Other {
            scope: other.to_owned(),
            description: realm.scopes.iter().find(|s| s.name == other).map(|s| s.description.clone()),
        },
    };
    scopes.iter().map(item).collect()
}
