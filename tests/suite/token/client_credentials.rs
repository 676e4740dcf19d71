//! A client acting for itself. RFC 6749 §4.4.

use idp_core::client::{ClientAuthMethod, ClientSettings, ClientState, GrantType};

use super::refused;
use crate::both;
use crate::world::{Rp, World};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn own(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
    settings.grant_types = vec![GrantType::ClientCredentials];
    settings.scopes = Some(vec!["read".to_owned(), "write".to_owned()]);
    settings.resources = vec!["https://api.example".to_owned()];
}

async fn worker(w: &World) -> Rp {
    w.rp_with("worker", own).await
}

both! {
    async fn a_client_gets_a_token_for_itself_without_a_user(db) {
        let w = World::start(db).await;
        let rp = worker(&w).await;
        let before = w.commits();
        let page = rp.token(&w, &[GRANT, ("scope", "write"), ("resource", "https://api.example")]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(w.commits() - before, 1);
        let body = page.value();
        assert_eq!((body["scope"].as_str(), body["token_type"].as_str()), (Some("write"), Some("Bearer")));
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "{body}");
        let token = body["access_token"].as_str().unwrap();
        let known = rp.introspect(&w, token).await;
        assert_eq!((known["active"].as_bool(), known["sub"].as_str()), (Some(true), Some("worker")));
        assert_eq!(known["aud"], "https://api.example");
        assert_eq!(w.userinfo(token).await.status, 401, "there is nobody to tell about");
        w.set_client_state(&rp, ClientState::Disabled).await;
        assert_eq!(rp.token(&w, &[GRANT]).await.error(), "invalid_client");
    }
}

#[tokio::test]
async fn scopes_and_resources_are_those_set_for_the_client() {
    let w = World::sqlite().await;
    let rp = worker(&w).await;
    assert_eq!(rp.token(&w, &[GRANT]).await.value()["scope"], "read write", "all, where none is named");
    for scope in ["openid", "read openid", "admin", "READ", "read\u{7f}"] {
        let page = rp.token(&w, &[GRANT, ("scope", scope)]).await;
        refused(&page, "client_credentials.scope", "invalid_scope", "not set for this client");
    }
    let page = rp.token(&w, &[GRANT, ("resource", "https://other.example")]).await;
    refused(&page, "resource.allowed", "invalid_target", "https://other.example");
    for bad in ["api", "https://api.example#f", &format!("https://a.example/{}", "x".repeat(600))] {
        let page = rp.token(&w, &[GRANT, ("resource", bad)]).await;
        refused(&page, "resource.form", "invalid_target", "absolute URI");
    }
    let page = rp.token(&w, &[GRANT, ("scope", "read"), ("scope", "read")]).await;
    refused(&page, "client_credentials.params", "invalid_request", "came twice");
}

#[tokio::test]
async fn a_public_client_cannot_act_for_itself() {
    let w = World::sqlite().await;
    let rp = w
        .rp_with("spa", |s| {
            own(s);
            s.auth_method = ClientAuthMethod::None;
        })
        .await;
    let page = rp.token(&w, &[GRANT]).await;
    refused(&page, "client_credentials.confidential", "unauthorized_client", "public");
}
