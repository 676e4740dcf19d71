//! The JSON around a response: wrong types, wrong sizes, wrong encodings. WebAuthn L3 §5.1.8.

use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use super::{Stage, base64url, soft};
use crate::rules::rule;
use crate::world::acts::{key, refused};

/// Values that no member takes.
fn wrong() -> Vec<Value> {
    vec![json!(null), json!(true), json!(7), json!(-1.5), json!([]), json!({}), json!(["AAAA"])]
}

/// Texts that are no base64url.
const NO_BASE64: [&str; 5] = ["*", "A", "AAAA AAAA", "AAAA\n", "\u{e9}"];

/// The credential with one place changed; `path` is a JSON pointer to a member that is there.
fn with(good: &Value, path: &str, value: Value) -> Value {
    let mut credential = good.clone();
    *credential.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    credential
}

fn without(good: &Value, path: &str) -> Value {
    let mut credential = good.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    credential.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).expect("it was there");
    credential
}

/// Every way to get one of these members wrong.
fn rows(good: &Value, binary: &[&str]) -> Vec<Value> {
    let mut rows = wrong();
    rows.extend([json!("x"), json!([good]), Value::Array(good.as_object().unwrap().values().cloned().collect())]);
    for path in binary.iter().chain(&["/type"]) {
        rows.push(without(good, path));
        rows.extend(wrong().into_iter().map(|value| with(good, path, value)));
    }
    for path in binary {
        rows.extend(NO_BASE64.iter().map(|text| with(good, path, json!(text))));
    }
    let inner = good["response"].as_object().unwrap().values().cloned().collect();
    rows.extend([without(good, "/response"), with(good, "/response", Value::Array(inner))]);
    let texts = wrong().into_iter().filter(|v| !v.is_null());
    rows.extend(texts.map(|value| with(good, "/authenticatorAttachment", value)));
    rows.push(with(good, "/authenticatorAttachment", json!("x".repeat(65))));
    rows
}

#[tokio::test]
async fn a_registration_of_wrong_types_is_refused() {
    let mut stage = Stage::new().await;
    let good = soft().create(&stage.enrol, &stage.w.issuer);
    let binary = ["/id", "/rawId", "/response/clientDataJSON", "/response/attestationObject"];
    let mut rows = rows(&good, &binary);
    for value in [json!(7), json!("x"), json!(true)] {
        rows.push(with(&good, "/clientExtensionResults", value.clone()));
        rows.push(with(&good, "/clientExtensionResults/credProps", value));
    }
    for value in [json!(7), json!("x"), json!([])] {
        rows.push(with(&good, "/clientExtensionResults/credProps/rk", value));
    }
    for value in
        [json!(7), json!("usb"), json!({}), json!([1]), json!([null]), json!(["x".repeat(65)]), json!(vec!["usb"; 9])]
    {
        rows.push(with(&good, "/response/transports", value));
    }
    for credential in rows {
        let id = rule("webauthn.registration.malformed_response");
        assert_eq!(stage.register(credential.clone()).await, refused(400, "malformed_response"), "{id}: {credential}");
    }
    stage.honest_registration().await;
}

#[tokio::test]
async fn an_assertion_of_wrong_types_is_refused() {
    let mut stage = Stage::new().await;
    let good = stage.ann.keys[0].get(&stage.sign_in, &stage.w.issuer);
    let binary = ["/id", "/rawId", "/response/clientDataJSON", "/response/authenticatorData", "/response/signature"];
    let mut rows = rows(&good, &binary);
    rows.extend(wrong().into_iter().filter(|v| !v.is_null()).map(|value| with(&good, "/response/userHandle", value)));
    rows.extend(NO_BASE64.iter().map(|text| with(&good, "/response/userHandle", json!(text))));
    for credential in rows {
        let id = rule("webauthn.assertion.malformed_response");
        assert_eq!(stage.assert(credential.clone()).await, refused(400, "malformed_response"), "{id}: {credential}");
    }
    stage.honest_assertion().await;
}

#[tokio::test]
async fn empty_and_foreign_values_have_their_own_reasons() {
    let mut stage = Stage::new().await;
    let good = stage.ann.keys[0].get(&stage.sign_in, &stage.w.issuer);
    let long = base64url(vec![7; 40_000]);
    for (path, value, code) in [
        ("/id", json!(""), "id_mismatch"),
        ("/rawId", json!(""), "unknown_credential"),
        ("/rawId", json!(base64url([7; 32])), "unknown_credential"),
        ("/rawId", json!(long), "unknown_credential"),
        ("/id", json!(base64url([7; 32])), "id_mismatch"),
        ("/type", json!(""), "credential_type"),
        ("/type", json!("Public-Key"), "credential_type"),
        ("/type", json!("public-key "), "credential_type"),
        ("/type", json!("password"), "credential_type"),
        ("/response/clientDataJSON", json!(""), "client_data"),
        ("/response/authenticatorData", json!(""), "authenticator_data"),
        ("/response/signature", json!(""), "signature"),
        ("/response/userHandle", json!(null), "user_mismatch"),
        ("/response/userHandle", json!(""), "user_mismatch"),
        ("/response/userHandle", json!("AAAA"), "user_mismatch"),
        ("/response/userHandle", json!(long), "user_mismatch"),
    ] {
        let verdict = stage.assert(with(&good, path, value.clone())).await;
        assert_eq!(verdict, refused(400, code), "assertion, {path} = {value}");
    }
    stage.honest_assertion().await;

    let good = soft().create(&stage.enrol, &stage.w.issuer);
    for (path, value, code) in [
        ("/id", json!(""), "id_mismatch"),
        ("/rawId", json!(""), "id_mismatch"),
        ("/rawId", json!(long), "id_mismatch"),
        ("/type", json!(""), "credential_type"),
        ("/type", json!("PUBLIC-KEY"), "credential_type"),
        ("/response/clientDataJSON", json!(""), "client_data"),
        ("/response/attestationObject", json!(""), "attestation_object"),
        ("/response/attestationObject", json!(long), "attestation_object"),
    ] {
        let verdict = stage.register(with(&good, path, value.clone())).await;
        assert_eq!(verdict, refused(400, code), "registration, {path} = {value}");
    }
    stage.honest_registration().await;
}

#[tokio::test]
async fn outputs_of_extensions_nobody_asked_for_are_no_fault() {
    let mut stage = Stage::new().await;
    let mut honest = key(Options::platform());
    let mut credential = honest.create(&stage.enrol, &stage.w.issuer);
    credential["clientExtensionResults"] =
        json!({ "prf": { "enabled": true }, "appid": [], "credProps": null, "x": 1 });
    credential["response"]["publicKey"] = json!(7);
    credential["response"]["publicKeyAlgorithm"] = json!("none");
    credential["somethingNew"] = json!({ "a": [1] });
    let body = json!({ "ceremony": stage.enrol["ceremony"], "credential": credential });
    assert_eq!(stage.browser.json("/webauthn/register", &body).await.status, 201);
    let mut credential = honest.get_with(&stage.sign_in, &stage.w.issuer, &Faults::default());
    credential["clientExtensionResults"] = json!([1, "x", { "appid": true }]);
    let body = json!({ "ceremony": stage.sign_in["ceremony"], "credential": credential });
    assert_eq!(stage.browser.json("/webauthn/authenticate", &body).await.stand(), "complete");
}
