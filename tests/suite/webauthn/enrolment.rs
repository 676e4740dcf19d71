//! Who may register a passkey: by a session that is fresh and strong enough, or by a pass.

use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::{EnrolmentRequires, Mode};
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::rules::rule;
use crate::world::acts::{Of, PASSWORD, STAFF, key, refused};
use crate::world::{Browser, Page, Person, World};

async fn begin(browser: &mut Browser) -> Page {
    browser.json("/webauthn/register/options", &json!({})).await
}

/// A browser in which the person has just signed in with the first passkey.
async fn signed_in(w: &World, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
    browser
}

#[tokio::test]
async fn nobody_registers_without_a_session_or_a_pass() {
    let w = World::sqlite().await;
    let mut browser = w.browser();
    assert_eq!(begin(&mut browser).await.verdict(), refused(401, "not_signed_in"));
    for pass in ["x", "", "../..", &"A".repeat(43), &"A".repeat(5000)] {
        let answer = browser.begin_with_pass(pass).await;
        assert!(matches!(answer.status, 401 | 403), "{pass}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_fresh_sign_in_adds_a_passkey_and_authenticates_nobody() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let (cookie, before) = (browser.cookie("session").map(str::to_owned), w.claims(&mut browser, &rp).await);
    w.clock.advance(60);
    let begun = begin(&mut browser).await.value();
    let mut added = key(Options::synced());
    let answer = browser.register(&begun, &mut added, &Faults::default()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let record = answer.value();
    assert_eq!((&record["name"], &record["synced"]), (&json!("Synced passkey"), &json!(true)));
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyRegistered).await.len(), 2);
    // The session is what it was: same cookie, same events.
    assert_eq!(browser.cookie("session").map(str::to_owned), cookie);
    let after = w.claims(&mut browser, &rp).await;
    for claim in ["auth_time", "amr", "acr", "sid"] {
        assert_eq!(after[claim], before[claim], "{claim}");
    }
    assert_eq!(w.browser().try_passkey(&mut added, &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn enrolling_with_a_pass_signs_nobody_in() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut browser = w.browser();
    let answer = browser.enrol(&w.access_pass(&ann).await, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!((answer.status, answer.value()["next"].as_str()), (201, Some("/setup/done")));
    assert_eq!(browser.cookie("session"), None);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn an_old_sign_in_has_to_be_repeated_first() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    w.clock.advance(299);
    let begun = begin(&mut browser).await;
    assert_eq!(begun.status, 200);
    w.clock.advance(2);
    let answer = begin(&mut browser).await;
    assert_eq!(answer.verdict(), refused(403, "sign_in_again"), "account.fresh");
    assert_eq!(answer.value()["next"], "/login?again=1");
    // Also when the ceremony was begun in time.
    let late = browser.register(&begun.value(), &mut key(Options::synced()), &Faults::default()).await;
    assert_eq!(late.verdict(), refused(403, "sign_in_again"));
    // The way it names leads on.
    let page = browser.get("/login?again=1").await;
    assert!(page.has("passkey-login"), "{}", page.body);
    assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    assert_eq!(begin(&mut browser).await.status, 200);
}

#[tokio::test]
async fn a_password_alone_does_not_add_a_passkey_beside_another() {
    let w = World::sqlite().await;
    let ann = w.person_with_both("ann", Options::platform()).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    assert!(browser.is_signed_in().await);
    assert_eq!(begin(&mut browser).await.verdict(), refused(403, "sign_in_again"));
    w.policy(|p| p.enrolment_requires = EnrolmentRequires::Any).await;
    assert_eq!(begin(&mut browser).await.verdict(), refused(403, "sign_in_again"));
    drop(ann);
}

/// Run for the realm and for a group by `policy_fields`.
pub async fn the_first_passkey_needs_what_the_policy_says(of: Of) {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.join(&carl, &[STAFF]).await;
    let mut browser = w.browser();
    browser.try_password("carl", PASSWORD).await;
    assert!(browser.is_signed_in().await);
    for (requires, status) in
        [(EnrolmentRequires::Confirmed, 403), (EnrolmentRequires::AccessPass, 403), (EnrolmentRequires::Any, 200)]
    {
        w.policy_of(of, |p| p.enrolment_requires = requires).await;
        let answer = begin(&mut browser).await;
        assert_eq!(answer.status, status, "{of:?} {requires:?}: {}", answer.body);
        if status == 403 {
            assert_eq!(answer.verdict(), refused(403, "access_pass_required"));
        }
    }
    let begun = begin(&mut browser).await.value();
    assert_eq!(browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await.status, 201);
}

/// Run for the realm and for a group by `policy_fields`.
pub async fn an_account_has_so_many_passkeys_and_no_more(of: Of) {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.join(&ann, &[STAFF]).await;
    w.policy_of(of, |p| p.max_passkeys = 2).await;
    let mut browser = signed_in(&w, &mut ann).await;
    // Two ceremonies begun while there was room for one.
    let (one, two) = (begin(&mut browser).await.value(), begin(&mut browser).await.value());
    assert_eq!(browser.register(&one, &mut key(Options::synced()), &Faults::default()).await.status, 201);
    let answer = browser.register(&two, &mut key(Options::synced()), &Faults::default()).await;
    let id = rule("passkey.policy.max_passkeys");
    assert_eq!(answer.verdict(), refused(403, "too_many_passkeys"), "{id}");
    assert_eq!(begin(&mut browser).await.verdict(), refused(409, "too_many_passkeys"), "{id}");
}

#[tokio::test]
async fn suspended_passkeys_take_no_room() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.add_passkey(&mut ann, Options::security_key()).await;
    w.policy(|p| p.max_passkeys = 2).await;
    w.suspend(&ann, 1).await;
    w.add_passkey(&mut ann, Options::synced()).await;
    let mut browser = signed_in(&w, &mut ann).await;
    assert_eq!(begin(&mut browser).await.verdict(), refused(409, "too_many_passkeys"));
}

#[tokio::test]
async fn one_of_many_parallel_registrations_takes_the_last_place() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.policy(|p| p.max_passkeys = 2).await;
    let browser = signed_in(&w, &mut ann).await;
    let mut started = Vec::new();
    for _ in 0..8 {
        let mut browser = browser.clone();
        started.push((begin(&mut browser).await.value(), browser));
    }
    let mut runs = Vec::new();
    for (begun, mut browser) in started {
        runs.push(tokio::spawn(async move {
            browser.register(&begun, &mut key(Options::synced()), &Faults::default()).await.status
        }));
    }
    let mut kept = 0;
    for run in runs {
        match run.await.unwrap() {
            201 => kept += 1,
            403 | 409 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_session_that_ended_or_a_disabled_account_registers_nothing() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let begun = begin(&mut browser).await.value();
    w.disable(&ann).await;
    let answer = browser.register(&begun, &mut key(Options::synced()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(401, "not_signed_in"));
    assert_eq!(begin(&mut browser).await.verdict(), refused(401, "not_signed_in"));
}

#[tokio::test]
async fn somebody_elses_session_cannot_finish_a_registration() {
    let w = World::sqlite().await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut browser = signed_in(&w, &mut ann).await;
    let begun = begin(&mut browser).await.value();
    let other = signed_in(&w, &mut bob).await;
    // Bob's session in the browser that began for Ann.
    let name = other.jar.keys().find(|n| n.ends_with("-session")).unwrap().clone();
    browser.jar.insert(name.clone(), other.jar[&name].clone());
    let answer = browser.register(&begun, &mut key(Options::synced()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(401, "not_signed_in"));
}

#[tokio::test]
async fn names_are_cleaned_and_cut() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    for (typed, kept) in [
        ("  Laptop \u{7}", "Laptop".to_owned()),
        ("   ", "Synced passkey".to_owned()),
        (&"ü".repeat(200), "ü".repeat(80)),
    ] {
        let begun = begin(&mut browser).await.value();
        let credential = key(Options::synced()).create(&begun, &w.issuer);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "name": typed });
        assert_eq!(browser.json("/webauthn/register", &body).await.value()["name"], kept, "{typed}");
    }
}
