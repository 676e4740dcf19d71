//! `/userinfo`: claims about whoever signed in. OIDC Core §5.3, RFC 6750 §2, RFC 9449 §7.

use idp_core::client::Client;
use idp_core::jose::keyset::TokenType;
use idp_core::oauth::dpop;
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use idp_core::oidc::claims::Wanted;
use idp_core::oidc::mapping::Place;
use idp_core::oidc::subject;
use idp_store::used_once::Once;
use poem::http::header;
use serde_json::{Map, Value};

use super::access::{self, Access};
use super::client::use_up;
use super::{person, proof};
use crate::event;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;
use crate::http::{answer, cors};

/// `GET /userinfo`: the token in the header.
pub async fn get(x: Exchange) -> Outcome {
    let presented = in_header(&x)?;
    tell(x, presented).await
}

/// `POST /userinfo`: the token in the header, or in a form (RFC 6750 §2.2); not in both.
pub async fn post(mut x: Exchange) -> Outcome {
    let header = in_header(&x)?;
    let has_body = x.header(header::CONTENT_TYPE).is_some();
    let form = if has_body { x.form().await? } else { RawParams::default() };
    let twice = |text| {
        let error = OAuthError::new(ErrorCode::InvalidRequest, "bearer.one_method", text);
        Err(Problem::Bearer(Some(error)))
    };
    if form.doubled().is_some() {
        return twice("a parameter came twice");
    }
    let body = form.one("access_token").map(|token| Presented { by_dpop: false, token: token.to_owned() });
    if header.is_some() && body.is_some() {
        return twice("the access token came in the header and in the body");
    }
    tell(x, header.or(body)).await
}

/// An access token and the scheme it came by.
struct Presented {
    by_dpop: bool,
    token: String,
}

fn in_header(x: &Exchange) -> Result<Option<Presented>, Problem> {
    let Some(value) = x.header(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').ok_or(Problem::Bearer(None))?;
    let by_dpop = scheme.eq_ignore_ascii_case("dpop");
    if !by_dpop && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::Bearer(None));
    }
    Ok(Some(Presented { by_dpop, token: token.trim().to_owned() }))
}

/// Checks that whoever presents a token holds the key it is bound to, and uses the proof up.
async fn prove(x: &Exchange, presented: &Presented, access: &Access) -> Result<(), Problem> {
    let refuse = |error| Problem::Bearer(Some(error));
    let wrong = |code, text| Err(refuse(OAuthError::new(code, "bearer.key", text)));
    match (presented.by_dpop, access.token.jkt) {
        (false, None) => return Ok(()),
        (false, Some(_)) => {
            return wrong(ErrorCode::InvalidToken, "the access token is bound to a key: use the scheme DPoP");
        }
        (true, None) => {
            return wrong(ErrorCode::InvalidToken, "the access token is bound to no key: use the scheme Bearer");
        }
        (true, Some(_)) => {}
    }
    let Some(proof) = proof::read(x, Some(&presented.token)).map_err(refuse)? else {
        return wrong(ErrorCode::InvalidDpopProof, "the DPoP header is missing");
    };
    if Some(proof.jkt) != access.token.jkt {
        return wrong(ErrorCode::InvalidDpopProof, "the access token is bound to another key");
    }
    let once = Once { hash: proof.once, expires: proof.expires };
    use_up(x, vec![(once, dpop::replayed())]).await?.map_err(refuse)
}

async fn tell(x: Exchange, presented: Option<Presented>) -> Outcome {
    let presented = presented.ok_or(Problem::Bearer(None))?;
    let wrong = |rule, text| Problem::Bearer(Some(OAuthError::new(ErrorCode::InvalidToken, rule, text)));
    let refuse = || wrong("bearer.live", "the access token is wrong, expired or revoked");
    let access = access::find(&x, &presented.token).await?.ok_or_else(refuse)?;
    prove(&x, &presented, &access).await?;
    if !access.is_for_us(&x.realm.issuer) {
        return Err(wrong("bearer.audience", "the access token is for a resource server, not for this provider"));
    }
    if !access.scope().contains("openid") {
        let text = "the access token does not carry the scope openid";
        return Err(Problem::Bearer(Some(OAuthError::new(ErrorCode::InsufficientScope, "bearer.scope", text))));
    }
    let account = access.account.as_ref().ok_or_else(refuse)?;
    event::note(|e| {
        e.client_id = Some(access.client.id.to_string());
        e.account = Some(account.id.to_string());
    });
    let scopes = access.scope();
    let asked = access.status.grant.claims_for(&scopes);
    let (realm, client) = (&x.realm.settings, &access.client);
    let wanted = Wanted::new(realm, &client.settings, &scopes, asked, Place::Userinfo);
    let mut claims = person::claims(&x, client, account, &wanted).await?;
    claims.insert("sub".to_owned(), subject::of(client, account).into());
    let mut response = respond(&x, client, claims).await?;
    cors::client(&mut response, &x.headers, client);
    Ok(response)
}

/// As JSON, or as a JWT signed in the client's way (OIDC Core §5.3.2).
async fn respond(x: &Exchange, client: &Client, mut claims: Map<String, Value>) -> Outcome {
    let Some(alg) = client.settings.userinfo_alg else { return Ok(answer::json(200, &Value::Object(claims))) };
    claims.insert("iss".to_owned(), x.realm.issuer.as_str().into());
    claims.insert("aud".to_owned(), client.id.as_str().into());
    let ring = x.app.keys(x.realm.id).await?;
    let signed = ring.signing(alg)?.sign(TokenType::Jwt, &Value::Object(claims)).map_err(Problem::internal)?;
    Ok(answer::typed(200, "application/jwt", signed))
}
