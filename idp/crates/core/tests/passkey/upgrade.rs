//! Automatic upgrade: when a passkey may be made without a dialogue, what the ceremony asks then, and what it is worth.

use idp_core::id::EventId;
use idp_core::interact::enrol::SignedIn;
use idp_core::passkey::policy::*;
use idp_core::passkey::policy::{counts, has_passkey};
use idp_core::passkey::reach::Holder;
use idp_core::passkey::record::{Passkey, PasskeyState};
use idp_core::passkey::registration::{self, OptionsFor};
use idp_core::passkey::wire::RegistrationResponse;
use idp_core::passkey::{Expected, Reason};
use idp_core::session::{AuthEvent, Method, PasskeyProof};
use idp_softkey::{Alg, Faults, Maker, Options, SoftKey};
use serde_json::json;

use crate::reach::{holder, realm};
use crate::support::*;

const DAY_S: i64 = 86_400;

fn upgrading() -> Policy {
    policy(&[("automatic_upgrade", "true"), ("enrolment_requires", "any")])
}

#[test]
fn a_policy_under_which_it_could_never_act_is_refused_with_a_sentence() {
    let root = Maker::new("A maker").pem();
    for (field, value, named) in [
        ("enrolment_requires", "confirmed", "enrolment_requires"),
        ("enrolment_requires", "access_pass", "enrolment_requires"),
        ("deny_synced", "true", "deny_synced"),
        ("allowed_types", "security_key,phone", "allowed_types"),
        ("enabled", "false", "enabled"),
        ("allow_registration", "false", "allow_registration"),
        ("mode", "passkey_only", "mode"),
        ("mode", "password_then_passkey", "mode"),
        ("mode", "passkey_then_second_factor", "mode"),
        ("attestation_trust", root.as_str(), "attestation_trust"),
    ] {
        let mut policy = upgrading();
        policy.attestation = Conveyance::Direct;
        policy.set(field, value).unwrap();
        let problems: Vec<_> = policy.check().into_iter().filter(|p| p.text.contains("automatic_upgrade")).collect();
        assert_eq!(problems.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), [named], "{field}={value}");
        assert!(!policy.upgrades(), "{field}={value}");
        policy.automatic_upgrade = false;
        assert_eq!(policy.check(), [], "{field}={value} without it");
    }
    for (field, value) in [
        ("user_verification", "required"),
        ("allowed_types", "device"),
        ("mode", "optional"),
        ("aaguid_allow", "61206b6e-6f77-6e20-6d6f-64656c203a29"),
        ("enrolment", "off"),
    ] {
        let mut policy = upgrading();
        policy.set(field, value).unwrap();
        assert!(policy.check().is_empty() && policy.upgrades(), "{field}={value}");
    }
    assert!(!Policy::default().upgrades());
}

#[test]
fn it_acts_where_the_password_is_the_strongest_factor_and_nobody_declined() {
    let event = |method| AuthEvent::new(EventId::from_bytes([0; 16]), NOW, None, method);
    let password = || vec![event(Method::Password)];
    let proof = PasskeyProof::best(&upgrading());
    let with_passkey = || vec![event(Method::Password), event(Method::Passkey(proof.clone()))];
    let passkey = || Bench::new(Alg::Es256, Options::synced()).passkey;
    let suspended = || Passkey { state: PasskeyState::Suspended, ..passkey() };
    for (case, policy, events, totp, passkeys, put_off, done, acts) in [
        ("a password alone", upgrading(), password(), false, vec![], None, None, true),
        (
            "the field is off",
            Policy { automatic_upgrade: false, ..upgrading() },
            password(),
            false,
            vec![],
            None,
            None,
            false,
        ),
        (
            "the client refuses synced ones",
            Policy { deny_synced: true, ..upgrading() },
            password(),
            false,
            vec![],
            None,
            None,
            false,
        ),
        ("an authenticator app", upgrading(), password(), true, vec![], None, None, false),
        ("a passkey signed in", upgrading(), with_passkey(), false, vec![], None, None, false),
        ("nothing signed in", upgrading(), vec![], false, vec![], None, None, false),
        ("a usable passkey", upgrading(), password(), false, vec![passkey()], None, None, false),
        ("a suspended passkey", upgrading(), password(), false, vec![suspended()], None, None, true),
        ("put off 13 days ago", upgrading(), password(), false, vec![], Some(-13), None, false),
        ("put off 14 days ago", upgrading(), password(), false, vec![], Some(-14), None, true),
        ("done before, and removed", upgrading(), password(), false, vec![], None, Some(-400), false),
    ] {
        let mut person = holder("carl", true, totp, passkeys);
        person.account.preferences.passkey_put_off = put_off.map(|days| NOW.plus_s(days * DAY_S));
        person.account.preferences.passkey_upgraded = done.map(|days| NOW.plus_s(days * DAY_S));
        let (base, realm) = (upgrading(), realm(upgrading()));
        let signed_in = SignedIn {
            realm: &realm,
            policy: &base,
            account: &person.account,
            events: &events,
            mails: false,
            now: NOW,
        };
        let found = signed_in.upgrades(&policy) && !signed_in.has_passkey(&person.passkeys);
        assert_eq!(found, acts, "{case}");
    }
}

#[test]
fn a_passkey_made_without_a_dialogue_closes_no_way_until_it_was_used() {
    let realm = realm(upgrading());
    let made = Bench::new(Alg::Es256, Options::synced()).passkey;
    let mut person = holder("carl", true, false, vec![made.clone()]);
    let counted = |person: &Holder, mode| {
        let policy = Policy { mode, ..upgrading() };
        has_passkey(&person.passkeys, &realm.relying_parties, (&person.account, &policy))
    };
    assert!(counted(&person, Mode::PasskeyFirst), "made on purpose");
    person.account.preferences.passkey_upgraded = Some(made.created);
    assert!(!counted(&person, Mode::PasskeyFirst) && !counted(&person, Mode::Optional));
    // Where a password alone never signs in, there is nothing to keep open.
    assert!(counted(&person, Mode::PasswordThenPasskey));
    let another = Passkey { created: made.created.plus_s(60), ..made.clone() };
    assert!(counts(&upgrading(), &person.account, &another));
    person.passkeys[0].last_used = Some(NOW);
    assert!(counted(&person, Mode::PasskeyFirst) && counted(&person, Mode::Optional));
}

#[test]
fn nobody_is_asked_to_be_there_unlock_or_agree() {
    let mut policy = upgrading();
    policy.set("resident_key", "discouraged").unwrap();
    policy.set("attestation", "direct").unwrap();
    let ask = |conditional| {
        let request = OptionsFor {
            rp_id: RP_ID,
            rp_name: "Example",
            user_handle: HANDLE,
            username: "ada",
            display_name: "Ada Lovelace",
            challenge: CHALLENGE,
            kind: None,
            passkeys: &[],
            conditional,
        };
        serde_json::to_value(registration::options(&request, &policy)).unwrap()
    };
    let (normal, silent) = (ask(false), ask(true));
    assert_eq!((&normal["attestation"], &silent["attestation"]), (&json!("direct"), &json!("none")));
    let selection = json!({ "residentKey": "required", "requireResidentKey": true, "userVerification": "preferred" });
    assert_eq!(silent["authenticatorSelection"], selection);
}

#[test]
fn up_and_uv_are_waived_for_a_conditional_ceremony_alone_and_remembered_as_missing() {
    let policy = upgrading();
    let origins = origins();
    let mut key = SoftKey::new(Alg::Es256, Options { up: false, uv: false, ..Options::synced() });
    let made = key.create_with(&creation_options(&policy), ORIGIN, &Faults::default());
    let verify = |conditional| {
        let expected = Expected { conditional, ..expected(&origins) };
        registration::verify(&expected, RegistrationResponse::from_json(&made).unwrap(), &policy, NOW)
    };
    assert_eq!(verify(false).unwrap_err().reason, Reason::UserPresent);
    let registered = verify(true).unwrap();
    assert!(judge_registration(&policy, &registered, 0).is_empty());
    assert!(!registered.into_passkey(account(), RP_ID, "silent".to_owned(), NOW).uv_initialized);
}
