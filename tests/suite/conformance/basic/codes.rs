//! What a code and a refresh token are worth the second time and to somebody else.
//! RFC 6749 §4.1.2, §6 and §10.5, OIDC Core §12.

use super::modules;
use crate::conformance::checks;

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
    #[ignore = "waits for refresh tokens"]
    async fn oidcc_refresh_token(op) {
        let _ = &mut op;
        unimplemented!("refresh tokens");
    }
}
