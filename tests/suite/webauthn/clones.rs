//! Signature counters: none, growing, going back. WebAuthn L3 §6.1.1 and §7.2 step 22.

use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::{CloneResponse, CloneResponses};
use idp_core::passkey::record::PasskeyState;
use idp_softkey::{Faults, Options};

use crate::both;
use crate::rules::rule;
use crate::world::acts::{Of, PASSWORD, STAFF, refused};
use crate::world::{Person, World};

/// Somebody whose security key has counted to three.
async fn counted(w: &World) -> Person {
    let mut person = w.person_with_both("ann", Options::security_key()).await;
    for n in 1..=3 {
        w.clock.advance(1);
        assert_eq!(w.browser().try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
        assert_eq!(w.passkey(&person, 0).await.counter, n);
    }
    w.clock.advance(1);
    person
}

fn copy(counter: u32) -> Faults {
    Faults { counter: Some(counter), ..Faults::default() }
}

/// Somebody counted, and what follows a copy by the policy of the realm or of their group.
async fn under(of: Of, response: CloneResponse) -> (World, Person) {
    let w = World::sqlite().await;
    let ann = counted(&w).await;
    w.join(&ann, &[STAFF]).await;
    w.policy_of(of, |p| p.clone_response = CloneResponses { device_bound: response, synced: response }).await;
    (w, ann)
}

/// Run for the realm and for a group by `policy_fields`.
pub async fn the_response_is_what_the_policy_says(of: Of) {
    let (w, mut ann) = under(of, CloneResponse::Block).await;
    let answer = w.browser().try_passkey(&mut ann.keys[0], &copy(1)).await;
    assert_eq!(answer.verdict(), refused(403, "clone_suspected"), "{of:?}");
    assert_eq!(w.passkey(&ann, 0).await.state, PasskeyState::Suspended, "{of:?}");
    a_copy_is_not_enough_where_the_response_is_to_step_up(of).await;
    a_copy_is_let_in_and_told_where_the_response_is_to_notify(of).await;
}

#[tokio::test]
async fn no_counter_is_no_signal() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    for _ in 0..3 {
        w.clock.advance(1);
        assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    }
    assert!(w.audit_rows(&ann, AuditEvent::PasskeyCloned).await.is_empty());
}

both! {
    async fn a_copy_is_refused_and_the_passkey_suspended(db) {
        let w = World::start(db).await;
        let mut ann = counted(&w).await;
        let mut open = w.browser();
        assert_eq!(open.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
        w.clock.advance(1);
        let mut thief = w.browser();
        let answer = thief.try_passkey(&mut ann.keys[0], &copy(2)).await;
        assert_eq!(answer.verdict(), refused(403, "clone_suspected"), "{}", rule("passkey.policy.clone_response"));
        assert_eq!(thief.cookie("session"), None);
        assert_eq!(w.passkey(&ann, 0).await.state, PasskeyState::Suspended);
        let rows = w.audit_rows(&ann, AuditEvent::PasskeyCloned).await;
        assert_eq!((rows.len(), rows[0].detail["stored_counter"].as_i64()), (1, Some(4)));
        // Whoever of the two it was: the sessions it opened are over, and so is the passkey.
        assert!(!open.is_signed_in().await);
        let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(403, "passkey_suspended"), "{}", rule("passkey.policy.state"));
    }
}

#[tokio::test]
async fn a_counter_that_stands_still_or_drops_to_zero_is_a_signal_too() {
    for counter in [3, 0] {
        let w = World::sqlite().await;
        let mut ann = counted(&w).await;
        let answer = w.browser().try_passkey(&mut ann.keys[0], &copy(counter)).await;
        assert_eq!(answer.verdict(), refused(403, "clone_suspected"), "{counter}");
    }
}

async fn a_copy_is_not_enough_where_the_response_is_to_step_up(of: Of) {
    let (w, mut ann) = under(of, CloneResponse::StepUp).await;
    let mut browser = w.browser();
    let answer = browser.try_passkey(&mut ann.keys[0], &copy(1)).await;
    assert_eq!(answer.stand(), "second_factor");
    assert_eq!(browser.cookie("session"), None);
    let next = answer.value()["next"].as_str().unwrap().to_owned();
    let page = browser.open(&next).await;
    assert!(page.has("password"), "the password is asked: {}", page.body);
    let wrong = browser.submit(&page, "/login/password", &[("username", "ann"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 401);
    let page = browser.submit(&wrong, "/login/password", &[("username", "ann"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(browser.is_signed_in().await);
    assert_eq!(w.passkey(&ann, 0).await.state, PasskeyState::Active);
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyCloned).await.len(), 1);
}

async fn a_copy_is_let_in_and_told_where_the_response_is_to_notify(of: Of) {
    let (w, mut ann) = under(of, CloneResponse::Notify).await;
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &copy(1)).await.stand(), "complete");
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyCloned).await.len(), 1);
    // The stored counter never falls, so that a copy is noticed each time.
    assert_eq!(w.passkey(&ann, 0).await.counter, 3);
    w.clock.advance(1);
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &copy(2)).await.stand(), "complete");
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyCloned).await.len(), 2);
}

#[tokio::test]
async fn synced_passkeys_may_disagree_by_default() {
    let w = World::sqlite().await;
    let mut sue = w.person_with_key("sue", Options { counting: true, ..Options::synced() }).await;
    w.browser().try_passkey(&mut sue.keys[0], &copy(9)).await;
    w.clock.advance(1);
    assert_eq!(w.browser().try_passkey(&mut sue.keys[0], &copy(4)).await.stand(), "complete");
}

#[tokio::test]
async fn two_tabs_out_of_order_are_no_copy() {
    let w = World::sqlite().await;
    let mut ann = counted(&w).await;
    let (mut one, mut two) = (w.browser(), w.browser());
    let (first, second) = (one.begin_sign_in().await, two.begin_sign_in().await);
    let early = one.assertion(&mut ann.keys[0], &first, None);
    let late = two.assertion(&mut ann.keys[0], &second, None);
    w.clock.advance(1);
    assert_eq!(two.json("/webauthn/authenticate", &late).await.stand(), "complete");
    w.clock.advance(1);
    assert_eq!(one.json("/webauthn/authenticate", &early).await.stand(), "complete");
    assert_eq!(w.passkey(&ann, 0).await.counter, 5);
    assert!(w.audit_rows(&ann, AuditEvent::PasskeyCloned).await.is_empty());
}

both! {
    async fn a_copy_is_told_to_its_owner_and_to_each_owner_of_the_realm(db) {
        let w = World::mailing(db).await;
        for name in ["olga", "omar"] {
            w.make_owner(&w.account(name, None).await).await;
        }
        let mut ann = counted(&w).await;
        for _ in 0..2 {
            let answer = w.browser().try_passkey(&mut ann.keys[0], &copy(1)).await;
            assert_eq!(answer.status, 403, "{}", answer.body);
        }
        // The other letter is of the passkey she made.
        let mut told = w.letters(4).await;
        told.retain(|letter| letter.subject.contains("may have been copied"));
        told.sort_by(|a, b| a.to.cmp(&b.to));
        let to: Vec<_> = told.iter().map(|letter| letter.to.as_str()).collect();
        let whom = ["ann", "olga", "omar"].map(|name| format!("\"Name of {name}\" <{name}@example.org>"));
        assert_eq!(to, whom, "once each, though it came twice");
        for letter in told {
            let hers = letter.to.contains("ann@");
            assert_eq!(letter.subject.contains("of your The Realm account"), hers, "{}", letter.subject);
            assert_eq!(letter.text.contains("A passkey of the account “ann”"), !hers, "{}", letter.text);
            assert_eq!(letter.text.contains("/account/security"), hers, "an owner cannot undo it there: {}", letter.text);
        }
    }
}
