//! `/introspect`: what a token is worth, and to whom that is said. RFC 7662.

use idp_core::client::{ClientAuthMethod, ClientSettings, GrantType};
use serde_json::json;

use crate::rules::rule;
use crate::token::refused;
use crate::world::{Rp, Tokens, World, basic, encode};

const API: &str = "https://api.example";

fn confidential(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
    settings.grant_types.push(GrantType::RefreshToken);
    settings.resources = vec![API.to_owned()];
}

fn server(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::ClientSecretPost;
    settings.serves = vec![API.to_owned()];
}

async fn stage() -> (World, Rp, Tokens) {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let mut ann = w.person("ann").await;
    let tokens = w.tokens_for(&mut w.browser(), &mut ann, &rp, "openid email").await;
    (w, rp, tokens)
}

#[tokio::test]
async fn a_client_learns_everything_about_its_own_token() {
    let (w, rp, tokens) = stage().await;
    let known = rp.introspect(&w, &tokens.access_token).await;
    for claim in ["iss", "sub", "acr", "amr", "auth_time"] {
        assert_eq!(known[claim], tokens.claims[claim], "{claim}");
    }
    assert_eq!(known["aud"], json!(w.issuer), "for our own endpoints");
    assert_eq!((known["active"].as_bool(), known["scope"].as_str()), (Some(true), Some("openid email")));
    assert_eq!((known["client_id"].as_str(), known["token_type"].as_str()), (Some("app"), Some("Bearer")));
    assert_eq!(known["exp"].as_i64().unwrap() - known["iat"].as_i64().unwrap(), 600);
    w.clock.advance(600);
    assert_eq!(rp.introspect(&w, &tokens.access_token).await, json!({ "active": false }), "it has expired");
}

#[tokio::test]
async fn others_read_exactly_that_it_is_not_active() {
    let (w, rp, tokens) = stage().await;
    let (other, api) = (w.rp_with("other", confidential).await, w.rp_with("api", server).await);
    let dead = json!({ "active": false });
    for caller in [&other, &api] {
        assert_eq!(caller.introspect(&w, &tokens.access_token).await, dead, "{}", rule("introspect.audience"));
    }
    for token in ["x", &tokens.id_token, &tokens.code, &"x".repeat(20_000)] {
        assert_eq!(rp.introspect(&w, token).await, dead);
    }
}

#[tokio::test]
async fn whoever_asks_has_proved_who_it_is() {
    let (w, rp, tokens) = stage().await;
    let public = w.rp("public").await;
    let page = public.post(&w, "/introspect", &[("token", &tokens.access_token)]).await;
    refused(&page, "introspect.confidential", "invalid_client", "proves who it is");
    let mut browser = w.browser();
    let form = |header: String| {
        let request = w.browser().request(reqwest::Method::POST, "/introspect").header("authorization", header);
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(&[("token", tokens.access_token.as_str())]))
    };
    let page = browser.send(form(basic("app", "wrong"))).await;
    refused(&page, "client.secret", "invalid_client", "wrong");
    let page = browser.send(form(format!("Bearer {}", tokens.access_token))).await;
    refused(&page, "client.secret_basic", "invalid_client", "Basic");
    for params in [&[][..], &[("token", "a"), ("token", "b")]] {
        refused(&rp.post(&w, "/introspect", params).await, "introspect.params", "invalid_request", "token");
    }
}
