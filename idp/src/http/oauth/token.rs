//! `POST /token`: a code becomes tokens. RFC 6749 §4.1.3 and §5, OIDC Core §3.1.3.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::client::Client;
use idp_core::grant::{Grant, GrantState};
use idp_core::id::GrantId;
use idp_core::jose::keyset::TokenType;
use idp_core::oauth::authorize::code::Code;
use idp_core::oauth::client_auth::{authenticate, present};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::grants::code::{self, Decision};
use idp_core::oauth::params::RawParams;
use idp_core::oidc::id_token;
use idp_core::seal::Purpose;
use idp_core::time::Timestamp;
use idp_store::grants::{BurnCode, RedeemCode, Redeemed};
use poem::http::header;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::event;
use crate::http::cors;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::{Problem, Surface, render};

/// What is inside an access token: the grant it rests on and its end. It is for our own endpoints alone, so it is
/// opaque to everybody else, and what it may do is the grant's to say at the moment it is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessToken {
    pub grant: GrantId,
    pub expires: Timestamp,
}

/// `POST /token`.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let authorization = x.header(header::AUTHORIZATION).map(str::to_owned);
    let basic = authorization.is_some();
    let refuse = |error| Problem::OAuth(error, basic);
    let presented = present(authorization.as_deref(), &params).map_err(refuse)?;
    let client = x.app.store.cached_client(x.realm.id, &presented.client_id).await?;
    let client = authenticate(&presented, client.as_deref(), None).map_err(refuse)?;
    event::note(|e| e.client_id = Some(client.id.to_string()));
    let headers = x.headers.clone();
    let outcome = match params.one("grant_type") {
        Some("authorization_code") => redeem(&x, client, &params).await,
        Some(_) => Err(Problem::OAuth(
            OAuthError::new(ErrorCode::UnsupportedGrantType, "grant.known", "only authorization_code is supported"),
            basic,
        )),
        None => Err(Problem::OAuth(
            OAuthError::new(ErrorCode::InvalidRequest, "grant.known", "grant_type is missing"),
            basic,
        )),
    };
    // A page of the client may read the refusal too.
    let mut response = match outcome {
        Ok(body) => x.reply(200, &body)?,
        Err(problem @ Problem::OAuth(..)) => {
            problem.note();
            render(problem, Surface::OAuth, &x.recipient(None))
        }
        Err(problem) => return Err(problem),
    };
    cors::client(&mut response, &headers, client);
    Ok(response)
}

/// `OPTIONS` of token and userinfo.
pub async fn preflight(x: Exchange) -> Outcome {
    Ok(cors::preflight(&x.headers, "GET, POST"))
}

async fn redeem(x: &Exchange, client: &Client, params: &RawParams) -> Result<serde_json::Value, Problem> {
    let sealed: Option<Code> = params.one("code").and_then(|c| x.open(Purpose::Code, c));
    let code = match code::decide(params, client, sealed, x.now) {
        Decision::Refuse(error) => return Err(Problem::OAuth(error, false)),
        Decision::Burn(code, error) => {
            let detail = json!({ "rule": error.rule, "presented_by": client.id.as_str() });
            let audit = x.audit(AuditEvent::CodeBurnt, Actor::Client(client.id.clone()), detail);
            x.app.store.write(BurnCode { realm: x.realm.id, grant: grant(x, &code), audit }).await?;
            return Err(Problem::OAuth(error, false));
        }
        Decision::Redeem(code) => code,
    };
    let mut audit = x.audit(AuditEvent::CodeRedeemed, Actor::Client(client.id.clone()), json!({}));
    audit.account_id = Some(code.account_id);
    match x.app.store.write(RedeemCode { realm: x.realm.id, grant: grant(x, &code), audit }).await? {
        Redeemed::Redeemed => tokens(x, client, &code).await,
        Redeemed::Reused => Err(Problem::OAuth(code::reused(), false)),
        Redeemed::Gone => Err(Problem::OAuth(code::session_gone(), false)),
    }
}

/// The grant row a code becomes. It outlives the code and every token, so that reuse is noticed.
fn grant(x: &Exchange, code: &Code) -> Grant {
    let longest = x.realm.settings.access_token_lifetime_s.max(x.realm.settings.id_token_lifetime_s);
    Grant {
        id: code.id,
        client_id: code.client_id.clone(),
        account_id: code.account_id,
        sid: code.sid,
        scope: code.scope.as_str().to_owned(),
        state: GrantState::Live,
        created: x.now,
        expires: code.expires.max(x.now).plus_s(longest + 60),
    }
}

async fn tokens(x: &Exchange, client: &Client, code: &Code) -> Result<serde_json::Value, Problem> {
    let lifetime_s = x.realm.settings.access_token_lifetime_s;
    let access_token = AccessToken { grant: code.id, expires: x.now.plus_s(lifetime_s) };
    let access_token = x.seal(Purpose::AccessToken, &access_token)?;
    let ring = x.app.keys(x.realm.id).await?;
    let alg = client.settings.id_token_alg;
    let claims = id_token::claims(&x.realm, code, &access_token, alg, x.now);
    let id_token = ring.signing(alg)?.sign(TokenType::Jwt, &claims).map_err(Problem::internal)?;
    event::note(|e| {
        e.account = Some(code.account_id.to_string());
        e.outcome = Some("redeemed");
    });
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime_s,
        "scope": code.scope.as_str(),
        "id_token": id_token,
    }))
}
