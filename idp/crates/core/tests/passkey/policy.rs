//! The passkey policy: how it is set, what cannot be saved, what it holds against a passkey, what lets in.

use idp_core::passkey::assertion::{Counter, Verified};
use idp_core::passkey::policy::{Verdict::*, *};
use idp_core::passkey::record::PasskeyState;
use idp_core::passkey::standing::{Standing, standing};
use idp_softkey::{Alg, Faults, Options, SoftKey};

use crate::support::*;

const MODES: [Mode; 5] =
    [Mode::PasskeyOnly, Mode::PasskeyFirst, Mode::PasswordThenPasskey, Mode::PasskeyThenSecondFactor, Mode::Optional];

/// An account with a password, and with or without the other two.
const fn holds(passkey: bool, totp: bool) -> Holds {
    Holds { passkey, password: true, totp, asks_passkey: false, grace: false }
}

#[test]
fn every_row_of_the_mode_table() {
    use Combination::*;
    for (mode, combination, without_passkey, with_passkey) in [
        (Mode::PasskeyOnly, PasskeyAlone, In, In),
        (Mode::PasskeyOnly, PasswordAlone, Refused, Refused),
        (Mode::PasskeyOnly, PasswordAndPasskey, In, In),
        (Mode::PasskeyOnly, PasswordAndTotp, Refused, Refused),
        (Mode::PasskeyOnly, PasskeyAndTotp, In, In),
        (Mode::PasskeyFirst, PasskeyAlone, In, In),
        (Mode::PasskeyFirst, PasswordAlone, In, AskPasskey),
        (Mode::PasskeyFirst, PasswordAndPasskey, In, In),
        (Mode::PasskeyFirst, PasswordAndTotp, In, In),
        (Mode::PasskeyFirst, PasskeyAndTotp, In, In),
        (Mode::PasswordThenPasskey, PasskeyAlone, Refused, Refused),
        (Mode::PasswordThenPasskey, PasswordAlone, Enrol, AskPasskey),
        (Mode::PasswordThenPasskey, PasswordAndPasskey, In, In),
        (Mode::PasswordThenPasskey, PasswordAndTotp, Enrol, AskPasskey),
        (Mode::PasswordThenPasskey, PasskeyAndTotp, Refused, Refused),
        (Mode::PasskeyThenSecondFactor, PasskeyAlone, AskPassword, AskPassword),
        (Mode::PasskeyThenSecondFactor, PasswordAlone, Refused, Refused),
        (Mode::PasskeyThenSecondFactor, PasswordAndPasskey, In, In),
        (Mode::PasskeyThenSecondFactor, PasswordAndTotp, Refused, Refused),
        (Mode::PasskeyThenSecondFactor, PasskeyAndTotp, In, In),
        (Mode::Optional, PasskeyAlone, In, In),
        (Mode::Optional, PasswordAlone, In, In),
        (Mode::Optional, PasswordAndPasskey, In, In),
        (Mode::Optional, PasswordAndTotp, In, In),
        (Mode::Optional, PasskeyAndTotp, In, In),
    ] {
        let policy = Policy { mode, ..Policy::default() };
        let verdict = |passkey| policy.verdict(combination, holds(passkey, false));
        assert_eq!(verdict(false), without_passkey, "{mode:?} {combination:?} without");
        assert_eq!(verdict(true), with_passkey, "{mode:?} {combination:?} with");
    }
}

#[test]
fn whoever_set_up_a_second_factor_is_asked_for_it() {
    let verdict = |mode, combination, holds| Policy { mode, ..Policy::default() }.verdict(combination, holds);
    for mode in [Mode::PasskeyFirst, Mode::Optional] {
        assert_eq!(verdict(mode, Combination::PasswordAlone, holds(false, true)), AskTotp, "{mode:?}");
    }
    assert_eq!(verdict(Mode::PasskeyFirst, Combination::PasswordAlone, holds(true, true)), AskPasskey);
    let then = Mode::PasskeyThenSecondFactor;
    assert_eq!(verdict(then, Combination::PasskeyAlone, holds(true, true)), AskTotp);
    assert_eq!(verdict(then, Combination::PasskeyAlone, Holds { password: false, ..holds(true, false) }), Refused);
}

#[test]
fn under_optional_a_user_may_ask_to_be_asked() {
    let policy = Policy { mode: Mode::Optional, ..Policy::default() };
    let asks = |passkey| Holds { asks_passkey: true, ..holds(passkey, false) };
    assert_eq!(policy.verdict(Combination::PasswordAlone, asks(true)), AskPasskey);
    // Nothing to ask for: nobody locks themselves out.
    assert_eq!(policy.verdict(Combination::PasswordAlone, asks(false)), In);
}

#[test]
fn a_policy_that_can_be_saved_lets_somebody_in_by_some_way() {
    for mode in MODES {
        for bits in 0..16_u8 {
            let policy = Policy {
                mode,
                enabled: bits & 1 != 0,
                allow_login: bits & 2 != 0,
                allow_second_factor: bits & 4 != 0,
                ..Policy::default()
            };
            for has_passkey in [false, true] {
                let holds = holds(has_passkey, bits & 8 != 0);
                let accepts = |c: &Combination| policy.accepts(*c, holds);
                // What is asked for leads on to the combination that has it.
                assert!(Combination::ALL.iter().any(accepts) || !policy.check().is_empty(), "{policy:?}");
                if !policy.check().is_empty() {
                    continue;
                }
                for combination in Combination::ALL {
                    let leads_to = match policy.verdict(combination, holds) {
                        AskPasskey | AskPassword => Combination::PasswordAndPasskey,
                        AskTotp if combination == Combination::PasskeyAlone => Combination::PasskeyAndTotp,
                        AskTotp => Combination::PasswordAndTotp,
                        In | Refused | Enrol => continue,
                    };
                    assert!(accepts(&leads_to), "{policy:?} {combination:?}");
                }
            }
        }
    }
}

#[test]
fn a_switched_off_passkey_does_not_lock_its_owner_out() {
    let off = policy(&[("enabled", "false")]);
    assert_eq!(off.verdict(Combination::PasswordAlone, holds(true, false)), In);
    assert_eq!(off.verdict(Combination::PasskeyAlone, holds(true, false)), Refused);
}

#[test]
fn sets_every_field_from_words_and_from_json() {
    for (name, text, stored) in [
        ("enabled", "false", "false"),
        ("mode", "optional", r#""optional""#),
        ("mode", r#""passkey_only""#, r#""passkey_only""#),
        ("allowed_types", "any", r#""any""#),
        ("allowed_types", "security_key", r#"["security_key"]"#),
        ("allowed_types", "device, security_key", r#"["security_key","device"]"#),
        ("allowed_types", r#"["phone"]"#, r#"["phone"]"#),
        ("user_verification", "preferred", r#""preferred""#),
        (
            "user_verification",
            "security_key:discouraged",
            r#"{"security_key":"discouraged","device":"required","phone":"required"}"#,
        ),
        ("user_verification", r#"{"security_key":"required"}"#, r#""required""#),
        ("resident_key", "security_key:preferred,device:preferred,phone:preferred", r#""preferred""#),
        ("hints", "none", "[]"),
        ("hints", "hybrid", r#"["hybrid"]"#),
        ("algorithms", "-7", "[-7]"),
        ("algorithms", "-8,-7", "[-8,-7]"),
        ("max_passkeys", "50", "50"),
        ("clone_response", "step_up", r#""step_up""#),
        ("clone_response", "synced:block", r#""block""#),
        ("clone_response", "device_bound:step_up", r#"{"device_bound":"step_up","synced":"notify"}"#),
        ("attestation", "direct", r#""direct""#),
        ("aaguid_allow", "any", r#""any""#),
        ("aaguid_allow", "61206B6E-6F77-6E20-6D6F-64656C203A29", r#"["61206b6e-6f77-6e20-6d6f-64656c203a29"]"#),
        ("aaguid_deny", "none", "[]"),
        ("aaguid_deny", "61206b6e-6f77-6e20-6d6f-64656c203a29", r#"["61206b6e-6f77-6e20-6d6f-64656c203a29"]"#),
        ("mds_refuse_status", "REVOKED", r#"["REVOKED"]"#),
        ("mds_min_certification", "FIDO_CERTIFIED_L1plus", r#""FIDO_CERTIFIED_L1plus""#),
        ("enrolment_requires", "access_pass", r#""access_pass""#),
        ("automatic_upgrade", "true", "true"),
    ] {
        let mut policy = Policy::default();
        policy.set(name, text).unwrap();
        let shown = policy.show().into_iter().find(|(field, ..)| field.name == name).unwrap().1;
        let (shown, stored): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&shown).unwrap(), serde_json::from_str(stored).unwrap());
        assert_eq!(shown, stored, "{name}={text}");
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }
}

#[test]
fn refuses_unknown_fields_and_values_with_a_sentence() {
    for (name, text, part) in [
        ("attestations", "direct", "there is no such field; there are enabled, "),
        ("attestation", "basic", "none, indirect, direct"),
        ("aaguid_allow", "yubikey", "AAGUIDs"),
        ("mds_refuse_status", "BAD", "REVOKED"),
        ("mds_min_certification", "L1", "FIDO_CERTIFIED_L1"),
        ("mode", "passwordless", "passkey_only, passkey_first"),
        ("enabled", "maybe", "true or false"),
        ("enabled", "1", "true or false"),
        ("max_passkeys", "many", "1 to 50"),
        ("max_passkeys", "-1", "1 to 50"),
        ("max_passkeys", "300", "1 to 50"),
        ("allowed_types", "security-key", "security_key, device, phone"),
        ("user_verification", "watch:required", "by type"),
        ("algorithms", "ES256", "-7, -8"),
        ("clone_response", "ignore", "block, step_up or notify"),
        ("clone_response", "be0:block", "device_bound:block"),
    ] {
        let mut policy = Policy::default();
        let problem = policy.set(name, text).unwrap_err();
        assert!(problem.text.contains(part), "{problem}");
        assert_eq!(problem.field, name);
        assert_eq!(policy, Policy::default());
    }
    assert!(serde_json::from_str::<Policy>(r#"{"attestations":"direct"}"#).is_err());
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
}

#[test]
fn reports_every_problem_of_a_policy_that_nobody_could_satisfy() {
    let fields = |changes: &[(&str, &str)]| {
        let mut policy = Policy::default();
        changes.iter().for_each(|(name, text)| policy.set(name, text).unwrap());
        policy.check().into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(&[]), [""; 0]);
    assert_eq!(fields(&[("mode", "passkey_only"), ("allow_login", "false")]), ["allow_login"]);
    assert_eq!(
        fields(&[("mode", "password_then_passkey"), ("enabled", "false"), ("allow_second_factor", "false")]),
        ["enabled", "allow_second_factor"]
    );
    assert_eq!(
        fields(&[("max_passkeys", "0"), ("algorithms", "[]"), ("allowed_types", "[]"), ("hints", "hybrid")]),
        ["max_passkeys", "algorithms", "allowed_types", "hints"]
    );
    assert_eq!(
        fields(&[("max_passkeys", "51"), ("algorithms", "-7,-7,-47")]),
        ["max_passkeys", "algorithms", "algorithms"]
    );
    assert_eq!(fields(&[("allowed_types", "device"), ("hints", "client-device,security-key")]), ["hints"]);
}

#[test]
fn the_table_of_fields_is_the_policy() {
    let stored: Vec<String> = Policy::default().values().keys().cloned().collect();
    let mut named: Vec<String> = FIELDS.iter().map(|field| field.name.to_owned()).collect();
    named.sort();
    assert_eq!(stored, named);
    for (_, now, default) in Policy::default().show() {
        assert!(!now.is_empty() && now == default);
    }
}

#[test]
fn tells_the_type_from_attachment_and_transports() {
    use PasskeyType::*;
    for (attachment, transports, kind) in [
        (Some("platform"), &["internal", "hybrid"][..], Some(Device)),
        (Some("platform"), &[], Some(Device)),
        (Some("cross-platform"), &["internal", "hybrid"], Some(Phone)),
        (None, &["hybrid"], Some(Phone)),
        (None, &["internal"], Some(Device)),
        (Some("cross-platform"), &["usb", "nfc"], Some(SecurityKey)),
        (None, &["ble"], Some(SecurityKey)),
        (None, &["smart-card"], Some(SecurityKey)),
        (Some("cross-platform"), &["ble", "hybrid"], Some(Phone)),
        (Some("cross-platform"), &["usb", "hybrid"], Some(SecurityKey)),
        (Some("cross-platform"), &[], None),
        (None, &["telepathy"], None),
    ] {
        let transports: Vec<String> = transports.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(passkey_type(&transports, attachment), kind, "{attachment:?} {transports:?}");
    }
}

fn codes(violations: &[Violation]) -> Vec<&'static str> {
    for violation in violations {
        assert!(violation.rule().id.starts_with("passkey.policy.") && violation.public().ends_with('.'));
    }
    violations.iter().map(Violation::code).collect()
}

#[test]
fn registration_reports_all_that_fails() {
    let registered = |options: Options| {
        let response = SoftKey::new(Alg::Ed25519, options).create(&creation_options(&lenient()), ORIGIN);
        verify_registration(&response, &lenient()).unwrap()
    };
    assert_eq!(codes(&judge_registration(&Policy::default(), &registered(Options::platform()), 4)), [""; 0]);
    let strict = policy(&[("allowed_types", "device"), ("deny_synced", "true"), ("algorithms", "-7")]);
    assert_eq!(
        codes(&judge_registration(&strict, &registered(Options::phone()), 5)),
        ["type_not_allowed", "synced_not_allowed", "algorithm_not_allowed", "too_many_passkeys"]
    );
    assert_eq!(
        codes(&judge_registration(&strict, &registered(Options::u2f()), 0)),
        ["type_not_allowed", "user_not_verified", "not_discoverable", "algorithm_not_allowed"]
    );
    let closed = policy(&[("enabled", "false"), ("allow_registration", "false")]);
    assert_eq!(
        codes(&judge_registration(&closed, &registered(Options::platform()), 0)),
        ["passkeys_disabled", "registration_disabled"]
    );
    // A browser that cannot tell whether the passkey is discoverable is believed to have done as asked.
    let untold = idp_core::passkey::registration::Registered { discoverable: None, ..registered(Options::platform()) };
    assert_eq!(codes(&judge_registration(&Policy::default(), &untold, 0)), [""; 0]);
}

#[test]
fn sign_in_reports_all_that_fails() {
    let mut bench = Bench::new(Alg::Es256, Options::security_key());
    let verified = bench.sign_in(&Faults::default()).unwrap();
    let judge = |policy: &Policy, verified: &Verified, sign_in| {
        codes(&judge_sign_in(policy, &bench.passkey, verified, sign_in))
    };
    let first = SignIn::FirstFactor;
    assert_eq!(judge(&Policy::default(), &verified, first), [""; 0]);
    let unverified = Verified { user_verified: false, ..verified.clone() };
    assert_eq!(
        judge(&policy(&[("allowed_types", "device")]), &unverified, first),
        ["type_not_allowed", "user_not_verified"]
    );
    assert_eq!(judge(&policy(&[("allow_login", "false")]), &verified, first), ["login_disabled"]);
    assert_eq!(judge(&policy(&[("allow_login", "false")]), &verified, SignIn::SecondFactor), [""; 0]);
    assert_eq!(
        judge(&policy(&[("allow_second_factor", "false")]), &verified, SignIn::SecondFactor),
        ["second_factor_disabled"]
    );
    // A key registered under an algorithm that is no longer asked for still signs in.
    assert_eq!(judge(&policy(&[("algorithms", "-8")]), &verified, first), [""; 0]);
}

#[test]
fn a_suspended_or_no_longer_allowed_passkey_is_not_usable() {
    let mut bench = Bench::new(Alg::Es256, Options::synced());
    assert!(judge_record(&Policy::default(), &bench.passkey).is_empty());
    assert_eq!(codes(&judge_record(&policy(&[("deny_synced", "true")]), &bench.passkey)), ["synced_not_allowed"]);
    bench.passkey.state = PasskeyState::Suspended;
    assert_eq!(codes(&judge_record(&Policy::default(), &bench.passkey)), ["passkey_suspended"]);
}

#[test]
fn a_clone_signal_blocks_device_bound_passkeys_and_only_notes_synced_ones() {
    for (options, be, expected) in
        [(Options::security_key(), false, &["clone_suspected"][..]), (Options::synced(), true, &[])]
    {
        let bench = Bench::new(Alg::Es256, options);
        let verified = Verified {
            user_verified: true,
            backup_eligible: be,
            backup_state: be,
            counter: Counter::CloneSignal,
            new_counter: 9,
        };
        let judged = judge_sign_in(&Policy::default(), &bench.passkey, &verified, SignIn::FirstFactor);
        assert_eq!(codes(&judged), expected);
        let out_of_order = Verified { counter: Counter::OutOfOrder, ..verified };
        assert!(judge_sign_in(&Policy::default(), &bench.passkey, &out_of_order, SignIn::FirstFactor).is_empty());
    }
    let defaults = Policy::default().clone_response;
    assert_eq!((defaults.of(false), defaults.of(true)), (CloneResponse::Block, CloneResponse::Notify));
}

#[test]
fn a_passkey_that_outlives_a_device_is_advised_where_the_policy_takes_one() {
    let made = |options| Bench::new(Alg::Es256, options).passkey;
    let (bound, synced) = (made(Options::platform()), made(Options::synced()));
    for (passkeys, deny_synced, expected) in [
        (&[][..], false, Standing::None),
        (&[&bound][..], false, Standing::One),
        (&[&synced][..], false, Standing::One),
        (&[&bound, &bound][..], false, Standing::Bound),
        (&[&bound, &bound][..], true, Standing::Good),
        (&[&bound, &synced][..], false, Standing::Good),
        (&[&synced, &synced][..], false, Standing::Good),
    ] {
        assert_eq!(standing(passkeys.iter().copied(), deny_synced), expected, "{}", passkeys.len());
    }
}
