//! Whose passkey it is: named, listed, handed over. WebAuthn L3 §7.2 steps 5 and 6, §7.1 step 26, §14.6.

use idp_core::encoding::base64url;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Browser, World};

#[tokio::test]
async fn a_passkey_of_somebody_else_does_not_answer_for_the_named_account() {
    let w = World::sqlite().await;
    let (mut ann, bob) = (w.person("ann").await, w.person("bob").await);
    let id = rule("webauthn.assertion.user_mismatch");
    for username in [bob.username.as_str(), "nobody-has-this-name"] {
        let mut browser = w.browser();
        let begun = browser.json("/webauthn/authenticate/options", &json!({ "username": username })).await.value();
        assert_eq!(begun["publicKey"].get("allowCredentials").cloned().unwrap_or(json!([])), json!([]), "no ids");
        // With the own handle, the other's, and none: the one answer, whether or not the name exists.
        for handle in [Some(ann.keys[0].user_handle.clone()), Some(bob.keys[0].user_handle.clone()), None] {
            let faults = Faults { user_handle: Some(handle), ..Faults::default() };
            let answer = browser.assert_with(&begun, &mut ann.keys[0], &faults).await;
            assert_eq!(answer.verdict(), refused(400, "user_mismatch"), "{id}: {username}");
        }
    }
}

#[tokio::test]
async fn the_handle_of_somebody_else_is_refused_for_an_own_passkey() {
    let w = World::sqlite().await;
    let (mut ann, bob) = (w.person("ann").await, w.person("bob").await);
    let (own, other) = (ann.keys[0].user_handle.clone(), bob.keys[0].user_handle.clone());
    let bad = [
        Some(other),
        None,
        Some(own[..63].to_vec()),
        Some([own.clone(), vec![0]].concat()),
        Some(base64url(&own).into_bytes()),
        Some(b"ann".to_vec()),
        Some(ann.id.to_string().into_bytes()),
    ];
    for handle in bad {
        let faults = Faults { user_handle: Some(handle), ..Faults::default() };
        let answer = w.browser().try_passkey(&mut ann.keys[0], &faults).await;
        assert_eq!(answer.verdict(), refused(400, "user_mismatch"));
    }
}

#[tokio::test]
async fn after_a_password_only_the_listed_passkeys_count() {
    let w = World::sqlite().await;
    w.policy_fields(&[("mode", "password_then_passkey")]).await;
    let ann = w.person_with_both("ann", Options::platform()).await;
    let mut bob = w.person("bob").await;
    let mut browser = w.browser();
    browser.try_password(&ann.username, PASSWORD).await;
    let begun = browser.begin_sign_in().await;
    assert_eq!(begun["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
    let id = rule("webauthn.assertion.credential_not_allowed");
    for handle in [Some(ann.keys[0].user_handle.clone()), Some(bob.keys[0].user_handle.clone()), None] {
        let faults = Faults { user_handle: Some(handle), ..Faults::default() };
        let answer = browser.assert_with(&begun, &mut bob.keys[0], &faults).await;
        assert_eq!(answer.verdict(), refused(400, "credential_not_allowed"), "{id}");
    }
    assert_eq!(browser.cookie("session"), None);
}

#[tokio::test]
async fn a_credential_id_of_somebody_else_is_not_taken_over() {
    // WebAuthn L3 §7.1 step 26: else a copied id would lead to the wrong account.
    let w = World::sqlite().await;
    let (mut ann, mallory) = (w.person("ann").await, w.account("mallory", None).await);
    let mut copy = key(Options::platform());
    copy.credential_id.clone_from(&ann.keys[0].credential_id);
    let answer = w.browser().enrol(&w.access_pass(&mallory).await, &mut copy, &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "already_registered"));
    let answer = w.browser().try_passkey(&mut copy, &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "user_mismatch"), "the handle is mallory's");
    copy.user_handle.clone_from(&ann.keys[0].user_handle);
    let answer = w.browser().try_passkey(&mut copy, &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "signature"), "the key is mallory's");
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn neither_passkeys_nor_ceremonies_nor_passes_cross_realms() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let pass = w.access_pass(&ann).await;
    w.second_realm("other.example").await;
    let there = || {
        let mut browser = w.browser();
        browser.headers.insert("host", "other.example".parse().unwrap());
        browser.origin.clone_from(&w.issuer);
        browser
    };
    let origin = "https://other.example";
    let begin = async |browser: &mut Browser, body: Value| {
        let begun = browser.json_from("/webauthn/authenticate/options", &body, origin).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        begun.value()
    };
    let finish = async |browser: &mut Browser, begun: &Value, credential: &Value| {
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        browser.json_from("/webauthn/authenticate", &body, origin).await.verdict()
    };

    // The other realm does not know the passkey, even where it signs for its host.
    let mut browser = there();
    let begun = begin(&mut browser, json!({})).await;
    assert_eq!(begun["publicKey"]["rpId"], "other.example");
    let credential = ann.keys[0].get(&begun, origin);
    let found = finish(&mut browser, &begun, &credential).await;
    assert_eq!(found, refused(400, "unknown_credential"));
    // Nor does it open what the first realm sealed, in the same browser or another.
    let mut here = w.browser();
    let ours = here.begin_sign_in().await;
    let credential = ann.keys[0].get(&ours, &w.issuer);
    for jar in [Default::default(), here.jar.clone()] {
        let mut browser = there();
        browser.jar = jar;
        browser.json_from("/webauthn/authenticate/options", &json!({}), origin).await;
        let found = finish(&mut browser, &ours, &credential).await;
        assert_eq!(found, refused(400, "ceremony_invalid"));
    }
    // The other way round neither.
    let theirs = begin(&mut there(), json!({})).await;
    let body = json!({ "ceremony": theirs["ceremony"], "credential": credential });
    assert_eq!(here.json("/webauthn/authenticate", &body).await.verdict(), refused(400, "ceremony_invalid"));
    // A registration begun here is not kept there, and a pass is worth nothing there.
    let begun = here.begin_with_pass(&pass).await.value();
    let made = key(Options::platform()).create(&begun, origin);
    let mut browser = there();
    begin(&mut browser, json!({})).await;
    let body = json!({ "ceremony": begun["ceremony"], "credential": made });
    let kept = browser.json_from("/webauthn/register", &body, origin).await;
    assert_eq!(kept.verdict(), refused(400, "ceremony_invalid"));
    let begun = browser.json_from("/webauthn/register/options", &json!({ "pass": pass }), origin).await;
    assert_eq!(begun.verdict(), refused(403, "link_over"));
    // A session is its realm's own, too.
    assert_eq!(here.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    let mut browser = there();
    browser.jar.clone_from(&here.jar);
    assert!(!browser.is_signed_in().await);
    assert!(here.is_signed_in().await);
}
