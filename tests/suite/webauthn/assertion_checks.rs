//! Each check of an assertion, over HTTP: one fault, its code, and nobody signed in. WebAuthn L3 §7.2.

use idp_core::audit::AuditEvent;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::acts::{key, refused};
use crate::world::{Person, World};

const UP: u8 = 1;
const UV: u8 = 4;
const BE: u8 = 8;
const BS: u8 = 16;

/// Signs in with `faults`; asserts the refusal named by the last part of the rule's id.
async fn refuses(w: &World, person: &mut Person, faults: Faults, id: &'static str) {
    let mut browser = w.browser();
    let answer = browser.try_passkey(&mut person.keys[0], &faults).await;
    let code = rule(id).rsplit('.').next().unwrap();
    assert_eq!(answer.verdict(), refused(400, code), "{id}: {faults:?}: {}", answer.body);
    assert_eq!(browser.cookie("session"), None, "{id}");
    assert_eq!(answer.header("set-cookie"), None, "{id}");
}

#[tokio::test]
async fn each_fault_has_its_reason() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let member = |name: &str, value: Value| {
        let mut faults = Faults::default();
        faults.client_data.insert(name.to_owned(), value);
        faults
    };
    let before = w.commits();
    let faults = [
        (
            Faults { credential_type: Some("password".into()), ..Faults::default() },
            "webauthn.assertion.credential_type",
        ),
        (Faults { id: Some(vec![1; 32]), ..Faults::default() }, "webauthn.assertion.id_mismatch"),
        (Faults { raw_id: Some(vec![1; 32]), ..Faults::default() }, "webauthn.assertion.unknown_credential"),
        (Faults { user_handle: Some(None), ..Faults::default() }, "webauthn.assertion.user_mismatch"),
        (Faults { user_handle: Some(Some(vec![1; 64])), ..Faults::default() }, "webauthn.assertion.user_mismatch"),
        (member("origin", json!(7)), "webauthn.assertion.client_data"),
        (
            Faults { ceremony_type: Some("webauthn.create".into()), ..Faults::default() },
            "webauthn.assertion.ceremony_type",
        ),
        (Faults { challenge: Some("b3du".into()), ..Faults::default() }, "webauthn.assertion.challenge_mismatch"),
        (Faults { cross_origin: Some(true), ..Faults::default() }, "webauthn.assertion.cross_origin"),
        (
            Faults { top_origin: Some("https://evil.example".into()), ..Faults::default() },
            "webauthn.assertion.top_origin",
        ),
        (Faults { trailing: vec![0], ..Faults::default() }, "webauthn.assertion.authenticator_data"),
        (Faults { rp_id: Some("evil.example".into()), ..Faults::default() }, "webauthn.assertion.rp_id_mismatch"),
        (Faults { flip_flags: UP, ..Faults::default() }, "webauthn.assertion.user_not_present"),
        (Faults { flip_flags: UV, ..Faults::default() }, "webauthn.assertion.user_not_verified"),
        (Faults { flip_flags: BS, ..Faults::default() }, "webauthn.assertion.backup_state"),
        (Faults { flip_flags: BE, ..Faults::default() }, "webauthn.assertion.backup_eligibility_changed"),
        (Faults { flip_flags: BE | BS, ..Faults::default() }, "webauthn.assertion.backup_eligibility_changed"),
        (Faults { break_signature: true, ..Faults::default() }, "webauthn.assertion.signature"),
    ];
    for (faults, id) in faults {
        refuses(&w, &mut ann, faults, id).await;
    }
    assert_eq!(w.commits(), before + 1, "a refused assertion writes nothing but that the host was another");
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn refuses_pages_of_other_origins() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let port = w.issuer.rsplit(':').next().unwrap().to_owned();
    for origin in [
        format!("{}.evil.example", w.issuer),
        format!("http://sub.localhost:{port}"),
        "http://localhost:1".to_owned(),
        format!("https://localhost:{port}"),
        format!("{}/", w.issuer),
        "null".to_owned(),
    ] {
        let mut browser = w.browser();
        let begun = browser.begin_sign_in().await;
        let credential = ann.keys[0].get(&begun, &origin);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let answer = browser.json("/webauthn/authenticate", &body).await;
        let id = rule("webauthn.assertion.origin_mismatch");
        assert_eq!(answer.verdict(), refused(400, "origin_mismatch"), "{id}: {origin}");
    }
}

#[tokio::test]
async fn backup_eligibility_never_changes_in_either_direction() {
    let w = World::sqlite().await;
    let mut synced = w.person_with_key("sue", Options::synced()).await;
    let id = "webauthn.assertion.backup_eligibility_changed";
    refuses(&w, &mut synced, Faults { flip_flags: BE | BS, ..Faults::default() }, id).await;
    // The backup state may.
    synced.keys[0].options.bs = false;
    assert_eq!(w.browser().try_passkey(&mut synced.keys[0], &Faults::default()).await.stand(), "complete");
    assert!(!w.passkey(&synced, 0).await.backup_state);
}

#[tokio::test]
async fn refuses_a_response_that_is_not_one() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let good = ann.keys[0].get(&begun, &w.issuer);
    let without = |name: &str| {
        let mut bad = good.clone();
        bad["response"].as_object_mut().unwrap().remove(name);
        bad
    };
    let bad = [
        json!(null),
        json!([[]]),
        without("clientDataJSON"),
        without("authenticatorData"),
        without("signature"),
        json!({ "id": "AA", "rawId": "AA", "type": "public-key", "response": 1 }),
        json!({ "id": "*", "rawId": "*", "type": "public-key", "response": good["response"] }),
    ];
    for credential in bad {
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let answer = browser.json("/webauthn/authenticate", &body).await;
        let id = rule("webauthn.assertion.malformed_response");
        assert_eq!(answer.verdict(), refused(400, "malformed_response"), "{id}: {credential}");
    }
    for body in
        ["", "{", "[]", "{}", "null", "\u{0}", "{\"ceremony\":7}", &format!("{}{}", "[".repeat(5000), "]".repeat(5000))]
    {
        let request = browser.request(reqwest::Method::POST, "/webauthn/authenticate").header("origin", &w.issuer);
        let request = request.header("x-csrf-token", &browser.csrf).header("content-type", "application/json");
        let answer = browser.send(request.body(body.to_owned())).await;
        assert_eq!(answer.verdict(), refused(400, "body_invalid"), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_passkey_is_named_so_that_the_browser_can_forget_it() {
    let w = World::sqlite().await;
    let ann = w.person("ann").await;
    let mut stranger = key(Options::platform());
    stranger.user_handle.clone_from(&ann.keys[0].user_handle);
    let answer = w.browser().try_passkey(&mut stranger, &Faults::default()).await;
    let id = rule("webauthn.assertion.unknown_credential");
    assert_eq!(answer.verdict(), refused(400, "unknown_credential"), "{id}");
}

#[tokio::test]
async fn a_stored_key_that_cannot_be_read_signs_nobody_in() {
    // The database is the only place such a key could come from: a registration refuses it.
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut soft = key(Options::platform());
    let begun = w.browser().begin_with_pass(&w.access_pass(&ann).await).await.value();
    soft.create(&begun, &w.issuer);
    let passkey = idp_core::passkey::record::Passkey {
        credential_id: soft.credential_id.clone(),
        account_id: ann.id,
        rp_id: "localhost".to_owned(),
        public_key: vec![0xa0],
        alg: -7,
        counter: 0,
        counter_at: w.clock.now(),
        uv_initialized: true,
        discoverable: Some(true),
        backup_eligible: false,
        backup_state: false,
        transports: vec!["internal".to_owned()],
        attachment: Some("platform".to_owned()),
        aaguid: [0; 16],
        attestation_format: "none".to_owned(),
        attestation: idp_core::passkey::record::Attestation::None,
        attestation_root: None,
        attestation_key_id: None,
        attestation_hardware: false,
        model: Default::default(),
        name: "Broken".to_owned(),
        state: idp_core::passkey::record::PasskeyState::Active,
        suspended_reason: None,
        created: w.clock.now(),
        last_used: None,
        last_used_client: None,
        last_used_place: None,
    };
    let challenge = idp_store::used_once::Once { hash: [1; 32], expires: w.clock.now() };
    let op = idp_store::passkeys::RegisterPasskey {
        realm: w.realm,
        passkey,
        challenge,
        pass: None,
        max_passkeys: 5,
        automatic: false,
        now: w.clock.now(),
        audit: w.audit(AuditEvent::PasskeyRegistered),
    };
    w.app.store.write(op).await.unwrap();
    let answer = w.browser().try_passkey(&mut soft, &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "public_key"), "{}", rule("webauthn.assertion.public_key"));
}
