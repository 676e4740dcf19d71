//! Authenticator apps: set up, asked for, each code once, guesses throttled, removed. RFC 6238.

use idp_core::audit::AuditEvent;
use idp_core::credential::totp::TotpSecret;
use idp_core::passkey::policy::{Enrolment, Mode};
use idp_softkey::{Faults, Options};

use super::{by_passkey, by_password, form, secret_of, set_up_totp};
use crate::both;
use crate::rules::rule;
use crate::world::acts::{PASSWORD, refused};
use crate::world::{Answer, Browser, Page, Person, World};

/// Somebody with a password and an authenticator app; two steps later, so that the first code is no hindrance.
async fn carl(w: &World) -> (Person, TotpSecret) {
    // Nobody is asked to make a passkey in between.
    w.policy(|p| p.enrolment = Enrolment::Off).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(w, &carl).await;
    let secret = set_up_totp(w, &mut browser).await;
    w.clock.advance(60);
    (carl, secret)
}

/// A browser where the password was right and the code is asked for.
async fn half(w: &World) -> (Browser, Page) {
    let mut browser = w.browser();
    let page = browser.try_password("carl", PASSWORD).await;
    let page = browser.follow(page).await;
    assert!(page.has("code"), "{}", page.body);
    (browser, page)
}

async fn guess(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, "/login/totp", &[("code", code)]).await
}

#[tokio::test]
async fn a_code_completes_what_a_password_began() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (carl, secret) = carl(&w).await;
    let (mut browser, page) = half(&w).await;
    assert!(!browser.is_signed_in().await, "a password alone does not do any more");
    let commits = w.commits();
    let page = guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    assert_eq!((page.status, page.next().as_deref()), (200, Some("/account/security")), "{}", page.body);
    assert_eq!(w.commits() - commits, 1, "one commit for session, step and audit");
    assert!(browser.is_signed_in().await);
    let claims = w.claims(&mut browser, &rp).await;
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
    assert_eq!(claims["acr"], "https://refeds.org/profile/mfa");
    assert_eq!(w.audit_rows(&carl, AuditEvent::TotpSet).await.len(), 1);
    let row = &w.audit_rows(&carl, AuditEvent::SignIn).await[0];
    assert_eq!(row.detail["method"], "password_and_totp");
}

#[tokio::test]
async fn an_app_is_kept_once_it_made_a_code() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    let page = browser.get("/account/totp").await;
    let secret = secret_of(&page);
    assert!(page.body.contains("<svg class=\"qr\""), "{}", page.body);
    let wrong = browser.submit(&page, "/account/totp", &[("code", "000000")]).await;
    assert_eq!((wrong.status, secret_of(&wrong)), (401, secret.clone()), "{}", rule("totp.confirmed"));
    assert_eq!(w.account_of(&carl).await.totp, None);
    // The form is this account's, and lasts a quarter of an hour.
    let other = w.person_with_password("dora", PASSWORD).await;
    let mut theirs = by_password(&w, &other).await;
    let mine = page.form("/account/totp").into_iter().find(|(name, _)| name == "secret").unwrap().1;
    let code = secret.code(w.clock.now());
    let csrf = theirs.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let foreign = theirs.post("/account/totp", &[("csrf", &csrf), ("secret", &mine), ("code", &code)]).await;
    assert_ne!(foreign.next().as_deref(), Some("/account/security?totp=set"));
    w.clock.advance(901);
    browser.try_password("carl", PASSWORD).await;
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let code = secret.code(w.clock.now());
    let late = browser.post("/account/totp", &[("csrf", &csrf), ("secret", &mine), ("code", &code)]).await;
    assert_eq!(late.next().as_deref(), Some("/account/totp"), "begin anew: {}", late.body);
    assert_eq!(w.account_of(&carl).await.totp, None);
    let secret = set_up_totp(&w, &mut browser).await;
    assert_eq!(w.account_of(&carl).await.totp, Some(w.clock.now()));
    let kept = w.app.store.find_totp(w.realm, &carl.id).await.unwrap().unwrap();
    assert!(!kept.sealed.windows(20).any(|bytes| bytes == secret.expose()), "it is sealed");
    let page = browser.get("/account/totp").await;
    assert!(!page.has("totp-secret"), "it is shown once");
}

#[tokio::test]
async fn a_code_works_once_and_for_a_minute_and_a_half() {
    let w = World::sqlite().await;
    let (_, secret) = carl(&w).await;
    // To the beginning of a step.
    let now = w.clock.now();
    w.clock.advance_ms(30_000 - now.ms() % 30_000);
    let (code, late) = (secret.code(w.clock.now()), secret.code(w.clock.now().plus_s(30)));
    let (mut browser, page) = half(&w).await;
    assert_eq!(guess(&mut browser, &page, &code).await.status, 200);
    let (mut browser, page) = half(&w).await;
    let again = guess(&mut browser, &page, &code).await;
    assert_eq!(again.status, 401, "{}", rule("totp.once"));
    assert!(again.has("code"), "the form comes back");
    // Before its time by one step; then the older one is over although it is in the window.
    assert_eq!(guess(&mut browser, &again, &late).await.status, 200, "{}", rule("totp.window"));
    let (mut browser, page) = half(&w).await;
    w.clock.advance(30);
    assert_eq!(guess(&mut browser, &page, &code).await.status, 401, "{}", rule("totp.once"));
    w.clock.advance(60);
    let old = secret.code(w.clock.now().plus_s(-60));
    let (mut browser, page) = half(&w).await;
    assert_eq!(guess(&mut browser, &page, &old).await.status, 401, "{}", rule("totp.window"));
    for bad in ["", "12345", "1234567", "abcdef", "＋１２３４５"] {
        w.clock.advance(600);
        let (mut browser, page) = half(&w).await;
        assert_eq!(guess(&mut browser, &page, bad).await.status, 401, "{bad}");
    }
}

both! {
    async fn one_code_brought_many_times_at_once_signs_in_once(db) {
        let w = World::start(db).await;
        let (_, secret) = carl(&w).await;
        let code = secret.code(w.clock.now());
        let mut halves = Vec::new();
        for _ in 0..4 {
            halves.push(half(&w).await);
        }
        let mut runs = Vec::new();
        for (mut browser, page) in halves {
            let code = code.clone();
            runs.push(tokio::spawn(async move { guess(&mut browser, &page, &code).await.status }));
        }
        let mut done = 0;
        for run in runs {
            match run.await.unwrap() {
                200 => done += 1,
                status => assert!(matches!(status, 401 | 409 | 429), "{status}"),
            }
        }
        assert_eq!(done, 1, "totp.once");
    }

    async fn of_a_hundred_parallel_guesses_ninety_are_not_looked_at(db) {
        let w = World::start(db).await;
        let (_, secret) = carl(&w).await;
        w.policy(|p| p.mode = Mode::Optional).await;
        let (browser, page) = half(&w).await;
        let right = secret.code(w.clock.now());
        let mut runs = Vec::new();
        for n in 0..100 {
            let (mut browser, page) = (browser.clone(), page.clone());
            let code = format!("{n:06}");
            assert_ne!(code, right);
            runs.push(tokio::spawn(async move { guess(&mut browser, &page, &code).await.status }));
        }
        let mut throttled = 0;
        for run in runs {
            match run.await.unwrap() {
                429 => throttled += 1,
                401 => {}
                other => panic!("{other}"),
            }
        }
        assert!(throttled >= 90, "{throttled}: totp.throttled");
    }
}

#[tokio::test]
async fn an_attackers_guesses_lock_neither_the_owners_passkey_nor_their_browser_out() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut known = by_passkey(&w, &mut ann).await;
    let secret = set_up_totp(&w, &mut known).await;
    w.clock.advance(60);
    // Whoever has the password.
    let mut page = Page { status: 0, headers: Default::default(), body: String::new() };
    let mut thief = w.browser();
    for n in 0..8 {
        thief.try_password("ann", PASSWORD).await;
        page = thief.get("/login/totp").await;
        page = guess(&mut thief, &page, &format!("{n:06}")).await;
    }
    assert_eq!(page.status, 429, "{}", rule("totp.throttled"));
    assert!(page.header("retry-after").is_some() && page.body.contains("minute"), "{}", page.body);
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    known.jar.retain(|name, _| !name.ends_with("-session"));
    known.try_password("ann", PASSWORD).await;
    let page = known.get("/login/totp").await;
    assert_eq!(guess(&mut known, &page, &secret.code(w.clock.now())).await.status, 200, "her browser has its own");
    assert!(w.audit_rows(&ann, AuditEvent::SignInFailed).await.iter().any(|row| row.detail["method"] == "totp"));
}

#[tokio::test]
async fn a_code_alone_is_no_way_in() {
    let w = World::sqlite().await;
    let (_, secret) = carl(&w).await;
    let mut browser = w.browser();
    browser.get("/login").await;
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let code = secret.code(w.clock.now());
    let page = browser.post("/login/totp", &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!(page.next().as_deref(), Some("/login"));
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.get("/login/totp").await.location(), Some("/login"));
    // Nor with a password that was changed meanwhile, nor five minutes after it.
    let (mut browser, page) = half(&w).await;
    w.clock.advance(301);
    let late = guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    assert_eq!(late.next().as_deref(), Some("/login"));
    assert_eq!(
        browser.post("/login/totp", &[("csrf", "x"), ("code", "1")]).await.verdict(),
        refused(403, "csrf_mismatch")
    );
}

#[tokio::test]
async fn under_passkey_then_second_factor_the_code_comes_after_the_passkey() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let secret = set_up_totp(&w, &mut browser).await;
    w.clock.advance(60);
    w.policy(|p| p.mode = Mode::PasskeyThenSecondFactor).await;
    let mut browser = w.browser();
    let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.stand(), "second_factor");
    let page = browser.open(answer.value()["next"].as_str().unwrap()).await;
    assert!(page.has("code") && page.has("use-password"), "the password would do as well: {}", page.body);
    let page = guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    assert_eq!(page.next().as_deref(), Some("/account/security"), "{}", page.body);
    let claims = w.claims(&mut browser, &rp).await;
    assert_eq!(claims["amr"], serde_json::json!(["hwk", "pop", "user", "otp", "mfa"]));
    assert_eq!(claims["acr"], "phr");
    // It is the last second factor besides the password, and may go only while that is there.
    let page = browser.get("/account/totp").await;
    assert!(page.has("totp-remove"), "{}", page.body);
}

#[tokio::test]
async fn whoever_lost_the_passkey_may_use_the_app_instead() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let secret = set_up_totp(&w, &mut browser).await;
    w.clock.advance(60);
    let mut browser = w.browser();
    let page = browser.try_password("ann", PASSWORD).await;
    let page = browser.follow(page).await;
    assert!(page.has("passkey-login") && page.has("use-totp"), "{}", page.body);
    let page = browser.get("/login/totp").await;
    let page = guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    assert_eq!(page.next().as_deref(), Some("/account/security"), "the fallback of passkey_first: {}", page.body);
}

#[tokio::test]
async fn an_app_is_removed_after_a_strong_sign_in_unless_it_is_the_last_way_in() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.recovery = idp_core::credential::recovery::Recovery::Off).await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    set_up_totp(&w, &mut browser).await;
    // There it is the only second factor.
    w.policy(|p| p.mode = Mode::PasskeyThenSecondFactor).await;
    let page = browser.get("/account/totp").await;
    assert!(!page.has("totp-remove"), "said before the click: {}", page.body);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = browser.post("/account/totp/remove", &[("csrf", &csrf)]).await;
    assert_eq!(page.status, 409, "{}", page.body);
    w.policy(|p| p.mode = Mode::PasskeyFirst).await;
    w.clock.advance(301);
    let page = browser.post("/account/totp/remove", &[("csrf", &csrf)]).await;
    assert_eq!(page.next().as_deref(), Some("/login?again=1"), "account.fresh");
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let page = form(&mut browser, "/account/totp", "/account/totp/remove", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?totp=removed"));
    assert_eq!(w.account_of(&ann).await.totp, None);
    assert_eq!(w.audit_rows(&ann, AuditEvent::TotpRemoved).await.len(), 1);
}

#[tokio::test]
async fn a_password_alone_neither_removes_an_app_nor_buys_a_passkey_by_one() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let (mut carl, secret) = carl(&w).await;
    // A session of before the app was set up rests on a password alone.
    let mut old = w.browser();
    old.try_password("carl", PASSWORD).await;
    assert_eq!(old.get("/account/totp").await.location(), Some("/login"), "the code is asked for first");
    let (mut browser, page) = half(&w).await;
    guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    // Set up a minute ago: it might be whoever phished the password.
    let begun = browser.json("/webauthn/register/options", &serde_json::json!({})).await;
    assert_eq!(begun.verdict(), refused(403, "access_pass_required"));
    w.clock.advance(24 * 3600);
    let (mut browser, page) = half(&w).await;
    guess(&mut browser, &page, &secret.code(w.clock.now())).await;
    let begun = browser.json("/webauthn/register/options", &serde_json::json!({})).await;
    assert_eq!(begun.status, 200, "a day later it counts: {}", begun.body);
    carl.keys.clear();
}

#[tokio::test]
async fn a_session_by_password_is_stepped_up_by_a_code_where_an_application_asks_for_more() {
    let refeds = "https://refeds.org/profile/mfa";
    let essential = serde_json::json!({ "id_token": { "acr": { "essential": true, "values": [refeds] } } }).to_string();
    for (name, value, declines) in [("acr_values", refeds, true), ("claims", essential.as_str(), false)] {
        let w = World::sqlite().await;
        // There a password alone does while a passkey may still be put off, also for whoever has an app.
        w.policy(|p| (p.mode, p.enrolment) = (Mode::PasswordThenPasskey, Enrolment::Required(7))).await;
        let rp = w.rp("app").await;
        let carl = w.person_with_password("carl", PASSWORD).await;
        let mut browser = by_password(&w, &carl).await;
        let secret = set_up_totp(&w, &mut browser).await;
        w.clock.advance(60);
        let before = w.silent_tokens(&mut browser, &rp, rp.ask().with("prompt", "none")).await.claims;
        assert_eq!(before["amr"], serde_json::json!(["pwd"]));
        let ask = rp.ask().with(name, value);
        let silent = Answer::of(&browser.get(&ask.clone().with("prompt", "none").url()).await);
        assert_eq!(silent.params.contains_key("code"), declines, "{name}");
        let page = browser.open(&ask.url()).await;
        assert!(page.has("code") && page.has("login-continue") == declines, "{name}: {}", page.body);
        let wrong = guess(&mut browser, &page, "000000").await;
        assert_eq!(wrong.status, 401, "{name}");
        let page = guess(&mut browser, &wrong, &secret.code(w.clock.now())).await;
        let page = browser.follow(page).await;
        let page = browser.submit(&page, "/login/enrol/later", &[]).await;
        let code = Answer::of(&browser.follow(page).await).code();
        let answer = rp.redeem(&w, &ask, &code).await;
        let after = w.accept(&rp, &ask, &code, &answer).await.claims;
        assert_eq!(
            (&after["acr"], &after["amr"]),
            (&refeds.into(), &serde_json::json!(["pwd", "otp", "mfa"])),
            "{name}"
        );
        assert_eq!(after["sid"], before["sid"], "{name}: the same session, stronger");
    }
}

#[tokio::test]
async fn who_signs_in_again_is_asked_for_the_app_as_well() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    let app = set_up_totp(&w, &mut browser).await;
    w.clock.advance(60);
    assert_eq!(browser.get("/account/recovery-codes").await.location(), Some("/login?again=1"), "account.fresh");
    // The session is there already; a password alone would lead round in a circle.
    let page = browser.get("/login?again=1").await;
    let page = browser.submit(&page, "/login", &[("username", "carl")]).await;
    let page = browser.submit(&page, "/login/password", &[("username", "carl"), ("password", PASSWORD)]).await;
    let page = browser.follow(page).await;
    let code = app.code(w.clock.now());
    let page = browser.submit(&page, "/login/totp", &[("code", &code)]).await;
    browser.follow(page).await;
    assert_eq!(browser.get("/account/recovery-codes").await.status, 200);
}
