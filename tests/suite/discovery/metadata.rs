//! The metadata document. OIDC Discovery §3, RFC 8414 §3.

use crate::world::World;

#[tokio::test]
async fn names_the_issuer_byte_for_byte() {
    let w = World::sqlite().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let page = w.browser().get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("application/json")));
        assert_eq!(page.value()["issuer"], w.issuer.as_str());
    }
}
