//! Signals: what a browser may tell its password manager, and where it is told nothing.

use idp_core::encoding::base64url;
use idp_core::realm::Signals;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::world::hosts::NEW;
use crate::world::{Browser, World};

#[tokio::test]
async fn all_passkeys_of_this_host_are_named_also_those_set_aside() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.add_passkey(&mut ann, Options::synced()).await;
    w.suspend(&ann, 1).await;
    let bob = w.person("bob").await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let mut signals = browser.get("/webauthn/signals").await.value();
    signals["allAcceptedCredentialIds"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    let mut ids: Vec<_> = ann.keys.iter().map(|key| base64url(&key.credential_id)).collect();
    ids.sort();
    let account = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap();
    let expected = json!({
        "rpId": "localhost",
        "userId": base64url(&account.user_handle),
        "allAcceptedCredentialIds": ids,
        "name": "ann@example.org",
        "displayName": "Name of ann",
    });
    assert_eq!(signals, expected);
    assert!(!signals.to_string().contains(&base64url(&bob.keys[0].credential_id)));
}

/// What both ceremonies say of signals.
async fn offered(browser: &mut Browser) -> [Value; 2] {
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await.value();
    let register = browser.json("/webauthn/register/options", &json!({})).await.value();
    [begun["signals"].clone(), register["signals"].clone()]
}

#[tokio::test]
async fn a_realm_decides_where_signals_are_given() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    for (signals, given) in [(Signals::Off, false), (Signals::Host, true), (Signals::Always, true)] {
        w.set_settings(|settings| settings.signals = signals).await;
        assert_eq!(offered(&mut browser).await, [json!(given), json!(given)], "{signals:?}");
        assert_eq!(browser.get("/webauthn/signals").await.status, if given { 200 } else { 204 }, "{signals:?}");
    }
}

#[tokio::test]
async fn under_a_parent_domain_nothing_is_signalled_unless_the_realm_says_always() {
    let mut w = World::sqlite().await;
    // Other sites under the parent may keep passkeys there that are not known here: a signal would delete them.
    w.serve_at(vec![idp_core::realm::RelyingParty::new(NEW, "http", vec![w.host("id.new.localhost")])]).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(offered(&mut browser).await, [json!(false), json!(false)]);
    assert_eq!(browser.get("/webauthn/signals").await.status, 204);
    w.set_settings(|settings| settings.signals = Signals::Always).await;
    assert_eq!(offered(&mut browser).await, [json!(true), json!(true)]);
    assert_eq!(browser.get("/webauthn/signals").await.value()["rpId"], NEW);
}
