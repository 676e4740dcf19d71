//! The table of modes: which combination of factors lets in, and what is asked instead.

use idp_core::credential::totp::TotpSecret;
use idp_core::passkey::policy::{Mode, Policy};
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::factors::{by_password, set_up_totp};
use crate::world::acts::{Of, PASSWORD, STAFF, refused};
use crate::world::{Browser, Person, World};

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

/// Run for the realm and for a group by `webauthn::policy_fields`.
pub async fn a_passkey_alone(of: Of) {
    for (mode, leads, ..) in TABLE {
        let w = World::sqlite().await;
        let mut ann = w.person_with_both("ann", Options::platform()).await;
        w.join(&ann, &[STAFF]).await;
        w.policy_of(of, |p| p.mode = mode).await;
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
        assert_eq!(found, leads, "{of:?} {mode:?}");
        assert_eq!(browser.cookie("session").is_some(), leads == In, "{of:?} {mode:?}");
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
            // The password is refused, and in the way of nothing.
            Mode::PasskeyOnly => {
                assert_eq!(password(&mut browser, "ann").await, PasskeyNeeded);
                let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
                assert_eq!(answer.stand(), "complete");
            }
            // The passkey comes first, the password where it is asked.
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

/// Somebody with a password, an authenticator app and perhaps a passkey, set up before the mode was set.
async fn with_app(mode: Mode, passkey: bool) -> (World, Person, TotpSecret) {
    let w = with(Mode::PasskeyFirst).await;
    let mut ann = w.person_with_password("ann", PASSWORD).await;
    let mut browser = by_password(&w, &ann).await;
    let secret = set_up_totp(&w, &mut browser).await;
    if passkey {
        w.add_passkey(&mut ann, Options::platform()).await;
    }
    w.clock.advance(60);
    w.set_policy(Policy { mode, ..Policy::default() }).await;
    (w, ann, secret)
}

/// Types the code where a page asks for it; whether that signed in.
async fn code_signs_in(w: &World, browser: &mut Browser, path: &str, secret: &TotpSecret) -> bool {
    let page = browser.open(path).await;
    let page = match page.has("use-totp") {
        true => browser.open("/login/totp").await,
        false => page,
    };
    if !page.has("code") {
        return false;
    }
    browser.submit(&page, "/login/totp", &[("code", &secret.code(w.clock.now()))]).await;
    browser.is_signed_in().await
}

#[tokio::test]
async fn a_password_and_a_one_time_password() {
    for (mode, without_a_passkey, with_a_passkey) in [
        (Mode::PasskeyOnly, Refused, Refused),
        // There it is the fallback of whoever has no passkey at hand.
        (Mode::PasskeyFirst, In, In),
        (Mode::PasswordThenPasskey, Refused, Refused),
        (Mode::PasskeyThenSecondFactor, Refused, Refused),
        (Mode::Optional, In, In),
    ] {
        for (passkey, leads) in [(false, without_a_passkey), (true, with_a_passkey)] {
            let (w, _, secret) = with_app(mode, passkey).await;
            let mut browser = w.browser();
            let page = browser.try_password("ann", PASSWORD).await;
            assert!(!browser.is_signed_in().await, "{mode:?}: whoever has an app is asked for its code");
            let next = page.next().unwrap_or_default();
            let signed_in = page.status == 200 && code_signs_in(&w, &mut browser, &next, &secret).await;
            assert_eq!(signed_in, leads == In, "{mode:?}, passkey: {passkey}");
        }
    }
}

#[tokio::test]
async fn a_passkey_and_a_one_time_password() {
    for (mode, alone, both) in [
        (Mode::PasskeyOnly, In, In),
        (Mode::PasskeyFirst, In, In),
        (Mode::PasswordThenPasskey, Refused, Refused),
        (Mode::PasskeyThenSecondFactor, AskPassword, In),
        (Mode::Optional, In, In),
    ] {
        let (w, mut ann, secret) = with_app(mode, true).await;
        let mut browser = w.browser();
        let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
        assert_eq!(browser.is_signed_in().await, alone == In, "{mode:?}");
        if alone == AskPassword {
            let next = answer.value()["next"].as_str().unwrap().to_owned();
            assert!(code_signs_in(&w, &mut browser, &next, &secret).await, "{mode:?}");
        }
        assert_eq!(browser.is_signed_in().await, both == In, "{mode:?}");
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
