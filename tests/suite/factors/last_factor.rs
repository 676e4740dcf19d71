//! The last factor goes where recovery is ready, said before the click, and recovery then lets in again.

use idp_core::credential::recovery::Recovery;
use idp_core::encoding::base64url;
use idp_core::passkey::policy::{Enrolment, Mode};
use idp_softkey::{Faults, Options};

use super::recovery_codes::make;
use super::{by_passkey, by_password, form, set_up_totp};
use crate::both;
use crate::world::acts::{PASSWORD, key};
use crate::world::hosts::{NEW, OLD};
use crate::world::{Browser, Db, Page, Person, World};

/// The question before a passkey goes.
async fn question(browser: &mut Browser, person: &Person, at: usize) -> Page {
    browser.get(&format!("/account/security/remove?passkey={}", base64url(&person.keys[at].credential_id))).await
}

async fn answer(browser: &mut Browser, page: &Page) -> Page {
    browser.submit(page, "/account/security/remove", &[]).await
}

/// Begins a recovery; the page that asks for codes.
async fn recover(browser: &mut Browser, name: &str) -> Page {
    let page = form(browser, "/login/recovery?again=1", "/login/recovery", &[("username", name)]).await;
    browser.follow(page).await
}

/// Makes a passkey by what a recovery opened, and signs in with it.
async fn come_back(w: &World, browser: &mut Browser, opened: &Page) {
    let next = opened.next().unwrap_or_else(|| panic!("{}: {}", opened.status, opened.body));
    let pass = next.strip_prefix("/setup?token=").unwrap_or_else(|| panic!("{next}"));
    let mut new = key(Options::platform());
    assert_eq!(browser.enrol(pass, &mut new, &Faults::default()).await.status, 201);
    assert_eq!(w.browser().try_passkey(&mut new, &Faults::default()).await.stand(), "complete");
}

both! {
    async fn the_last_passkey_goes_where_a_kept_code_brings_back(db) {
        let w = World::start(db).await;
        let mut ann = w.person("ann").await;
        let mut browser = by_passkey(&w, &mut ann).await;
        let codes = make(&mut browser).await;
        let page = browser.get("/account/security").await;
        assert!(page.body.contains("/account/security/remove?passkey="), "{}", page.body);
        let page = question(&mut browser, &ann, 0).await;
        assert!(page.body.contains("This is your last way in") && page.body.contains("You have 10 left"), "{}", page.body);
        let page = answer(&mut browser, &page).await;
        assert_eq!(page.next().as_deref(), Some("/account/security?removed=1"), "{}", page.body);
        assert!(!browser.is_signed_in().await, "it had opened this session");
        assert_eq!(w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len(), 0);
        let mut lost = w.browser();
        let page = recover(&mut lost, "ann").await;
        let opened = lost.submit(&page, "/login/recovery/prove", &[("recovery_code", &codes[0])]).await;
        come_back(&w, &mut lost, &opened).await;
    }

    async fn the_last_passkey_goes_where_a_mailed_code_brings_back(db) {
        let w = World::mailing(db).await;
        let mut ann = w.person("ann").await;
        let mut browser = by_passkey(&w, &mut ann).await;
        let page = question(&mut browser, &ann, 0).await;
        assert!(page.body.contains("only by a code mailed to ann@example.org"), "{}", page.body);
        assert_eq!(answer(&mut browser, &page).await.next().as_deref(), Some("/account/security?removed=1"));
        let mut lost = w.browser();
        let page = recover(&mut lost, "ann").await;
        let code = w.mailed_code(&mut Vec::new()).await;
        let opened = lost.submit(&page, "/login/recovery/prove", &[("email_code", &code)]).await;
        come_back(&w, &mut lost, &opened).await;
    }
}

#[tokio::test]
async fn it_stays_where_recovery_is_not_ready() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    for (recovery, verified) in [(Recovery::Off, true), (Recovery::Both, true), (Recovery::Either, false)] {
        w.set_settings(|s| s.recovery = recovery).await;
        w.set_profile(&ann, |p| p.email_verified = verified).await;
        let page = question(&mut browser, &ann, 0).await;
        assert!(page.body.contains("cannot be removed") && !page.has("passkey-remove"), "{recovery:?}: {}", page.body);
        // By hand, as if it had been asked.
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        let id = base64url(&ann.keys[0].credential_id);
        let fields = [("csrf", csrf.as_str()), ("passkey", &id), ("last", "1")];
        let page = browser.post("/account/security/remove", &fields).await;
        assert!(page.status == 409 && page.body.contains("was not removed"), "{recovery:?}: {}", page.body);
    }
}

#[tokio::test]
async fn whoever_was_not_told_that_it_is_the_last_one_is_asked_again() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann = w.person("ann").await;
    w.add_passkey(&mut ann, Options::synced()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let page = question(&mut browser, &ann, 0).await;
    assert!(!page.body.contains("last way in"), "{}", page.body);
    // Meanwhile, on another page.
    let other = question(&mut browser, &ann, 1).await;
    assert_eq!(answer(&mut browser, &other).await.next().as_deref(), Some("/account/security?removed=1"));
    let page = answer(&mut browser, &page).await;
    assert!(page.status == 409 && page.body.contains("This is your last way in"), "{}", page.body);
    assert_eq!(answer(&mut browser, &page).await.next().as_deref(), Some("/account/security?removed=1"));
}

#[tokio::test]
async fn a_password_and_an_app_say_it_too() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    let page = browser.get("/account/password").await;
    assert!(page.body.contains("only by a code mailed to carl@example.org"), "{}", page.body);
    let page = browser.submit(&page, "/account/password/remove", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=removed"));

    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    set_up_totp(&w, &mut browser).await;
    w.policy(|p| p.mode = Mode::PasskeyThenSecondFactor).await;
    let page = browser.get("/account/totp").await;
    assert!(page.body.contains("This is your last way in"), "{}", page.body);
    let page = browser.submit(&page, "/account/totp/remove", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?totp=removed"));
}

#[tokio::test]
async fn a_passkey_of_another_host_is_a_way_in_and_makes_a_recovery_wait() {
    let mut w = World::mailing(Db::Sqlite).await;
    let mut ada = w.moved().await;
    let pass = w.access_pass(&ada).await;
    let mut new = key(Options::platform());
    assert_eq!(w.browser().enrol(&pass, &mut new, &Faults::default()).await.status, 201);
    ada.keys.insert(0, new);
    w.set_settings(|s| s.recovery_wait_h = 1).await;
    let mut browser = by_passkey(&w, &mut ada).await;
    let page = question(&mut browser, &ada, 0).await;
    assert!(page.has("passkey-remove") && !page.body.contains("last way in"), "{}", page.body);
    assert_eq!(answer(&mut browser, &page).await.next().as_deref(), Some("/account/security?removed=1"));
    // At this host there is none now; the one of the former host is as strong.
    let mut lost = w.browser();
    let page = recover(&mut lost, "ada").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    let page = lost.submit(&page, "/login/recovery/prove", &[("email_code", &code)]).await;
    let page = lost.follow(page).await;
    assert!(page.body.contains("A little patience"), "{NEW} after {OLD}: {}", page.body);
}

both! {
    async fn a_removed_app_ends_the_sessions_that_rest_on_it_but_the_one_at_hand(db) {
        let w = World::start(db).await;
        w.policy(|p| p.enrolment = Enrolment::Off).await;
        let rp = w.rp("app").await;
        let carl = w.person_with_password("carl", PASSWORD).await;
        let mut before = by_password(&w, &carl).await;
        let secret = set_up_totp(&w, &mut before).await;
        let mut browsers = Vec::new();
        for _ in 0..2 {
            w.clock.advance(60);
            let mut browser = w.browser();
            let page = browser.try_password("carl", PASSWORD).await;
            let page = browser.follow(page).await;
            browser.submit(&page, "/login/totp", &[("code", &secret.code(w.clock.now()))]).await;
            assert!(browser.is_signed_in().await);
            browsers.push(browser);
        }
        let theirs = w.silent_tokens(&mut browsers[0], &rp, rp.ask()).await;
        let own = w.silent_tokens(&mut browsers[1], &rp, rp.ask()).await;
        let page = form(&mut browsers[1], "/account/totp", "/account/totp/remove", &[]).await;
        assert_eq!(page.next().as_deref(), Some("/account/security?totp=removed"), "{}", page.body);
        assert!(!browsers[0].is_signed_in().await, "it rested on a code");
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 401);
        assert!(browsers[1].is_signed_in().await && before.is_signed_in().await);
        assert_eq!(w.userinfo(&own.access_token).await.status, 200);
    }
}
