//! The table of modes: which combination of factors lets in, and what is asked instead.

use idp_core::passkey::policy::{Mode, Policy};
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::world::acts::{PASSWORD, refused};
use crate::world::{Browser, World};

/// What a combination leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    In,
    Refused,
    AskPasskey,
    AskPassword,
    /// A passkey is needed and there is none.
    PasskeyNeeded,
    /// The same, and it is made now.
    Enrol,
}

use Leads::{AskPasskey, AskPassword, Enrol, In, PasskeyNeeded, Refused};

/// Mode; passkey alone; password alone without and with a usable passkey; password, then passkey.
const TABLE: [(Mode, Leads, Leads, Leads, Leads); 5] = [
    (Mode::PasskeyOnly, In, PasskeyNeeded, PasskeyNeeded, In),
    (Mode::PasskeyFirst, In, In, AskPasskey, In),
    (Mode::PasswordThenPasskey, Refused, Enrol, AskPasskey, In),
    (Mode::PasskeyThenSecondFactor, AskPassword, PasskeyNeeded, PasskeyNeeded, In),
    (Mode::Optional, In, In, In, In),
];

async fn with(mode: Mode) -> World {
    let w = World::sqlite().await;
    w.set_policy(Policy { mode, ..Policy::default() }).await;
    w
}

/// What a lone password leads to.
async fn password(browser: &mut Browser, name: &str) -> Leads {
    let page = browser.try_password(name, PASSWORD).await;
    let signed_in = browser.cookie("session").is_some();
    match (page.status, page.next().unwrap_or_default().as_str()) {
        (200, "/account/security") if signed_in => In,
        (200, "/login/second-factor") if !signed_in => AskPasskey,
        (200, "/login/enrol") if !signed_in => Enrol,
        (401, _) if !signed_in => PasskeyNeeded,
        other => panic!("{other:?}: {}", page.body),
    }
}

#[tokio::test]
async fn a_passkey_alone() {
    for (mode, leads, ..) in TABLE {
        let w = with(mode).await;
        let mut ann = w.person_with_both("ann", Options::platform()).await;
        let mut browser = w.browser();
        let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
        let found = match answer.status {
            403 => {
                assert_eq!(answer.verdict(), refused(403, "policy_refused"));
                Refused
            }
            _ if answer.stand() == "complete" => In,
            _ => AskPassword,
        };
        assert_eq!(found, leads, "{mode:?}");
        assert_eq!(browser.cookie("session").is_some(), leads == In, "{mode:?}");
    }
}

#[tokio::test]
async fn a_password_alone() {
    for (mode, _, without, with_usable, _) in TABLE {
        let w = with(mode).await;
        w.person_with_password("carl", PASSWORD).await;
        assert_eq!(password(&mut w.browser(), "carl").await, without, "{mode:?} without a passkey");
        let ann = w.person_with_both("ann", Options::platform()).await;
        assert_eq!(password(&mut w.browser(), "ann").await, with_usable, "{mode:?} with a passkey");
        // A passkey that may not be used is none.
        w.suspend(&ann, 0).await;
        assert_eq!(password(&mut w.browser(), "ann").await, without, "{mode:?} with a suspended passkey");
    }
}

#[tokio::test]
async fn a_password_and_a_passkey() {
    for (mode, .., both) in TABLE {
        let w = with(mode).await;
        let rp = w.rp("app").await;
        let mut ann = w.person_with_both("ann", Options::platform()).await;
        let mut browser = w.browser();
        match mode {
            // The passkey comes first, the password where it is asked.
            Mode::PasskeyOnly => continue,
            Mode::PasskeyThenSecondFactor => {
                let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
                let page = browser.open(answer.value()["next"].as_str().unwrap()).await;
                let fields = [("username", "ann"), ("password", PASSWORD)];
                let page = browser.submit(&page, "/login/password", &fields).await;
                assert_eq!(page.status, 200, "{}", page.body);
            }
            _ => {
                browser.try_password("ann", PASSWORD).await;
                let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
                assert_eq!(answer.stand(), "complete", "{mode:?}");
            }
        }
        assert_eq!(browser.is_signed_in().await, both == In, "{mode:?}");
        let claims = w.claims(&mut browser, &rp).await;
        assert_eq!(claims["acr"], "phr", "{mode:?}");
        let amr = claims["amr"].as_array().unwrap();
        assert!(["hwk", "pop", "user", "mfa"].iter().all(|v| amr.contains(&json!(v))), "{mode:?}: {claims}");
        // Both were given in one sign-in – unless the password was refused and the passkey let in by itself.
        assert_eq!(amr.contains(&json!("pwd")), mode != Mode::PasskeyOnly, "{mode:?}: {claims}");
    }
}

#[tokio::test]
async fn the_second_factor_counts_for_its_own_account_and_five_minutes() {
    let w = with(Mode::PasswordThenPasskey).await;
    w.person_with_both("ann", Options::platform()).await;
    let mut bob = w.person_with_both("bob", Options::platform()).await;
    let mut browser = w.browser();
    assert_eq!(password(&mut browser, "ann").await, AskPasskey);
    let answer = browser.clone().try_passkey(&mut bob.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(400, "credential_not_allowed"));
    assert_eq!(password(&mut browser, "bob").await, AskPasskey);
    w.clock.advance(301);
    let answer = browser.try_passkey(&mut bob.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "policy_refused"));
}

#[tokio::test]
async fn a_passkey_that_opens_nothing_asks_for_the_password_first() {
    let w = with(Mode::PasswordThenPasskey).await;
    let page = w.browser().get("/login").await;
    assert!(!page.has("passkey-login"), "no button that cannot work");
    let w = with(Mode::PasskeyOnly).await;
    let page = w.browser().get("/login").await;
    assert!(page.has("passkey-login"));
}
