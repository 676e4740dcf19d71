//! The plain flow, what its answers carry, and how a client may authenticate.
//! OIDC Core §3.1, RFC 6749 §2.3.1.

use idp_core::client::ClientAuthMethod;
use jsonwebtoken::{Algorithm, decode_header};

use super::modules;
use crate::conformance::checks;
use crate::conformance::op::{Landing, Op};

modules! {
    /// `response_type=code scope=openid` with state and nonce: a code, tokens, an ID token without claims that nobody
    /// asked for.
    async fn oidcc_server(op) {
        let tokens = op.flow(&op.request()).await;
        const ALWAYS: &[&str] = &[
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "sid",
            "jti",
        ];
        let names = tokens.claims.as_object().unwrap().keys();
        let strange: Vec<_> = names.filter(|name| !ALWAYS.contains(&name.as_str())).collect();
        assert!(strange.is_empty(), "{strange:?}");
        assert_eq!(op.sign_ins, 1);
    }

    /// No `response_type`: `invalid_request` or `unsupported_response_type` at the redirect URI, or an error page.
    async fn oidcc_response_type_missing(op) {
        let ask = op.request().without("response_type");
        match op.visit(&ask).await {
            Landing::Callback(answer) => {
                checks::failure(&op.w.issuer, &ask, &answer, &["invalid_request", "unsupported_response_type"]);
            }
            page => drop(page.error_page()),
        }
    }

    /// The ID token of a client that registered nothing is RS256, and its header names a published key.
    async fn oidcc_idtoken_signature(op) {
        let tokens = op.flow(&op.request()).await;
        let header = decode_header(&tokens.id_token).unwrap();
        assert_eq!(header.alg, Algorithm::RS256);
        let jwks = op.w.browser().get("/.well-known/jwks.json").await.value();
        let named = jwks["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == header.kid.as_deref().unwrap());
        assert_eq!(named.count(), 1, "RFC 7517 §4.5: one key a kid");
    }

    /// Skipped where `none` is not listed: nobody gets an unsigned ID token.
    async fn oidcc_idtoken_unsigned(op) {
        assert!(!op.lists("id_token_signing_alg_values_supported", "none"));
        assert!(op.lists("id_token_signing_alg_values_supported", "RS256"), "OIDC Discovery §3");
        let tokens = op.flow(&op.request()).await;
        assert!(!tokens.id_token.ends_with('.'));
    }

    /// The plain flow by a client that sends its secret in the form.
    async fn oidcc_server_client_secret_post(op) {
        let client = Op::register(&op.w, "by-post", ClientAuthMethod::ClientSecretPost).await;
        assert!(op.lists("token_endpoint_auth_methods_supported", "client_secret_post"));
        let ask = op.request_of(&client);
        op.flow_of(&client, &ask).await;
    }

    /// A code request without nonce is answered with a code.
    async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(op) {
        let ask = op.request().without("nonce");
        let tokens = op.flow(&ask).await;
        assert_eq!(tokens.claims.get("nonce"), None);
    }

    /// A confidential client that uses PKCE with S256 all the same.
    async fn oidcc_ensure_request_with_valid_pkce_succeeds(op) {
        let with_pkce = op.client.ask();
        let ask = op.request().with("code_challenge", with_pkce.one("code_challenge").unwrap());
        let mut ask = ask.with("code_challenge_method", "S256");
        ask.verifier = with_pkce.verifier;
        op.flow(&ask).await;
    }

    /// The parameters as a form: a cross-site POST without cookies works like the GET.
    async fn oidcc_ensure_post_request_succeeds(op) {
        let ask = op.request();
        let page = op.w.browser().post("/authorize", &ask.fields()).await;
        let answer = op.drive(page, crate::conformance::op::Press::Agree).await.callback();
        let code = checks::success(&op.w.issuer, &ask, &answer);
        let page = op.client.redeem(&op.w, &ask, &code).await;
        checks::tokens(&op.w, &op.client, &ask, &code, &page).await;
    }

    /// A redirect URI that is not registered: an error page, and the browser goes nowhere.
    async fn oidcc_ensure_registered_redirect_uri(op) {
        let registered = op.client.redirect_uri().to_owned();
        for bad in [format!("{registered}/Ka7fGx"), format!("{registered}?x=y")] {
            let ask = op.request().with("redirect_uri", &bad);
            let page = op.visit(&ask).await.error_page();
            assert!(page.next().is_none() && !page.body.contains(&format!("href=\"{bad}")));
        }
    }
}
