//! The three ways to send a token to the userinfo endpoint.
//! OIDC Core §5.3, RFC 6750 §2.

use reqwest::Method;

use super::modules;
use crate::conformance::checks;
use crate::world::encode;

modules! {
    /// `GET` with the token in the header: JSON about the ID token's subject.
    async fn oidcc_userinfo_get(op) {
        let tokens = op.flow(&op.request()).await;
        let claims = checks::userinfo(&op.w, &tokens).await;
        assert_eq!(claims.as_object().unwrap().len(), 1, "scope=openid opens the subject alone: {claims}");
    }

    /// `POST` with the token in the header.
    async fn oidcc_userinfo_post_header(op) {
        let tokens = op.flow(&op.request()).await;
        let mut client = op.w.browser();
        let request = client.request(Method::POST, "/userinfo").bearer_auth(&tokens.access_token);
        checks::told(&client.send(request).await, &tokens);
    }

    /// `POST` with the token in the form; optional, and we have it.
    async fn oidcc_userinfo_post_body(op) {
        let tokens = op.flow(&op.request()).await;
        let mut client = op.w.browser();
        let request = client.request(Method::POST, "/userinfo");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(encode(&[("access_token", &tokens.access_token)]));
        checks::told(&client.send(request).await, &tokens);
    }
}
