//! Which assertions are refused, and for which reason.

use idp_core::id::AccountId;
use idp_core::passkey::assertion::{self, Asked, Counter, Found};
use idp_core::passkey::wire::AuthenticationResponse;
use idp_core::passkey::{Ceremony, Reason, Reason::*, Refused};
use idp_softkey::{Alg, Faults, Options};

use crate::support::*;

fn reason(outcome: Result<assertion::Verified, Refused>) -> Option<Reason> {
    let refused = outcome.err()?;
    assert_eq!(refused.ceremony, Ceremony::Assertion);
    assert!(refused.rule().is_some_and(|rule| rule.id.starts_with("webauthn.assertion.")), "{refused}");
    Some(refused.reason)
}

#[test]
fn accepts_every_kind_of_authenticator_with_every_algorithm() {
    for alg in [Alg::Es256, Alg::Ed25519, Alg::Rs256] {
        let mut bench = Bench::new(alg, Options::synced());
        let verified = bench.sign_in(&Faults::default()).unwrap();
        assert!(verified.user_verified && verified.backup_eligible && verified.backup_state);
        assert_eq!((verified.counter, verified.new_counter), (Counter::None, 0));
    }
    let mut bench = Bench::new(Alg::Es256, Options::security_key());
    let verified = bench.sign_in(&Faults::default()).unwrap();
    assert_eq!((verified.counter, verified.new_counter), (Counter::Advanced, 1));
}

#[test]
fn refuses_each_fault_for_its_own_reason() {
    let fault = Faults::default;
    let text = |t: &str| Some(t.to_owned());
    let mut bench = Bench::under(Default::default(), Alg::Es256, Options::platform());
    for (what, origin, faults, expected) in [
        ("own challenge", ORIGIN, other_challenge(), Challenge),
        ("type of the other ceremony", ORIGIN, Faults { ceremony_type: text("webauthn.create"), ..fault() }, Type),
        ("origin suffix", "https://evil-login.example.org", fault(), Origin),
        ("origin prefix", "https://login.example.org.evil.test", fault(), Origin),
        ("subdomain", "https://a.login.example.org", fault(), Origin),
        ("port", "https://login.example.org:444", fault(), Origin),
        ("scheme", "http://login.example.org", fault(), Origin),
        ("opaque origin", "null", fault(), Origin),
        ("crossOrigin", ORIGIN, Faults { cross_origin: Some(true), ..fault() }, CrossOrigin),
        ("topOrigin", ORIGIN, Faults { top_origin: text(ORIGIN), ..fault() }, TopOrigin),
        ("RP ID of a parent", ORIGIN, Faults { rp_id: text("example.org"), ..fault() }, RpId),
        ("UP=0", ORIGIN, Faults { flip_flags: 0x01, ..fault() }, UserPresent),
        ("UV=0 when required", ORIGIN, Faults { flip_flags: 0x04, ..fault() }, UserVerified),
        ("BE flip", ORIGIN, Faults { flip_flags: 0x08, ..fault() }, BackupEligible),
        ("BE flip with BS", ORIGIN, Faults { flip_flags: 0x18, ..fault() }, BackupEligible),
        ("BS without BE", ORIGIN, Faults { flip_flags: 0x10, ..fault() }, BackupState),
        ("trailing CBOR", ORIGIN, Faults { trailing: vec![0xa0], ..fault() }, AuthenticatorData),
        ("id is not rawId", ORIGIN, Faults { id: Some(vec![1; 32]), ..fault() }, Id),
        ("another credential", ORIGIN, Faults { id: Some(vec![1; 32]), raw_id: Some(vec![1; 32]), ..fault() }, Unknown),
        ("type of credential", ORIGIN, Faults { credential_type: text("password"), ..fault() }, CredentialType),
        ("wrong user handle", ORIGIN, Faults { user_handle: Some(Some(vec![1; 64])), ..fault() }, User),
        ("no user handle", ORIGIN, Faults { user_handle: Some(None), ..fault() }, User),
        ("broken signature", ORIGIN, Faults { break_signature: true, ..fault() }, Signature),
    ] {
        assert_eq!(reason(bench.sign_in_from(origin, &faults)), Some(expected), "{what}");
    }
}

#[test]
fn a_synced_passkey_that_becomes_device_bound_is_refused() {
    let mut bench = Bench::new(Alg::Es256, Options::synced());
    assert_eq!(reason(bench.sign_in(&Faults { flip_flags: 0x18, ..Faults::default() })), Some(BackupEligible));
    assert_eq!(reason(bench.sign_in(&Faults { flip_flags: 0x08, ..Faults::default() })), Some(BackupState));
    // Leaving the backup is not a flip.
    let verified = bench.sign_in(&Faults { flip_flags: 0x10, ..Faults::default() }).unwrap();
    assert!(!verified.backup_state);
}

#[test]
fn a_second_port_that_is_listed_is_an_origin_of_its_own() {
    let mut bench = Bench::new(Alg::Es256, Options::platform());
    assert!(bench.sign_in_from("https://login.example.org:8443", &Faults::default()).is_ok());
}

#[test]
fn a_known_account_may_leave_the_handle_out_but_not_be_another() {
    let mut bench = Bench::new(Alg::Es256, Options::u2f());
    let response = bench.key.get(&request_options(&bench.policy), ORIGIN);
    let origins = origins();
    let asked = |account| Asked { ceremony: expected(&origins), allowed: &[], account };
    let verify = |asked: &Asked<'_>| reason(verify_asked(asked, &response, &bench.passkey, &bench.policy));
    assert_eq!(verify(&asked(Some(account()))), None);
    assert_eq!(verify(&asked(Some(AccountId::from_bytes([8; 16])))), Some(User));
    assert_eq!(verify(&asked(None)), Some(User));
    let foreign = Faults { user_handle: Some(Some(vec![1; 64])), ..Faults::default() };
    let response = bench.key.get_with(&request_options(&bench.policy), ORIGIN, &foreign);
    assert_eq!(reason(verify_asked(&asked(Some(account())), &response, &bench.passkey, &bench.policy)), Some(User));
}

#[test]
fn allow_credentials_binds_the_answer() {
    let mut bench = Bench::new(Alg::Es256, Options::platform());
    let response = bench.key.get(&request_options(&bench.policy), ORIGIN);
    let origins = origins();
    let (other, own) = (vec![vec![1; 32]], vec![vec![1; 32], bench.passkey.credential_id.clone()]);
    for (allowed, expected_reason) in [(&other, Some(NotAllowed)), (&own, None)] {
        let asked = Asked { ceremony: expected(&origins), allowed, account: None };
        assert_eq!(reason(verify_asked(&asked, &response, &bench.passkey, &bench.policy)), expected_reason);
    }
}

#[test]
fn a_passkey_of_another_rp_id_is_refused_even_if_its_signature_says_ours() {
    let mut bench = Bench::new(Alg::Es256, Options::platform());
    bench.passkey.rp_id = "example.org".to_owned();
    assert_eq!(reason(bench.sign_in(&Faults::default())), Some(RpId));
}

#[test]
fn a_key_verifies_no_signature_of_another_key_or_algorithm() {
    let mut bench = Bench::new(Alg::Es256, Options::platform());
    for other in [Alg::Es256, Alg::Ed25519] {
        let theirs = Bench::new(other, Options::platform());
        bench.passkey.public_key = theirs.passkey.public_key;
        assert_eq!(reason(bench.sign_in(&Faults::default())), Some(Signature));
    }
    bench.passkey.public_key = vec![0xa0];
    assert_eq!(reason(bench.sign_in(&Faults::default())), Some(PublicKey));
}

#[test]
fn refuses_an_expired_ceremony() {
    let mut bench = Bench::new(Alg::Es256, Options::platform());
    let response = bench.key.get(&request_options(&bench.policy), ORIGIN);
    let response = AuthenticationResponse::from_json(&response).unwrap();
    let origins = origins();
    let asked = Asked { ceremony: expected(&origins), allowed: &[], account: None };
    let found = Found { passkey: &bench.passkey, user_handle: HANDLE };
    let at = |now| reason(assertion::verify(&asked, found, &response, &bench.policy, now));
    assert_eq!(at(ISSUED.plus_s(299)), None);
    assert_eq!(at(ISSUED.plus_s(300)), Some(Expired));
}

#[test]
fn judges_the_counter() {
    // stored, received, stored when (seconds before the challenge was issued), judgement, to store
    for (stored, received, age_s, judgement, keep) in [
        (0, 0, 60, Counter::None, 0),
        (0, 1, 60, Counter::Advanced, 1),
        (4, 5, 60, Counter::Advanced, 5),
        (5, 5, 60, Counter::CloneSignal, 5),
        (5, 4, 60, Counter::CloneSignal, 5),
        (5, 0, 60, Counter::CloneSignal, 5),
        // Stored by another tab after this challenge was issued.
        (5, 4, -1, Counter::OutOfOrder, 5),
        (5, 6, -1, Counter::Advanced, 6),
        (u32::MAX, 0, 60, Counter::CloneSignal, u32::MAX),
    ] {
        let mut bench = Bench::new(Alg::Es256, Options::security_key());
        bench.passkey.counter = stored;
        bench.passkey.counter_at = ISSUED.plus_s(-age_s);
        let verified = bench.sign_in(&Faults { counter: Some(received), ..Faults::default() }).unwrap();
        assert_eq!((verified.counter, verified.new_counter), (judgement, keep), "{stored} then {received}");
    }
}
