//! Attestation statements, chains, and what the policy makes of models.

use idp_core::passkey::mds::{Certification, Entry, Model, ModelKey, Status};
use idp_core::passkey::policy::trust::{Anchors, Trust};
use idp_core::passkey::policy::{Policy, judge_record, judge_registration};
use idp_core::passkey::record::{Attestation, Passkey};
use idp_core::passkey::registration::Registered;
use idp_core::passkey::{Reason, Refused};
use idp_core::secret::sha256;
use idp_core::time::Timestamp;
use idp_softkey::{Alg, Attestation as Statement, Faults, Maker, Options, SoftKey};
use std::sync::Arc;

use crate::support::*;

const MODEL: [u8; 16] = *b"a known model :)";

fn attested(maker: &Maker) -> Options {
    Options { attestation: Statement::Packed(maker.clone()), aaguid: MODEL, ..Options::security_key() }
}

fn register(options: Options, faults: &Faults) -> Result<Registered, Refused> {
    let mut key = SoftKey::new(Alg::Es256, options);
    verify_registration(&key.create_with(&creation_options(&lenient()), ORIGIN, faults), &lenient())
}

fn entry(maker: &Maker, statuses: &[Status], certification: Certification) -> Entry {
    Entry {
        description: "Soft Key".to_owned(),
        statuses: statuses.iter().copied().collect(),
        certification,
        hardware: true,
        roots: vec![maker.root().to_vec()],
    }
}

fn own_roots(makers: &[&Maker]) -> Trust {
    let roots = makers.iter().map(|maker| (sha256(maker.root()), maker.root().to_vec())).collect();
    Trust::Only(Anchors { mds: false, roots })
}

fn trusting(trust: Trust) -> Policy {
    Policy { attestation_trust: trust, ..policy(&[("attestation", "direct"), ("resident_key", "preferred")]) }
}

fn by_mds() -> Policy {
    trusting(Trust::Only(Anchors { mds: true, ..Anchors::default() }))
}

/// Assessed now, and kept.
fn assessed(mut registered: Registered, policy: &Policy, entry: Option<&Entry>) -> (Vec<&'static str>, Passkey) {
    registered.assess(policy, entry, NOW);
    let codes = judge_registration(policy, &registered, 0).iter().map(|v| v.code()).collect();
    (codes, registered.into_passkey(account(), RP_ID, "key".to_owned(), NOW))
}

fn codes(policy: &Policy, passkey: &Passkey) -> Vec<&'static str> {
    judge_record(policy, passkey).iter().map(|v| v.code()).collect()
}

#[test]
fn a_packed_certificate_leads_to_its_root_and_to_no_other() {
    let (maker, other) = (Maker::new("Maker"), Maker::new("Maker"));
    let registered = register(attested(&maker), &Faults::default()).unwrap();
    assert_eq!(registered.statement.attestation, Attestation::Unverified, "until a root is found");
    let (refused, kept) = assessed(registered.clone(), &trusting(own_roots(&[&maker])), None);
    assert_eq!((refused, kept.attestation), (vec![], Attestation::Verified));
    assert_eq!(kept.attestation_root, Some(sha256(maker.root())));
    // The same name, another key.
    let (refused, kept) = assessed(registered.clone(), &trusting(own_roots(&[&other])), None);
    assert_eq!(
        (refused, kept.attestation),
        (vec!["not_attested"], Attestation::Unverified),
        "passkey.policy.attestation_trust"
    );
    // Both are believed; the right one is found.
    let (refused, kept) = assessed(registered, &trusting(own_roots(&[&other, &maker])), None);
    assert_eq!((refused, kept.attestation_root), (vec![], Some(sha256(maker.root()))));
}

#[test]
fn a_chain_that_is_not_valid_yet_leads_nowhere() {
    let maker = Maker::new("Maker");
    let mut registered = register(attested(&maker), &Faults::default()).unwrap();
    // The certificates of these tests begin in 1975 and end in 4096.
    for (at, found) in
        [(-10_000_000_000_000, false), (0, false), (1_700_000_000_000, true), (90_000_000_000_000, false)]
    {
        registered.statement.attestation = Attestation::Unverified;
        registered.assess(&trusting(own_roots(&[&maker])), None, Timestamp::from_ms(at));
        assert_eq!(registered.attestation_root.is_some(), found, "at {at}");
    }
}

#[test]
fn a_certificate_that_is_listed_itself_is_a_root() {
    let leaf = Maker::new("Maker").leaf(None);
    let roots = [(sha256(&leaf.certificate), leaf.certificate.clone())].into();
    let options = Options { attestation: Statement::U2f(Arc::new(leaf)), ..Options::u2f() };
    let registered = register(options, &Faults::default()).unwrap();
    let (_, kept) = assessed(registered, &trusting(Trust::Only(Anchors { mds: false, roots })), None);
    assert_eq!(kept.attestation, Attestation::Verified);
}

#[test]
fn a_broken_signature_and_a_certificate_of_another_model_are_refused() {
    let maker = Maker::new("Maker");
    let leaf = Arc::new(maker.leaf(None));
    let u2f = Options { attestation: Statement::U2f(leaf), ..Options::u2f() };
    let broken = Faults { break_signature: true, ..Faults::default() };
    let other = Faults { certified_aaguid: Some([1; 16]), ..Faults::default() };
    for (options, faults, what) in [
        (attested(&maker), &broken, "sig is not the attestation certificate's"),
        (u2f.clone(), &broken, "sig is not the attestation certificate's"),
        (attested(&maker), &other, "the certificate is for another AAGUID"),
    ] {
        let refused = register(options, faults).unwrap_err();
        assert_eq!(refused.reason, Reason::Attestation, "webauthn.registration.attestation");
        assert!(refused.detail.contains(what), "{refused}");
    }
    assert!(register(u2f, &Faults::default()).is_ok());
}

#[test]
fn u2f_keys_are_found_by_the_key_of_their_certificate() {
    let maker = Maker::new("Maker");
    let leaf = Arc::new(maker.leaf(None));
    let id = leaf.key_id();
    let registered =
        register(Options { attestation: Statement::U2f(leaf), ..Options::u2f() }, &Faults::default()).unwrap();
    let key = registered.model_key().unwrap();
    assert!(matches!(key, ModelKey::KeyId(_)));
    assert_eq!(key.text(), id);
    let lenient = Policy { user_verification: lenient().user_verification, ..by_mds() };
    let (refused, kept) = assessed(registered, &lenient, Some(&entry(&maker, &[], Certification::L1)));
    assert_eq!((refused, kept.model_key().map(|key| key.text())), (vec![], Some(id)));
    // A packed statement has its AAGUID; a claimed AAGUID alone is looked up, too.
    let packed = register(attested(&maker), &Faults::default()).unwrap();
    assert_eq!(packed.model_key(), Some(ModelKey::Aaguid(MODEL)));
    assert_eq!(register(Options::platform(), &Faults::default()).unwrap().model_key(), None);
}

#[test]
fn the_metadata_vouch_by_the_roots_of_the_passkeys_own_model() {
    let (maker, other) = (Maker::new("Maker"), Maker::new("Other"));
    let registered = register(attested(&maker), &Faults::default()).unwrap();
    let (refused, kept) = assessed(registered.clone(), &by_mds(), Some(&entry(&maker, &[], Certification::None)));
    assert_eq!((refused, kept.model.vouched, kept.is_hardware()), (vec![], true, true));
    for entry in [None, Some(entry(&other, &[], Certification::None))] {
        let (refused, kept) = assessed(registered.clone(), &by_mds(), entry.as_ref());
        assert_eq!((refused, kept.is_hardware()), (vec!["not_attested"], false));
    }
    // Own roots vouch for the model, not for where its keys sit.
    let (refused, kept) = assessed(registered, &trusting(own_roots(&[&maker])), None);
    assert_eq!((refused, kept.is_hardware()), (vec![], false));
}

#[test]
fn a_synced_passkey_is_never_in_hardware_and_software_never_is() {
    let maker = Maker::new("Maker");
    let synced = Options { be: true, bs: true, ..attested(&maker) };
    let registered = register(synced, &Faults::default()).unwrap();
    let (_, kept) = assessed(registered, &by_mds(), Some(&entry(&maker, &[], Certification::L2)));
    assert_eq!((kept.attestation, kept.is_hardware()), (Attestation::Verified, false));
    let registered = register(attested(&maker), &Faults::default()).unwrap();
    let soft = Entry { hardware: false, ..entry(&maker, &[], Certification::L2) };
    assert!(!assessed(registered, &by_mds(), Some(&soft)).1.is_hardware());
}

#[test]
fn lists_of_models_let_in_and_keep_out() {
    let list = "61206b6e-6f77-6e20-6d6f-64656c203a29";
    let unlisted = Options { aaguid: [9; 16], ..Options::platform() };
    let listed = Options { aaguid: MODEL, ..Options::platform() };
    for (field, rule, options, refused) in [
        ("aaguid_allow", "passkey.policy.aaguid_allow", &listed, None),
        ("aaguid_allow", "passkey.policy.aaguid_allow", &unlisted, Some("model_not_allowed")),
        // The zero AAGUID is nobody's.
        ("aaguid_allow", "passkey.policy.aaguid_allow", &Options::platform(), Some("model_not_allowed")),
        ("aaguid_deny", "passkey.policy.aaguid_deny", &listed, Some("model_denied")),
        ("aaguid_deny", "passkey.policy.aaguid_deny", &unlisted, None),
        ("aaguid_deny", "passkey.policy.aaguid_deny", &Options::platform(), None),
    ] {
        let policy = policy(&[(field, list)]);
        let registered = register(options.clone(), &Faults::default()).unwrap();
        let (at_registration, kept) = assessed(registered, &policy, None);
        let expected: Vec<_> = refused.into_iter().collect();
        assert_eq!((at_registration, codes(&policy, &kept)), (expected.clone(), expected), "{rule}");
    }
}

#[test]
fn with_trust_on_a_self_attested_passkey_of_a_listed_model_is_refused() {
    let maker = Maker::new("Maker");
    let list = [
        ("aaguid_allow", "61206b6e-6f77-6e20-6d6f-64656c203a29"),
        ("attestation", "direct"),
        ("attestation_trust", "mds"),
    ];
    let listed = policy(&list);
    let known = entry(&maker, &[], Certification::L1);
    for (statement, refused) in [
        (Statement::PackedSelf, vec!["not_attested"]),
        (Statement::None, vec!["not_attested"]),
        (Statement::Packed(maker), vec![]),
    ] {
        let registered = register(Options { attestation: statement, ..attested(&Maker::new("-")) }, &Faults::default());
        let (at_registration, kept) = assessed(registered.unwrap(), &listed, Some(&known));
        assert_eq!((at_registration, codes(&listed, &kept)), (refused.clone(), refused));
    }
}

#[test]
fn statuses_and_certifications_are_judged_at_registration_and_on_the_record() {
    let maker = Maker::new("Maker");
    let certified = |least: &str| Policy { mds_min_certification: Certification::parse(least).unwrap(), ..by_mds() };
    for (policy, statuses, certification, refused) in [
        (by_mds(), &[][..], Certification::None, None),
        (by_mds(), &[Status::UpdateAvailable], Certification::None, None),
        (by_mds(), &[Status::UpdateAvailable, Status::Revoked], Certification::L2, Some("model_status")),
        (by_mds(), &[Status::UserKeyPhysicalCompromise], Certification::L2, Some("model_status")),
        (certified("FIDO_CERTIFIED_L2"), &[], Certification::L2, None),
        (certified("FIDO_CERTIFIED_L2"), &[], Certification::L3Plus, None),
        (certified("FIDO_CERTIFIED_L2"), &[], Certification::L1Plus, Some("not_certified")),
        (certified("FIDO_CERTIFIED"), &[Status::NotFidoCertified], Certification::None, Some("not_certified")),
    ] {
        let rules = ["passkey.policy.mds_refuse_status", "passkey.policy.mds_min_certification"];
        let registered = register(attested(&maker), &Faults::default()).unwrap();
        let (at_registration, kept) = assessed(registered, &policy, Some(&entry(&maker, statuses, certification)));
        let expected: Vec<_> = refused.into_iter().collect();
        assert_eq!((at_registration, codes(&policy, &kept)), (expected.clone(), expected), "{rules:?}");
    }
    // What nobody vouches for has no certification, whatever model it says it is.
    let claimed =
        register(Options { attestation: Statement::PackedSelf, ..attested(&maker) }, &Faults::default()).unwrap();
    let trusting_nobody = Policy { mds_min_certification: Certification::L1, ..Policy::default() };
    let (refused, _) = assessed(claimed.clone(), &trusting_nobody, Some(&entry(&maker, &[], Certification::L3)));
    assert_eq!(refused, ["not_certified"]);
    // But a refused status holds for whoever says so.
    let (refused, _) =
        assessed(claimed, &Policy::default(), Some(&entry(&maker, &[Status::Revoked], Certification::L3)));
    assert_eq!(refused, ["model_status"]);
}

#[test]
fn a_tightened_policy_judges_the_record_as_it_is() {
    let (maker, other) = (Maker::new("Maker"), Maker::new("Other"));
    let registered = register(attested(&maker), &Faults::default()).unwrap();
    let (_, mut kept) = assessed(registered, &trusting(own_roots(&[&maker])), None);
    assert_eq!(codes(&Policy::default(), &kept), [""; 0]);
    assert_eq!(codes(&trusting(own_roots(&[&other])), &kept), ["not_attested"]);
    assert_eq!(codes(&by_mds(), &kept), ["not_attested"]);
    kept.model = Model { vouched: true, ..Model::default() };
    assert_eq!(codes(&by_mds(), &kept), [""; 0]);
}

#[test]
fn a_list_of_models_without_trust_warns_that_it_can_be_forged() {
    let warnings = |fields: &[(&str, &str)]| {
        policy(fields).warnings().into_iter().map(|w| (w.field.clone(), w.text)).collect::<Vec<_>>()
    };
    let list = "61206b6e-6f77-6e20-6d6f-64656c203a29";
    for field in ["aaguid_allow", "aaguid_deny"] {
        let found = warnings(&[(field, list)]);
        assert!(matches!(found.as_slice(), [(at, text)] if at == field && text.contains("can be forged")), "{found:?}");
        let trusted = [(field, list), ("attestation_trust", "mds"), ("attestation", "direct")];
        assert_eq!(warnings(&trusted), []);
        let hidden = warnings(&[(field, list), ("attestation_trust", "mds"), ("attestation", "indirect")]);
        assert!(matches!(hidden.as_slice(), [(_, text)] if text.contains("below direct")), "{hidden:?}");
    }
    assert_eq!(warnings(&[]), []);
}

#[test]
fn policies_about_models_that_nobody_could_satisfy_are_refused() {
    let list = "61206b6e-6f77-6e20-6d6f-64656c203a29";
    let nil = "00000000-0000-0000-0000-000000000000";
    let fields = |changes: &[(&str, &str)]| {
        let mut policy = Policy::default();
        changes.iter().for_each(|(name, text)| policy.set(name, text).unwrap());
        policy.check().into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(&[("attestation_trust", "mds")]), ["attestation"]);
    assert_eq!(fields(&[("attestation_trust", "mds"), ("attestation", "enterprise")]), [""; 0]);
    assert_eq!(fields(&[("mds_min_certification", "FIDO_CERTIFIED_L1")]), ["mds_min_certification"]);
    assert_eq!(fields(&[("aaguid_allow", "[]")]), ["aaguid_allow"]);
    assert_eq!(fields(&[("aaguid_allow", nil)]), ["aaguid_allow"]);
    assert_eq!(fields(&[("aaguid_deny", nil)]), ["aaguid_deny"]);
    assert_eq!(fields(&[("aaguid_allow", list), ("aaguid_deny", list)]), ["aaguid_deny"]);
    let (maker, other) = (Maker::new("Maker"), Maker::new("Other"));
    let nobody = trusting(own_roots(&[&maker]).meet(&own_roots(&[&other])));
    assert_eq!(nobody.check().first().map(|problem| problem.field.as_str()), Some("attestation_trust"));
}

#[test]
fn roots_are_set_as_pem_and_shown_by_their_fingerprint() {
    let (maker, other) = (Maker::new("Maker"), Maker::new("Other"));
    let mut policy = Policy::default();
    policy.set("attestation_trust", &format!("mds,{}{}", maker.pem(), other.pem())).unwrap();
    assert_eq!(policy.attestation_trust.roots().count(), 2);
    assert!(policy.attestation_trust.believes_mds());
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    let shown = policy.show().into_iter().find(|(field, ..)| field.name == "attestation_trust").unwrap().1;
    assert!(shown.starts_with("mds, root sha256:") && shown.len() < 100, "{shown}");
    for wrong in ["fido", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "mds,x"] {
        assert!(policy.set("attestation_trust", wrong).is_err(), "{wrong}");
    }
    policy.set("attestation_trust", "none").unwrap();
    assert_eq!(policy.attestation_trust, Trust::Any);
}

#[test]
fn the_policy_says_what_the_browser_is_asked() {
    for word in ["none", "indirect", "direct", "enterprise"] {
        assert_eq!(creation_options(&policy(&[("attestation", word)]))["attestation"], word);
    }
}
