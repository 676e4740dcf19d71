//! What a code and a refresh token are worth the second time and to somebody else.
//! RFC 6749 §4.1.2, §6 and §10.5, OIDC Core §12.

use idp_core::client::ClientAuthMethod;

use super::modules;
use crate::conformance::checks;
use crate::conformance::op::Op;
use crate::world::{Page, Rp};

modules! {
    /// The same token request again, at once: `invalid_grant`.
    async fn oidcc_codereuse(op) {
        let ask = op.request();
        let tokens = op.flow(&ask).await;
        let again = op.client.redeem(&op.w, &ask, &tokens.code).await;
        checks::refused(&again, &[400], &["invalid_grant"]);
    }

    /// The same after 30 seconds: `invalid_grant`, and what the code bought is worth nothing any more.
    async fn oidcc_codereuse_30seconds(op) {
        let ask = op.request();
        let tokens = op.flow(&ask).await;
        op.w.clock.advance(30);
        let again = op.client.redeem(&op.w, &ask, &tokens.code).await;
        checks::refused(&again, &[400], &["invalid_grant"]);
        let refused = op.w.userinfo(&tokens.access_token).await;
        assert_eq!(refused.status, 401, "RFC 6749 §4.1.2, RFC 6750 §3.1");
    }

    /// Two clients with `offline_access` and `prompt=consent`: each refreshes, the new ID token is about the same
    /// sign-in; the second one's refresh token is worth nothing to the first.
    async fn oidcc_refresh_token(op) {
        assert!(op.lists("grant_types_supported", "refresh_token") && op.lists("scopes_supported", "offline_access"));
        let first = op.client.clone();
        let second = Op::register(&op.w, "second", ClientAuthMethod::ClientSecretBasic).await;
        one_client(&mut op, &first, Some("openid offline_access")).await;
        let token = one_client(&mut op, &second, None).await;
        let page = refresh(&op, &first, &token, Some("openid offline_access")).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }
}

async fn refresh(op: &Op, client: &Rp, token: &str, scope: Option<&str>) -> Page {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend(scope.map(|scope| ("scope", scope)));
    client.token(&op.w, &form).await
}

/// One client's way through code and refresh; the refresh token that is good afterwards.
async fn one_client(op: &mut Op, client: &Rp, scope: Option<&str>) -> String {
    let ask = op.request_of(client).with("scope", "openid offline_access").with("prompt", "consent");
    let code = op.code(&ask).await;
    let page = client.redeem(&op.w, &ask, &code).await;
    let tokens = checks::tokens(&op.w, client, &ask, &code, &page).await;
    let token = page.value()["refresh_token"].as_str().expect("a refresh token").to_owned();
    op.w.clock.advance(1);
    let page = refresh(op, client, &token, scope).await;
    checks::access_token(&page, "Bearer");
    let body = page.value();
    checks::refreshed(&body, &tokens);
    assert_eq!(op.w.userinfo(body["access_token"].as_str().unwrap()).await.status, 200);
    body["refresh_token"].as_str().unwrap_or(&token).to_owned()
}
