//! Each check of a registration, over HTTP: one fault, its code, and nothing kept. WebAuthn L3 §7.1.

use idp_core::passkey::policy::Requirement;
use idp_softkey::{Alg, Attestation, Faults, Options, SoftKey};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::acts::{key, refused};
use crate::world::{Browser, Person, World};

const UP: u8 = 1;
const UV: u8 = 4;
const BS: u8 = 16;

/// Registers `key` for `person` with `faults`; asserts the refusal named by the last part of the rule's id.
async fn refuses(w: &World, person: &Person, mut key: SoftKey, faults: Faults, id: &'static str) {
    let mut browser = w.browser();
    let answer = browser.enrol(&w.access_pass(person).await, &mut key, &faults).await;
    let code = rule(id).rsplit('.').next().unwrap();
    assert_eq!(answer.verdict(), refused(400, code), "{id}: {faults:?}: {}", answer.body);
    nothing_kept(w, person, &key).await;
}

async fn nothing_kept(w: &World, person: &Person, key: &SoftKey) {
    assert!(w.app.store.find_passkey_with_account(w.realm, &key.credential_id).await.unwrap().is_none());
    assert!(w.app.store.list_passkeys(w.realm, &person.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn each_fault_has_its_reason() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let member = |name: &str, value: Value| {
        let mut faults = Faults::default();
        faults.client_data.insert(name.to_owned(), value);
        faults
    };
    let faults = [
        (
            Faults { credential_type: Some("password".into()), ..Faults::default() },
            "webauthn.registration.credential_type",
        ),
        (Faults { id: Some(vec![1; 32]), ..Faults::default() }, "webauthn.registration.id_mismatch"),
        (Faults { raw_id: Some(vec![1; 32]), ..Faults::default() }, "webauthn.registration.id_mismatch"),
        (
            Faults { id: Some(vec![1; 32]), raw_id: Some(vec![1; 32]), ..Faults::default() },
            "webauthn.registration.id_mismatch",
        ),
        (member("challenge", json!(7)), "webauthn.registration.client_data"),
        (
            Faults { ceremony_type: Some("webauthn.get".into()), ..Faults::default() },
            "webauthn.registration.ceremony_type",
        ),
        (Faults { challenge: Some("b3du".into()), ..Faults::default() }, "webauthn.registration.challenge_mismatch"),
        (Faults { challenge: Some(String::new()), ..Faults::default() }, "webauthn.registration.challenge_mismatch"),
        (Faults { cross_origin: Some(true), ..Faults::default() }, "webauthn.registration.cross_origin"),
        (
            Faults { top_origin: Some("https://evil.example".into()), ..Faults::default() },
            "webauthn.registration.top_origin",
        ),
        (Faults { top_origin: Some(w.issuer.clone()), ..Faults::default() }, "webauthn.registration.top_origin"),
        (Faults { rp_id: Some("evil.example".into()), ..Faults::default() }, "webauthn.registration.rp_id_mismatch"),
        (Faults { trailing: vec![0], ..Faults::default() }, "webauthn.registration.authenticator_data"),
        (Faults { flip_flags: 0x40, ..Faults::default() }, "webauthn.registration.authenticator_data"),
        (Faults { flip_flags: UP, ..Faults::default() }, "webauthn.registration.user_not_present"),
        (Faults { flip_flags: UV, ..Faults::default() }, "webauthn.registration.user_not_verified"),
        (Faults { flip_flags: BS, ..Faults::default() }, "webauthn.registration.backup_state"),
        (Faults { key_alg: Some(-35), ..Faults::default() }, "webauthn.registration.public_key"),
        (Faults { key_alg: Some(-65535), ..Faults::default() }, "webauthn.registration.algorithm_not_allowed"),
        (Faults { key_alg: Some(-257), ..Faults::default() }, "webauthn.registration.public_key"),
    ];
    for (faults, id) in faults {
        refuses(&w, &ann, key(Options::platform()), faults, id).await;
    }
}

#[tokio::test]
async fn refuses_pages_of_other_origins() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let port = w.issuer.rsplit(':').next().unwrap().to_owned();
    for origin in [
        format!("{}.evil.example", w.issuer),
        format!("http://localhost.evil:{port}"),
        format!("http://sub.localhost:{port}"),
        "http://localhost:1".to_owned(),
        "http://localhost".to_owned(),
        format!("https://localhost:{port}"),
        format!("{}/", w.issuer),
        w.issuer.to_uppercase(),
        "null".to_owned(),
        String::new(),
    ] {
        let mut key = key(Options::platform());
        let mut browser = w.browser();
        let begun = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
        let credential = key.create(&begun, &origin);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let answer = browser.json("/webauthn/register", &body).await;
        let id = rule("webauthn.registration.origin_mismatch");
        assert_eq!(answer.verdict(), refused(400, "origin_mismatch"), "{id}: {origin}");
        nothing_kept(&w, &ann, &key).await;
    }
}

#[tokio::test]
async fn refuses_statements_that_do_not_hold() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let own = Options { attestation: Attestation::PackedSelf, ..Options::platform() };
    let id = "webauthn.registration.attestation";
    let broken = Faults { break_signature: true, ..Faults::default() };
    refuses(&w, &ann, key(own.clone()), broken, id).await;
    // A "none" statement is empty, or it is something else under that name.
    refuses(&w, &ann, key(own), Faults { fmt: Some("none".into()), ..Faults::default() }, id).await;
    let unsigned = Faults { fmt: Some("packed".into()), ..Faults::default() };
    refuses(&w, &ann, key(Options::platform()), unsigned, id).await;
    let long = Faults { fmt: Some("x".repeat(33)), ..Faults::default() };
    refuses(&w, &ann, key(Options::platform()), long, "webauthn.registration.attestation_object").await;
}

#[tokio::test]
async fn refuses_credential_ids_longer_than_1023_bytes() {
    let w = World::sqlite().await;
    let mut ann = w.account("ann", None).await;
    let long = key(Options { id_len: 1024, ..Options::platform() });
    refuses(&w, &ann, long, Faults::default(), "webauthn.registration.credential_id_length").await;
    w.add_passkey(&mut ann, Options { id_len: 1023, ..Options::platform() }).await;
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn refuses_a_response_that_is_not_one() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut browser = w.browser();
    let pass = w.access_pass(&ann).await;
    let begun = browser.begin_with_pass(&pass).await.value();
    let good = key(Options::platform()).create(&begun, &w.issuer);
    let without = |name: &str| {
        let mut bad = good.clone();
        bad["response"].as_object_mut().unwrap().remove(name);
        bad
    };
    let with = |path: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        bad
    };
    let bad = [
        json!({}),
        json!(null),
        json!([]),
        json!("x"),
        without("clientDataJSON"),
        without("attestationObject"),
        with("/rawId", json!("not base64!")),
        with("/rawId", json!(7)),
        with("/response/transports", json!(["x".repeat(65)])),
        with("/response/transports", json!(vec!["usb"; 9])),
        with("/authenticatorAttachment", json!("x".repeat(65))),
    ];
    for credential in bad {
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let answer = browser.json("/webauthn/register", &body).await;
        let id = rule("webauthn.registration.malformed_response");
        assert_eq!(answer.verdict(), refused(400, "malformed_response"), "{id}: {credential}");
    }
    for (member, code) in [("clientDataJSON", "client_data"), ("attestationObject", "attestation_object")] {
        let body =
            json!({ "ceremony": begun["ceremony"], "credential": with(&format!("/response/{member}"), json!("AAAA")) });
        assert_eq!(browser.json("/webauthn/register", &body).await.verdict(), refused(400, code));
    }
    rule("webauthn.registration.attestation_object");
    // None of it used up the pass or the ceremony.
    let body = json!({ "ceremony": begun["ceremony"], "credential": good });
    assert_eq!(browser.json("/webauthn/register", &body).await.status, 201);
}

#[tokio::test]
async fn a_credential_id_is_registered_once_in_the_realm() {
    let w = World::sqlite().await;
    let (mut ann, bob) = (w.person("ann").await, w.account("bob", None).await);
    for person in [&ann, &bob] {
        let pass = w.access_pass(person).await;
        let mut copy = key(Options::platform());
        copy.credential_id = ann.keys[0].credential_id.clone();
        let answer = w.browser().enrol(&pass, &mut copy, &Faults::default()).await;
        let id = rule("webauthn.registration.already_registered");
        assert_eq!(answer.verdict(), refused(400, "already_registered"), "{id}: {}", person.username);
        // The pass is not used up by it.
        assert_eq!(w.browser().begin_with_pass(&pass).await.status, 200);
    }
    // The options of the same account list it, so that an honest browser does not even try.
    let pass = w.access_pass(&ann).await;
    let listed = w.browser().begin_with_pass(&pass).await.value();
    assert_eq!(listed["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn self_attestation_says_nothing_about_the_model() {
    let w = World::sqlite().await;
    let own = Options { attestation: Attestation::PackedSelf, aaguid: [9; 16], ..Options::platform() };
    let ann = w.person_with_key("ann", own).await;
    let kept = w.passkey(&ann, 0).await;
    assert_eq!((kept.attestation_format.as_str(), kept.aaguid), ("packed", [9; 16]));
    w.set_settings(|s| s.hwk_requires_attestation = true).await;
    let rp = w.rp("app").await;
    let mut ann = ann;
    let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    assert_eq!(tokens.claims["amr"], json!(["pop", "user", "mfa"]), "unattested: no hwk");
}

#[tokio::test]
async fn keys_of_every_listed_algorithm_are_kept_and_sign_in() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    for alg in [Alg::Es256, Alg::Ed25519, Alg::Rs256] {
        let mut key = SoftKey::new(alg, Options::platform());
        let answer = w.browser().enrol(&w.access_pass(&ann).await, &mut key, &Faults::default()).await;
        assert_eq!((answer.status, answer.value()["alg"].as_i64()), (201, Some(alg.cose())));
        assert_eq!(w.browser().try_passkey(&mut key, &Faults::default()).await.stand(), "complete");
    }
    w.policy(|p| p.algorithms = vec![-7]).await;
    let mut ed25519 = SoftKey::new(Alg::Ed25519, Options::platform());
    let answer = w.browser().enrol(&w.access_pass(&ann).await, &mut ed25519, &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "algorithm_not_allowed"));
}

#[tokio::test]
async fn an_unverified_user_is_let_in_where_the_policy_says_so() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    w.policy(|p| p.user_verification.security_key = Requirement::Discouraged).await;
    let unverified = Options { uv: false, ..Options::security_key() };
    let answer = w.browser().enrol(&w.access_pass(&ann).await, &mut key(unverified), &Faults::default()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    // Of another type it is still required.
    let unverified = Options { uv: false, ..Options::platform() };
    let answer = w.browser().enrol(&w.access_pass(&ann).await, &mut key(unverified), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "user_not_verified"));
}

#[tokio::test]
async fn options_ask_for_what_the_policy_says() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut browser: Browser = w.browser();
    let begun = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
    let options = &begun["publicKey"];
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    let handle = idp_core::encoding::from_base64url(options["user"]["id"].as_str().unwrap()).unwrap();
    assert_eq!(handle.len(), 64, "WebAuthn L3 §14.6.1");
    let account = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap();
    assert_eq!(handle, account.user_handle);
    assert!(options["challenge"].as_str().unwrap().len() >= 43);
}
