//! Who may register, and what a registered client can do. RFC 7591 §3.

use futures_util::future::join_all;
use idp_core::client::ConsentMode;
use idp_core::pass::PassKind;
use idp_core::realm::Registration;
use idp_store::clients::{ClientUpdated, UpdateClient};
use reqwest::Method;
use serde_json::{Value, json};

use super::{about, at, refused, unauthorized, world};
use crate::both;
use crate::rules::rule;
use crate::world::Answer;

both! {
    async fn a_registered_client_signs_people_in_until_it_deletes_itself(db) {
        let w = world(db, Registration::Open).await;
        let document = about(json!({
            "client_name": "Notes", "scope": "openid email", "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_post", "logo_uri": "https://app.example/logo.svg",
            "application_type": "web", "software_id": "ignored",
        }));
        let page = w.register(None, &document).await;
        assert_eq!((page.status, page.header("cache-control")), (201, Some("no-store")), "{}", page.body);
        let told = page.value();
        for (name, value) in document.as_object().unwrap() {
            let known = !matches!(name.as_str(), "application_type" | "software_id");
            assert_eq!(told.get(name), known.then_some(value), "{name}");
        }
        assert_eq!(told["client_secret_expires_at"], 0);
        assert_eq!(told["client_id_issued_at"], w.clock.now().secs());
        assert_eq!(told["id_token_signed_response_alg"], "RS256", "what a client that says nothing gets");
        let rp = w.rp_of(&told).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let tokens = w.tokens_for(&mut browser, &mut ann, &rp, "openid email offline_access groups").await;
        assert_eq!(rp.refresh(&w, &tokens.refresh_token).await.status, 200);
        let page = at(&w, Method::DELETE, &told, "").await;
        assert_eq!((page.status, page.body.as_str()), (204, ""));
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
        assert_eq!(rp.refresh(&w, &tokens.refresh_token).await.error(), "invalid_client");
        unauthorized(&at(&w, Method::GET, &told, "").await, "registration.token");
    }

    async fn an_initial_access_token_registers_one_client_however_many_use_it_at_once(db) {
        let w = world(db, Registration::Token).await;
        let token = w.invite(PassKind::Registration, 600).await;
        let broken = w.register(Some(&token), &json!({ "redirect_uris": ["x"] })).await;
        refused(&broken, "registration.settings", "invalid_redirect_uri", "redirect_uris");
        let document = about(json!({}));
        let pages = join_all((0..64).map(|_| w.register(Some(&token), &document))).await;
        assert_eq!(pages.iter().filter(|page| page.status == 201).count(), 1, "{}", rule("registration.initial_token"));
        for page in pages.iter().filter(|page| page.status != 201) {
            unauthorized(page, "registration.initial_token");
        }
        assert_eq!(w.app.store.list_clients(w.realm).await.unwrap().len(), 1);
        let many = w.invite(PassKind::Registrations, 600).await;
        for _ in 0..3 {
            assert_eq!(w.register(Some(&many), &document).await.status, 201);
        }
        w.clock.advance(601);
        unauthorized(&w.register(Some(&many), &document).await, "registration.initial_token");
    }
}

#[tokio::test]
async fn the_realm_says_who_may_register() {
    let w = world(crate::world::Db::Sqlite, Registration::Off).await;
    let document = about(json!({}));
    let endpoint =
        async || w.browser().get("/.well-known/openid-configuration").await.value()["registration_endpoint"].clone();
    let token = w.invite(PassKind::Registration, 600).await;
    assert_eq!(w.register(Some(&token), &document).await.status, 403, "{}", rule("registration.enabled"));
    assert_eq!(endpoint().await, Value::Null);
    w.set_settings(|s| s.registration = Registration::Token).await;
    let page = w.register(None, &document).await;
    assert_eq!((page.status, page.header("www-authenticate")), (401, Some("Bearer")), "{}", page.body);
    assert_eq!(endpoint().await, format!("{}/register", w.issuer));
    w.set_settings(|s| s.registration = Registration::Open).await;
    unauthorized(&w.register(Some("wrong"), &document).await, "registration.initial_token");
    assert_eq!(w.register(Some(&token), &document).await.status, 201);
    assert_eq!(w.register(None, &document).await.status, 201);
}

#[tokio::test]
async fn a_pass_of_one_kind_is_none_of_another() {
    let w = world(crate::world::Db::Sqlite, Registration::Token).await;
    let setup = w.setup_link().await;
    unauthorized(&w.register(Some(&setup), &about(json!({}))).await, "registration.initial_token");
    for kind in [PassKind::Registration, PassKind::Registrations] {
        let token = w.invite(kind, 600).await;
        let mut browser = w.browser();
        assert_eq!(browser.begin_with_pass(&token).await.status, 403);
        assert_eq!(browser.get(&format!("/setup?token={token}")).await.status, 403);
        assert_eq!(w.register(Some(&token), &about(json!({}))).await.status, 201, "and it is not used up by that");
    }
}

#[tokio::test]
async fn people_are_told_and_asked_until_an_admin_looked_at_it() {
    let w = world(crate::world::Db::Sqlite, Registration::Open).await;
    let told = w.registered(&about(json!({ "token_endpoint_auth_method": "none" }))).await;
    assert_eq!(told["client_name"], "app.example", "a client without a name is called by its host");
    assert!(told.get("client_secret").is_none() && told.get("client_secret_expires_at").is_none());
    let mut rp = w.rp_of(&told).await;
    let set = async |client: &mut idp_core::client::Client, unverified| {
        let seen = client.updated;
        (client.settings.unverified, client.settings.consent, client.updated) =
            (unverified, ConsentMode::Skip, seen.plus_s(1));
        let audit = w.audit(idp_core::audit::AuditEvent::ClientChanged);
        let op = UpdateClient { realm: w.realm, client: client.clone(), seen, audit };
        assert_eq!(w.app.store.write(op).await.unwrap(), ClientUpdated::Updated);
    };
    set(&mut rp.client, true).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.open(&rp.ask().url()).await;
    assert!(page.has("consent-allow"), "{}: {}", rule("registration.unverified"), page.body);
    assert!(page.body.contains("This application is not verified"), "{}", page.body);
    set(&mut rp.client, false).await;
    let page = browser.open(&rp.ask().url()).await;
    assert!(Answer::of(&page).params.contains_key("code"), "{}", page.body);
    // It changes itself: somebody has to look at it again.
    let mut document = told.clone();
    document["client_name"] = json!("Your Bank");
    assert_eq!(at(&w, Method::PUT, &told, &document.to_string()).await.status, 200);
    assert!(browser.open(&rp.ask().url()).await.has("consent-allow"));
}
