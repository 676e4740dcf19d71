//! Whose policy counts, and that a client never lets in more.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use idp_core::passkey::attestation::Statement;
use idp_core::passkey::mds::{Certification, Model, Status};
use idp_core::passkey::policy::trust::Anchors;
use idp_core::passkey::policy::*;
use idp_core::passkey::record::{Attestation, Passkey};
use idp_core::passkey::registration::Registered;
use idp_softkey::{Alg, Options, SoftKey};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::*;

fn of_group(group: &str, priority: i64, mode: Mode) -> GroupPolicy {
    GroupPolicy { group: group.to_owned(), priority, policy: Arc::new(Policy { mode, ..Policy::default() }) }
}

#[test]
fn the_group_with_the_highest_priority_counts_else_the_realm() {
    let realm = Arc::new(Policy::default());
    let groups = [of_group("strict", 9, Mode::PasskeyOnly), of_group("lax", -1, Mode::Optional)];
    for (of, group, mode) in [
        (&[][..], None, Mode::PasskeyFirst),
        (&["other"], None, Mode::PasskeyFirst),
        (&["lax"], Some("lax"), Mode::Optional),
        (&["lax", "strict", "other"], Some("strict"), Mode::PasskeyOnly),
    ] {
        let of: Vec<String> = of.iter().map(|name| (*name).to_owned()).collect();
        let effective = resolve(&realm, &groups, &of, None);
        assert_eq!((effective.group, effective.policy.mode), (group, mode), "policy.resolved");
    }
}

#[test]
fn modes_meet_by_intersection() {
    let realm = Arc::new(Policy { mode: Mode::PasskeyFirst, ..Policy::default() });
    let client = ClientPolicy { mode: Some(Mode::PasswordThenPasskey), ..ClientPolicy::default() };
    let effective = resolve(&realm, &[], &[], Some(&client));
    let all = Holds { passkey: true, password: true, totp: true, asks_passkey: false, grace: false };
    let accepted: Vec<_> = Combination::ALL.into_iter().filter(|c| effective.accepts(*c, |_| all)).collect();
    assert_eq!(accepted, [Combination::PasswordAndPasskey]);
}

fn modes() -> impl Strategy<Value = Mode> {
    use Mode::*;
    prop::sample::select(vec![PasskeyOnly, PasskeyFirst, PasswordThenPasskey, PasskeyThenSecondFactor, Optional])
}

fn per_type() -> impl Strategy<Value = PerType> {
    let one = || {
        use Requirement::*;
        prop::sample::select(vec![Discouraged, Preferred, Required])
    };
    (one(), one(), one()).prop_map(|(security_key, device, phone)| PerType { security_key, device, phone })
}

fn types() -> impl Strategy<Value = AllowedTypes> {
    prop_oneof![
        Just(AllowedTypes::Any),
        prop::sample::subsequence(PasskeyType::ALL.to_vec(), 0..=3)
            .prop_map(|types| AllowedTypes::Only(types.into_iter().collect::<BTreeSet<_>>())),
    ]
}

/// Demands on models: none, one of two sets of values, met in all ways.
fn models() -> impl Strategy<Value = ClientPolicy> {
    let some = || {
        prop::option::of(prop::sample::subsequence(
            [[9; 16], [8; 16]].iter().map(|m| Uuid::from_bytes(*m)).collect::<Vec<_>>(),
            0..=2,
        ))
    };
    let statuses = prop::option::of(prop::sample::subsequence(vec![Status::Revoked, Status::UpdateAvailable], 0..=2));
    let least = prop::option::of(prop::sample::select(vec![Certification::None, Certification::L1, Certification::L2]));
    (any::<Option<bool>>(), some(), some(), statuses, least).prop_map(|(trust, allow, deny, statuses, least)| {
        ClientPolicy {
            attestation_trust: trust.map(|mds| Trust::Only(Anchors { mds, roots: [([3; 32], vec![3])].into() })),
            aaguid_allow: allow.map(|models| AaguidAllow::Only(models.into_iter().collect())),
            aaguid_deny: deny.map(|models| AaguidDeny(models.into_iter().collect())),
            mds_refuse_status: statuses.map(|statuses| RefusedStatuses(statuses.into_iter().collect())),
            mds_min_certification: least,
            ..ClientPolicy::default()
        }
    })
}

/// A model, and who vouches for what.
type Made = ([u8; 16], Attestation, Option<[u8; 32]>, Model);

/// Two models, attested or not, with what the metadata may say.
fn made() -> Vec<Made> {
    let mut made = Vec::new();
    for (aaguid, root, vouched, certification) in [
        ([9; 16], None, false, Certification::None),
        ([9; 16], Some([3; 32]), false, Certification::L1),
        ([8; 16], Some([4; 32]), true, Certification::L2),
        ([8; 16], Some([3; 32]), true, Certification::None),
    ] {
        for statuses in [vec![], vec![Status::Revoked], vec![Status::UpdateAvailable]] {
            let attestation = if root.is_some() { Attestation::Verified } else { Attestation::SelfSigned };
            let model = Model { statuses: statuses.into_iter().collect(), certification, hardware: true, vouched };
            made.push((aaguid, attestation, root, model));
        }
    }
    made
}

/// Every kind of passkey of a type.
fn passkeys(passkey: &Passkey) -> Vec<Passkey> {
    let of = |(aaguid, attestation, attestation_root, model)| Passkey {
        aaguid,
        attestation,
        attestation_root,
        model,
        ..passkey.clone()
    };
    std::iter::once(passkey.clone()).chain(made().into_iter().map(of)).collect()
}

/// Every kind of new passkey.
static NEW: LazyLock<Vec<Registered>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (kind, uv, discoverable) in
        KINDS.iter().flat_map(|kind| BITS.map(|(uv, discoverable)| (kind, uv, discoverable)))
    {
        let mut key = SoftKey::new(Alg::Es256, Options { uv, discoverable, ..kind() });
        let first = verify_registration(&key.create(&creation_options(&lenient()), ORIGIN), &lenient()).unwrap();
        all.extend(made().into_iter().map(|(aaguid, attestation, attestation_root, model)| Registered {
            aaguid,
            statement: Statement { attestation, ..first.statement.clone() },
            attestation_root,
            model,
            ..first.clone()
        }));
        all.push(first);
    }
    all
});

const BITS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

fn policies() -> impl Strategy<Value = Policy> {
    let parts = (modes(), types(), any::<[bool; 5]>(), [per_type(), per_type()], models());
    parts.prop_map(|(mode, allowed_types, bits, [user_verification, resident_key], models)| {
        let [enabled, allow_registration, allow_login, allow_second_factor, deny_synced] = bits;
        let policy = Policy { mode, allowed_types, user_verification, resident_key, ..models.meet(&Policy::default()) };
        Policy { enabled, allow_registration, allow_login, allow_second_factor, deny_synced, ..policy }
    })
}

const KINDS: [fn() -> Options; 4] = [Options::security_key, Options::platform, Options::phone, Options::synced];

fn clients() -> impl Strategy<Value = ClientPolicy> {
    let (mode, types, per_type) = (prop::option::of(modes()), prop::option::of(types()), prop::option::of(per_type()));
    let demands = (mode, types, any::<bool>(), per_type, models());
    demands.prop_map(|(mode, allowed_types, deny_synced, user_verification, models)| ClientPolicy {
        mode,
        allowed_types,
        deny_synced,
        user_verification,
        minimum_acr: None,
        ..models
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_never_lets_in_more(realm in policies(), client in clients(), bits in any::<[bool; 4]>()) {
        let [password, totp, asks_passkey, verified] = bits;
        let realm = Arc::new(realm);
        let effective = resolve(&realm, &[], &[], Some(&client));
        for kind in KINDS {
            let passkey = Bench::new(Alg::Es256, kind()).passkey;
            let fits = |policy: &Policy| judge_record(policy, &passkey).is_empty();
            let holds = |policy: &Policy| Holds { passkey: fits(policy), password, totp, asks_passkey, grace: false };
            for combination in Combination::ALL {
                prop_assert!(!effective.accepts(combination, holds) || realm.accepts(combination, holds(&realm)));
            }
            for passkey in passkeys(&passkey) {
                let fits = judge_record(&realm, &passkey).is_empty();
                prop_assert!(!effective.takes(&passkey, verified) || fits);
            }
        }
        for (new, existing) in NEW.iter().flat_map(|new| [0, 4, 5].map(|existing| (new, existing))) {
            let met = judge_registration(&effective.policy, new, existing);
            let met: Vec<_> = met.iter().map(Violation::code).collect();
            for violation in judge_registration(&realm, new, existing) {
                prop_assert!(met.contains(&violation.code()), "{violation:?} {met:?}");
            }
        }
    }

    #[test]
    fn meeting_twice_changes_nothing_more(realm in policies(), client in clients()) {
        let once = client.meet(&realm);
        prop_assert_eq!(client.meet(&once), once);
    }
}
