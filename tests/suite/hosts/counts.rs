//! Every list and count is by RP ID.

use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::world::World;
use crate::world::acts::key;
use crate::world::hosts::{NEW, OLD};

#[tokio::test]
async fn passkeys_of_another_rp_id_take_no_place_and_are_not_listed() {
    let mut w = World::sqlite().await;
    w.policy(|policy| policy.max_passkeys = 1).await;
    w.serve_at(vec![w.party(OLD)]).await;
    let mut ada = w.person("ada").await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    // One of the old RP ID is there; there is room for one of the new, and by a pass for another.
    w.add_passkey(&mut ada, Options::platform()).await;
    w.add_passkey(&mut ada, Options::synced()).await;
    let pass = w.access_pass(&ada).await;
    let full = w.browser().begin_with_pass(&pass).await;
    assert_eq!((full.status, full.code().as_deref()), (409, Some("too_many_passkeys")));
    // Signing in, both are known, each at its own RP ID.
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    assert_eq!(begun["publicKey"]["rpId"], NEW);
    assert_eq!(browser.assert_with(&begun, &mut ada.keys[1], &Faults::default()).await.status, 200);
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let wrong = browser.assert_with(&begun, &mut ada.keys[0], &Faults::default()).await;
    assert_eq!((wrong.status, wrong.code().as_deref()), (400, Some("rp_id_mismatch")));
}

#[tokio::test]
async fn the_same_authenticator_makes_a_passkey_for_each_rp_id() {
    let mut w = World::sqlite().await;
    w.serve_at(vec![w.party(OLD)]).await;
    let ada = w.person("ada").await;
    let excluded = async |w: &World| {
        let pass = w.access_pass(&ada).await;
        let begun = w.browser().begin_with_pass(&pass).await.value();
        begun["publicKey"]["excludeCredentials"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(excluded(&w).await, 1);
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    assert_eq!(excluded(&w).await, 0);
}

#[tokio::test]
async fn the_last_passkey_that_is_served_is_the_last_way_in() {
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let mut new = key(Options::platform());
    let pass = w.access_pass(&ada).await;
    assert_eq!(w.browser().enrol(&pass, &mut new, &Faults::default()).await.status, 201);
    ada.keys.insert(0, new);
    let id = idp_core::encoding::base64url(&ada.keys[0].credential_id);
    let remove = async |w: &World, ada: &mut crate::world::Person| {
        let mut browser = w.browser();
        browser.sign_in_with_passkey(ada, None).await;
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        let page = browser.post("/account/security/remove", &[("csrf", &csrf), ("passkey", &id)]).await;
        (page.status, page.next())
    };
    w.serve_at(vec![w.party(NEW)]).await;
    assert_eq!(remove(&w, &mut ada).await, (409, None), "the old one lets nobody in any more");
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let removed = (200, Some("/account/security?removed=1".to_owned()));
    assert_eq!(remove(&w, &mut ada).await, removed);
    assert_eq!(json!(w.app.store.list_passkeys(w.realm, &ada.id).await.unwrap().len()), 1);
}
