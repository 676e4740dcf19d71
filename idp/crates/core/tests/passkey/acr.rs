//! From events to acr, amr and auth_time.

use idp_core::acr::{Acr, Acr::*, Authenticated, Demand, Evidence, Freshness, choose, supported_acr_values};
use idp_core::id::{EventId, FlowId};
use idp_core::passkey::policy::{Combination, Mode, Policy};
use idp_core::realm::RealmSettings;
use idp_core::session::{AuthEvent, Method, PasskeyProof};
use idp_core::time::Timestamp;
use proptest::prelude::*;

use crate::support::NOW;

const FLOW: FlowId = FlowId::from_bytes([9; 16]);

fn event(method: Method, age_s: i64) -> AuthEvent {
    AuthEvent::new(EventId::from_bytes([1; 16]), NOW.plus_s(-age_s), None, method)
}

fn password(age_s: i64) -> AuthEvent {
    event(Method::Password, age_s)
}

fn proof(uv: bool, be: bool) -> PasskeyProof {
    PasskeyProof {
        credential_id: vec![1],
        user_verified: uv,
        backup_eligible: be,
        backup_state: be,
        aaguid: [0; 16],
        attestation_root: None,
        hardware: false,
    }
}

fn passkey(uv: bool, be: bool, age_s: i64) -> AuthEvent {
    event(Method::Passkey(proof(uv, be)), age_s)
}

fn settings(change: impl FnOnce(&mut RealmSettings)) -> RealmSettings {
    let mut settings = RealmSettings::default();
    change(&mut settings);
    settings
}

fn ask(acr: &[&str]) -> Demand {
    Demand { acr: acr.iter().map(|a| (*a).to_owned()).collect(), ..Demand::default() }
}

fn chosen(events: &[AuthEvent], settings: &RealmSettings, demand: &Demand) -> Option<Authenticated> {
    choose(&Evidence { events, active: NOW, now: NOW }, settings, demand, |_, _| true)
}

const MFA: &str = "https://refeds.org/profile/mfa";
const AAL2_URI: &str = "http://idmanagement.gov/ns/assurance/aal/2";
const AAL1_URI: &str = "http://idmanagement.gov/ns/assurance/aal/1";

#[test]
fn every_row_of_the_table() {
    let default = RealmSettings::default();
    let no_hwk = settings(|s| s.hwk_requires_attestation = true);
    let no_mfa = settings(|s| s.uv_counts_as_second_factor = false);
    let phr_without_uv = settings(|s| s.phr_requires_uv = false);
    // Whatever authenticates is at least a single factor: aal1 and refeds sfa are in every row.
    for (events, settings, amr, acr, satisfied) in [
        (vec![password(5)], &default, "pwd", AAL1_URI, vec![Aal1, RefedsSfa]),
        (
            vec![passkey(true, false, 5)],
            &default,
            "hwk pop user mfa",
            "phr",
            vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
        (vec![passkey(true, false, 5)], &no_hwk, "pop user mfa", "phr", vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa]),
        (
            vec![passkey(true, true, 5)],
            &default,
            "swk pop user mfa",
            "phr",
            vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
        (vec![passkey(true, true, 5)], &no_hwk, "swk pop user mfa", "phr", vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa]),
        (vec![passkey(true, true, 5)], &no_mfa, "swk pop user", "phr", vec![Phr, Aal1, RefedsSfa]),
        (vec![passkey(false, false, 5)], &default, "hwk pop user", AAL1_URI, vec![Aal1, RefedsSfa]),
        (vec![passkey(false, true, 5)], &default, "swk pop user", AAL1_URI, vec![Aal1, RefedsSfa]),
        (vec![passkey(false, true, 5)], &phr_without_uv, "swk pop user", "phr", vec![Phr, Aal1, RefedsSfa]),
        (
            vec![password(9), event(Method::Totp, 5)],
            &default,
            "pwd otp mfa",
            MFA,
            vec![RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
        (
            vec![passkey(true, true, 9), event(Method::Totp, 5)],
            &no_mfa,
            "swk pop user otp mfa",
            "phr",
            vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
        (
            vec![password(9), passkey(false, false, 5)],
            &default,
            "pwd hwk pop user mfa",
            "phr",
            vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
        (
            vec![password(9), passkey(true, true, 5)],
            &no_mfa,
            "pwd swk pop user mfa",
            "phr",
            vec![Phr, RefedsMfa, Aal2, Aal1, RefedsSfa],
        ),
    ] {
        let both = |c, _: Option<&PasskeyProof>| {
            events.len() == 1 || !matches!(c, Combination::PasswordAlone | Combination::PasskeyAlone)
        };
        let evidence = Evidence { events: &events, active: NOW, now: NOW };
        let found = choose(&evidence, settings, &Demand::default(), both).unwrap();
        assert_eq!(found.amr.join(" "), amr);
        assert_eq!(found.acr.as_deref(), Some(acr), "{amr}");
        assert_eq!(found.satisfied, satisfied, "{amr}");
        assert_eq!(found.auth_time, events[0].at);
        assert_eq!(found.events, events);
        assert!(found.met);
    }
}

fn supported() -> Vec<&'static str> {
    supported_acr_values(&RealmSettings::default(), &Policy::default())
}

#[test]
fn nothing_is_advertised_that_the_policy_keeps_out_of_reach() {
    let off = Policy { enabled: false, ..Policy::default() };
    let values = supported_acr_values(&RealmSettings::default(), &off);
    // Password and one-time password.
    assert_eq!(values, [MFA, AAL2_URI, "aal2", "https://refeds.org/profile/sfa", AAL1_URI, "aal1"]);
    let alone = Policy { allow_second_factor: false, mode: Mode::PasskeyOnly, ..Policy::default() };
    let no_mfa = settings(|s| s.uv_counts_as_second_factor = false);
    assert!(supported_acr_values(&no_mfa, &alone).contains(&"phr"));
}

#[test]
fn nothing_attests_hardware_yet_so_neither_phrh_nor_aal3_is_reached_or_advertised() {
    for demand in ["phrh", "aal3", "http://idmanagement.gov/ns/assurance/aal/3"] {
        let events = [password(5), passkey(true, false, 5)];
        let found = chosen(&events, &RealmSettings::default(), &ask(&[demand])).unwrap();
        assert!(!found.met);
        assert_eq!(found.acr.as_deref(), Some("phr"));
        assert!(!supported().contains(&demand));
    }
    assert_eq!(supported().len(), 7);
    for value in supported() {
        let events = [password(5), passkey(true, false, 5)];
        let found = chosen(&events, &RealmSettings::default(), &ask(&[value])).unwrap();
        assert_eq!((found.acr.as_deref(), found.met), (Some(value), true));
    }
}

#[test]
fn the_first_requested_value_that_holds_is_emitted_as_it_was_spelled() {
    let events = [passkey(true, true, 5)];
    for (requested, emitted) in [
        (&["aal2", "phr"][..], "aal2"),
        (&[AAL2_URI], AAL2_URI),
        (&["phrh", MFA], MFA),
        (&["urn:unknown", "aal1"], "aal1"),
        (&[], "phr"),
        (&["urn:unknown"], "phr"),
    ] {
        let found = chosen(&events, &RealmSettings::default(), &ask(requested)).unwrap();
        assert_eq!(found.acr.as_deref(), Some(emitted));
        assert_eq!(found.met, requested != ["urn:unknown"]);
    }
}

#[test]
fn the_order_of_the_realm_says_what_is_strongest() {
    let order = settings(|s| s.acr_order = vec!["aal2".to_owned(), "phr".to_owned()]);
    let found = chosen(&[passkey(true, true, 5)], &order, &Demand::default()).unwrap();
    assert_eq!(found.acr.as_deref(), Some(AAL2_URI));
    let silent = settings(|s| s.acr_order = vec![]);
    assert_eq!(chosen(&[passkey(true, true, 5)], &silent, &Demand::default()).unwrap().acr, None);
    assert_eq!(
        RealmSettings::default().acr_order,
        ["phrh", "phr", "http://idmanagement.gov/ns/assurance/aal/3", MFA, AAL2_URI, AAL1_URI]
    );
}

#[test]
fn an_essential_demand_gets_one_of_its_values_or_nothing() {
    let essential = |acr: &[&str]| Demand { essential: true, ..ask(acr) };
    let default = RealmSettings::default();
    assert!(chosen(&[password(5)], &default, &essential(&["phr"])).is_none());
    assert!(chosen(&[password(5)], &default, &ask(&["phr"])).is_some_and(|found| !found.met));
    let found = chosen(&[password(50), passkey(true, true, 5)], &default, &essential(&["phr"])).unwrap();
    assert_eq!((found.acr.as_deref(), found.amr.contains(&"pwd")), (Some("phr"), true));
}

#[test]
fn both_factors_of_one_sign_in_are_said_and_an_older_password_is_not() {
    let default = RealmSettings::default();
    let amr = |events: &[AuthEvent]| chosen(events, &default, &Demand::default()).unwrap().amr;
    assert!(amr(&[password(50), passkey(true, true, 5)]).contains(&"pwd"));
    assert!(!amr(&[password(5000), passkey(true, true, 5)]).contains(&"pwd"));
}

#[test]
fn a_set_that_the_policy_does_not_let_in_is_not_chosen() {
    let events = [password(50), passkey(true, true, 5), event(Method::Totp, 4)];
    let evidence = Evidence { events: &events, active: NOW, now: NOW };
    let default = RealmSettings::default();
    for combination in Combination::ALL {
        let found = choose(&evidence, &default, &Demand::default(), |c, _| c == combination).unwrap();
        assert_eq!(found.combination, combination);
    }
    assert!(choose(&evidence, &default, &Demand::default(), |_, _| false).is_none());
    assert!(chosen(&[], &default, &Demand::default()).is_none());
}

#[test]
fn of_equal_sets_the_most_recent_is_chosen() {
    let events = [password(900), passkey(true, true, 500), passkey(true, true, 20)];
    let found = chosen(&events, &RealmSettings::default(), &Demand::default()).unwrap();
    assert_eq!((found.auth_time, found.combination), (NOW.plus_s(-20), Combination::PasskeyAlone));
    // A second factor counts for more than recency.
    let no_mfa = settings(|s| s.uv_counts_as_second_factor = false);
    let found = chosen(&events, &no_mfa, &Demand::default()).unwrap();
    assert_eq!((found.auth_time, found.combination), (NOW.plus_s(-900), Combination::PasswordAndPasskey));
}

#[test]
fn max_age_is_met_by_a_young_event_or_one_of_this_flow_and_prompt_login_only_by_the_latter() {
    let fresh = |max_age_s, forced| Demand {
        fresh: Some(Freshness { max_age_s, this_flow: FLOW, forced }),
        ..Demand::default()
    };
    let of = |flow, age_s| AuthEvent { flow, ..passkey(true, true, age_s) };
    let other = Some(FlowId::from_bytes([8; 16]));
    for (event, max_age_s, forced, accepted) in [
        (of(None, 59), Some(60), false, true),
        (of(None, 60), Some(60), false, true),
        (of(None, 61), Some(60), false, false),
        (of(other, 61), Some(60), false, false),
        (of(Some(FLOW), 61), Some(60), false, true),
        (of(Some(FLOW), 300), Some(0), false, true),
        (of(Some(FLOW), 301), Some(0), false, false),
        (of(None, 1), Some(0), false, false),
        (of(None, 1), Some(i64::MAX), false, true),
        // A clock that runs ahead.
        (of(None, -2), Some(1), false, true),
        (of(None, -2), Some(0), false, false),
        (of(None, 9999), None, false, true),
        (of(None, 1), Some(60), true, false),
        (of(other, 1), None, true, false),
        (of(Some(FLOW), 300), None, true, true),
        (of(Some(FLOW), 301), None, true, false),
    ] {
        let found = chosen(std::slice::from_ref(&event), &RealmSettings::default(), &fresh(max_age_s, forced));
        assert_eq!(found.is_some(), accepted, "{event:?} {max_age_s:?} {forced}");
    }
    // Every event of the set must be fresh: an old password does not help a new passkey to two factors.
    let no_mfa = settings(|s| s.uv_counts_as_second_factor = false);
    let found = chosen(&[password(500), of(None, 5)], &no_mfa, &fresh(Some(60), false)).unwrap();
    assert_eq!(found.amr, ["swk", "pop", "user"]);
}

#[test]
fn aal2_ends_after_a_day_or_an_hour_without_activity() {
    let default = RealmSettings::default();
    let aal2 = |age_s: i64, idle_s: i64| {
        let events = [passkey(true, true, age_s)];
        let evidence = Evidence { events: &events, active: NOW.plus_s(-idle_s), now: NOW };
        choose(&evidence, &default, &ask(&["aal2"]), |_, _| true).unwrap().met
    };
    assert!(aal2(24 * 3600, 3600));
    assert!(!aal2(24 * 3600 + 1, 0));
    assert!(!aal2(7200, 3601));
    // A sign-in of a moment ago is activity, written or not.
    assert!(aal2(5, 7200));
    // phr knows no such limit.
    let events = [passkey(true, true, 30 * 3600)];
    assert!(chosen(&events, &default, &ask(&["phr"])).unwrap().met);
}

fn events() -> impl Strategy<Value = Vec<AuthEvent>> {
    let one =
        (any::<Option<(bool, bool)>>(), 0..100_000_i64, any::<bool>()).prop_map(|(kind, age_s, here)| AuthEvent {
            flow: here.then_some(FLOW),
            ..kind.map_or_else(|| password(age_s), |(uv, be)| passkey(uv, be, age_s))
        });
    prop::collection::vec(one, 0..6)
}

fn demands() -> impl Strategy<Value = Demand> {
    let value = prop::sample::select(vec!["phr", "phrh", "aal1", "aal2", "aal3", AAL2_URI, MFA, "urn:unknown"]);
    let fresh = proptest::option::of((proptest::option::of(0..90_000_i64), any::<bool>()));
    (prop::collection::vec(value, 0..4), any::<bool>(), fresh).prop_map(|(acr, essential, fresh)| Demand {
        essential,
        fresh: fresh.map(|(max_age_s, forced)| Freshness { max_age_s, this_flow: FLOW, forced }),
        ..ask(&acr)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adding_events_never_makes_a_satisfied_demand_unsatisfied(
        before in events(), more in events(), demand in demands(), bits in 0..32_u8, mfa in any::<bool>(),
    ) {
        let settings = settings(|s| s.uv_counts_as_second_factor = mfa);
        let allowed = |c, _: Option<&PasskeyProof>| bits & (1 << c as u8) != 0;
        let found = |events: &[AuthEvent]| {
            choose(&Evidence { events, active: NOW, now: NOW }, &settings, &demand, allowed)
        };
        if let Some(one) = found(&before) {
            let other = found(&[before.clone(), more].concat());
            prop_assert!(other.is_some_and(|other| other.met || !one.met));
        }
    }

    #[test]
    fn claims_derive_from_the_chosen_set_alone(events in events(), demand in demands()) {
        if let Some(found) = chosen(&events, &RealmSettings::default(), &demand) {
            let oldest: Option<Timestamp> = found.events.iter().map(|e| e.at).min();
            prop_assert_eq!(Some(found.auth_time), oldest);
            prop_assert!(found.events.iter().all(|e| events.contains(e)));
            prop_assert!(!found.amr.iter().any(|v| ["pin", "fpt", "face"].contains(v)));
            prop_assert!(!found.satisfied.contains(&Phrh) && !found.satisfied.contains(&Aal3));
            let acr = found.acr.as_deref().and_then(Acr::parse);
            prop_assert!(acr.is_none_or(|acr| found.satisfied.contains(&acr)));
            // The same events alone give the same answer.
            let again = chosen(&found.events, &RealmSettings::default(), &demand).unwrap();
            prop_assert_eq!(again.acr, found.acr);
        }
    }
}

#[test]
fn an_approval_on_another_device_is_never_phishing_resistant() {
    let default = RealmSettings::default();
    for event in [passkey(true, true, 5), passkey(true, false, 5), passkey(false, true, 5), password(5)] {
        for events in [vec![event.clone()], vec![event.clone(), password(6)]] {
            let found = chosen(&events, &default, &Demand { another_device: true, ..ask(&["phr", "phrh"]) }).unwrap();
            assert!(!found.met && found.amr.last() == Some(&"mca"), "{found:?}");
            assert!(!found.satisfied.iter().any(|acr| matches!(acr, Acr::Phr | Acr::Phrh | Acr::Aal3)), "{found:?}");
            let here = chosen(&events, &default, &ask(&[])).unwrap();
            assert_eq!(here.amr, found.amr.split_last().unwrap().1, "the same set is chosen");
        }
    }
}
