//! The ID token, claim by claim. OIDC Core §2 and §3.1.3.6.

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::secret::{sha256, sha512};
use serde_json::json;

use crate::both;
use crate::world::World;

both! {
    async fn has_exactly_these_claims(db) {
        let w = World::start(db).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        for (n, &alg) in SigningAlg::ALL.iter().enumerate() {
            let id = alg.text();
            let rp = w.rp_with(id, |s| s.id_token_alg = alg).await;
            let ask = rp.ask().with("scope", "openid profile email");
            let signed_in = w.clock.now().secs();
            let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
            let sid = ann.sid(&w, &browser).await;
            let auth_time = signed_in - 7 * i64::try_from(n).unwrap();
            w.clock.advance(7);
            let answer = rp.redeem(&w, &ask, &code).await;
            let tokens = w.accept(&rp, &ask, &code, &answer).await;
            let now = w.clock.now().secs();
            let at_hash = match alg {
                SigningAlg::EdDSA => base64url(&sha512(tokens.access_token.as_bytes())[..32]),
                _ => base64url(&sha256(tokens.access_token.as_bytes())[..16]),
            };
            let expected = json!({
                "iss": w.issuer,
                "sub": ann.sub(),
                "aud": id,
                "exp": now + 600,
                "iat": now,
                "auth_time": auth_time,
                "nonce": ask.one("nonce"),
                "acr": "phr",
                "amr": ["hwk", "pop", "user", "mfa"],
                "sid": sid.to_string(),
                "at_hash": at_hash,
            });
            assert_eq!(tokens.claims, expected);
        }
    }
}

#[tokio::test]
async fn a_request_without_nonce_gets_none() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().without("nonce");
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let answer = rp.redeem(&w, &ask, &code).await;
    assert!(w.accept(&rp, &ask, &code, &answer).await.claims.get("nonce").is_none());
}

#[tokio::test]
async fn lifetimes_are_the_realms() {
    let w = World::sqlite().await;
    w.set_settings(|s| {
        s.access_token_lifetime_s = 30;
        s.id_token_lifetime_s = 90;
    })
    .await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let answer = rp.redeem(&w, &ask, &code).await;
    let tokens = w.accept(&rp, &ask, &code, &answer).await;
    assert_eq!(answer.value()["expires_in"], 30);
    assert_eq!(tokens.claims["exp"].as_i64().unwrap(), w.clock.now().secs() + 90);
    w.clock.advance_ms(29_999);
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    w.clock.advance_ms(1);
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
}
