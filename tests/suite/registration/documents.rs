//! What a document may say: wrong ones get a 4xx that names the field and make no client.

use idp_core::oauth::registration::fields::FIELDS;
use idp_core::pass::PassKind;
use idp_core::realm::Registration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{about, refused, world};
use crate::rules::rule;
use crate::world::Db;
use crate::world::jwt::Key;

/// Values of every type, and some that upset parsers.
fn strange() -> Vec<Value> {
    let long = "x".repeat(3000);
    vec![
        json!(1.5),
        json!(-1),
        json!(u64::MAX),
        json!(true),
        json!(""),
        json!("\u{0}\u{202e}\r\n"),
        json!(long),
        json!("JaVaScript:alert(1)"),
        json!([]),
        json!([null]),
        json!([[[]]]),
        json!([1, "x"]),
        json!(vec!["https://app.example/cb"; 51]),
        json!({}),
        json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }),
        json!({ "keys": 1 }),
        Value::Null,
    ]
}

#[tokio::test]
async fn a_field_of_a_wrong_type_is_named_and_never_a_fault_of_ours() {
    let w = world(Db::Sqlite, Registration::Token).await;
    let token = w.invite(PassKind::Registrations, 600).await;
    for field in FIELDS {
        for value in strange() {
            let page = w.register(Some(&token), &about(json!({ field.name: value }))).await;
            let told = page.value();
            match page.status {
                201 => {
                    let client = w.client_of(&told).await.unwrap();
                    assert!(client.settings.unverified, "{}", field.name);
                    let id = client.id.as_str().to_owned();
                    let uri = format!("/register/{id}");
                    let manage = told["registration_access_token"].as_str();
                    assert_eq!(w.call(Method::DELETE, &uri, manage, "").await.status, 204);
                }
                400 => assert!(["invalid_client_metadata", "invalid_redirect_uri"].contains(&page.error().as_str())),
                other => panic!("{} = {value}: {other} {}", field.name, page.body),
            }
        }
        let page = w.register(Some(&token), &about(json!({ field.name: 1.5 }))).await;
        let error = if field.name == "redirect_uris" { "invalid_redirect_uri" } else { "invalid_client_metadata" };
        refused(&page, "registration.fields", error, field.name);
    }
    assert_eq!(w.app.store.list_clients(w.realm).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_rule() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let metadata = "invalid_client_metadata";
    for uri in [
        "JaVaScript:alert(1)",
        "data:text/html,x",
        " https://app.example/cb",
        "https://app.example/cb#f",
        "http://a.example/",
    ] {
        let page = w.register(None, &json!({ "redirect_uris": [uri] })).await;
        refused(&page, "registration.settings", "invalid_redirect_uri", "redirect_uris");
        for field in ["client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri", "sector_identifier_uri"] {
            if uri.starts_with("https") {
                continue;
            }
            let page = w.register(None, &about(json!({ field: uri }))).await;
            assert_eq!((page.status, page.error().as_str()), (400, metadata), "{field} {uri}: {}", page.body);
        }
    }
    refused(&w.register(None, &json!({})).await, "registration.settings", "invalid_redirect_uri", "redirect_uris");
    let cases = [
        ("registration.fields", "response_types", json!({ "response_types": ["code", "id_token"] })),
        ("registration.fields", "grant_types", json!({ "grant_types": ["authorization_code", "implicit"] })),
        ("registration.fields", "id_token_signed_response_alg", json!({ "id_token_signed_response_alg": "none" })),
        ("registration.fields", "id_token_signed_response_alg", json!({ "id_token_signed_response_alg": "HS256" })),
        (
            "registration.fields",
            "id_token_encrypted_response_alg",
            json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }),
        ),
        (
            "registration.fields",
            "token_endpoint_auth_method",
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
        ),
        ("registration.grants", "grant_types", json!({ "grant_types": ["authorization_code", "client_credentials"] })),
        (
            "registration.grants",
            "grant_types",
            json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "response_types": [] }),
        ),
        ("registration.scopes", "scope", json!({ "scope": "openid groups" })),
        ("registration.scopes", "scope", json!({ "scope": "openid payments" })),
        ("registration.links", "logo_uri", json!({ "logo_uri": "http://localhost:8080/logo.png" })),
        ("registration.settings", "jwks", json!({ "token_endpoint_auth_method": "private_key_jwt" })),
        ("registration.settings", "contacts", json!({ "contacts": ["nobody"] })),
        ("registration.settings", "default_max_age", json!({ "default_max_age": -1 })),
        (
            "registration.settings",
            "frontchannel_logout_uri",
            json!({ "frontchannel_logout_uri": "https://b.example/" }),
        ),
        (
            "registration.settings",
            "sector_identifier_uri",
            json!({ "subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"] }),
        ),
    ];
    for (id, field, more) in cases {
        refused(&w.register(None, &about(more)).await, id, metadata, field);
    }
    let keys = Key::es256("k").jwks();
    let both = about(json!({ "jwks": keys, "jwks_uri": "https://app.example/keys" }));
    refused(&w.register(None, &both).await, "registration.settings", metadata, "jwks");
    let page = w.register(None, &about(json!({ "jwks": keys, "token_endpoint_auth_method": "private_key_jwt" }))).await;
    assert_eq!((page.status, page.value().get("client_secret")), (201, None), "{}", page.body);
}

#[tokio::test]
async fn a_body_that_is_no_document_is_refused() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let deep = format!(r#"{{"jwks":{}1{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let doubled = r#"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}"#;
    for body in ["", "null", "[]", "\"x\"", "{", "{\"a\":1e400}", doubled, &deep, "\u{feff}{}"] {
        let page = w.call(Method::POST, "/register", None, body).await;
        refused(&page, "registration.body", "invalid_client_metadata", "body");
    }
    let huge = about(json!({ "client_name": "x".repeat(70_000) })).to_string();
    assert_eq!(w.call(Method::POST, "/register", None, &huge).await.status, 413, "{}", rule("registration.body"));
    let mut browser = w.browser();
    assert_eq!(browser.post("/register", &[("redirect_uris", "https://a.example/")]).await.status, 415);
    let page = browser.get("/register").await;
    assert_eq!((page.status, page.header("allow")), (405, Some("POST")));
    assert_eq!(w.app.store.list_clients(w.realm).await.unwrap().len(), 0);
}
