//! `request`: the parameters of an authorization request in a JWT of its client, here or pushed.
//! RFC 9101, OIDC Core §6.1.

use idp_core::client::{Client, ClientProfile, RequestObjectAlg, SigningAlg};
use idp_core::oauth::authorize::jar::{self, Expected};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;

use super::client::keys_of;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// The parameters in the request object, if there is one; beside it only `client_id` counted. Without keys a client can
/// have none: then nothing is opened, and the rule `request.refused` says so. The inner error is the client's.
///
/// # Errors
/// A fault of ours.
pub async fn open(
    x: &Exchange,
    params: &RawParams,
    client: &Client,
) -> Result<Result<Option<RawParams>, OAuthError>, Problem> {
    let settings = &client.settings;
    let unsigned = settings.request_object_alg == Some(RequestObjectAlg::Unsigned);
    let has_keys = settings.jwks.is_some() || settings.jwks_uri.is_some();
    let Some(object) = params.one("request").filter(|_| unsigned || has_keys) else { return Ok(Ok(None)) };
    if params.doubled() == Some("request") {
        return Ok(Ok(None)); // which `params.once` refuses
    }
    let keys = if unsigned { None } else { Some(keys_of(x, client, object).await) };
    let keys = match keys.transpose() {
        Ok(keys) => keys,
        Err(Problem::OAuth(error, _)) => {
            return Ok(Err(OAuthError { code: ErrorCode::InvalidRequestObject, rule: "jar.key", ..error }));
        }
        Err(problem) => return Err(problem),
    };
    let fapi = settings.profile == ClientProfile::Fapi2;
    let algs = match settings.request_object_alg {
        Some(RequestObjectAlg::Signed(alg)) => vec![alg],
        Some(RequestObjectAlg::Unsigned) => Vec::new(),
        None if fapi => SigningAlg::FAPI.to_vec(),
        None => SigningAlg::ALL.to_vec(),
    };
    let expected = Expected {
        client_id: &client.id,
        issuer: &x.realm.issuer,
        keys: keys.as_deref(),
        algs: &algs,
        unsigned,
        aud_required: fapi,
        now: x.now,
    };
    Ok(jar::open(object, &expected).map(Some))
}
