//! Access tokens coming back to us: opened, and found good by what they rest on. RFC 6750 §3.1, RFC 7662 §2.2.

use std::sync::Arc;

use idp_core::account::Account;
use idp_core::client::Client;
use idp_core::jose::jws;
use idp_core::jose::keyset::TokenType;
use idp_core::oauth::access_token::AccessToken;
use idp_core::oauth::scope::Scopes;
use idp_core::seal::Purpose;
use idp_store::grants::GrantStatus;

use super::token::may_use;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// A good access token and what it rests on.
pub struct Access {
    pub token: AccessToken,
    pub status: GrantStatus,
    pub client: Arc<Client>,
    /// The user, where one takes part.
    pub account: Option<Account>,
}

impl Access {
    /// Whether it is for this realm's own endpoints: one bought for a resource server alone is not (RFC 8707 §2).
    pub fn is_for_us(&self, issuer: &str) -> bool {
        self.token.audience.is_empty() || self.token.audience.iter().any(|uri| uri == issuer)
    }

    /// What it allows.
    pub fn scope(&self) -> Scopes {
        self.token.scope.clone().unwrap_or_else(|| Scopes::from_stored(&self.status.grant.scope))
    }
}

/// Reads an access token of this realm, opaque or a JWT, whatever has become of it.
///
/// # Errors
/// Only when the keys cannot be read.
pub async fn open(x: &Exchange, text: &str) -> Result<Option<AccessToken>, Problem> {
    // A sealed token is base64url and has no dot.
    if !text.contains('.') {
        return Ok(x.open(Purpose::AccessToken, text));
    }
    let ring = x.app.keys(x.realm.id).await?;
    let claims = jws::own(text, TokenType::AccessToken, &x.realm.issuer, &ring.stored);
    Ok(claims.and_then(|claims| AccessToken::of_claims(&claims, &x.realm.issuer)))
}

/// Finds out whether an access token is good now. `None`: it is not ours, has expired, or what it rests on has ended.
///
/// # Errors
/// Only when the store fails.
pub async fn find(x: &Exchange, text: &str) -> Result<Option<Access>, Problem> {
    let Some(token) = open(x, text).await?.filter(|token| x.now < token.expires) else { return Ok(None) };
    let found = x.app.store.find_grant_with_account(x.realm.id, &token.grant).await?;
    let Some((status, account)) = found.filter(|(status, _)| status.is_good()) else { return Ok(None) };
    let Some(client) = x.app.store.cached_client(x.realm.id, &status.grant.client_id).await? else { return Ok(None) };
    let allowed = may_use(x, &client, status.grant.account_id.as_ref()).await?;
    Ok(allowed.then_some(Access { token, status, client, account }))
}
