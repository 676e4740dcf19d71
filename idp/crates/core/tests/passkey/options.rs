//! What browsers are asked.

use idp_core::passkey::options::Kind;
use idp_core::passkey::registration::{self, OptionsFor};
use idp_core::passkey::{assertion, policy::Policy};
use idp_softkey::{Alg, Options};
use serde_json::{Value, json};

use crate::support::*;

fn creation(policy: &Policy, kind: Option<Kind>) -> Value {
    let bench = Bench::new(Alg::Es256, Options::synced());
    let mut old = bench.passkey.clone();
    old.rp_id = "old.example.org".to_owned();
    let request = OptionsFor {
        rp_id: RP_ID,
        rp_name: "Example",
        user_handle: HANDLE,
        username: "ada",
        display_name: "Ada Lovelace",
        challenge: CHALLENGE,
        kind,
        passkeys: &[bench.passkey, old],
        conditional: false,
    };
    serde_json::to_value(registration::options(&request, policy)).unwrap()
}

#[test]
fn creation_options_follow_the_default_policy() {
    let options = creation(&Policy::default(), None);
    assert_eq!(options["rp"], json!({ "id": RP_ID, "name": "Example" }));
    assert_eq!(options["user"]["id"].as_str().unwrap().len(), 86);
    assert_eq!(options["user"]["displayName"], "Ada Lovelace");
    assert_eq!(options["challenge"], idp_core::encoding::base64url(CHALLENGE));
    let algs: Vec<_> = options["pubKeyCredParams"].as_array().unwrap().iter().map(|p| &p["alg"]).collect();
    assert_eq!(algs, [&json!(-7), &json!(-8), &json!(-257)]);
    assert_eq!(options["timeout"], 300_000);
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["extensions"], json!({ "credProps": true }));
    assert_eq!(options["hints"], json!([]));
    assert_eq!(
        options["authenticatorSelection"],
        json!({ "residentKey": "required", "requireResidentKey": true, "userVerification": "required" })
    );
    // Those of another RP ID are no obstacle.
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(options["excludeCredentials"][0]["transports"], json!(["hybrid", "internal"]));
}

#[test]
fn the_chosen_kind_decides_attachment_hint_and_requirements() {
    let by_type = policy(&[
        ("user_verification", "security_key:discouraged"),
        ("resident_key", "security_key:discouraged,device:required,phone:preferred"),
        ("hints", "hybrid,security-key"),
    ]);
    for (kind, attachment, hint, uv, rk) in [
        (Kind::ThisDevice, "platform", "client-device", "required", "required"),
        (Kind::Phone, "cross-platform", "hybrid", "required", "preferred"),
        (Kind::SecurityKey, "cross-platform", "security-key", "discouraged", "discouraged"),
    ] {
        let options = creation(&by_type, Some(kind));
        assert_eq!(options["hints"], json!([hint]));
        let expected = json!({
            "authenticatorAttachment": attachment, "residentKey": rk,
            "requireResidentKey": rk == "required", "userVerification": uv
        });
        assert_eq!(options["authenticatorSelection"], expected);
    }
    // Any type may answer: nobody is locked out beforehand, the answer is judged by its type.
    let any = creation(&by_type, None);
    assert_eq!(any["authenticatorSelection"]["userVerification"], "preferred");
    assert_eq!(any["hints"], json!(["hybrid", "security-key"]));
}

#[test]
fn a_single_allowed_type_decides_the_attachment() {
    for (types, attachment) in [
        ("device", json!("platform")),
        ("security_key", json!("cross-platform")),
        ("security_key,phone", json!("cross-platform")),
        ("device,phone", Value::Null),
    ] {
        let options = creation(&policy(&[("allowed_types", types)]), None);
        assert_eq!(options["authenticatorSelection"]["authenticatorAttachment"], attachment);
    }
}

#[test]
fn request_options_reveal_no_ids_unless_told_to() {
    let options = request_options(&Policy::default());
    assert_eq!(options["allowCredentials"], json!([]));
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["rpId"], RP_ID);

    let bench = Bench::new(Alg::Es256, Options::u2f());
    let by_type = policy(&[("user_verification", "security_key:discouraged")]);
    let options = assertion::options(RP_ID, CHALLENGE, std::slice::from_ref(&bench.passkey), &by_type);
    let options = serde_json::to_value(options).unwrap();
    assert_eq!(options["allowCredentials"][0]["type"], "public-key");
    assert_eq!(options["allowCredentials"][0]["transports"], json!(["usb"]));
    assert_eq!(options["userVerification"], "discouraged");
}
