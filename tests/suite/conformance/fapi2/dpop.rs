//! Binding a code and its tokens to a key: at PAR, by `dpop_jkt`, at the token endpoint; proofs of slow clocks.
//! RFC 9449 §4.3, §5, §10 and §11.1.

use super::par::refused_push;
use super::stage::{Auth, Fapi, Proof, Who, fapi2, taken};
use crate::conformance::checks;
use crate::world::jwt::{Jwt, Key};

const BAD_PROOF: &[&str] = &["invalid_request", "invalid_grant", "invalid_dpop_proof"];

/// The whole flow with a proof at PAR and every proof bent.
async fn flow_with(fapi: &mut Fapi, bend: &(dyn Fn(Jwt) -> Jwt + Sync), at_par: bool) {
    let ask = fapi.request(Who::First);
    let at_par = if at_par { Proof::Bent(bend) } else { Proof::None };
    let page = fapi.push_with(Who::First, &ask, (&Auth::Own, &at_par)).await;
    let pushed = taken(ask, &page);
    let callback = fapi.authorize(Who::First, &pushed).await;
    let code = fapi.success(Who::First, &pushed.ask, &callback);
    let page = fapi.redeem_with(Who::First, (&pushed.ask, &code), (&Auth::Own, &Proof::Bent(bend))).await;
    let tokens = fapi.tokens(Who::First, (&pushed.ask, &code), &page).await;
    let page = fapi.resource(Who::First, &tokens.access_token, &Proof::Bent(bend)).await;
    checks::told(&page, &tokens);
}

fapi2! {
    /// Proofs with `nbf` of now and `exp` in five minutes at token endpoint and resource.
    async fn check_dpop_proof_nbf_exp(fapi) {
        let now = fapi.now();
        flow_with(&mut fapi, &move |jwt| jwt.with("nbf", now).with("exp", now + 300), false).await;
    }

    /// Proofs ten seconds old everywhere.
    async fn ensure_dpopproof_with_iat_10seconds_before_succeeds(fapi) {
        let now = fapi.now();
        flow_with(&mut fapi, &move |jwt| jwt.with("iat", now - 10), true).await;
    }

    /// Proofs ten seconds of the future everywhere.
    async fn ensure_dpopproof_with_iat_10seconds_after_succeeds(fapi) {
        let now = fapi.now();
        flow_with(&mut fapi, &move |jwt| jwt.with("iat", now + 10), true).await;
    }

    /// A proof at PAR binds the code to its key, and the same key redeems it.
    async fn ensure_dpopproof_at_par_endpoint_binding_success(fapi) {
        flow_with(&mut fapi, &|jwt| jwt, true).await;
    }

    /// `dpop_jkt`, a proof at PAR and one at the token endpoint, all of one key.
    async fn ensure_dpop_auth_code_binding_success(fapi) {
        let ask = fapi.request(Who::First).with("dpop_jkt", &fapi.first.dpop.thumbprint());
        let page = fapi.push_with(Who::First, &ask, (&Auth::Own, &Proof::Own)).await;
        let pushed = taken(ask, &page);
        let callback = fapi.authorize(Who::First, &pushed).await;
        let code = fapi.success(Who::First, &pushed.ask, &callback);
        let page = fapi.redeem(Who::First, &pushed.ask, &code).await;
        let tokens = fapi.tokens(Who::First, (&pushed.ask, &code), &page).await;
        fapi.resource_answers(Who::First, &tokens).await;
    }

    /// `dpop_jkt` of one key and a proof of another at PAR: refused there.
    async fn ensure_mismatched_dpop_jkt_fails(fapi) {
        let ask = fapi.request(Who::First).with("dpop_jkt", &Key::es256("other").thumbprint());
        let page = fapi.push_with(Who::First, &ask, (&Auth::Own, &Proof::Own)).await;
        refused_push(&page, &["invalid_request", "invalid_dpop_proof"]);
    }

    /// A proof of one key at PAR and of another at the token endpoint: refused there.
    async fn ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(fapi) {
        let ask = fapi.request(Who::First);
        let page = fapi.push_with(Who::First, &ask, (&Auth::Own, &Proof::Own)).await;
        let pushed = taken(ask, &page);
        let callback = fapi.authorize(Who::First, &pushed).await;
        let code = fapi.success(Who::First, &pushed.ask, &callback);
        fapi.first.dpop = Key::es256("other");
        let page = fapi.redeem(Who::First, &pushed.ask, &code).await;
        checks::refused(&page, &[400], BAD_PROOF);
    }

    /// `dpop_jkt` of one key and a proof of another at the token endpoint: refused there.
    async fn ensure_token_endpoint_fails_with_mismatched_dpop_jkt(fapi) {
        let ask = fapi.request(Who::First).with("dpop_jkt", &Key::es256("other").thumbprint());
        let (ask, code) = fapi.code(Who::First, ask).await;
        let page = fapi.redeem(Who::First, &ask, &code).await;
        checks::refused(&page, &[400], BAD_PROOF);
    }
}
