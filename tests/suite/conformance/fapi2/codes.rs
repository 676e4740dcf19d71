//! Who may redeem a code, when, and with what in hand.
//! FAPI 2.0 Security Profile §5.3.2.1, RFC 6749 §4.1.3, RFC 9449 §5.

use super::stage::{Auth, Proof, Who, fapi2};
use crate::conformance::checks;
use crate::world::jwt::Jwt;

fapi2! {
    /// The second client's name in parameter and assertion, signed by the first one's key: `invalid_client` (or
    /// `invalid_grant`).
    async fn ensure_client_id_in_token_endpoint(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        let second = fapi.second.rp.id().to_owned();
        let assertion = Jwt::assertion(&second, &fapi.first.key, &fapi.op.w.issuer, fapi.now());
        let fields = vec![
            ("client_id", second),
            ("client_assertion", assertion.sign(&fapi.first.key)),
            ("client_assertion_type", super::stage::ASSERTION_TYPE.to_owned()),
        ];
        let page = fapi.redeem_with(Who::First, (&ask, &code), (&Auth::Fields(fields), &Proof::Own)).await;
        checks::refused(&page, &[400, 401], &["invalid_client", "invalid_grant"]);
    }

    /// No DPoP proof: refused.
    async fn ensure_holder_of_key_required(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        let page = fapi.redeem_with(Who::First, (&ask, &code), (&Auth::Own, &Proof::None)).await;
        checks::refused(&page, &[400, 401], &["invalid_request", "invalid_grant", "invalid_dpop_proof"]);
    }

    /// The first client's code by the second, properly authenticated: `invalid_grant`.
    async fn ensure_authorization_code_is_bound_to_client(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        let page = fapi.redeem(Who::Second, &ask, &code).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }

    /// The whole flow, a second later the code again with a new assertion: `invalid_grant`, and the token is revoked.
    async fn attempt_reuse_authorization_code_after_one_second(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, tokens) = fapi.flow(Who::First, ask).await;
        fapi.op.w.clock.advance(1);
        let page = fapi.redeem(Who::First, &ask, &tokens.code).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
        let page = fapi.resource(Who::First, &tokens.access_token, &Proof::Own).await;
        assert_eq!(page.status, 401, "RFC 6749 §4.1.2");
    }

    /// A code 62 seconds old: `invalid_grant`.
    async fn ensure_token_endpoint_fails_with_expired_auth_code(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        fapi.op.w.clock.advance(62);
        let page = fapi.redeem(Who::First, &ask, &code).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }
}
