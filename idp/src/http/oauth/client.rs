//! The client behind a request of its own: token, introspection, revocation, pushed requests, device authorization.
//! RFC 6749 §2.3, OIDC Core §9, RFC 9449 §4.3.

use std::sync::Arc;

use idp_core::client::{AssertionAudience, Client, ClientAuthMethod, ClientProfile, SigningAlg};
use idp_core::jose::foreign;
use idp_core::jose::jwk::JwkSet;
use idp_core::oauth::client_auth::assertion::{self, Assertion, Expected};
use idp_core::oauth::client_auth::{self, Presented};
use idp_core::oauth::dpop;
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use idp_core::secret::Hash;
use idp_store::used_once::{Once, UseOnce};
use poem::http::header;

use super::proof;
use crate::event;
use crate::http::exchange::Exchange;
use crate::http::login::throttle::network;
use crate::http::problem::Problem;

/// Proofs for public clients in a minute from one address: a household or the way out of a company.
const PUBLIC_PROOFS: u32 = 600;

/// An authenticated client.
pub struct Caller {
    pub client: Arc<Client>,
    /// It used HTTP Basic, so refusals name that scheme (RFC 6749 §5.2).
    pub basic: bool,
    /// RFC 7638 thumbprint of the key that the request proved (RFC 9449).
    pub jkt: Option<Hash>,
}

/// Authenticates the client of a request and judges its DPoP proof, if it brought one. What works once is used up by
/// one commit; without assertion and proof nothing is written.
///
/// # Errors
/// `invalid_client`, `invalid_request`, `invalid_dpop_proof` or `use_dpop_nonce`.
pub async fn authenticate(x: &Exchange, params: &RawParams) -> Result<Caller, Problem> {
    let authorization = x.header(header::AUTHORIZATION).map(str::to_owned);
    let basic = authorization.is_some();
    let refuse = |error| Problem::OAuth(error, basic);
    let presented = client_auth::present(authorization.as_deref(), params).map_err(refuse)?;
    let client = x.app.store.cached_client(x.realm.id, &presented.client_id).await?;
    let assertion = match client_auth::registered(&presented, client.as_deref()).map_err(refuse)? {
        client if client.settings.auth_method == ClientAuthMethod::PrivateKeyJwt => {
            Some(verified(x, &presented, client).await?)
        }
        _ => None,
    };
    client_auth::authenticate(&presented, client.as_deref(), assertion.as_ref()).map_err(refuse)?;
    // `authenticate` refuses without a client.
    let Some(client) = client else { return Err(Problem::internal("a client vanished")) };
    event::note(|e| e.client_id = Some(client.id.to_string()));
    let proof = proof::read(x, None).map_err(refuse)?;
    if proof.is_some() && client.settings.is_public() {
        // Anybody can bring proofs in its name, and each is a row.
        let key = x.app.sealer().mac(x.realm.id, "dpop.address", &[&network(x.address)]);
        let wait = |seconds| Problem::Wait { status: 429, code: "dpop.rate", seconds };
        x.app.rates.admit(key, PUBLIC_PROOFS, x.now).map_err(wait)?;
    }
    let once = [
        assertion.map(|a| (Once { hash: a.once, expires: a.expires }, assertion::replayed())),
        proof.map(|p| (Once { hash: p.once, expires: p.expires }, dpop::replayed())),
    ];
    use_up(x, once.into_iter().flatten().collect()).await?.map_err(refuse)?;
    Ok(Caller { client, basic, jkt: proof.map(|p| p.jkt) })
}

/// Uses up what works once. The inner error belongs to the value that was used before.
///
/// # Errors
/// Only when the store fails.
pub async fn use_up(x: &Exchange, once: Vec<(Once, OAuthError)>) -> Result<Result<(), OAuthError>, Problem> {
    if once.is_empty() {
        return Ok(Ok(()));
    }
    let values = once.iter().map(|(value, _)| *value).collect();
    let used = x.app.store.write(UseOnce { realm: x.realm.id, values }).await?;
    Ok(match used.and_then(|at| once.into_iter().nth(at)) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    })
}

/// Verifies a client assertion with the client's keys; once more with fresh ones where it may have changed them.
async fn verified(x: &Exchange, presented: &Presented, client: &Client) -> Result<Assertion, Problem> {
    let text = presented.assertion.as_ref().map_or("", |a| a.expose().as_str());
    let settings = &client.settings;
    let endpoints = [format!("{}/token", x.realm.issuer), format!("{}{}", x.realm.issuer, x.uri.path())];
    let also: Vec<&str> = match settings.assertion_audience {
        AssertionAudience::Issuer => Vec::new(),
        AssertionAudience::IssuerOrTokenEndpoint => endpoints.iter().map(String::as_str).collect(),
    };
    let keys = keys_of(x, client, text).await?;
    let algs = assertion_algs(client);
    let expected = Expected {
        client_id: &client.id,
        keys: &keys,
        algs: &algs,
        audience: assertion::AssertionAudience {
            issuer: &x.realm.issuer,
            also: &also,
            strict_string: settings.profile == ClientProfile::Fapi2,
        },
        now: x.now,
    };
    assertion::check(text, &expected).map_err(|error| Problem::OAuth(error, false))
}

/// Algorithms of the client's own signatures: the one it registered, else all that its profile allows.
pub fn assertion_algs(client: &Client) -> Vec<SigningAlg> {
    match (client.settings.assertion_alg, client.settings.profile) {
        (Some(alg), _) => vec![alg],
        (None, ClientProfile::Fapi2) => SigningAlg::FAPI.to_vec(),
        (None, ClientProfile::Oidc) => SigningAlg::ALL.to_vec(),
    }
}

/// The client's public keys; fetched once more where `token` names one that is not among those at hand.
///
/// # Errors
/// `invalid_client` when it has none or they cannot be read.
pub async fn keys_of(x: &Exchange, client: &Client, token: &str) -> Result<Arc<JwkSet>, Problem> {
    let refuse =
        |text: &str| Problem::OAuth(OAuthError::naming(ErrorCode::InvalidClient, "client.assertion.key", text), false);
    match (&client.settings.jwks, &client.settings.jwks_uri) {
        (Some(jwks), _) => {
            let keys = JwkSet::parse(&jwks.to_string()).map_err(|e| refuse(&format!("the client's JWK set {e}")))?;
            Ok(Arc::new(keys))
        }
        (None, Some(uri)) => {
            let kid = foreign::kid(token);
            let keys = x.app.client_keys.of(&x.app.outbound, uri, kid.as_deref(), x.now).await;
            // Where our calls lead to and fail is for the log alone.
            keys.map_err(|_| refuse("the client's jwks_uri gives no keys"))
        }
        (None, None) => Err(refuse("no keys are set for this client")),
    }
}
