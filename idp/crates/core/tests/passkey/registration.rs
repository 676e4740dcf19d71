//! Which registrations are refused, and for which reason.

use idp_core::passkey::Reason::{self, *};
use idp_core::passkey::policy::{PasskeyType, Policy};
use idp_core::passkey::record::Attestation;
use idp_core::passkey::registration::RULES;
use idp_core::passkey::{Ceremony, Refused};
use idp_softkey::{Alg, Attestation as Statement, Faults, Options, SoftKey};
use serde_json::{Value, json};

use crate::support::*;

fn create(alg: Alg, options: Options, origin: &str, faults: &Faults) -> Value {
    SoftKey::new(alg, options).create_with(&creation_options(&Policy::default()), origin, faults)
}

fn refusal(response: &Value, policy: &Policy) -> Reason {
    let refused = verify_registration(response, policy).unwrap_err();
    assert_eq!(refused.ceremony, Ceremony::Registration);
    assert!(refused.rule().is_some_and(|rule| rule.id.starts_with("webauthn.registration.")), "{refused}");
    assert!(refused.public().ends_with('.'));
    refused.reason
}

#[test]
fn accepts_every_kind_of_authenticator_with_every_algorithm() {
    for alg in [Alg::Es256, Alg::Ed25519, Alg::Rs256] {
        for (options, kind) in [
            (Options::platform(), PasskeyType::Device),
            (Options::synced(), PasskeyType::Device),
            (Options::security_key(), PasskeyType::SecurityKey),
            (Options::phone(), PasskeyType::Phone),
        ] {
            if alg == Alg::Rs256 && kind != PasskeyType::Device {
                continue; // RSA keys are slow to make
            }
            let response = create(alg, options.clone(), ORIGIN, &Faults::default());
            let registered = verify_registration(&response, &Policy::default()).unwrap();
            assert_eq!(registered.alg, alg.cose());
            assert_eq!(registered.passkey_type(), Some(kind));
            assert_eq!((registered.backup_eligible, registered.backup_state), (options.be, options.bs));
            assert_eq!(registered.discoverable, Some(true));
            assert_eq!(registered.statement.attestation, Attestation::None);
        }
    }
}

#[test]
fn refuses_each_fault_for_its_own_reason() {
    let fault = Faults::default;
    let text = |t: &str| Some(t.to_owned());
    for (what, origin, faults, reason) in [
        ("own challenge", ORIGIN, other_challenge(), Challenge),
        ("padded challenge", ORIGIN, Faults { challenge: text("-_v7"), ..fault() }, Challenge),
        ("type of the other ceremony", ORIGIN, Faults { ceremony_type: text("webauthn.get"), ..fault() }, Type),
        ("origin suffix", "https://evil-login.example.org", fault(), Origin),
        ("origin prefix", "https://login.example.org.evil.test", fault(), Origin),
        ("subdomain", "https://a.login.example.org", fault(), Origin),
        ("parent domain", "https://example.org", fault(), Origin),
        ("port", "https://login.example.org:444", fault(), Origin),
        ("default port spelled out", "https://login.example.org:443", fault(), Origin),
        ("scheme", "http://login.example.org", fault(), Origin),
        ("trailing slash", "https://login.example.org/", fault(), Origin),
        ("case", "https://LOGIN.example.org", fault(), Origin),
        ("crossOrigin", ORIGIN, Faults { cross_origin: Some(true), ..fault() }, CrossOrigin),
        ("topOrigin", ORIGIN, Faults { top_origin: text("https://evil.test"), ..fault() }, TopOrigin),
        ("RP ID of a parent", ORIGIN, Faults { rp_id: text("example.org"), ..fault() }, RpId),
        ("UP=0", ORIGIN, Faults { flip_flags: 0x01, ..fault() }, UserPresent),
        ("UV=0", ORIGIN, Faults { flip_flags: 0x04, ..fault() }, UserVerified),
        ("BS without BE", ORIGIN, Faults { flip_flags: 0x10, ..fault() }, BackupState),
        ("no attested credential", ORIGIN, Faults { flip_flags: 0x40, ..fault() }, AuthenticatorData),
        ("extensions promised, none there", ORIGIN, Faults { flip_flags: 0x80, ..fault() }, AuthenticatorData),
        ("trailing CBOR", ORIGIN, Faults { trailing: vec![0xa0], ..fault() }, AuthenticatorData),
        ("id is not rawId", ORIGIN, Faults { id: Some(vec![1; 32]), ..fault() }, Id),
        ("rawId is not id", ORIGIN, Faults { raw_id: Some(vec![1; 32]), ..fault() }, Id),
        (
            "ids are not the attested one",
            ORIGIN,
            Faults { id: Some(vec![1; 32]), raw_id: Some(vec![1; 32]), ..fault() },
            Id,
        ),
        ("type of credential", ORIGIN, Faults { credential_type: text("password"), ..fault() }, CredentialType),
        ("algorithm that is not verified", ORIGIN, Faults { key_alg: Some(-47), ..fault() }, Algorithm),
        ("EC key under RS256", ORIGIN, Faults { key_alg: Some(-257), ..fault() }, PublicKey),
        ("P-256 key under ES384", ORIGIN, Faults { key_alg: Some(-35), ..fault() }, PublicKey),
        ("EC key under EdDSA", ORIGIN, Faults { key_alg: Some(-8), ..fault() }, PublicKey),
        ("format too long", ORIGIN, Faults { fmt: Some("x".repeat(33)), ..fault() }, AttestationObject),
    ] {
        let response = create(Alg::Es256, Options::platform(), origin, &faults);
        assert_eq!(refusal(&response, &Policy::default()), reason, "{what}");
    }
}

#[test]
fn refuses_an_algorithm_that_the_policy_does_not_list() {
    let response = create(Alg::Ed25519, Options::platform(), ORIGIN, &Faults::default());
    assert_eq!(refusal(&response, &policy(&[("algorithms", "-7,-257")])), Algorithm);
}

#[test]
fn takes_credential_ids_of_1023_bytes_and_no_longer() {
    let with_length =
        |id_len| create(Alg::Es256, Options { id_len, ..Options::platform() }, ORIGIN, &Faults::default());
    assert_eq!(verify_registration(&with_length(1023), &Policy::default()).unwrap().credential_id.len(), 1023);
    assert_eq!(refusal(&with_length(1024), &Policy::default()), CredentialIdLength);
    assert_eq!(refusal(&with_length(0), &Policy::default()), AuthenticatorData);
}

#[test]
fn a_self_attestation_is_checked_but_attests_nothing() {
    let aaguid = *b"a known model :)";
    let options = Options { attestation: Statement::PackedSelf, aaguid, ..Options::security_key() };
    let good = create(Alg::Es256, options.clone(), ORIGIN, &Faults::default());
    let registered = verify_registration(&good, &Policy::default()).unwrap();
    assert_eq!((registered.statement.attestation, registered.aaguid), (Attestation::SelfSigned, aaguid));
    assert_eq!(registered.statement.format, "packed");

    let broken = Faults { break_signature: true, ..Faults::default() };
    assert_eq!(refusal(&create(Alg::Es256, options.clone(), ORIGIN, &broken), &Policy::default()), Reason::Attestation);
    // The same statement under `none`, which must be empty.
    let renamed = Faults { fmt: Some("none".to_owned()), ..Faults::default() };
    assert_eq!(refusal(&create(Alg::Es256, options, ORIGIN, &renamed), &Policy::default()), Reason::Attestation);
}

#[test]
fn a_statement_of_another_format_is_worth_none_but_keeps_its_name() {
    let faults = Faults { fmt: Some("quantum".to_owned()), ..Faults::default() };
    let registered =
        verify_registration(&create(Alg::Es256, Options::platform(), ORIGIN, &faults), &Policy::default()).unwrap();
    assert_eq!(
        (registered.statement.attestation, registered.statement.format.as_str()),
        (Attestation::Unverified, "quantum")
    );
}

#[test]
fn refuses_an_expired_ceremony() {
    let response = create(Alg::Es256, Options::platform(), ORIGIN, &Faults::default());
    let response = idp_core::passkey::wire::RegistrationResponse::from_json(&response).unwrap();
    let late = ISSUED.plus_s(300);
    let refused =
        idp_core::passkey::registration::verify(&expected(&origins()), response, &Policy::default(), late).unwrap_err();
    assert_eq!(refused.reason, Expired);
}

#[test]
fn refuses_json_that_is_no_response_and_understands_plain_base64() {
    let good = create(Alg::Es256, Options::platform(), ORIGIN, &Faults::default());
    for (path, value) in [
        ("/id", json!(7)),
        ("/rawId", json!("not base64!")),
        ("/response", json!([])),
        ("/response/attestationObject", json!(null)),
        ("/response/clientDataJSON", json!("A".repeat(100_000))),
        ("/response/transports", json!(vec!["usb"; 9])),
        ("/authenticatorAttachment", json!("x".repeat(65))),
        ("/clientExtensionResults/credProps/rk", json!("yes")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert_eq!(refusal(&bad, &Policy::default()), Malformed, "{path}");
    }
    let mut plain = good.clone();
    for path in ["/id", "/rawId", "/response/clientDataJSON", "/response/attestationObject"] {
        let member = plain.pointer_mut(path).unwrap();
        let mut text = member.as_str().unwrap().replace('-', "+").replace('_', "/");
        text.push_str(["", "", "==", "="][text.len() % 4]);
        *member = json!(text);
    }
    plain["unknown"] = json!({ "deep": [1, 2] });
    plain["clientExtensionResults"] = json!(null);
    plain["response"]["transports"] = json!(null);
    let registered = verify_registration(&plain, &Policy::default()).unwrap();
    assert_eq!((registered.discoverable, registered.transports.len()), (None, 0));
}

#[test]
fn client_data_may_have_more_members_and_a_byte_order_mark_but_none_twice() {
    let mut faults = Faults::default();
    faults.client_data.insert("other_keys_can_be_added_here".to_owned(), json!("do not compare"));
    let extra = create(Alg::Es256, Options::platform(), ORIGIN, &faults);
    assert!(verify_registration(&extra, &Policy::default()).is_ok());
    let marked = with_bytes(extra.clone(), "/response/clientDataJSON", |json| {
        json.splice(0..0, *b"\xef\xbb\xbf");
    });
    assert!(verify_registration(&marked, &Policy::default()).is_ok());
    let twice = with_bytes(extra, "/response/clientDataJSON", |json| {
        json.splice(1..1, *b"\"origin\":\"https://evil.test\",");
    });
    assert_eq!(refusal(&twice, &Policy::default()), ClientData);
}

#[test]
fn the_policy_may_ask_for_user_verification_by_type() {
    let by_type = policy(&[("user_verification", "security_key:discouraged")]);
    let uv0 = Faults { flip_flags: 0x04, ..Faults::default() };
    assert!(verify_registration(&create(Alg::Es256, Options::u2f(), ORIGIN, &Faults::default()), &by_type).is_ok());
    assert_eq!(refusal(&create(Alg::Es256, Options::platform(), ORIGIN, &uv0), &by_type), UserVerified);
    // A browser that does not tell the type gets the strictest reading.
    let silent = Options { transports: vec![], attachment: None, ..Options::u2f() };
    assert_eq!(refusal(&create(Alg::Es256, silent, ORIGIN, &Faults::default()), &by_type), UserVerified);
}

#[test]
fn every_rule_has_a_reason_and_ids_are_unique() {
    let all = [RULES, idp_core::passkey::assertion::RULES].concat();
    for (i, rule) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|other| other.id != rule.id), "{} occurs twice", rule.id);
    }
    // What only the store can find out has its rule too.
    assert!(Refused::new(Ceremony::Registration, Registered).rule().is_some());
    assert!(Refused::new(Ceremony::Assertion, Unknown).rule().is_some());
}
