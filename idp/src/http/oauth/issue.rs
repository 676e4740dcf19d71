//! Issuing: what a grant gives to its client in one answer. RFC 6749 §5.1, OIDC Core §3.1.3.3.

use idp_core::client::{AccessTokenFormat, Client, GrantType};
use idp_core::encoding::base64url;
use idp_core::grant::Grant;
use idp_core::jose::keyset::TokenType;
use idp_core::oauth::access_token::AccessToken;
use idp_core::oauth::grants::refresh;
use idp_core::oauth::scope::Scopes;
use idp_core::oidc::claims::{self, Wanted};
use idp_core::oidc::id_token::{self, IdToken};
use idp_core::oidc::mapping::Place;
use idp_core::oidc::subject;
use idp_core::seal::Purpose;
use idp_core::secret::{Hash, sha256};
use idp_core::time::Timestamp;
use idp_store::refresh_tokens::NewRefreshToken;
use serde_json::{Map, Value, json};

use super::person;
use crate::event;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// One answer of the token endpoint.
pub struct Issue<'a> {
    pub client: &'a Client,
    pub grant: &'a Grant,
    /// Narrower than the grant's; `None`: the same.
    pub scope: Option<Scopes>,
    /// Resource servers the access token is for.
    pub audience: Vec<String>,
    /// The key the access token is bound to.
    pub jkt: Option<Hash>,
    pub nonce: Option<&'a str>,
    pub refresh_token: Option<String>,
}

/// A refresh token for its client, and its row.
pub struct FreshRefreshToken {
    pub text: String,
    pub row: NewRefreshToken,
}

fn row(x: &Exchange, text: &str, expires: Timestamp) -> NewRefreshToken {
    NewRefreshToken { hash: sha256(text.as_bytes()), issued: x.now, expires }
}

/// The first refresh token of a grant, where its client gets one.
pub fn new_refresh_token(x: &Exchange, client: &Client, grant: &Grant) -> Option<FreshRefreshToken> {
    if !client.settings.grant_types.contains(&GrantType::RefreshToken) || grant.account_id.is_none() {
        return None;
    }
    let text = base64url(x.app.random::<32>());
    let expires = x.now.plus_s(x.realm.settings.refresh_token_lifetime_s);
    Some(FreshRefreshToken { row: row(x, &text, expires), text })
}

/// The token that follows `presented`: always the same one, so that requests that crossed get the same answer. It ends
/// with its family.
pub fn successor(x: &Exchange, presented: &str, expires: Timestamp) -> FreshRefreshToken {
    let text = base64url(x.app.sealer().mac(x.realm.id, "refresh", &[presented.as_bytes()]));
    FreshRefreshToken { row: row(x, &text, expires), text }
}

/// When the last token of a grant that begins now ends; codes and clocks get a minute more.
pub fn end_of(x: &Exchange, client: &Client, grant: &Grant) -> Timestamp {
    let settings = &x.realm.settings;
    let longest = settings.access_token_lifetime_s.max(settings.id_token_lifetime_s) + 60;
    let refreshable = client.settings.grant_types.contains(&GrantType::RefreshToken);
    let refresh = if refreshable { settings.refresh_token_lifetime_s } else { 0 };
    grant.expires.max(x.now).plus_s(longest + refresh)
}

/// Makes the tokens and the body that carries them.
///
/// # Errors
/// A fault of ours.
pub async fn answer(x: &Exchange, issue: Issue<'_>, outcome: &'static str) -> Result<Value, Problem> {
    let Issue { client, grant, scope, audience, jkt, nonce, refresh_token } = issue;
    let lifetime_s = x.realm.settings.access_token_lifetime_s;
    let granted = scope.clone().unwrap_or_else(|| Scopes::from_stored(&grant.scope));
    let token = AccessToken { grant: grant.id, issued: x.now, expires: x.now.plus_s(lifetime_s), scope, audience, jkt };
    let subject = match (grant.account_id, person::subject(x, client, grant.account_id.as_ref()).await?) {
        (_, Some(subject)) => subject,
        (None, None) => grant.client_id.to_string(),
        // A pairwise subject of an account that was deleted a moment ago: never the client's own name instead.
        (Some(_), None) => return Err(Problem::OAuth(refresh::gone(), false)),
    };
    let ring = x.app.keys(x.realm.id).await?;
    let key = ring.signing(client.settings.id_token_alg)?;
    let access_token = match client.settings.access_token {
        AccessTokenFormat::Opaque => x.seal(Purpose::AccessToken, &token)?,
        AccessTokenFormat::Jwt => {
            let mut claims = token.claims(&x.realm.issuer, grant, &subject, x.app.random());
            claims::add(&mut claims, told(x, client, grant, &granted, Place::AccessToken).await?);
            key.sign(TokenType::AccessToken, &Value::Object(claims)).map_err(Problem::internal)?
        }
    };
    let mut body = json!({
        "access_token": access_token,
        "token_type": if jkt.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": lifetime_s,
        "scope": granted.as_str(),
    });
    if let (true, Some(auth), Some(members)) = (granted.contains("openid"), &grant.detail.auth, body.as_object_mut()) {
        let person = told(x, client, grant, &granted, Place::IdToken).await?;
        let sid = grant.sid.map(|sid| subject::sid(x.app.sealer(), x.realm.id, client, &sid));
        let input = IdToken { client, sid, auth, subject: &subject, nonce, access_token: &access_token, person };
        let claims = id_token::claims(&x.realm, input, x.now);
        members.insert("id_token".to_owned(), key.sign(TokenType::Jwt, &claims).map_err(Problem::internal)?.into());
    }
    if let (Some(token), Some(members)) = (refresh_token, body.as_object_mut()) {
        members.insert("refresh_token".to_owned(), token.into());
    }
    event::note(|e| {
        e.account = grant.account_id.map(|id| id.to_string());
        e.outcome = Some(outcome);
    });
    Ok(body)
}

/// What a token is to tell about the user of its grant.
async fn told(
    x: &Exchange,
    client: &Client,
    grant: &Grant,
    scopes: &Scopes,
    place: Place,
) -> Result<Map<String, Value>, Problem> {
    let wanted = Wanted::new(&x.realm.settings, &client.settings, scopes, grant.claims_for(scopes), place);
    let (false, Some(id)) = (wanted.is_empty(), &grant.account_id) else { return Ok(Map::new()) };
    match x.app.store.find_account(x.realm.id, id).await? {
        Some(account) => person::claims(x, client, &account, &wanted).await,
        None => Ok(Map::new()),
    }
}
