//! Client authentication. RFC 6749 §2.3.1 and §5.2, OIDC Core §9.

use idp_core::client::{ClientAuthMethod, ClientState};
use reqwest::Method;

use super::refused;
use crate::world::{Page, World, basic, encode};

const FORM: &str = "application/x-www-form-urlencoded";

async fn post(w: &World, authorization: Option<&str>, fields: &[(&str, &str)]) -> Page {
    let mut browser = w.browser();
    let mut request = browser.request(Method::POST, "/token").header("content-type", FORM).body(encode(fields));
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    browser.send(request).await
}

#[tokio::test]
async fn each_method_works_with_odd_characters_in_the_secret() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (id, name, method) in [
        ("client.secret_basic", "a.b_c~d-e", ClientAuthMethod::ClientSecretBasic),
        ("client.secret_post", "poster", ClientAuthMethod::ClientSecretPost),
        ("client.none", "public", ClientAuthMethod::None),
    ] {
        let rp = w.rp_with(name, |s| s.auth_method = method).await;
        assert_eq!(rp.secret.is_none(), crate::rules::rule(id) == "client.none");
        w.tokens(&mut browser, &mut ann, &rp).await;
    }
}

#[tokio::test]
async fn only_the_registered_method_is_taken() {
    let w = World::sqlite().await;
    let basic_rp = w.rp_with("basic", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    let post_rp = w.rp_with("post", |s| s.auth_method = ClientAuthMethod::ClientSecretPost).await;
    w.rp("public").await;
    let secret = |rp: &crate::world::Rp| rp.secret.clone().unwrap();
    let grant = ("grant_type", "authorization_code");
    let (of_basic, of_post) = (secret(&basic_rp), secret(&post_rp));
    let in_body = post(&w, None, &[grant, ("client_id", "basic"), ("client_secret", &of_basic)]).await;
    refused(&in_body, "client.registered_method", "invalid_client", "client_secret_basic");
    let in_header = post(&w, Some(&basic("post", &of_post)), &[grant]).await;
    refused(&in_header, "client.registered_method", "invalid_client", "client_secret_post");
    for id in ["basic", "post"] {
        let alone = post(&w, None, &[grant, ("client_id", id)]).await;
        refused(&alone, "client.registered_method", "invalid_client", "client_secret_");
    }
    let needless = post(&w, None, &[grant, ("client_id", "public"), ("client_secret", "x")]).await;
    refused(&needless, "client.none", "invalid_client", "by none");
    let empty = post(&w, Some(&basic("public", "")), &[grant]).await;
    refused(&empty, "client.none", "invalid_client", "by none");
}

#[tokio::test]
async fn two_methods_at_once_are_refused() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    w.rp("other").await;
    let secret = rp.secret.clone().unwrap();
    let header = basic("app", &secret);
    for fields in [&[("client_secret", secret.as_str())][..], &[("client_id", "app"), ("client_secret", "x")]] {
        refused(
            &post(&w, Some(&header), fields).await,
            "client.one_method",
            "invalid_request",
            "header and in the body",
        );
    }
    // Case 4: an id in the body beside another one in the header.
    let page = post(&w, Some(&header), &[("client_id", "other")]).await;
    refused(&page, "client.one_method", "invalid_request", "differs");
    refused(&post(&w, None, &[]).await, "client.one_method", "invalid_client", "not named");
}

#[tokio::test]
async fn a_wrong_secret_is_401_with_a_challenge_for_basic_alone() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    let poster = w.rp_with("post", |s| s.auth_method = ClientAuthMethod::ClientSecretPost).await;
    let secret = rp.secret.clone().unwrap();
    for wrong in ["", "x", &secret[1..], &format!("{secret} "), poster.secret.as_deref().unwrap()] {
        let page = post(&w, Some(&basic("app", wrong)), &[("grant_type", "authorization_code")]).await;
        refused(&page, "client.secret", "invalid_client", "");
        assert!(page.header("www-authenticate").is_some_and(|c| c.starts_with("Basic ")), "RFC 6749 §5.2");
        let page = post(&w, None, &[("client_id", "post"), ("client_secret", &format!("{wrong}x"))]).await;
        refused(&page, "client.secret", "invalid_client", "");
        assert_eq!(page.header("www-authenticate"), None);
    }
    for header in ["Basic", "Basic !!!", "Basic YQ==", "Bearer abc", "Basic ", "Digest username=\"app\""] {
        let page = post(&w, Some(header), &[("grant_type", "authorization_code")]).await;
        refused(&page, "client.secret_basic", "invalid_client", "not Basic");
        assert!(page.header("www-authenticate").is_some(), "{header}");
    }
}

#[tokio::test]
async fn unknown_and_disabled_clients_look_the_same() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    w.set_client_state(&rp, ClientState::Disabled).await;
    let grant = ("grant_type", "authorization_code");
    let disabled = post(&w, Some(&basic("app", rp.secret.as_deref().unwrap())), &[grant]).await;
    refused(&disabled, "client.active", "invalid_client", "unknown or disabled");
    let unknown = post(&w, Some(&basic("nobody", "x")), &[grant]).await;
    assert_eq!((unknown.status, &unknown.body), (disabled.status, &disabled.body));
    for id in ["", "a b", &"x".repeat(200), "ü"] {
        let page = post(&w, Some(&basic(id, "x")), &[grant]).await;
        refused(&page, "client.active", "invalid_client", "unknown or disabled");
    }
}
