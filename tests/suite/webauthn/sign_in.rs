//! Signing in with a passkey: discoverable, by name first, at once from many sides, and who is kept out.

use std::time::Duration;

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::both;
use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Browser, Page, World};

async fn options(browser: &mut Browser, body: Value) -> Page {
    browser.json("/webauthn/authenticate/options", &body).await
}

fn listed(begun: &Value) -> usize {
    begun["publicKey"]["allowCredentials"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn autofill_and_the_button_are_the_same_ceremony() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    for mediation in [json!(null), json!("conditional"), json!("optional")] {
        let mut browser = w.browser();
        let begun = options(&mut browser, json!({ "mediation": mediation })).await.value();
        assert_eq!(listed(&begun), 0);
        assert_eq!(begun["publicKey"]["userVerification"], "required");
        assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    }
    let answer = options(&mut w.browser(), json!({ "mediation": "silent" })).await;
    assert_eq!(answer.verdict(), refused(400, "mediation_unknown"));
}

#[tokio::test]
async fn a_typed_name_is_checked_against_the_owner_and_reveals_no_ids() {
    let w = World::sqlite().await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    for name in ["ann", "ANN", " ann ", "ann@example.org"] {
        let mut browser = w.browser();
        let begun = options(&mut browser, json!({ "username": name })).await.value();
        assert_eq!(listed(&begun), 0, "{name}");
        let other = browser.clone().assert_with(&begun, &mut bob.keys[0], &Faults::default()).await;
        let id = rule("webauthn.assertion.user_mismatch");
        assert_eq!(other.verdict(), refused(400, "user_mismatch"), "{id}");
        assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    }
    // A name that does not exist is nobody's.
    let mut browser = w.browser();
    let begun = options(&mut browser, json!({ "username": "nobody" })).await.value();
    let answer = browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "user_mismatch"));
}

#[tokio::test]
async fn an_absent_handle_will_do_only_where_the_name_was_typed() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let faults = Faults { user_handle: Some(None), ..Faults::default() };
    let mut browser = w.browser();
    let begun = options(&mut browser, json!({ "username": "ann" })).await.value();
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &faults).await.stand(), "complete");
    let answer = w.browser().try_passkey(&mut ann.keys[0], &faults).await;
    assert_eq!(answer.verdict(), refused(400, "user_mismatch"));
}

#[tokio::test]
async fn names_that_do_not_exist_look_like_those_that_do() {
    let w = World::sqlite().await;
    let mut seen = Vec::new();
    for n in 0..20 {
        let name = format!("known{n:02}");
        match n % 3 {
            0 => drop(w.person(&name).await),
            1 => drop(w.person_with_password(&name, PASSWORD).await),
            _ => w.disable(&w.account(&name, None).await).await,
        }
    }
    for kind in ["known", "other"] {
        for n in 0..20 {
            let mut browser = w.browser();
            let before = w.statements();
            let answer = options(&mut browser, json!({ "username": format!("{kind}{n:02}") })).await;
            let cookies: Vec<_> = browser.jar.iter().map(|(n, v)| (n.clone(), v.len())).collect();
            let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            assert_eq!(listed(&answer.value()), 0);
            seen.push((answer.status, answer.body.len(), cookies, headers, w.statements() - before));
        }
    }
    // What works beside them may add a statement, to one of forty at most; all else is the same for all.
    let least = seen.iter().map(|one| one.4).min().unwrap();
    assert!(seen.iter().filter(|one| one.4 != least).count() <= 1, "{seen:#?}");
    seen.iter_mut().for_each(|one| one.4 = least);
    let first = seen[0].clone();
    assert!(seen.iter().all(|one| *one == first), "{seen:#?}");
}

#[tokio::test]
async fn ids_are_listed_after_a_password_for_its_own_account_alone() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut bob = w.person("bob").await;
    let mut browser = w.browser();
    let page = browser.try_password("ann", PASSWORD).await;
    assert!(page.next().unwrap().starts_with("/login/second-factor"), "{}", page.body);
    let begun = options(&mut browser, json!({})).await.value();
    assert_eq!(listed(&begun), 1);
    let other = browser.clone().assert_with(&begun, &mut bob.keys[0], &Faults::default()).await;
    let id = rule("webauthn.assertion.credential_not_allowed");
    assert_eq!(other.verdict(), refused(400, "credential_not_allowed"), "{id}");
    // Another browser sees none.
    assert_eq!(listed(&options(&mut w.browser(), json!({ "username": "ann" })).await.value()), 0);
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn locked_and_disabled_accounts_stay_out_after_a_right_passkey() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    for state in [AccountState::Disabled, AccountState::Locked] {
        w.set_account_state(&ann, state).await;
        let mut browser = w.browser();
        let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(403, "account_disabled"), "{state:?}");
        assert_eq!(browser.cookie("session"), None);
    }
    w.set_account_state(&ann, AccountState::Active).await;
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn a_suspended_passkey_signs_nobody_in() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let begun = w.browser().begin_sign_in().await;
    drop(begun);
    w.suspend(&ann, 0).await;
    let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "passkey_suspended"), "{}", rule("passkey.policy.state"));
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_to_sign_in_with() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.delete_account(&ann).await;
    let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "unknown_credential"));
}

both! {
    async fn many_finishes_of_one_ceremony_open_one_session(db) {
        let w = World::start(db).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let begun = browser.begin_sign_in().await;
        let body = browser.assertion(&mut ann.keys[0], &begun, None);
        let mut runs = Vec::new();
        for _ in 0..64 {
            let (mut tab, body) = (browser.clone(), body.clone());
            runs.push(tokio::spawn(async move { tab.json("/webauthn/authenticate", &body).await.verdict() }));
        }
        let mut done = 0;
        for run in runs {
            match run.await.unwrap() {
                (200, _) => done += 1,
                (409, code) => assert_eq!(code, "ceremony_used"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(done, 1);
        assert_eq!(w.audit_rows(&ann, AuditEvent::SignIn).await.len(), 1);
    }

    async fn two_devices_of_one_user_sign_in_at_once(db) {
        let w = World::start(db).await;
        let mut ann = w.person("ann").await;
        w.add_passkey(&mut ann, Options::synced()).await;
        w.add_passkey(&mut ann, Options::security_key()).await;
        for _ in 0..4 {
            let mut runs = Vec::new();
            for key in &mut ann.keys {
                let mut browser = w.browser();
                let begun = browser.begin_sign_in().await;
                let body = browser.assertion(key, &begun, None);
                runs.push(tokio::spawn(async move {
                    assert_eq!(browser.json("/webauthn/authenticate", &body).await.stand(), "complete");
                    assert!(browser.is_signed_in().await);
                }));
            }
            for run in runs {
                run.await.unwrap();
            }
        }
    }

    async fn two_tabs_ending_one_sign_in_get_along(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let page = browser.open(&rp.ask().url()).await;
        let sealed = page.sealed().unwrap();
        let mut runs = Vec::new();
        for _ in 0..4 {
            // Each with a ceremony of its own, in one jar, for one request.
            let begun = options(&mut browser, json!({ "request": sealed })).await.value();
            let body = browser.assertion(&mut ann.keys[0], &begun, Some(&sealed));
            let mut tab = browser.clone();
            runs.push(tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let answer = tab.json("/webauthn/authenticate", &body).await;
                assert!(answer.status == 200 || (400..500).contains(&answer.status), "{}", answer.body);
                u32::from(answer.status == 200)
            }));
        }
        let mut done = 0;
        for run in runs {
            done += run.await.unwrap();
        }
        assert!(done >= 1);
    }
}

#[tokio::test]
async fn planted_cookies_are_worth_nothing_after_the_sign_in() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut mallory = w.person("mallory").await;
    // The attacker's own jar: a browser value, a half sign-in, a session.
    let mut planted = w.browser();
    planted.try_passkey(&mut mallory.keys[0], &Faults::default()).await;
    planted.get("/login?switch=1").await;
    let mut victim = w.browser();
    victim.jar = planted.jar.clone();
    assert_eq!(victim.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    for kind in ["session", "browser"] {
        assert_ne!(victim.cookie(kind), planted.cookie(kind), "{kind}");
        assert!(victim.cookie(kind).is_some());
    }
    // The victim is Ann, and the planted jar is still only Mallory.
    let page = victim.get("/account/security").await;
    assert!(page.body.contains("ann") && !page.body.contains("mallory"), "{}", page.body);
    let page = planted.get("/account/security").await;
    assert!(page.status != 200 || !page.body.contains("Name of ann"));

    // A session value that the attacker chose is never taken over.
    let mut chooser = w.browser();
    let port = w.issuer.rsplit(':').next().unwrap();
    let chosen = "A".repeat(43);
    chooser.jar.insert(format!("idp-{port}-session"), chosen.clone());
    chooser.jar.insert(format!("idp-{port}-browser"), chosen.clone());
    let planted = chooser.clone();
    assert_eq!(chooser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    assert_ne!(chooser.cookie("session"), Some(chosen.as_str()));
    assert_ne!(chooser.cookie("browser"), Some(chosen.as_str()));
    assert!(!planted.clone().is_signed_in().await);
}

#[tokio::test]
async fn a_planted_half_sign_in_lends_its_password_to_nobody_else() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    w.person_with_both("mallory", Options::platform()).await;
    let mut ann = w.person("ann").await;
    let mut planted = w.browser();
    planted.try_password("mallory", PASSWORD).await;
    assert!(planted.cookie("login").is_some(), "a right password waits for the passkey");
    // Ann's ceremony began before the cookie was planted.
    let mut victim = w.browser();
    let begun = victim.begin_sign_in().await;
    let (name, value) = planted.jar.iter().find(|(n, _)| n.ends_with("-login")).unwrap();
    victim.jar.insert(name.clone(), value.clone());
    assert_eq!(victim.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    let claims = w.claims(&mut victim, &rp).await;
    assert_eq!(claims["sub"], ann.sub());
    assert!(!claims["amr"].as_array().unwrap().contains(&json!("pwd")), "{claims}");
}

#[tokio::test]
async fn a_step_up_changes_the_session_cookie_and_ends_the_old_one() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let mut old = browser.clone();
    w.clock.advance(10);
    assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    assert_ne!(browser.cookie("session"), old.cookie("session"));
    assert!(browser.is_signed_in().await);
    assert!(!old.is_signed_in().await);
}

#[tokio::test]
async fn an_unknown_key_cannot_guess_whose_turn_it_is() {
    // A ceremony with listed ids refuses one that is not among them.
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    w.add_passkey(&mut ann, Options::synced()).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    let begun = options(&mut browser, json!({})).await.value();
    assert_eq!(listed(&begun), 2);
    let answer = browser.assert_with(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "unknown_credential"));
}
