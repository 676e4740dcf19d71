//! Discovery and keys: OIDC Discovery §4, RFC 8414 §3, RFC 7517 §5.

use idp_core::oauth::discovery;

use super::exchange::{Exchange, Outcome};
use super::{answer, cors};

/// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
pub async fn metadata(x: Exchange) -> Outcome {
    let mut response = answer::json(200, &discovery::metadata(&x.realm));
    answer::header(&mut response, "cache-control", "public, max-age=300");
    cors::anyone(&mut response);
    Ok(response)
}

/// `GET /.well-known/jwks.json`. Short caching, so that a new key is known before it signs for long.
pub async fn jwks(x: Exchange) -> Outcome {
    let ring = x.app.keys(x.realm.id).await?;
    let mut response = answer::typed(200, "application/json", ring.jwks(x.now));
    answer::header(&mut response, "cache-control", "public, max-age=300");
    cors::anyone(&mut response);
    Ok(response)
}

/// `OPTIONS` of the public documents.
pub async fn preflight(x: Exchange) -> Outcome {
    Ok(cors::preflight(&x.headers, "GET"))
}
