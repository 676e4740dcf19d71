//! The `DPoP` header of a request: RFC 9449 §4.3, §8 and §9.

use idp_core::client::SigningAlg;
use idp_core::oauth::dpop::{self, Expected, Proof};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::realm::Realm;

use crate::app::App;
use crate::http::exchange::Exchange;

/// Checks the proof of a request, if it brings one. `access_token` is the token it comes with. Replay is the caller's
/// to check, by [`super::client::use_up`].
///
/// # Errors
/// `invalid_dpop_proof` or `use_dpop_nonce`.
pub fn read(x: &Exchange, access_token: Option<&str>) -> Result<Option<Proof>, OAuthError> {
    let mut headers = x.headers.get_all("dpop").iter();
    let Some(header) = headers.next() else { return Ok(None) };
    let refuse = |text| OAuthError::new(ErrorCode::InvalidDpopProof, "dpop.form", text);
    if headers.next().is_some() {
        return Err(refuse("the DPoP header came twice"));
    }
    let text = header.to_str().map_err(|_| refuse("the DPoP header is no JWT"))?;
    let nonces = dpop::nonces(x.app.sealer(), x.realm.id, x.now);
    let expected = Expected {
        algs: SigningAlg::FAPI,
        method: x.method.as_str(),
        uri: &format!("{}{}", x.realm.issuer, x.uri.path()),
        nonces: &nonces,
        nonce_demanded: x.realm.settings.dpop_nonce_required,
        access_token,
        now: x.now,
    };
    dpop::check(text, &expected).map(Some)
}

/// The nonce for the sender's next proof (RFC 9449 §8.2).
pub fn next_nonce(app: &App, realm: &Realm) -> String {
    let [nonce, ..] = dpop::nonces(app.sealer(), realm.id, app.now());
    nonce
}
