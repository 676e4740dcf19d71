//! `private_key_jwt` over HTTP: every refusal of the rules is in the core's tests; here it is the endpoint that uses
//! them, with replay. OIDC Core §9, RFC 7523 §3.

use futures_util::future::join_all;
use idp_core::client::{AssertionAudience, ClientAuthMethod, ClientSettings};
use idp_core::encoding::base64url;
use serde_json::json;

use super::refused;
use crate::both;
use crate::world::jwt::{Jwt, Key, bent};
use crate::world::{ASSERTION_TYPE, Page, Rp, World, encode};

fn by_key(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::PrivateKeyJwt;
}

fn assertion(w: &World, rp: &Rp) -> Jwt {
    Jwt::assertion(rp.id(), rp.key.as_ref().unwrap(), &w.issuer, w.clock.now().secs())
}

/// Introspects nothing: whatever is not refused by the authentication answers 200.
async fn present(w: &World, assertion: &str, more: &[(&str, &str)]) -> Page {
    let mut fields = vec![("token", "x"), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
    fields.extend(more);
    let mut browser = w.browser();
    let request = browser.request(reqwest::Method::POST, "/introspect").body(encode(&fields));
    browser.send(request.header("content-type", "application/x-www-form-urlencoded")).await
}

both! {
    async fn an_assertion_works_once_of_64_at_once_and_on_another_replica_neither(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", by_key).await;
        let text = assertion(&w, &rp).sign(rp.key.as_ref().unwrap());
        let pages = join_all((0..64).map(|_| present(&w, &text, &[]))).await;
        assert_eq!(pages.iter().filter(|p| p.status == 200).count(), 1);
        refused(&present(&w, &text, &[]).await, "client.assertion.once", "invalid_client", "used before");
        let mut w = w;
        w.stop().await;
        let other = World::on(w.db_url.clone()).await;
        let page = present(&other, &text, &[]).await;
        assert_eq!(page.error(), "invalid_client", "{}", page.body);
    }

    async fn a_client_signs_in_by_its_key(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", by_key).await;
        let mut ann = w.person("ann").await;
        let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        assert_eq!(rp.introspect(&w, &tokens.access_token).await["active"], true);
    }
}

#[tokio::test]
async fn nothing_but_the_clients_own_fresh_assertion_counts() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp_with("app", by_key).await, w.rp_with("other", by_key).await);
    let key = rp.key.as_ref().unwrap();
    let good = || assertion(&w, &rp);
    let now = w.clock.now().secs();
    assert_eq!(present(&w, &good().sign(key), &[("client_id", "app")]).await.status, 200);
    assert_eq!(present(&w, &good().with("aud", json!([w.issuer])).sign(key), &[]).await.status, 200, "an array of one");
    let token_endpoint = format!("{}/token", w.issuer);
    let cases = [
        ("client.assertion.audience", good().with("aud", token_endpoint.as_str()).sign(key)),
        ("client.assertion.audience", good().with("aud", json!([w.issuer, token_endpoint])).sign(key)),
        ("client.assertion.key", good().sign(other.key.as_ref().unwrap())),
        ("client.assertion.signature", bent(&good().sign(key))),
        ("client.assertion.alg", format!("{}.", good().header("alg", "none").unsigned())),
        ("client.assertion.alg", good().header("alg", "HS256").sign(key)),
        ("client.assertion.dates", good().with("exp", now - 60).sign(key)),
        ("client.assertion.jti", good().without("jti").sign(key)),
        ("client.assertion.names", good().with("iss", "other").sign(key)),
    ];
    for (id, text) in cases {
        let page = present(&w, &text, &[]).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{id}: {}", page.body);
    }
    let page = present(&w, &good().sign(key), &[("client_secret", "x")]).await;
    refused(&page, "client.one_method", "invalid_request", "beside another");
}

#[tokio::test]
async fn an_older_client_may_name_the_token_endpoint() {
    let w = World::sqlite().await;
    let rp = w
        .rp_with("app", |s| {
            by_key(s);
            s.assertion_audience = AssertionAudience::IssuerOrTokenEndpoint;
        })
        .await;
    let text = assertion(&w, &rp).with("aud", format!("{}/token", w.issuer)).sign(rp.key.as_ref().unwrap());
    assert_eq!(present(&w, &text, &[]).await.status, 200);
}

#[tokio::test]
async fn a_key_named_or_carried_by_the_token_itself_is_never_followed() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", by_key).await;
    let mine = Key::es256("mine");
    for name in ["jku", "x5u"] {
        let text = assertion(&w, &rp).header(name, "https://evil.example/keys").header("kid", "mine").sign(&mine);
        assert_eq!(present(&w, &text, &[]).await.error(), "invalid_client", "{name}");
    }
    let text = assertion(&w, &rp).header("jwk", mine.public()).header_without("kid").sign(&mine);
    assert_eq!(present(&w, &text, &[]).await.error(), "invalid_client", "jwk");
    for kid in ["../../../dev/null", "' OR 1=1 --", ""] {
        let text = assertion(&w, &rp).header("kid", kid).sign(&mine);
        assert_eq!(present(&w, &text, &[]).await.error(), "invalid_client", "{kid}");
    }
    for text in ["", "x", "a.b.c", &"x".repeat(20_000), &format!("{}.{}.", base64url("{}"), base64url("[]"))] {
        assert!([400, 401].contains(&present(&w, text, &[]).await.status), "{text:.20}");
    }
}
