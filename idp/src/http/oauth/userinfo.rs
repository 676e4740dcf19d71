//! `/userinfo`: claims about whoever signed in. OIDC Core §5.3, RFC 6750 §2.

use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use idp_core::oidc::claims::Wanted;
use idp_core::oidc::mapping::Place;
use poem::http::header;
use serde_json::Value;

use super::{access, person};
use crate::event;
use crate::http::cors;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;

/// `GET /userinfo`: the token in the header.
pub async fn get(x: Exchange) -> Outcome {
    let token = bearer(&x)?;
    answer(x, token).await
}

/// `POST /userinfo`: the token in the header, or in a form (RFC 6750 §2.2); not in both.
pub async fn post(mut x: Exchange) -> Outcome {
    let in_header = bearer(&x)?;
    let has_body = x.header(header::CONTENT_TYPE).is_some();
    let form = if has_body { x.form().await? } else { RawParams::default() };
    let twice = |text| {
        let error = OAuthError::new(ErrorCode::InvalidRequest, "bearer.one_method", text);
        Err(Problem::Bearer(Some(error)))
    };
    if form.doubled().is_some() {
        return twice("a parameter came twice");
    }
    let in_body = form.one("access_token").map(str::to_owned);
    match (in_header, in_body) {
        (Some(_), Some(_)) => twice("the access token came in the header and in the body"),
        (header, body) => answer(x, header.or(body)).await,
    }
}

fn bearer(x: &Exchange) -> Result<Option<String>, Problem> {
    let Some(value) = x.header(header::AUTHORIZATION) else { return Ok(None) };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        _ => Err(Problem::Bearer(None)),
    }
}

async fn answer(x: Exchange, token: Option<String>) -> Outcome {
    let token = token.ok_or(Problem::Bearer(None))?;
    let wrong = |rule, text| Problem::Bearer(Some(OAuthError::new(ErrorCode::InvalidToken, rule, text)));
    let refuse = || wrong("bearer.live", "the access token is wrong, expired or revoked");
    let access = access::find(&x, &token).await?.ok_or_else(refuse)?;
    if !access.is_for_us(&x.realm.issuer) {
        return Err(wrong("bearer.audience", "the access token is for a resource server, not for this provider"));
    }
    if !access.scope().contains("openid") {
        let text = "the access token does not carry the scope openid";
        return Err(Problem::Bearer(Some(OAuthError::new(ErrorCode::InsufficientScope, "bearer.scope", text))));
    }
    let account_id = access.status.grant.account_id.ok_or_else(refuse)?;
    let account = x.app.store.find_account(x.realm.id, &account_id).await?.ok_or_else(refuse)?;
    event::note(|e| {
        e.client_id = Some(access.client.id.to_string());
        e.account = Some(account.id.to_string());
    });
    let asked = &access.status.grant.detail.claims;
    let (realm, client) = (&x.realm.settings, &access.client);
    let wanted = Wanted::new(realm, &client.settings, &access.scope(), asked, Place::Userinfo);
    let mut claims = person::claims(&x, client, &account, &wanted).await?;
    claims.insert("sub".to_owned(), account.id.to_string().into());
    let claims = Value::Object(claims);
    let headers = x.headers.clone();
    let mut response = x.reply(200, &claims)?;
    cors::client(&mut response, &headers, &access.client);
    Ok(response)
}
