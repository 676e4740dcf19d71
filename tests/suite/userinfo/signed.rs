//! Userinfo as a signed JWT. OIDC Core §5.3.2.

use idp_core::client::SigningAlg;
use idp_core::jose::jws;
use idp_core::jose::keyset::TokenType;
use serde_json::{Value, json};

use crate::world::{World, encode};

#[tokio::test]
async fn a_client_may_have_it_signed_by_each_algorithm() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for &alg in SigningAlg::ALL {
        let id = alg.text().to_lowercase();
        let rp = w.rp_with(&id, |s| s.userinfo_alg = Some(alg)).await;
        let tokens = w.tokens_for(&mut browser, &mut ann, &rp, "openid email").await;
        let page = w.userinfo(&tokens.access_token).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("application/jwt")));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let header = jsonwebtoken::decode_header(&page.body).unwrap();
        assert_eq!(format!("{:?}", header.alg), alg.text());
        let ring = w.app.keys(w.realm).await.unwrap();
        let claims = jws::own(&page.body, TokenType::Jwt, &w.issuer, &ring.stored).expect("signed by this realm");
        let expected = json!({ "iss": w.issuer, "aud": id, "sub": tokens.claims["sub"], "email": "ann@example.org",
            "email_verified": true });
        assert_eq!(Value::Object(claims.members), expected);
        // It is no ID token: no hint.
        let page = browser.get(&format!("/logout?{}", encode(&[("id_token_hint", &page.body)]))).await;
        assert_eq!(page.status, 400);
    }
    let page = w.browser().get("/.well-known/openid-configuration").await.value();
    assert_eq!(page["userinfo_signing_alg_values_supported"], page["id_token_signing_alg_values_supported"]);
}

#[tokio::test]
async fn a_refusal_is_not_signed() {
    let w = World::sqlite().await;
    w.rp_with("app", |s| s.userinfo_alg = Some(SigningAlg::ES256)).await;
    let page = w.userinfo("nothing").await;
    assert_eq!(page.status, 401);
    assert!(page.header("www-authenticate").is_some());
}
