//! Origins of a relying party besides its hosts: further ports, and native applications. WebAuthn L3 §13.4.9.

use idp_core::realm::RelyingParty;
use idp_softkey::{Options, SoftKey};
use serde_json::{Value, json};

use crate::world::acts::key;
use crate::world::{Browser, World};

/// Serves the realm at its host alone, and takes ceremonies from this origin too.
async fn accept(w: &mut World, origin: Option<&str>) {
    let mut party = RelyingParty::alone(&w.issuer);
    party.accept(origin.map(str::to_owned));
    w.serve_at(vec![party]).await;
}

async fn signs_in(w: &World, key: &mut SoftKey, origin: &str) -> u16 {
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let credential = key.get(&begun, origin);
    finish(&mut browser, "/webauthn/authenticate", &begun, credential).await
}

async fn registers(w: &World, pass: &str, origin: &str) -> (u16, SoftKey) {
    let (mut browser, mut key) = (w.browser(), key(Options::synced()));
    let begun = browser.begin_with_pass(pass).await.value();
    let credential = key.create(&begun, origin);
    (finish(&mut browser, "/webauthn/register", &begun, credential).await, key)
}

async fn finish(browser: &mut Browser, path: &str, begun: &Value, credential: Value) -> u16 {
    browser.json(path, &json!({ "ceremony": begun["ceremony"], "credential": credential })).await.status
}

/// A passkey is made and used from an origin where the relying party names it, and nowhere else.
async fn works_where_it_is_named(origin: &str) {
    let mut w = World::sqlite().await;
    let ada = w.account("ada", None).await;
    let pass = w.access_pass(&ada).await;
    accept(&mut w, None).await;
    assert_eq!(registers(&w, &pass, origin).await.0, 400, "{origin}");
    accept(&mut w, Some(origin)).await;
    let (status, mut key) = registers(&w, &pass, origin).await;
    assert_eq!(status, 201, "{origin}");
    assert_eq!(signs_in(&w, &mut key, origin).await, 200, "{origin}");
    // The host's own origin is as good as ever; another one is not.
    let issuer = w.issuer.clone();
    assert_eq!(signs_in(&w, &mut key, &issuer).await, 200);
    assert_eq!(signs_in(&w, &mut key, &format!("{origin}0")).await, 400);
    accept(&mut w, None).await;
    assert_eq!(signs_in(&w, &mut key, origin).await, 400, "{origin}");
}

#[tokio::test]
async fn a_native_application_makes_and_uses_passkeys_by_its_own_origin() {
    works_where_it_is_named("android:apk-key-hash:FG3pg8VzBlDY7rmVLzT8ZBagg0LmHb6oigSWsj_PROU").await;
}

#[tokio::test]
async fn plain_http_on_localhost_works_at_any_port_that_is_named() {
    works_where_it_is_named("http://localhost:4455").await;
}

#[tokio::test]
async fn authenticators_are_told_the_name_of_the_realm() {
    let w = World::sqlite().await;
    let ada = w.account("ada", None).await;
    let begun = w.browser().begin_with_pass(&w.access_pass(&ada).await).await.value();
    assert_eq!(begun["publicKey"]["rp"], json!({ "id": "localhost", "name": "The Realm" }));
}
