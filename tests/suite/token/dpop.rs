//! Tokens bound to a key, over HTTP: binding, nonces, replay, floods. RFC 9449.

use std::sync::Arc;

use futures_util::future::join_all;
use idp_core::client::{ClientAuthMethod, ClientSettings, GrantType};
use serde_json::json;

use super::refused;
use crate::both;
use crate::rules::rule;
use crate::world::jwt::Key;
use crate::world::{Page, Rp, Tokens, World};

fn public(settings: &mut ClientSettings) {
    settings.grant_types.push(GrantType::RefreshToken);
    settings.dpop_bound = true;
}

fn confidential(settings: &mut ClientSettings) {
    public(settings);
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
}

async fn stage(w: &World, change: fn(&mut ClientSettings)) -> (Rp, Tokens) {
    let mut rp = w.rp_with("app", change).await;
    rp.dpop = Some(Arc::new(Key::es256("dpop")));
    let mut ann = w.person("ann").await;
    let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    (rp, tokens)
}

fn challenged(page: &Page, id: &'static str, error: &str, scheme: &str) {
    assert_eq!((page.status, page.error().as_str()), (401, error), "{}: {}", rule(id), page.body);
    let challenge = page.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with(&format!("{scheme} error=\"{error}\"")), "{challenge}");
}

fn nonce(page: &Page) -> String {
    page.header("dpop-nonce").expect("a nonce").to_owned()
}

both! {
    async fn a_token_is_good_with_its_key_alone(db) {
        let w = World::start(db).await;
        let (rp, tokens) = stage(&w, confidential).await;
        let known = rp.introspect(&w, &tokens.access_token).await;
        assert_eq!(known["token_type"], "DPoP");
        assert_eq!(known["cnf"]["jkt"], rp.dpop.as_ref().unwrap().thumbprint().as_str());
        let page = rp.userinfo(&w, &tokens.access_token).await;
        assert_eq!((page.status, page.value()["sub"].clone()), (200, tokens.claims["sub"].clone()));
        challenged(&w.userinfo(&tokens.access_token).await, "bearer.key", "invalid_token", "Bearer");
        let thief = Rp { dpop: Some(Arc::new(Key::es256("thief"))), ..rp.clone() };
        challenged(&thief.userinfo(&w, &tokens.access_token).await, "bearer.key", "invalid_dpop_proof", "DPoP");
    }

    async fn a_proof_works_once_of_64_at_once(db) {
        let w = World::start(db).await;
        let (rp, tokens) = stage(&w, confidential).await;
        let fresh = nonce(&rp.userinfo_proved(&w, &tokens.access_token, |p| p).await);
        let same = |p: crate::world::jwt::Jwt| p.with("nonce", fresh.as_str()).with("jti", "the same");
        let pages = join_all((0..64).map(|_| rp.userinfo_proved(&w, &tokens.access_token, same))).await;
        assert_eq!(pages.iter().filter(|p| p.status == 200).count(), 1);
        let refusal = pages.iter().find(|p| p.status != 200).unwrap();
        challenged(refusal, "dpop.once", "invalid_dpop_proof", "DPoP");
    }
}

#[tokio::test]
async fn a_flood_of_others_does_not_bring_a_proof_back() {
    let w = World::sqlite().await;
    let (rp, tokens) = stage(&w, confidential).await;
    let fresh = nonce(&rp.userinfo_proved(&w, &tokens.access_token, |p| p).await);
    let first = |p: crate::world::jwt::Jwt| p.with("nonce", fresh.as_str()).with("jti", "first");
    assert_eq!(rp.userinfo_proved(&w, &tokens.access_token, first).await.status, 200);
    for _ in 0..500 {
        let page = rp.userinfo_proved(&w, &tokens.access_token, |p| p.with("nonce", fresh.as_str())).await;
        assert_eq!(page.status, 200);
    }
    w.app
        .store
        .write(idp_store::sweep::Sweep { now: w.clock.now(), batch: 500, keep_s: 0, throttle_window_s: 900 })
        .await
        .unwrap();
    let page = rp.userinfo_proved(&w, &tokens.access_token, first).await;
    challenged(&page, "dpop.once", "invalid_dpop_proof", "DPoP");
}

#[tokio::test]
async fn a_client_whose_tokens_are_bound_must_prove_its_key() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    refused(&rp.redeem(&w, &ask, &code).await, "grant.bound", "invalid_dpop_proof", "send a DPoP proof");
}

#[tokio::test]
async fn a_proof_holds_a_nonce_of_ours_unless_the_realm_asks_for_none() {
    let w = World::sqlite().await;
    let (rp, tokens) = stage(&w, confidential).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str())];
    let page = rp.post_proved(&w, "/token", &refresh, |p| p).await;
    refused(&page, "dpop.nonce", "use_dpop_nonce", "DPoP-Nonce");
    let good = nonce(&page);
    w.clock.advance(150);
    let page = rp.post_proved(&w, "/token", &refresh, |p| p.with("nonce", good.as_str())).await;
    assert_eq!(page.status, 200, "still young: {}", page.body);
    w.clock.advance(60);
    let page = rp.post_proved(&w, "/token", &refresh, |p| p.with("nonce", good.as_str())).await;
    refused(&page, "dpop.nonce", "use_dpop_nonce", "DPoP-Nonce");
    let page = rp.post_proved(&w, "/token", &refresh, |p| p.with("nonce", "made up")).await;
    refused(&page, "dpop.nonce", "use_dpop_nonce", "DPoP-Nonce");
    w.set_settings(|s| s.dpop_nonce_required = false).await;
    assert_eq!(rp.post_proved(&w, "/token", &refresh, |p| p).await.status, 200);
}

#[tokio::test]
async fn proofs_for_something_else_are_refused_400_at_token_and_401_at_userinfo() {
    let w = World::sqlite().await;
    let (rp, tokens) = stage(&w, confidential).await;
    w.set_settings(|s| s.dpop_nonce_required = false).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str())];
    let now = w.clock.now().secs();
    let key = rp.dpop.clone().unwrap();
    type Bend<'a> = Box<dyn Fn(crate::world::jwt::Jwt) -> crate::world::jwt::Jwt + 'a>;
    let cases: Vec<(&'static str, Bend<'_>)> = vec![
        ("dpop.method", Box::new(|p| p.with("htm", "PUT"))),
        ("dpop.uri", Box::new(|p| p.with("htu", "https://elsewhere.example/token"))),
        ("dpop.fresh", Box::new(move |p| p.with("iat", now - 61))),
        ("dpop.fresh", Box::new(move |p| p.with("iat", now + 31))),
        ("dpop.jti", Box::new(|p| p.without("jti"))),
        ("dpop.typ", Box::new(|p| p.header("typ", "JWT"))),
        ("dpop.key", Box::new(|p| p.header("jwk", key.private()))),
        ("dpop.signature", Box::new(|p| p.header("jwk", Key::es256("x").public()))),
        ("dpop.alg", Box::new(|p| p.header("alg", "HS256"))),
        ("dpop.form", Box::new(|p| p.with("iat", "yesterday"))),
    ];
    for (id, bend) in &cases {
        let page = rp.post_proved(&w, "/token", &refresh, bend).await;
        refused(&page, id, "invalid_dpop_proof", "");
        let page = rp.userinfo_proved(&w, &tokens.access_token, bend).await;
        challenged(&page, id, "invalid_dpop_proof", "DPoP");
    }
    for bad in [json!("x"), json!(null), json!(7)] {
        let page = rp.userinfo_proved(&w, &tokens.access_token, |p| p.with("ath", bad)).await;
        challenged(&page, "dpop.ath", "invalid_dpop_proof", "DPoP");
    }
    assert_eq!(rp.post_proved(&w, "/token", &refresh, |p| p.with("iat", now - 9)).await.status, 200, "skew");
    assert_eq!(rp.post_proved(&w, "/token", &refresh, |p| p.with("iat", now + 30)).await.status, 200);
}

#[tokio::test]
async fn a_public_client_keeps_its_bound_token_and_its_key_a_confidential_one_may_change_the_key() {
    for (change, changes) in [(public as fn(&mut ClientSettings), false), (confidential, true)] {
        let w = World::sqlite().await;
        let (rp, tokens) = stage(&w, change).await;
        let page = rp.refresh(&w, &tokens.refresh_token).await;
        assert_eq!(
            page.value()["refresh_token"],
            tokens.refresh_token.as_str(),
            "it is not followed: the key binds it"
        );
        let other = Rp { dpop: Some(Arc::new(Key::es256("new"))), ..rp.clone() };
        let page = other.refresh(&w, &tokens.refresh_token).await;
        if changes {
            let known = rp.introspect(&w, page.value()["access_token"].as_str().unwrap()).await;
            assert_eq!(known["cnf"]["jkt"], other.dpop.as_ref().unwrap().thumbprint().as_str());
        } else {
            refused(&page, "refresh.key", "invalid_grant", "another DPoP key");
        }
    }
}
