//! Whose policy counts, and that a client never lets in more.

use std::collections::BTreeSet;
use std::sync::Arc;

use idp_core::passkey::policy::*;
use idp_softkey::{Alg, Options};
use proptest::prelude::*;

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

fn policies() -> impl Strategy<Value = Policy> {
    (modes(), types(), any::<[bool; 4]>(), per_type()).prop_map(|(mode, allowed_types, bits, user_verification)| {
        let [enabled, allow_login, allow_second_factor, deny_synced] = bits;
        let policy = Policy { mode, allowed_types, user_verification, ..Policy::default() };
        Policy { enabled, allow_login, allow_second_factor, deny_synced, ..policy }
    })
}

fn clients() -> impl Strategy<Value = ClientPolicy> {
    let demands = (prop::option::of(modes()), prop::option::of(types()), any::<bool>(), prop::option::of(per_type()));
    demands.prop_map(|(mode, allowed_types, deny_synced, user_verification)| ClientPolicy {
        mode,
        allowed_types,
        deny_synced,
        user_verification,
        minimum_acr: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_never_lets_in_more(realm in policies(), client in clients(), bits in any::<[bool; 4]>()) {
        let [password, totp, asks_passkey, verified] = bits;
        let realm = Arc::new(realm);
        let effective = resolve(&realm, &[], &[], Some(&client));
        for options in [Options::security_key(), Options::platform(), Options::phone(), Options::synced()] {
            let passkey = Bench::new(Alg::Es256, options).passkey;
            let fits = |policy: &Policy| judge_record(policy, &passkey).is_empty();
            let holds = |policy: &Policy| Holds { passkey: fits(policy), password, totp, asks_passkey, grace: false };
            for combination in Combination::ALL {
                prop_assert!(!effective.accepts(combination, holds) || realm.accepts(combination, holds(&realm)));
            }
            prop_assert!(!effective.takes(&passkey, verified) || fits(&realm));
        }
    }

    #[test]
    fn meeting_twice_changes_nothing_more(realm in policies(), client in clients()) {
        let once = client.meet(&realm);
        prop_assert_eq!(client.meet(&once), once);
    }
}
