//! `/register/CLIENT`: a client reads, replaces and deletes its registration. RFC 7592 §2.

use futures_util::future::join_all;
use idp_core::audit::AuditEvent;
use idp_core::client::{Client, ClientState};
use idp_core::pass::PassKind;
use idp_core::realm::Registration;
use idp_store::clients::{ClientUpdated, UpdateClient};
use reqwest::Method;
use serde_json::{Value, json};

use super::{about, at, refused, unauthorized, world};
use crate::both;
use crate::rules::rule;
use crate::world::{Db, World};

async fn change(w: &World, told: &Value, change: impl FnOnce(&mut Client)) {
    let mut client = w.client_of(told).await.unwrap();
    let seen = client.updated;
    change(&mut client);
    client.updated = seen.plus_s(1);
    let op = UpdateClient { realm: w.realm, client, seen, audit: w.audit(AuditEvent::ClientChanged) };
    assert_eq!(w.app.store.write(op).await.unwrap(), ClientUpdated::Updated);
}

both! {
    async fn an_update_replaces_what_the_client_may_set_and_nothing_else(db) {
        let w = world(db, Registration::Open).await;
        let told = w.registered(&about(json!({ "client_name": "One", "contacts": ["a@b.example"] }))).await;
        change(&w, &told, |client| {
            client.settings.allowed_groups = vec!["staff".to_owned()];
            client.settings.scopes = Some(vec!["openid".to_owned(), "groups".to_owned()]);
            client.settings.unverified = false;
        })
        .await;
        let read = at(&w, Method::GET, &told, "").await;
        assert_eq!((read.status, read.value().get("client_secret")), (200, None), "we keep its hash: {}", read.body);
        // What was read can be sent back, with what an admin allowed, and changes nothing.
        let same = at(&w, Method::PUT, &told, &read.body).await;
        assert_eq!((same.status, same.value()), (200, read.value()));
        assert!(!w.client_of(&told).await.unwrap().settings.unverified);
        let mut document = about(json!({ "client_id": told["client_id"], "client_secret": told["client_secret"] }));
        document["client_name"] = json!("Two");
        let page = at(&w, Method::PUT, &told, &document.to_string()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let now = page.value();
        assert_eq!((now["client_name"].as_str(), now.get("contacts")), (Some("Two"), None), "{}", rule("registration.replace"));
        assert_eq!(now["registration_access_token"], told["registration_access_token"]);
        let client = w.client_of(&told).await.unwrap();
        assert_eq!(client.settings.allowed_groups, ["staff"]);
        assert!(client.settings.unverified, "{}", rule("registration.unverified"));
        assert_eq!(now["scope"], "openid profile email address phone offline_access");
        // Without a secret, and with a new one.
        document.as_object_mut().unwrap().remove("client_secret");
        document["token_endpoint_auth_method"] = json!("none");
        let public = at(&w, Method::PUT, &told, &document.to_string()).await.value();
        assert_eq!((public.get("client_secret"), public.get("client_secret_expires_at")), (None, None));
        document["token_endpoint_auth_method"] = json!("client_secret_basic");
        let secret = at(&w, Method::PUT, &told, &document.to_string()).await.value()["client_secret"].clone();
        assert!(secret.is_string() && secret != told["client_secret"], "{secret}");
    }
}

#[tokio::test]
async fn only_its_own_token_opens_a_registration() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let (told, other) = (w.registered(&about(json!({}))).await, w.registered(&about(json!({}))).await);
    let address = told["registration_client_uri"].as_str().unwrap();
    let (own, foreign) = (told["registration_access_token"].as_str(), other["registration_access_token"].as_str());
    let by_admin = w.rp("admins").await;
    let initial = w.invite(PassKind::Registrations, 600).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let body = about(json!({ "client_id": told["client_id"] })).to_string();
        let call = async |path: &str, token| w.call(method.clone(), path, token, &body).await;
        assert_eq!(call(address, None).await.status, 401);
        let mut answers = Vec::new();
        for (path, token) in [
            (address, foreign),
            (address, Some("")),
            (address, Some(initial.as_str())),
            (address, told["client_secret"].as_str()),
            ("/register/nobody", own),
            (&format!("/register/{}", by_admin.id()), own),
            ("/register/a%2Fb", own),
            ("/register/a%00b", own),
        ] {
            let page = call(path, token).await;
            unauthorized(&page, "registration.token");
            answers.push(page.body);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "an unknown client is answered alike");
    }
    assert_eq!(w.call(Method::GET, address, own, "").await.status, 200, "and nothing happened to it");
    let page = w.call(Method::POST, address, own, "{}").await;
    assert_eq!((page.status, page.header("allow")), (405, Some("DELETE, GET, HEAD, PUT")));
    change(&w, &told, |client| client.state = ClientState::Disabled).await;
    unauthorized(&w.call(Method::GET, address, own, "").await, "registration.token");
}

#[tokio::test]
async fn an_update_names_its_client_and_is_judged_like_a_registration() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let told = w.registered(&about(json!({}))).await;
    let id = told["client_id"].clone();
    for (field, more) in [
        ("client_id", json!({})),
        ("client_id", json!({ "client_id": "other" })),
        ("client_id", json!({ "client_id": 1 })),
        ("client_secret", json!({ "client_id": id, "client_secret": "wrong" })),
        ("client_secret", json!({ "client_id": id, "client_secret": [1] })),
    ] {
        let page = at(&w, Method::PUT, &told, &about(more).to_string()).await;
        refused(&page, "registration.replace", "invalid_client_metadata", field);
    }
    let wide = about(json!({ "client_id": id, "scope": "openid groups" })).to_string();
    let page = at(&w, Method::PUT, &told, &wide).await;
    refused(&page, "registration.scopes", "invalid_client_metadata", "scope");
    let page = at(&w, Method::PUT, &told, "[").await;
    refused(&page, "registration.body", "invalid_client_metadata", "body");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_updates_succeed_or_are_told_to_read_again() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let told = w.registered(&about(json!({}))).await;
    let body =
        |n: usize| about(json!({ "client_id": told["client_id"], "client_name": format!("Name {n}") })).to_string();
    let bodies: Vec<_> = (0..16).map(body).collect();
    let pages = join_all(bodies.iter().map(|body| at(&w, Method::PUT, &told, body))).await;
    assert!(pages.iter().all(|page| [200, 409].contains(&page.status)));
    assert!(pages.iter().any(|page| page.status == 200));
}
