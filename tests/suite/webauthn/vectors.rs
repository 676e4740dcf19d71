//! The test vectors of WebAuthn L3 §16 over HTTP: genuine statements of every format are kept, and sign in afterwards.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp_core::encoding::from_base64url;
use idp_core::passkey::record::Attestation;
use idp_core::realm::RelyingParty;
use serde_json::{Value, json};

use crate::world::World;
use crate::world::acts::refused;

const ORIGIN: &str = "https://example.org";
const HOST: &str = "example.org";

/// The realm at the vectors' origin believes their root and takes every algorithm that is verified.
const POLICY: &[(&str, &str)] = &[
    ("user_verification", "discouraged"),
    ("resident_key", "discouraged"),
    ("algorithms", "-7,-8,-35,-36,-257"),
    ("attestation", "direct"),
];

fn bytes(text: &Value) -> Vec<u8> {
    from_base64url(text.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn statements_of_every_format_are_kept_as_verified_and_sign_in() {
    let file: Value =
        serde_json::from_str(include_str!("../../../idp/crates/core/tests/vectors/webauthn-l3.json")).unwrap();
    let root = STANDARD.encode(bytes(&file["attestation_root_der"]));
    let root = format!("-----BEGIN CERTIFICATE-----\n{root}\n-----END CERTIFICATE-----");
    let mut w = World::sqlite().await;
    let address = w.issuer.clone();
    w.serve_at(vec![RelyingParty::new(HOST, "https", vec![HOST.to_owned()])]).await;
    let mut formats = BTreeSet::new();
    for (n, vector) in file["vectors"].as_array().unwrap().iter().enumerate() {
        let name = vector["name"].as_str().unwrap();
        let (reg, auth) = (&vector["reg"], &vector["auth"]);
        // Ed448 is not verified; our challenges have 32 bytes.
        if !name.contains(" Attestation with ") || name.contains("Ed448") || bytes(&reg["challenge"]).len() != 32 {
            continue;
        }
        let ann = w.account(&format!("ann-{n}"), None).await;
        let pass = w.access_pass(&ann).await;
        let mut browser = w.browser();
        browser.origin.clone_from(&address);
        browser.headers.insert("host", HOST.parse().unwrap());

        let id = &reg["credential_id"];
        let mut credential = json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": { "clientDataJSON": reg["clientDataJSON"], "attestationObject": reg["attestationObject"] } });
        // Whom nobody believes is not let in where somebody must be.
        for (trust, verdict) in [("mds", refused(403, "not_attested")), (root.as_str(), refused(201, ""))] {
            w.policy_fields(&[POLICY, &[("attestation_trust", trust)]].concat()).await;
            *w.loaded.lock().unwrap() = Some(bytes(&reg["challenge"]));
            let begun = browser.json_from("/webauthn/register/options", &json!({ "pass": pass }), ORIGIN).await.value();
            assert_eq!(begun["publicKey"]["challenge"], reg["challenge"], "{name}");
            let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
            let kept = browser.json_from("/webauthn/register", &body, ORIGIN).await;
            assert_eq!(kept.verdict(), verdict, "{name}");
        }
        let (kept, _) = w.app.store.find_passkey_with_account(w.realm, &bytes(id)).await.unwrap().unwrap();
        assert_eq!(kept.attestation, Attestation::Verified, "{name}");
        formats.insert(name.split(" Attestation").next().unwrap());

        *w.loaded.lock().unwrap() = Some(bytes(&auth["challenge"]));
        let body = json!({ "username": ann.username });
        let begun = browser.json_from("/webauthn/authenticate/options", &body, ORIGIN).await.value();
        assert_eq!(begun["publicKey"]["challenge"], auth["challenge"], "{name}");
        credential["response"] = json!({ "clientDataJSON": auth["clientDataJSON"], "signature": auth["signature"],
            "authenticatorData": auth["authenticatorData"] });
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let answer = browser.json_from("/webauthn/authenticate", &body, ORIGIN).await;
        assert_eq!(answer.stand(), "complete", "{name}");
    }
    assert_eq!(formats, BTreeSet::from(["Android Key", "Apple Anonymous", "FIDO U2F", "Packed", "TPM"]));
}
