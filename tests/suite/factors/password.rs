//! `/account/password`: set, changed, removed; what is refused, and what ends. NIST SP 800-63B-4 §3.1.1.2.

use idp_core::audit::AuditEvent;
use idp_core::credential::blocklist::Blocklist;
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};

use super::{by_passkey, by_password, form};
use crate::both;
use crate::rules::rule;
use crate::world::acts::{PASSWORD, refused};
use crate::world::{Browser, Page, World};

const NEW: &str = "quiet harbour ninety moths";

async fn change(browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    form(browser, "/account/password", "/account/password", fields).await
}

#[tokio::test]
async fn a_passkey_sets_a_forgotten_password_and_clears_its_throttle() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    for name in ["ann", "ann@example.org"] {
        for _ in 0..8 {
            w.browser().try_password(name, "guess").await;
        }
        assert_eq!(w.browser().try_password(name, PASSWORD).await.status, 429);
    }
    let mut browser = by_passkey(&w, &mut ann).await;
    let page = browser.get("/account/password").await;
    assert!(page.has("password") && !page.has("current"), "the old one is not asked for: {}", page.body);
    let page = change(&mut browser, &[("password", NEW)]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=set"), "{}", page.body);
    assert!(browser.open("/account/security?password=set").await.body.contains("Password set"));
    for name in ["ann", "ann@example.org"] {
        assert_eq!(w.browser().try_password(name, PASSWORD).await.status, 401, "the old one is over");
        assert_eq!(w.browser().try_password(name, NEW).await.status, 200);
    }
    // An administrator's lock is none of its business.
    w.set_account_state(&ann, idp_core::account::AccountState::Locked).await;
    assert_eq!(browser.get("/account/password").await.location(), Some("/login"));
    let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "account_disabled"));
}

#[tokio::test]
async fn without_a_fresh_passkey_the_old_password_is_asked_for_and_throttled() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    assert!(browser.get("/account/password").await.has("current"));
    for current in ["", "wrong"] {
        let page = change(&mut browser, &[("current", current), ("password", NEW)]).await;
        assert_eq!(page.status, 401, "{}", page.body);
        assert!(page.body.contains("sign in with a passkey"), "what to do: {}", page.body);
    }
    let long = "x".repeat(1025);
    let page = change(&mut browser, &[("current", &long), ("password", NEW)]).await;
    assert_eq!(page.verdict(), refused(400, "password_too_long"));
    let mut last = 0;
    for _ in 0..8 {
        last = change(&mut browser, &[("current", "guess"), ("password", NEW)]).await.status;
    }
    assert_eq!(last, 429);
    w.clock.advance(120);
    let page = change(&mut browser, &[("current", PASSWORD), ("password", NEW)]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=set"), "{}", page.body);
    // Five minutes after the sign-in nothing is changed any more.
    w.clock.advance(301);
    assert_eq!(browser.get("/account/password").await.location(), Some("/login?again=1"), "account.fresh");
}

#[tokio::test]
async fn a_new_password_is_judged_by_length_and_list_and_advised() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    for (bad, said, of) in [
        ("fourteen chars", "15 characters", "password.length"),
        ("ThisIsMyPassword", "lists of passwords", "password.blocklist"),
        ("abcabcabcabcabcabc", "repeats one piece", "password.blocklist"),
        ("ann@example.org2026!", "your user name", "password.names"),
        ("The Realm The Realm 26", "your user name", "password.names"),
    ] {
        let page = change(&mut browser, &[("password", bad)]).await;
        assert_eq!(page.status, 422, "{bad}: {}", rule(of));
        assert!(page.body.contains(said), "{bad}: {}", page.body);
    }
    let page = change(&mut browser, &[("password", &"x".repeat(1025))]).await;
    assert_eq!(page.verdict(), refused(400, "password_too_long"), "{}", rule("password.length"));
    assert!(w.account_of(&ann).await.password_hash.is_none());
    // It keeps the rules and is easy to guess: advice once, then it is the person's own choice.
    let page = change(&mut browser, &[("password", "qwertyuiopasdfg")]).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("easy to guess") && page.body.contains("<li>"), "{}", page.body);
    let page = browser.submit(&page, "/account/password", &[("password", "qwertyuiopasdfg")]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=set"), "{}", page.body);
    // No composition rules, all of Unicode, a thousand bytes: nothing is cut.
    let long = "ü".repeat(512);
    let page = change(&mut browser, &[("password", &long), ("anyway", "1")]).await;
    assert_eq!(page.status, 422, "a repeat, however long");
    let long: String = (0..146).map(|n| format!("w{n:05} ")).collect::<String>().trim().to_owned();
    assert_eq!(long.len(), 1021);
    change(&mut browser, &[("password", &long), ("anyway", "1")]).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    assert_eq!(w.browser().try_password("ann", &long[..1020]).await.status, 401);
    assert_eq!(w.browser().try_password("ann", &long).await.status, 200);
}

#[tokio::test]
async fn two_keyboards_type_one_password() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    change(&mut browser, &[("password", "zwo\u{308}lf Bo\u{308}rsen im Mai")]).await;
    let page = w.browser().try_password("ann", "zw\u{f6}lf B\u{f6}rsen im Mai").await;
    assert_eq!(page.status, 200, "{}", rule("password.normalised"));
}

#[tokio::test]
async fn a_password_beside_another_factor_may_be_shorter() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.password_min_length = 8).await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let page = change(&mut browser, &[("password", "plum4moth"), ("anyway", "1")]).await;
    assert_eq!(page.status, 422, "alone it has 15 characters: {}", rule("password.length"));
    w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    let page = browser.get("/account/password").await;
    assert!(page.body.contains("8 characters or more"), "{}", page.body);
    let page = change(&mut browser, &[("password", "moth4"), ("anyway", "1")]).await;
    assert_eq!(page.status, 422);
    let page = change(&mut browser, &[("password", "plum4moth"), ("anyway", "1")]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=set"), "{}", page.body);
}

both! {
    async fn a_changed_password_ends_the_other_sessions_unless_they_are_kept(db) {
        let w = World::start(db).await;
        w.policy(|p| p.mode = Mode::Optional).await;
        let rp = w.rp("app").await;
        let mut ann = w.person_with_both("ann", Options::platform()).await;
        let mut other = w.browser();
        let theirs = w.tokens(&mut other, &mut ann, &rp).await;
        let mut browser = by_passkey(&w, &mut ann).await;
        let own = w.silent_tokens(&mut browser, &rp, rp.ask()).await;
        change(&mut browser, &[("password", NEW), ("keep", "1")]).await;
        assert!(other.is_signed_in().await, "kept on purpose");
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 200);
        change(&mut browser, &[("password", PASSWORD)]).await;
        assert!(!other.is_signed_in().await && browser.is_signed_in().await);
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 401);
        assert_eq!(w.userinfo(&own.access_token).await.status, 200, "this one goes on");
        let rows = w.audit_rows(&ann, AuditEvent::PasswordSet).await;
        let kept = rows.iter().filter(|row| row.detail["sessions_kept"] == true).count();
        assert_eq!((rows.len(), kept), (2, 1));
    }
}

#[tokio::test]
async fn a_password_is_removed_where_something_else_lets_in() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.recovery = idp_core::credential::recovery::Recovery::Off).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    assert!(!browser.get("/account/password").await.has("password-remove"), "said before the click");
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = browser.post("/account/password/remove", &[("csrf", &csrf)]).await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(w.account_of(&carl).await.password_hash.is_some());

    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let page = form(&mut browser, "/account/password", "/account/password/remove", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=removed"));
    assert!(w.account_of(&ann).await.password_hash.is_none() && browser.is_signed_in().await);
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasswordRemoved).await.len(), 1);
}

#[tokio::test]
async fn where_passwords_are_off_none_is_set() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    w.policy(|p| p.mode = Mode::PasskeyOnly).await;
    assert!(!browser.get("/account/password").await.has("password"));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = browser.post("/account/password", &[("csrf", &csrf), ("password", NEW)]).await;
    assert_eq!(page.verdict(), refused(403, "passwords_off"));
    for path in [
        "/account/password",
        "/account/password/remove",
        "/account/totp",
        "/account/totp/remove",
        "/account/recovery-codes",
    ] {
        let mut stranger = w.browser();
        stranger.get("/login").await;
        let token = stranger.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        assert_eq!(stranger.post(path, &[("csrf", &token)]).await.verdict(), refused(401, "not_signed_in"), "{path}");
        assert_eq!(browser.post(path, &[("csrf", "x")]).await.verdict(), refused(403, "csrf_mismatch"), "{path}");
    }
}

#[tokio::test]
async fn a_list_of_ones_own_is_added_to_the_built_in_one() {
    let list = Blocklist::with("northwind forever and ever\n");
    assert!(
        list.holds("Northwind Forever and Ever") && list.holds("thisismypassword"),
        "{}",
        rule("password.blocklist")
    );
}
