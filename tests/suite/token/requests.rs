//! The form of token requests and answers. RFC 6749 §4.1.3, §5.1 and §5.2.

use reqwest::Method;
use serde_json::Value;

use super::refused;
use crate::world::World;

#[tokio::test]
async fn an_answer_has_the_members_of_the_specification_and_is_not_kept() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().with("scope", "email openid unknown profile");
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let answer = rp.redeem(&w, &ask, &code).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.value();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
    assert_eq!(body["scope"], "openid profile email", "what was granted, for it differs from what was asked");
    let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "expires_in", "id_token", "scope", "token_type"]);
}

#[tokio::test]
async fn other_grants_are_unsupported() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    for grant in ["password", "implicit", "AUTHORIZATION_CODE", "x"] {
        let page = rp.token(&w, &[("grant_type", grant), ("username", "ann"), ("password", "x")]).await;
        refused(&page, "grant.known", "unsupported_grant_type", "grant_type");
    }
    for grant in ["client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"] {
        let page = rp.token(&w, &[("grant_type", grant)]).await;
        refused(&page, "grant.allowed", "unauthorized_client", "not set up");
    }
    let page = rp.token(&w, &[("code", "x")]).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "grant_type is missing");
}

#[tokio::test]
async fn missing_and_doubled_parameters_are_refused_and_burn_nothing() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    for name in ["code", "redirect_uri"] {
        let mut params = rp.code_params(&ask, &code);
        params.retain(|(n, _)| *n != name);
        refused(&rp.token(&w, &params).await, "code.params", "invalid_request", "is missing");
        params.push((name, ""));
        refused(&rp.token(&w, &params).await, "code.params", "invalid_request", "is missing");
    }
    for name in ["code", "redirect_uri", "code_verifier", "grant_type", "client_id"] {
        let mut params = rp.code_params(&ask, &code);
        params.push((name, "authorization_code"));
        if name == "client_id" {
            params.push((name, rp.id()));
        }
        let page = rp.token(&w, &params).await;
        assert!([400, 401].contains(&page.status), "{name}: {}", page.body);
        assert!(page.value().get("access_token").is_none());
    }
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200);
}

#[tokio::test]
async fn the_body_is_a_form_of_bounded_size() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let page = rp.token(&w, &[("grant_type", "authorization_code"), ("code", &"x".repeat(70_000))]).await;
    assert_eq!((page.status, page.error().as_str()), (413, "invalid_request"));
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let mut browser = w.browser();
        let request = browser.request(Method::POST, "/token").header("content-type", kind);
        let page = browser.send(request.body("grant_type=authorization_code&client_id=app")).await;
        assert_eq!((page.status, page.error().as_str()), (415, "invalid_request"), "{kind}");
    }
    let mut browser = w.browser();
    let request = browser.request(Method::POST, "/token");
    let request = request.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let page = browser.send(request.body("grant_type=x&client_id=app")).await;
    assert_eq!(page.error(), "unsupported_grant_type", "a charset is harmless");
}

#[tokio::test]
async fn parameters_of_the_query_do_not_count() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let mut params = rp.code_params(&ask, &code);
    params.push(("client_id", rp.id()));
    let page = w.browser().post(&format!("/token?{}", crate::world::encode(&params)), &[]).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"));
    let value: Value = rp.redeem(&w, &ask, &code).await.value();
    assert!(value["access_token"].is_string());
}
