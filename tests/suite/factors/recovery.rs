//! `/login/recovery`: what opens it, what waits, what stops it, and that it signs nobody in.

use std::time::Duration;

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::credential::recovery::Recovery;
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};

use super::recovery_codes::make;
use super::{by_passkey, by_password, set_up_totp};
use crate::both;
use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Browser, Db, Letter, Page, Person, World};

const NEW: &str = "quiet harbour ninety moths";

/// After so long what was prepared on a password alone recovers without waiting.
pub const DAY_S: i64 = 24 * 3600;

/// Types the user name.
pub async fn ask(browser: &mut Browser, name: &str) -> Page {
    let page = browser.get("/login/recovery?again=1").await;
    let page = browser.submit(&page, "/login/recovery", &[("username", name)]).await;
    if page.next().is_some() { browser.follow(page).await } else { page }
}

/// Brings codes.
pub async fn prove(browser: &mut Browser, page: &Page, mailed: &str, kept: &str) -> Page {
    let fields = [("email_code", mailed), ("recovery_code", kept)];
    browser.submit(page, "/login/recovery/prove", &fields).await
}

/// The mail with these words in its subject, once it came.
async fn letter(w: &World, subject: &str) -> Letter {
    for _ in 0..200 {
        if let Some(found) = w.letters(1).await.into_iter().find(|letter| letter.subject.contains(subject)) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail about {subject}");
}

/// The secret of the pass that a recovery opened.
pub fn pass_of(page: &Page) -> String {
    let next = page.next().unwrap_or_else(|| panic!("{}: {}", page.status, page.body));
    next.strip_prefix("/setup?token=").unwrap_or_else(|| panic!("{next}")).to_owned()
}

/// Sets the password by the pass.
pub async fn set_password(browser: &mut Browser, pass: &str) -> Page {
    let page = browser.get(&format!("/setup?token={pass}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    browser.submit(&page, "/setup", &[("password", NEW)]).await
}

both! {
    async fn a_mailed_code_resets_a_forgotten_password(db) {
        let w = World::mailing(db).await;
        let carl = w.person_with_password("carl", PASSWORD).await;
        let mut old = by_password(&w, &carl).await;
        let mut browser = w.browser();
        let page = ask(&mut browser, "carl@example.org").await;
        assert!(page.has("email-code") && page.has("recovery-code"), "{}", page.body);
        let code = w.mailed_code(&mut Vec::new()).await;
        let page = prove(&mut browser, &page, &format!(" {} {} ", &code[..4], &code[4..]), "").await;
        let pass = pass_of(&page);
        assert!(!browser.is_signed_in().await, "{}", rule("recovery.enrols"));
        assert!(old.is_signed_in().await, "nothing has changed yet");
        assert_eq!(set_password(&mut browser, &pass).await.status, 200);
        assert!(!browser.is_signed_in().await && !old.is_signed_in().await);
        assert_eq!(w.browser().try_password("carl", PASSWORD).await.status, 401);
        assert_eq!(w.browser().try_password("carl", NEW).await.status, 200);
        let opened = w.audit_rows(&carl, AuditEvent::RecoveryOpened).await;
        assert_eq!((opened.len(), &opened[0].detail["proof"]), (1, &serde_json::json!("email_code")));
        assert_eq!(w.audit_rows(&carl, AuditEvent::RecoveryAsked).await.len(), 1);
        // The owner is told of each step: the code, that it was used, the new password.
        letter(&w, "got back into").await;
        letter(&w, "password").await;
    }

    async fn a_code_opens_one_of_many_recoveries_begun_at_once(db) {
        let w = World::start(db).await;
        let carl = w.person_with_password("carl", PASSWORD).await;
        let code = make(&mut by_password(&w, &carl).await).await.remove(0);
        w.clock.advance(DAY_S);
        let mut runs = Vec::new();
        for _ in 0..4 {
            let mut browser = w.browser();
            let page = {
                w.clock.advance(3601);
                ask(&mut browser, "carl").await
            };
            runs.push((browser, page));
        }
        let runs = runs.into_iter().map(|(mut browser, page)| {
            let code = code.clone();
            tokio::spawn(async move { prove(&mut browser, &page, "", &code).await })
        });
        let mut opened = 0;
        for run in runs.collect::<Vec<_>>() {
            let page = run.await.unwrap();
            assert!(page.status < 500, "{}", page.body);
            opened += usize::from(page.next().is_some_and(|next| next.starts_with("/setup")));
        }
        assert_eq!(opened, 1, "recovery.once");
    }
}

#[tokio::test]
async fn a_kept_code_makes_a_new_passkey_and_works_once() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.recovery_wait_h = 0).await;
    let mut ann = w.person("ann").await;
    let codes = make(&mut by_passkey(&w, &mut ann).await).await;
    let mut browser = w.browser();
    let page = ask(&mut browser, "ann").await;
    assert!(page.has("recovery-code") && !page.has("email-code"), "no mail is sent here: {}", page.body);
    let typed = codes[3].to_uppercase().replace('-', " ");
    let pass = pass_of(&prove(&mut browser, &page, "", &typed).await);
    let mut new = key(Options::platform());
    assert_eq!(browser.enrol(&pass, &mut new, &Faults::default()).await.status, 201);
    assert!(!browser.is_signed_in().await, "{}", rule("recovery.enrols"));
    assert_eq!(browser.try_passkey(&mut new, &Faults::default()).await.stand(), "complete");
    // Its code and its pass are used up.
    let page = ask(&mut browser, "ann").await;
    let again = prove(&mut browser, &page, "", &codes[3]).await;
    assert_eq!(again.status, 401, "{}", rule("recovery.once"));
    assert_eq!(browser.begin_with_pass(&pass).await.verdict(), refused(403, "link_over"));
    assert_eq!(w.app.store.count_recovery_codes(w.realm, &ann.id).await.unwrap(), 9);
}

#[tokio::test]
async fn the_pass_is_for_the_browser_that_proved_and_for_a_quarter_of_an_hour() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    w.clock.advance(DAY_S);
    let mut browser = w.browser();
    let page = ask(&mut browser, "carl").await;
    let pass = pass_of(&prove(&mut browser, &page, "", &codes[0]).await);
    let mut other = w.browser();
    other.get("/login").await;
    assert_eq!(
        other.get(&format!("/setup?token={pass}")).await.verdict(),
        refused(403, "link_over"),
        "recovery.enrols"
    );
    assert_eq!(other.begin_with_pass(&pass).await.verdict(), refused(403, "link_over"));
    assert_eq!(browser.get(&format!("/setup?token={pass}")).await.status, 200);
    w.clock.advance(900);
    assert_eq!(browser.get(&format!("/setup?token={pass}")).await.verdict(), refused(403, "link_over"));
}

/// Asks and proves with one recovery code; the page that says to wait.
pub async fn begin_to_wait(w: &World, ann: &mut Person) -> (Browser, Page) {
    let codes = make(&mut by_passkey(w, ann).await).await;
    let mut browser = w.browser();
    let page = ask(&mut browser, "ann").await;
    let page = prove(&mut browser, &page, "", &codes[0]).await;
    assert_eq!(page.next().as_deref(), Some("/login/recovery"), "{}", page.body);
    let page = browser.follow(page).await;
    assert!(page.body.contains("A little patience"), "{}", page.body);
    (browser, page)
}

#[tokio::test]
async fn weaker_proof_than_a_passkey_waits_and_then_opens_once() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let (mut browser, page) = begin_to_wait(&w, &mut ann).await;
    assert!(!page.has("recovery-submit"));
    let waits = w.audit_rows(&ann, AuditEvent::RecoveryWaits).await;
    assert_eq!(waits[0].detail["ready"], w.clock.now().plus_s(24 * 3600).secs(), "{}", rule("recovery.waits"));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    w.clock.advance(24 * 3600 - 1);
    let early = browser.post("/login/recovery/finish", &[("csrf", &csrf)]).await;
    assert_eq!(early.next().as_deref(), Some("/login/recovery"), "{}", rule("recovery.waits"));
    w.clock.advance(1);
    let mut copy = browser.clone();
    let page = browser.get("/login/recovery").await;
    let pass = pass_of(&browser.submit(&page, "/login/recovery/finish", &[]).await);
    assert_eq!(browser.enrol(&pass, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    let page = copy.get("/login/recovery").await;
    let page = copy.submit(&page, "/login/recovery/finish", &[]).await;
    assert!(page.body.contains("This recovery is over"), "{}: {}", rule("recovery.once"), page.body);
}

#[tokio::test]
async fn both_codes_together_wait_for_nothing() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann = w.person("ann").await;
    let codes = make(&mut by_passkey(&w, &mut ann).await).await;
    let mut browser = w.browser();
    let page = ask(&mut browser, "ann").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    // A wrong one beside a right one opens nothing, and counts.
    let wrong = prove(&mut browser, &page, "00000000", &codes[0]).await;
    assert_eq!(wrong.status, 401, "{}", wrong.body);
    pass_of(&prove(&mut browser, &page, &code, &codes[0]).await);
    assert_eq!(w.audit_rows(&ann, AuditEvent::RecoveryOpened).await[0].detail["proof"], "both");
}

#[tokio::test]
async fn a_password_with_an_app_is_as_strong_as_two_codes() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = by_password(&w, &carl).await;
    let codes = make(&mut browser).await;
    set_up_totp(&w, &mut browser).await;
    let mut lost = w.browser();
    let page = ask(&mut lost, "carl").await;
    let page = prove(&mut lost, &page, "", &codes[0]).await;
    assert_eq!(page.next().as_deref(), Some("/login/recovery"), "{}: {}", rule("recovery.waits"), page.body);
    assert_eq!(w.audit_rows(&carl, AuditEvent::RecoveryWaits).await.len(), 1);
}

#[tokio::test]
async fn its_owner_is_mailed_and_stops_it_by_the_link() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann = w.person("ann").await;
    let (mut thief, _) = begin_to_wait(&w, &mut ann).await;
    let letter = letter(&w, "Is it you").await;
    let link = letter.text.lines().find(|line| line.contains("/account/recovery/cancel?token=")).unwrap().trim();
    let path = link.strip_prefix(&w.issuer).unwrap();
    // Programs that open links stop nothing; a wrong token finds nothing.
    let mut owner = w.browser();
    let page = owner.get(path).await;
    assert!(page.has("recovery-cancel"), "{}", page.body);
    assert!(w.app.store.find_recovery(w.realm, &ann.id, w.clock.now()).await.unwrap().is_some());
    let wrong = owner.get("/account/recovery/cancel?token=x").await;
    assert_eq!(wrong.verdict(), refused(403, "link_over"));
    let page = owner.submit(&page, "/account/recovery/cancel", &[]).await;
    assert!(page.body.contains("It was stopped"), "{}", page.body);
    assert_eq!(owner.get(path).await.verdict(), refused(403, "link_over"));
    w.clock.advance(24 * 3600);
    let page = thief.get("/login/recovery").await;
    let page = thief.submit(&page, "/login/recovery/finish", &[]).await;
    assert!(page.body.contains("This recovery is over"), "{}", page.body);
    assert_eq!(w.audit_rows(&ann, AuditEvent::RecoveryCancelled).await.len(), 1);
}

#[tokio::test]
async fn any_session_stops_it_too() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let (mut thief, _) = begin_to_wait(&w, &mut ann).await;
    let page = browser.get("/account/security").await;
    assert!(page.body.contains("Somebody is getting back into your account"), "{}", page.body);
    let page = browser.submit(&page, "/account/recovery/cancel", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?recovery=cancelled"));
    assert!(!browser.get("/account/security").await.has("recovery-cancel"));
    w.clock.advance(24 * 3600);
    let page = thief.get("/login/recovery").await;
    assert!(thief.submit(&page, "/login/recovery/finish", &[]).await.body.contains("This recovery is over"));
    let csrf = thief.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    assert_eq!(
        thief.post("/account/recovery/cancel", &[("csrf", &csrf)]).await.verdict(),
        refused(401, "not_signed_in")
    );
}

#[tokio::test]
async fn owners_are_told_where_they_want_to_know() {
    let w = World::mailing(Db::Sqlite).await;
    w.set_settings(|s| s.recovery_tells_owners = true).await;
    let setup = w.setup_link().await;
    let mut browser = w.browser();
    let body = serde_json::json!({ "pass": setup, "username": "owner", "traits": { "email": "owner@example.org" } });
    let begun = browser.json("/webauthn/register/options", &body).await.value();
    assert_eq!(browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    let mut ann = w.person("ann").await;
    begin_to_wait(&w, &mut ann).await;
    let told = letter(&w, "Somebody gets back into an account").await;
    assert!(told.to.contains("owner@example.org"), "{}", told.to);
    assert!(told.text.contains("“ann”") && !told.text.contains("token="), "{}", told.text);
}

#[tokio::test]
async fn an_account_that_an_admin_closed_is_never_recovered() {
    for state in [AccountState::Locked, AccountState::Disabled] {
        let w = World::mailing(Db::Sqlite).await;
        let mut ann = w.person("ann").await;
        let codes = make(&mut by_passkey(&w, &mut ann).await).await;
        let mut browser = w.browser();
        let page = ask(&mut browser, "ann").await;
        let code = w.mailed_code(&mut Vec::new()).await;
        w.set_account_state(&ann, state).await;
        let page = prove(&mut browser, &page, &code, &codes[0]).await;
        assert_eq!(page.verdict(), refused(403, "account_disabled"), "{}", rule("recovery.state"));
        ask(&mut browser, "ann").await;
        let letters = w.letters(0).await;
        let codes = letters.iter().filter(|letter| letter.subject.contains("Your code")).count();
        assert_eq!(codes, 1, "no other one is mailed: {}", rule("recovery.state"));
    }
    // Nor one that waits meanwhile.
    let w = World::sqlite().await;
    let mut bob = w.person("ann").await;
    let (mut browser, _) = begin_to_wait(&w, &mut bob).await;
    w.set_account_state(&bob, AccountState::Locked).await;
    w.clock.advance(24 * 3600);
    let page = browser.get("/login/recovery").await;
    let page = browser.submit(&page, "/login/recovery/finish", &[]).await;
    assert_eq!(page.verdict(), refused(403, "account_disabled"), "{}", rule("recovery.state"));
}

#[tokio::test]
async fn a_mailed_code_is_the_newest_of_its_browser_for_ten_minutes_and_five_tries() {
    let w = World::mailing(Db::Sqlite).await;
    w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    ask(&mut browser, "carl").await;
    let mut codes = Vec::new();
    let first = w.mailed_code(&mut codes).await;
    let page = ask(&mut browser, "carl").await;
    assert_eq!(
        prove(&mut browser, &page, &first, "").await.status,
        401,
        "another one is out: {}",
        rule("recovery.once")
    );
    let second = w.mailed_code(&mut codes).await;
    let mut other = w.browser();
    let elsewhere = ask(&mut other, "carl").await;
    let third = w.mailed_code(&mut codes).await;
    assert_eq!(prove(&mut other, &elsewhere, &second, "").await.status, 401, "of another browser");
    w.clock.advance(600);
    assert_eq!(prove(&mut other, &elsewhere, &third, "").await.status, 401, "ten minutes are over");
    w.clock.advance(3601);
    let page = ask(&mut browser, "carl").await;
    let third = w.mailed_code(&mut codes).await;
    for n in 0..5 {
        assert_eq!(prove(&mut browser, &page, &format!("{n:08}"), "").await.status, 401);
    }
    // Whatever the throttle says.
    w.clock.advance(60);
    assert_eq!(prove(&mut browser, &page, &third, "").await.status, 401, "{}", rule("recovery.once"));
}

#[tokio::test]
async fn codes_go_to_verified_addresses_alone() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut account = w.account_of(&carl).await;
    account.profile.email_verified = false;
    let op = idp_store::accounts::UpdateAccount {
        realm: w.realm,
        id: carl.id,
        profile: account.profile,
        seen: account.updated,
        now: w.clock.now().plus_s(1),
        audit: w.audit(AuditEvent::AccountChanged),
    };
    w.app.store.write(op).await.unwrap();
    let mut browser = w.browser();
    assert!(ask(&mut browser, "carl").await.has("email-code"), "the page says nothing of it");
    assert!(w.letters(0).await.is_empty(), "{}", rule("recovery.verified"));
}

#[tokio::test]
async fn only_what_the_realm_names_recovers() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    w.clock.advance(DAY_S);
    let mut known = Vec::new();
    for (n, (recovery, mail, kept)) in
        [(Recovery::EmailCode, true, false), (Recovery::RecoveryCode, false, true), (Recovery::Both, false, false)]
            .into_iter()
            .enumerate()
    {
        w.clock.advance(3601);
        w.set_settings(|s| s.recovery = recovery).await;
        let mut browser = w.browser();
        let page = ask(&mut browser, "carl").await;
        assert_eq!(page.has("email-code"), recovery.mails(), "{recovery:?}");
        assert_eq!(page.has("recovery-code"), recovery.takes_codes(), "{recovery:?}");
        let code = if recovery.mails() { w.mailed_code(&mut known).await } else { String::new() };
        let opens = |page: &Page| page.next().is_some_and(|next| next.starts_with("/setup"));
        let by_mail = prove(&mut browser, &page, &code, "").await;
        assert_eq!(opens(&by_mail), mail, "{}: {recovery:?}: {}", rule("recovery.methods"), by_mail.body);
        let mut browser = w.browser();
        w.clock.advance(3601);
        let page = ask(&mut browser, "carl").await;
        if recovery.mails() {
            w.mailed_code(&mut known).await;
        }
        let by_code = prove(&mut browser, &page, "", &codes[n]).await;
        assert_eq!(opens(&by_code), kept, "{}: {recovery:?}: {}", rule("recovery.methods"), by_code.body);
    }
    w.set_settings(|s| s.recovery = Recovery::Off).await;
    let mut browser = w.browser();
    assert!(!browser.get("/login").await.has("login-recovery"));
    assert!(browser.get("/login/recovery").await.body.contains("Ask your administrator"));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    for path in ["/login/recovery", "/login/recovery/prove", "/login/recovery/finish"] {
        let page = browser.post(path, &[("csrf", &csrf), ("username", "carl")]).await;
        assert_eq!(page.verdict(), refused(403, "recovery_off"), "{path}");
        assert_eq!(browser.post(path, &[("csrf", "x")]).await.verdict(), refused(403, "csrf_mismatch"), "{path}");
    }
}

#[tokio::test]
async fn of_a_hundred_parallel_guesses_at_recovery_codes_most_are_not_looked_at() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    make(&mut by_passkey(&w, &mut ann).await).await;
    let mut browser = w.browser();
    let page = ask(&mut browser, "ann").await;
    let runs: Vec<_> = (0..100)
        .map(|n| {
            let (mut browser, page) = (browser.clone(), page.clone());
            tokio::spawn(async move { prove(&mut browser, &page, "", &format!("0000-0000-0000-{n:04}")).await.status })
        })
        .collect();
    let mut throttled = 0;
    for run in runs {
        match run.await.unwrap() {
            429 => throttled += 1,
            status => assert_eq!(status, 401),
        }
    }
    assert!(throttled >= 75, "{throttled}");
    // Neither passkey nor password is hindered.
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    assert_eq!(w.browser().try_password("ann", PASSWORD).await.status, 200);
}
