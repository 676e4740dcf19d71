//! The keys that clients publish: how often they are fetched, and what serves when they cannot be.

use std::sync::Arc;

use idp_core::client::{ClientAuthMethod, ClientState};
use idp_core::jose::jwk::JwkSet;
use idp_store::clients::UpdateClient;
use serde_json::json;

use crate::world::jwt::{Jwt, Key};
use crate::world::{OUTSIDE, Outside, Page, Reply, Rp, World};

async fn set(w: &World, uri: &str, kid: Option<&str>) -> Result<Arc<JwkSet>, &'static str> {
    let set = w.app.client_keys.of(&w.app.outbound, uri, kid, w.clock.now()).await;
    set.map_err(|error| error.reason())
}

fn publishes(server: &Outside, kid: &str) {
    server.answers(Reply::Json(Key::es256(kid).jwks()));
}

async fn stage() -> (World, Outside, String) {
    let (w, server) = (World::sqlite().await, Outside::at(OUTSIDE).await);
    publishes(&server, "one");
    let uri = server.url("/jwks");
    (w, server, uri)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_at_once_share_one_call() {
    let (w, server, uri) = stage().await;
    let asked = futures_util::future::join_all((0..64).map(|_| set(&w, &uri, Some("one")))).await;
    assert!(asked.iter().all(|set| set.as_ref().is_ok_and(|set| set.has("one"))));
    assert_eq!(server.connections(), 1);
    w.clock.advance(299);
    set(&w, &uri, None).await.unwrap();
    assert_eq!(server.connections(), 1);
    w.clock.advance(2);
    set(&w, &uri, None).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn who_asks_and_hangs_up_makes_no_more_calls_and_keeps_nobody_waiting() {
    let (w, server, uri) = stage().await;
    server.answers(Reply::Silence);
    for _ in 0..20 {
        let asked = set(&w, &uri, Some("one"));
        let _ = tokio::time::timeout(std::time::Duration::from_millis(20), asked).await;
    }
    assert_eq!(server.connections(), 1, "one call in thirty seconds, also where nobody waits for it");
    publishes(&server, "one");
    w.clock.advance(31);
    set(&w, &uri, Some("one")).await.unwrap();
    server.answers(Reply::Silence);
    let (hanging, known) = tokio::join!(
        tokio::time::timeout(std::time::Duration::from_millis(200), set(&w, &uri, Some("invented"))),
        tokio::time::timeout(std::time::Duration::from_millis(200), set(&w, &uri, Some("one"))),
    );
    drop(hanging);
    known.expect("nobody waits whose key is known").unwrap();
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_invented_one_makes_one_call_in_thirty_seconds() {
    let (w, server, uri) = stage().await;
    set(&w, &uri, Some("one")).await.unwrap();
    w.clock.advance(40);
    publishes(&server, "two");
    assert!(set(&w, &uri, Some("two")).await.unwrap().has("two"));
    for _ in 0..10 {
        assert!(!set(&w, &uri, Some("invented")).await.unwrap().has("invented"));
    }
    assert_eq!(server.requests().len(), 2);
    w.clock.advance(31);
    set(&w, &uri, Some("invented")).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_old_set_serves_for_an_hour_while_its_server_is_down() {
    let (w, server, uri) = stage().await;
    set(&w, &uri, None).await.unwrap();
    server.answers(Reply::Status(500));
    w.clock.advance(3599);
    for _ in 0..2 {
        assert!(set(&w, &uri, Some("one")).await.unwrap().has("one"));
    }
    assert_eq!(server.requests().len(), 2, "a server that is down is not asked each time");
    w.clock.advance(31);
    for _ in 0..2 {
        assert_eq!(set(&w, &uri, Some("one")).await.unwrap_err(), "status");
    }
    assert_eq!(server.requests().len(), 3);
    server.answers(Reply::Json(json!({ "keys": "none" })));
    w.clock.advance(31);
    assert_eq!(set(&w, &uri, Some("one")).await.unwrap_err(), "invalid_keys");
    publishes(&server, "one");
    w.clock.advance(31);
    assert!(set(&w, &uri, Some("one")).await.is_ok());
}

#[tokio::test]
async fn keys_at_an_address_inside_are_not_fetched() {
    let w = World::sqlite().await;
    let inside = Outside::at("127.0.0.2".parse().unwrap()).await;
    assert_eq!(set(&w, &inside.url("/jwks"), Some("one")).await.unwrap_err(), "refused_by_guard");
    assert_eq!(inside.connections(), 0);
}

/// A client whose keys are at `uri` alone.
async fn rp_at(w: &World, uri: String) -> Rp {
    let mut rp = w.rp_with("app", |settings| settings.auth_method = ClientAuthMethod::PrivateKeyJwt).await;
    let seen = rp.client.updated;
    (rp.client.settings.jwks, rp.client.settings.jwks_uri) = (None, Some(uri));
    (rp.client.updated, rp.client.state) = (seen.plus_s(1), ClientState::Active);
    let audit = w.audit(idp_core::audit::AuditEvent::ClientChanged);
    let op = UpdateClient { realm: w.realm, client: rp.client.clone(), seen, audit };
    w.app.store.write(op).await.unwrap();
    rp
}

async fn introspect(w: &World, rp: &Rp, key: &Key) -> Page {
    let assertion = Jwt::assertion(rp.id(), key, &w.issuer, w.clock.now().secs()).sign(key);
    let kind = crate::world::ASSERTION_TYPE;
    let fields = [("token", "x"), ("client_assertion_type", kind), ("client_assertion", assertion.as_str())];
    w.browser().post("/introspect", &fields).await
}

#[tokio::test]
async fn a_client_signs_in_by_a_key_it_publishes_also_by_its_next() {
    let (w, server, uri) = stage().await;
    let rp = rp_at(&w, uri).await;
    for kid in ["one", "two"] {
        let key = Key::es256(kid);
        server.answers(Reply::Json(key.jwks()));
        w.clock.advance(31);
        let page = introspect(&w, &rp, &key).await;
        assert_eq!(page.status, 200, "{}", page.body);
    }
    let page = introspect(&w, &rp, &Key::es256("two")).await;
    assert_eq!((page.error().as_str(), page.status), ("invalid_client", 401), "another key of the same name");
}

#[tokio::test]
async fn an_assertion_cannot_make_us_call_inside() {
    let w = World::sqlite().await;
    let inside = Outside::at("127.0.0.2".parse().unwrap()).await;
    let rp = rp_at(&w, inside.url("/jwks")).await;
    let page = introspect(&w, &rp, &Key::es256("one")).await;
    assert_eq!(page.error(), "invalid_client");
    assert!(!page.body.contains("127.0.0.2"), "the answer maps no network: {}", page.body);
    assert_eq!(inside.connections(), 0);
}
