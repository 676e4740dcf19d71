//! Requests that must not be taken: without PAR, for another response type, for an address nobody registered.
//! FAPI 2.0 Security Profile §5.3.2.2, RFC 9126 §2.3 and §2.4.

use super::par::refused_push;
use super::stage::{Who, fapi2};
use crate::conformance::checks;
use crate::conformance::op::Landing;

fapi2! {
    /// Everything in the query and nothing pushed: an error page, or `invalid_request` at the redirect URI.
    async fn ensure_unsigned_authorization_request_without_using_par_fails(fapi) {
        let ask = fapi.request(Who::First);
        match fapi.landed(&ask).await {
            Landing::Callback(answer) => checks::failure(&fapi.op.w.issuer, &ask, &answer, &["invalid_request"]),
            page => drop(page.error_page()),
        }
    }

    /// An address that is not registered: refused at PAR (RFC 9126 §2.4 would let a server take it; we do not).
    async fn plain_fapi_tolerate_unregistered_redirect_uri(fapi) {
        let bad = format!("{}/Uk3bA9", fapi.first.rp.redirect_uri());
        let ask = fapi.request(Who::First).with("redirect_uri", &bad);
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["invalid_request", "invalid_request_object"]);
    }

    /// No `redirect_uri`: refused at PAR.
    async fn ensure_redirect_uri_in_authorization_request(fapi) {
        let ask = fapi.request(Who::First).without("redirect_uri");
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["invalid_request", "invalid_request_object"]);
    }

    /// The same, where a signed request would lose it; unsigned, the pushed form does.
    async fn ensure_request_object_without_redirect_uri_fails(fapi) {
        let ask = fapi.request(Who::Second).without("redirect_uri");
        let page = fapi.push(Who::Second, &ask).await;
        refused_push(&page, &["invalid_request", "invalid_request_object"]);
    }

    /// `response_type=code id_token`: refused at PAR.
    async fn ensure_response_type_code_idtoken_fails(fapi) {
        let ask = fapi.request(Who::First).with("response_type", "code id_token");
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["unsupported_response_type", "invalid_request", "unauthorized_client"]);
    }

    /// `response_type=token`: refused at PAR.
    async fn ensure_response_type_token_fails(fapi) {
        let ask = fapi.request(Who::First).with("response_type", "token");
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["unsupported_response_type", "invalid_request", "unauthorized_client"]);
    }
}
