//! What a pushed request and its reference are good for.
//! RFC 9126 §2 and §4, FAPI 2.0 Security Profile §5.3.2.2, RFC 7636 §4.4.1.

use reqwest::Method;

use super::stage::{Auth, Fapi, Proof, Pushed, Who, fapi2};
use crate::conformance::checks;
use crate::conformance::op::{Landing, Press};
use crate::world::{Page, encode};

/// A push that was refused: 400 (401 for `invalid_client`) and one of these errors.
pub fn refused_push(page: &Page, codes: &[&str]) {
    checks::refused(page, &[400, 401], codes);
    assert_eq!(page.value().get("request_uri"), None);
}

/// A reference that is good for nothing: an error page, or an error at the redirect URI.
fn reference_refused(landing: Landing, codes: &[&str]) {
    match landing {
        Landing::Callback(answer) => {
            assert!(answer.one("error").is_some_and(|error| codes.contains(&error)), "{answer:?}");
            assert_eq!(answer.one("code"), None);
        }
        page => drop(page.error_page()),
    }
}

/// The flow from a pushed request on.
async fn completes(fapi: &mut Fapi, pushed: &Pushed) {
    let callback = fapi.authorize(Who::First, pushed).await;
    let code = fapi.success(Who::First, &pushed.ask, &callback);
    let page = fapi.redeem(Who::First, &pushed.ask, &code).await;
    let tokens = fapi.tokens(Who::First, (&pushed.ask, &code), &page).await;
    fapi.resource_answers(Who::First, &tokens).await;
}

fapi2! {
    /// A look at the sign-in page, then the same reference again and the whole flow: a reload must not break it.
    async fn par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::First, &pushed);
        match fapi.visit(&redirect, Press::Nothing).await {
            Landing::Shown(page) => assert!(page.has("login-submit"), "{}", page.body),
            Landing::Callback(callback) => panic!("nobody signed in: {callback:?}"),
        }
        completes(&mut fapi, &pushed).await;
    }

    /// The whole flow, then the same reference again: refused.
    async fn par_attempt_reuse_request_uri(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        completes(&mut fapi, &pushed).await;
        let redirect = fapi.redirect(Who::First, &pushed);
        reference_refused(fapi.landed(&redirect).await, &["invalid_request_uri"]);
    }

    /// A reference a second after `expires_in`: refused.
    async fn par_attempt_to_use_expired_request_uri(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        fapi.op.w.clock.advance(pushed.expires_in + 1);
        let redirect = fapi.redirect(Who::First, &pushed);
        reference_refused(fapi.landed(&redirect).await, &["invalid_request_uri"]);
    }

    /// The first client's reference with the second one's `client_id`: refused.
    async fn par_attempt_to_use_request_uri_for_different_client(fapi) {
        let ask = fapi.request(Who::First);
        let pushed = fapi.pushed(Who::First, ask).await;
        let redirect = fapi.redirect(Who::Second, &pushed);
        let codes = ["invalid_request", "invalid_request_object", "invalid_request_uri"];
        reference_refused(fapi.landed(&redirect).await, &codes);
    }

    /// A `request_uri` inside a pushed request: refused.
    async fn par_authorization_request_containing_request_uri_form_param(fapi) {
        let inner = "urn:ietf:params:oauth:request_uri:bwc4JK-ESC0w8acc191e";
        let ask = fapi.request(Who::First).with("request_uri", inner);
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["invalid_request", "invalid_request_object", "request_uri_not_supported"]);
    }

    /// `PUT` instead of `POST`: 405.
    async fn par_attempt_invalid_http_method(fapi) {
        let ask = fapi.request(Who::First);
        let address = fapi.op.metadata_text("pushed_authorization_request_endpoint").to_owned();
        let request = fapi.op.browser.request(Method::PUT, &address);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&ask.fields()));
        assert_eq!(fapi.op.browser.send(request).await.status, 405, "RFC 9126 §2.3");
    }

    /// No PKCE: `invalid_request`.
    async fn par_ensure_pkce_required(fapi) {
        let ask = fapi.request(Who::First).without("code_challenge").without("code_challenge_method");
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["invalid_request"]);
    }

    /// PKCE with `plain`: `invalid_request`.
    async fn par_plain_pkce_rejected(fapi) {
        let ask = fapi.request(Who::First);
        let verifier = ask.verifier.clone();
        let ask = ask.with("code_challenge", &verifier).with("code_challenge_method", "plain");
        let page = fapi.push(Who::First, &ask).await;
        refused_push(&page, &["invalid_request"]);
    }

    /// A token request without `code_verifier`: `invalid_grant`.
    async fn ensure_pkce_code_verifier_required(fapi) {
        let ask = fapi.request(Who::First);
        let (ask, code) = fapi.code(Who::First, ask).await;
        let form =
            [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", ask.one("redirect_uri").unwrap())];
        let page = fapi.post(Who::First, "token_endpoint", (&Auth::Own, &Proof::Own), &form).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }

    /// A token request with another verifier: `invalid_grant`.
    async fn incorrect_pkce_code_verifier_rejected(fapi) {
        let ask = fapi.request(Who::First);
        let (mut ask, code) = fapi.code(Who::First, ask).await;
        ask.verifier = fapi.request(Who::First).verifier;
        let page = fapi.redeem(Who::First, &ask, &code).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }
}
