//! Access tokens as JWTs: what resource servers read without asking. RFC 9068.

use idp_core::client::{AccessTokenFormat, ClientAuthMethod, ClientSettings, GrantType, SigningAlg};
use jsonwebtoken::decode_header;
use serde_json::Value;

use crate::rules::rule;
use crate::world::{Rp, Tokens, World};

const API: &str = "https://api.example";

fn jwt(settings: &mut ClientSettings) {
    settings.access_token = AccessTokenFormat::Jwt;
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
    settings.grant_types = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
    settings.scopes = Some(["openid", "email", "read"].map(str::to_owned).to_vec());
    settings.resources = vec![API.to_owned()];
    settings.id_token_alg = SigningAlg::ES256;
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&idp_core::encoding::from_base64url(part).unwrap()).unwrap()
}

async fn stage() -> (World, Rp, Tokens) {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", jwt).await;
    let mut ann = w.person("ann").await;
    let tokens = w.tokens_for(&mut w.browser(), &mut ann, &rp, "openid email").await;
    (w, rp, tokens)
}

#[tokio::test]
async fn a_jwt_says_who_how_and_for_whom_and_works_at_our_endpoints() {
    let (w, rp, tokens) = stage().await;
    let header = decode_header(&tokens.access_token).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid.is_some()), (Some("at+jwt"), true));
    let claims = payload(&tokens.access_token);
    for claim in ["iss", "sub", "acr", "amr", "auth_time"] {
        assert_eq!(claims[claim], tokens.claims[claim], "{claim}");
    }
    assert_eq!((claims["client_id"].as_str(), claims["scope"].as_str()), (Some("app"), Some("openid email")));
    assert_eq!(claims["aud"], w.issuer.as_str(), "for the issuer's own endpoints, where no resource was asked for");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!(claims["jti"].as_str().unwrap().len() >= 20);
    assert_eq!(w.userinfo(&tokens.access_token).await.value()["sub"], claims["sub"]);
    assert_eq!(rp.introspect(&w, &tokens.access_token).await["active"], true);
    rp.revoke(&w, &tokens.access_token).await;
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401, "our own endpoints ask the grant");
}

#[tokio::test]
async fn a_jwt_for_a_resource_server_is_not_for_us() {
    let (w, rp, _) = stage().await;
    let server = w
        .rp_with("api", |s| {
            s.auth_method = ClientAuthMethod::ClientSecretPost;
            s.serves = vec![API.to_owned()];
        })
        .await;
    let page = rp.token(&w, &[("grant_type", "client_credentials"), ("scope", "read"), ("resource", API)]).await;
    let token = page.value()["access_token"].as_str().unwrap().to_owned();
    let claims = payload(&token);
    assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some(API), Some("app")));
    assert!(claims.get("acr").is_none() && claims.get("auth_time").is_none(), "nobody signed in");
    assert_eq!(server.introspect(&w, &token).await["active"], true);
    let page = w.userinfo(&token).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_token"), "{}", rule("bearer.audience"));
}

#[tokio::test]
async fn an_id_token_is_no_access_token_and_an_access_token_no_hint() {
    let (w, rp, tokens) = stage().await;
    assert_eq!(w.userinfo(&tokens.id_token).await.status, 401);
    assert_eq!(rp.introspect(&w, &tokens.id_token).await["active"], false);
    let page =
        w.browser().open(&rp.ask().with("prompt", "none").with("id_token_hint", &tokens.access_token).url()).await;
    assert_eq!(crate::world::Answer::of(&page).error(), "invalid_request");
    let mut parts: Vec<_> = tokens.access_token.split('.').map(str::to_owned).collect();
    for at in 0..3 {
        let kept = parts[at].clone();
        parts[at].replace_range(2..3, if &kept[2..3] == "A" { "B" } else { "A" });
        assert_eq!(w.userinfo(&parts.join(".")).await.status, 401, "part {at}");
        parts[at] = kept;
    }
}
