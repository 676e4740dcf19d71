//! Simulation names exactly those whom the policy, applied, keeps out: compared over HTTP.

use std::collections::BTreeSet;

use idp_core::passkey::policy::{GroupPolicy, Policy};
use idp_core::passkey::simulate::{Affected, Change, Outcome};
use idp_core::realm::Realm;
use idp_softkey::{Faults, Options, SoftKey};
use serde_json::json;

use crate::world::acts::PASSWORD;
use crate::world::{Browser, Person, World};

/// What each person has: a name, whether a password, kinds of passkeys.
fn people() -> Vec<(&'static str, bool, Vec<Options>)> {
    let unverified = Options { uv: false, ..Options::security_key() };
    vec![
        ("word", true, vec![]),
        ("key", false, vec![Options::security_key()]),
        ("device", false, vec![Options::platform()]),
        ("phone", true, vec![Options::phone()]),
        ("cloud", true, vec![Options::synced()]),
        ("u2f", false, vec![unverified.clone()]),
        ("spare", false, vec![Options::synced(), unverified]),
        ("staff", true, vec![Options::synced()]),
    ]
}

/// Tries one passkey, alone or after a password that was typed in this browser.
async fn opens(browser: &mut Browser, username: &str, key: &mut SoftKey) -> bool {
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await;
    if begun.status != 200 {
        return false;
    }
    let answer = browser.assert_with(&begun.value(), key, &Faults::default()).await;
    if answer.status == 200 && browser.cookie("session").is_none() {
        let page = browser.open(answer.value()["next"].as_str().unwrap()).await;
        if !page.form("/login/password").is_empty() {
            browser.submit(&page, "/login/password", &[("username", username), ("password", PASSWORD)]).await;
        }
    }
    browser.cookie("session").is_some()
}

/// Whether the person gets a session by anything they have.
async fn gets_in(w: &World, person: &mut Person) -> bool {
    for at in 0..person.keys.len() {
        if opens(&mut w.browser(), &person.username, &mut person.keys[at]).await {
            return true;
        }
    }
    if person.password.is_none() {
        return false;
    }
    let mut typed = w.browser();
    let page = typed.try_password(&person.username, PASSWORD).await;
    if typed.cookie("session").is_some() {
        return true;
    }
    let asked = page.next().is_some_and(|next| next.starts_with("/login/second-factor"));
    for at in 0..if asked { person.keys.len() } else { 0 } {
        if opens(&mut typed.clone(), &person.username, &mut person.keys[at]).await {
            return true;
        }
    }
    false
}

/// Simulates, as the command does: by pages.
async fn simulate(w: &World, next: &Realm) -> Outcome {
    let now = w.realm().await;
    let change = Change { now: &now, next, clients: &[], at: w.clock.now() };
    let (mut outcome, mut after) = (Outcome::default(), None);
    loop {
        let page = w.app.store.list_holders(w.realm, after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { return outcome };
        after = Some(last.account.id);
        page.iter().for_each(|holder| outcome.judge(change, holder));
    }
}

#[tokio::test]
async fn names_exactly_those_who_are_locked_out_when_it_is_applied() {
    let w = World::sqlite().await;
    let lenient =
        [("user_verification", "discouraged"), ("resident_key", "discouraged"), ("enrolment_requires", "access_pass")];
    w.policy_fields(&lenient).await;
    let mut all = Vec::new();
    for (name, password, options) in people() {
        let mut person = w.account(name, password.then_some(PASSWORD)).await;
        for options in options {
            w.add_passkey(&mut person, options).await;
        }
        all.push(person);
    }
    w.join(all.last().unwrap(), &["staff"]).await;
    let before = w.realm().await;
    for fields in [
        &[("mode", "passkey_only")][..],
        &[("mode", "password_then_passkey")],
        &[("mode", "passkey_then_second_factor")],
        &[("allowed_types", "security_key")],
        &[("deny_synced", "true"), ("mode", "passkey_only")],
        &[("user_verification", "security_key:required,device:discouraged,phone:discouraged")],
        &[("allow_login", "false")],
        &[("allow_second_factor", "false"), ("mode", "passkey_only")],
        &[("enabled", "false")],
    ] {
        let mut policy = Policy::clone(&before.policy);
        for (name, value) in fields {
            policy.set(name, value).unwrap();
        }
        assert_eq!(policy.check(), [], "{fields:?}");
        let mut next = before.clone();
        next.policy = policy.clone().into();
        let strict = Policy { deny_synced: true, mode: idp_core::passkey::policy::Mode::PasskeyOnly, ..policy.clone() };
        let of_group = policy.enabled && policy.allow_login;
        if of_group {
            let staff = GroupPolicy { group: "staff".to_owned(), priority: 1, policy: strict.clone().into() };
            next.group_policies = vec![staff];
        }
        let outcome = simulate(&w, &next).await;
        assert_eq!(outcome.accounts, all.len());
        assert_eq!(outcome.must_enrol, [], "{fields:?}: without an access pass nobody makes one");

        w.set_policy(policy).await;
        if of_group {
            w.set_group_policy("staff", 1, strict).await;
        }
        let mut out = BTreeSet::new();
        for person in &mut all {
            if !gets_in(&w, person).await {
                out.insert(person.username.clone());
            }
        }
        let names: BTreeSet<_> = outcome.locked_out.iter().map(|who: &Affected| who.username.clone()).collect();
        assert_eq!(names, out, "{fields:?}");
        // What only the next use can tell is said to be uncertain: these keys never verified anybody.
        let doubtful: Vec<_> = outcome.locked_out.iter().filter(|who| !who.certain).map(|who| &*who.username).collect();
        assert!(doubtful.iter().all(|name| *name == "u2f"), "{fields:?}: {doubtful:?}");

        w.policy_fields(&lenient).await;
        w.unset_group_policy("staff").await;
    }
}
