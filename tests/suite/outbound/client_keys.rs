//! The keys that clients publish: how often they are fetched, and what serves when they cannot be.

use serde_json::json;

use crate::world::{OUTSIDE, Outside, Reply, World};

async fn set(w: &World, uri: &str, kid: Option<&str>) -> Result<String, &'static str> {
    let set = w.app.client_keys.of(&w.app.outbound, uri, kid, w.clock.now()).await;
    set.map(|set| set["keys"][0]["kid"].as_str().unwrap().to_owned()).map_err(|error| error.reason())
}

async fn stage() -> (World, Outside, String) {
    let (w, server) = (World::sqlite().await, Outside::at(OUTSIDE).await);
    server.answers(Reply::Json(json!({ "keys": [{ "kid": "one" }] })));
    let uri = server.url("/jwks");
    (w, server, uri)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_at_once_share_one_call() {
    let (w, server, uri) = stage().await;
    let asked = futures_util::future::join_all((0..64).map(|_| set(&w, &uri, Some("one")))).await;
    assert!(asked.iter().all(|kid| kid.as_deref() == Ok("one")));
    assert_eq!(server.connections(), 1);
    w.clock.advance(299);
    set(&w, &uri, None).await.unwrap();
    assert_eq!(server.connections(), 1);
    w.clock.advance(2);
    set(&w, &uri, None).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_invented_one_makes_one_call_in_thirty_seconds() {
    let (w, server, uri) = stage().await;
    set(&w, &uri, Some("one")).await.unwrap();
    w.clock.advance(40);
    server.answers(Reply::Json(json!({ "keys": [{ "kid": "two" }] })));
    assert_eq!(set(&w, &uri, Some("two")).await.unwrap(), "two");
    for _ in 0..10 {
        assert_eq!(set(&w, &uri, Some("invented")).await.unwrap(), "two");
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
    assert_eq!(set(&w, &uri, Some("one")).await.unwrap(), "one");
    assert_eq!(set(&w, &uri, Some("one")).await.unwrap(), "one");
    assert_eq!(server.requests().len(), 2, "a server that is down is not asked each time");
    w.clock.advance(31);
    assert_eq!(set(&w, &uri, Some("one")).await, Err("status"));
    assert_eq!(set(&w, &uri, Some("one")).await, Err("status"));
    assert_eq!(server.requests().len(), 3);
    server.answers(Reply::Json(json!({ "keys": [{ "kid": "one" }] })));
    w.clock.advance(31);
    assert_eq!(set(&w, &uri, Some("one")).await.unwrap(), "one");
}

#[tokio::test]
async fn keys_at_an_address_inside_are_not_fetched() {
    let w = World::sqlite().await;
    let inside = Outside::at("127.0.0.2".parse().unwrap()).await;
    assert_eq!(set(&w, &inside.url("/jwks"), Some("one")).await, Err("refused_by_guard"));
    assert_eq!(inside.connections(), 0);
}
