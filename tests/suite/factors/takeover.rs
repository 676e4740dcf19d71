//! What a stolen password, mailbox or name does not buy by way of a recovery, and what strangers cannot keep from its owner.

use idp_core::account::Account;
use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::{EnrolmentRequires, Mode};
use idp_softkey::{Faults, Options};
use idp_store::accounts::{AccountChange, UpdateAccount};

use super::recovery::{DAY_S, ask, begin_to_wait, pass_of, prove, set_password};
use super::recovery_codes::make;
use super::{by_passkey, by_password, form, set_up_totp};
use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::hosts::{NEW, OLD};
use crate::world::{Browser, Db, Page, Person, World};

/// Whether a proof waits.
fn waits(page: &Page) -> bool {
    page.next().as_deref() == Some("/login/recovery")
}

async fn update(w: &World, account: &Account) {
    let op = UpdateAccount {
        realm: w.realm,
        id: account.id,
        profile: account.profile.clone(),
        seen: account.updated,
        now: w.clock.now().plus_s(1),
        audit: w.audit(AuditEvent::AccountChanged),
    };
    assert_eq!(w.app.store.write(op).await.unwrap(), AccountChange::Done);
}

#[tokio::test]
async fn codes_made_on_a_password_alone_wait_a_day_and_go_with_it() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.recovery_wait_h = 1).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    w.clock.advance(3600);
    let mut thief = w.browser();
    let page = ask(&mut thief, "carl").await;
    assert!(waits(&prove(&mut thief, &page, "", &codes[0]).await), "{}", rule("recovery.settled"));
    let ready = w.account_of(&carl).await.recovery.unwrap();
    assert_eq!(ready, w.clock.now().plus_s(DAY_S - 3600), "recovery.settled");
    // Its owner chooses another password: what the old one bought is gone.
    let mut owner = by_password(&w, &carl).await;
    let fields = [("current", PASSWORD), ("password", "quiet harbour ninety moths")];
    let page = form(&mut owner, "/account/password", "/account/password", &fields).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?password=set"), "{}", page.body);
    assert_eq!(w.account_of(&carl).await.recovery, None);
    w.clock.advance(DAY_S);
    let page = thief.get("/login/recovery").await;
    let page = thief.submit(&page, "/login/recovery/finish", &[]).await;
    assert!(page.body.contains("This recovery is over"), "{}", page.body);
    let page = ask(&mut thief, "carl").await;
    assert_eq!(prove(&mut thief, &page, "", &codes[1]).await.status, 401);
}

#[tokio::test]
async fn codes_made_with_a_passkey_do_not_wait_and_outlive_a_password() {
    let w = World::mailing(Db::Sqlite).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let codes = make(&mut browser).await;
    let fields = [("password", "quiet harbour ninety moths")];
    form(&mut browser, "/account/password", "/account/password", &fields).await;
    let mut lost = w.browser();
    let page = ask(&mut lost, "ann").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    pass_of(&prove(&mut lost, &page, &code, &codes[0]).await);
}

#[tokio::test]
async fn an_address_set_on_a_password_alone_recovers_after_a_day() {
    let w = World::mailing(Db::Sqlite).await;
    w.set_settings(|s| s.self_registration = idp_core::realm::SelfRegistration::Open).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut thief = by_password(&w, &carl).await;
    let page = form(&mut thief, "/account", "/account/email", &[("email", "thief@example.org")]).await;
    assert_eq!(page.next().as_deref(), Some("/account?email-saved=1"), "{}", page.body);
    let mut account = w.account_of(&carl).await;
    assert_eq!(account.profile.email_settled, Some(w.clock.now().plus_s(DAY_S)));
    account.profile.email_verified = true;
    update(&w, &account).await;
    let mut known = Vec::new();
    for after in [false, true] {
        let mut browser = w.browser();
        let page = ask(&mut browser, "carl").await;
        let code = w.mailed_code(&mut known).await;
        let page = prove(&mut browser, &page, &code, "").await;
        assert_eq!(waits(&page), !after, "recovery.settled: {}", page.body);
        w.clock.advance(DAY_S);
    }
}

#[tokio::test]
async fn where_an_access_pass_is_required_a_recovery_makes_no_first_passkey() {
    let w = World::mailing(Db::Sqlite).await;
    w.policy(|p| p.enrolment_requires = EnrolmentRequires::AccessPass).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    let page = ask(&mut browser, "carl").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    let pass = pass_of(&prove(&mut browser, &page, &code, "").await);
    let page = browser.get(&format!("/setup?token={pass}")).await;
    assert!(page.has("password") && !page.has("passkey-create"), "{}", page.body);
    assert_eq!(browser.begin_with_pass(&pass).await.verdict(), refused(403, "access_pass_required"));
    assert_eq!(set_password(&mut browser, &pass).await.status, 200);
    // Whoever had one makes the next, and an administrator's pass makes the first.
    let pass = w.access_pass(&carl).await;
    assert_eq!(w.browser().enrol(&pass, &mut key(Options::platform()), &Faults::default()).await.status, 201);
}

/// Brings a mailed code alone; whether that waits.
async fn mailed_code_waits(w: &World, known: &mut Vec<String>) -> bool {
    w.clock.advance(3601);
    let mut thief = w.browser();
    let page = ask(&mut thief, "ada").await;
    let code = w.mailed_code(known).await;
    waits(&prove(&mut thief, &page, &code, "").await)
}

#[tokio::test]
async fn a_passkey_protects_whatever_its_host_state_or_kind() {
    let mut w = World::mailing(Db::Sqlite).await;
    w.serve_at(vec![w.party(OLD)]).await;
    let ada = w.person_with_both("ada", Options::synced()).await;
    let mut known = Vec::new();
    assert!(mailed_code_waits(&w, &mut known).await, "recovery.waits");
    w.policy(|p| p.deny_synced = true).await;
    assert!(mailed_code_waits(&w, &mut known).await, "recovery.waits: refused by a tightened policy");
    w.policy(|p| p.deny_synced = false).await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    assert!(mailed_code_waits(&w, &mut known).await, "recovery.waits: of another host");
    w.suspend(&ada, 0).await;
    assert!(mailed_code_waits(&w, &mut known).await, "recovery.waits: set aside");
}

#[tokio::test]
async fn strangers_do_not_keep_an_owner_from_recovering() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    w.clock.advance(DAY_S);
    let mut owner = w.browser();
    let page = ask(&mut owner, "carl").await;
    let mut known = Vec::new();
    let code = w.mailed_code(&mut known).await;
    let mut stranger = w.browser();
    let theirs = ask(&mut stranger, "carl").await;
    for _ in 0..8 {
        assert_eq!(prove(&mut stranger, &theirs, "00000000", "0000-0000-0000-0000").await.status, 401);
    }
    // The owner's newest code still counts, and so does a kept one.
    let mut again = owner.clone();
    pass_of(&prove(&mut owner, &page, &code, "").await);
    pass_of(&prove(&mut again, &page, "", &codes[0]).await);
    // Where too many were mailed, none is mailed any more, and kept ones are taken.
    let mut throttled = ask(&mut stranger, "carl").await;
    for _ in 0..4 {
        throttled = ask(&mut w.browser(), "carl").await;
    }
    assert!(throttled.status == 429 && throttled.has("recovery-code"), "{} {}", throttled.status, throttled.body);
    let mut late = w.browser();
    let page = ask(&mut late, "carl").await;
    assert_eq!(page.status, 429);
    pass_of(&prove(&mut late, &page, "", &codes[1]).await);
}

/// Signs in and sees that a recovery was stopped.
async fn is_told(browser: &mut Browser, next: &str) {
    assert_eq!(next, "/login/recovery/stopped");
    let page = browser.get(next).await;
    assert!(page.body.contains("Somebody tried to get into your account"), "{}", page.body);
    assert!(page.body.contains("href=\"/account/security\""), "{}", page.body);
}

#[tokio::test]
async fn a_sign_in_by_passkey_stops_what_waits_and_tells_of_it() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let (mut thief, _) = begin_to_wait(&w, &mut ann).await;
    // Whoever recovers may have the password.
    by_password(&w, &ann).await;
    assert!(w.account_of(&ann).await.recovery.is_some());
    let mut owner = w.browser();
    let answer = owner.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.stand(), "complete");
    is_told(&mut owner, answer.value()["next"].as_str().unwrap()).await;
    assert_eq!(w.account_of(&ann).await.recovery, None);
    assert_eq!(w.audit_rows(&ann, AuditEvent::RecoveryCancelled).await[0].detail["by"], "sign_in");
    w.clock.advance(DAY_S);
    let page = thief.get("/login/recovery").await;
    let page = thief.submit(&page, "/login/recovery/finish", &[]).await;
    assert!(page.body.contains("This recovery is over"), "{}", page.body);
    let answer = owner.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.value()["next"], "/account/security");
    // In the midst of a sign-in it goes on there.
    begin_to_wait(&w, &mut ann).await;
    let rp = w.rp("app").await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
    let told = browser.get(&next).await;
    assert!(told.body.contains("/authorize/resume?request="), "{}", told.body);
}

#[tokio::test]
async fn a_passkey_made_by_a_recovery_ends_the_sessions_there_were() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann: Person = w.person("ann").await;
    let mut thief = by_passkey(&w, &mut ann).await;
    let codes = make(&mut by_passkey(&w, &mut ann).await).await;
    let mut owner = w.browser();
    let page = ask(&mut owner, "ann").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    let pass = pass_of(&prove(&mut owner, &page, &code, &codes[0]).await);
    assert!(thief.is_signed_in().await);
    assert_eq!(owner.enrol(&pass, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    assert!(!thief.is_signed_in().await);
}

#[tokio::test]
async fn whoever_lost_as_many_passkeys_as_are_allowed_makes_one_more() {
    let w = World::sqlite().await;
    w.policy(|p| p.max_passkeys = 1).await;
    let ann = w.person("ann").await;
    let enrol = async || {
        let pass = w.access_pass(&ann).await;
        w.browser().enrol(&pass, &mut key(Options::platform()), &Faults::default()).await
    };
    assert_eq!(enrol().await.status, 201);
    let pass = w.access_pass(&ann).await;
    assert_eq!(w.browser().begin_with_pass(&pass).await.verdict(), refused(409, "too_many_passkeys"));
}

#[tokio::test]
async fn what_a_password_bought_never_counts_as_two_proofs_beside_a_passkey() {
    let w = World::mailing(Db::Sqlite).await;
    let mut carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    w.add_passkey(&mut carl, Options::platform()).await;
    w.clock.advance(DAY_S);
    let mut thief = w.browser();
    let page = ask(&mut thief, "carl").await;
    let code = w.mailed_code(&mut Vec::new()).await;
    assert!(waits(&prove(&mut thief, &page, &code, &codes[0]).await), "recovery.settled");
}

#[tokio::test]
async fn a_thief_of_a_password_takes_no_way_back_from_its_owner() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let owners = make(&mut by_password(&w, &carl).await).await;
    w.clock.advance(DAY_S);
    // New codes and an app of the thief's own.
    let mut thief = by_password(&w, &carl).await;
    let thiefs = make(&mut thief).await;
    set_up_totp(&w, &mut thief).await;
    let mut owner = w.browser();
    let page = ask(&mut owner, "carl").await;
    pass_of(&prove(&mut owner.clone(), &page, "", &owners[0]).await);
    let code = w.mailed_code(&mut Vec::new()).await;
    let pass = pass_of(&prove(&mut owner, &page, &code, "").await);
    // The new password takes the place of app and codes.
    assert_eq!(set_password(&mut owner, &pass).await.status, 200);
    assert_eq!(w.account_of(&carl).await.totp, None);
    owner.try_password("carl", "quiet harbour ninety moths").await;
    assert!(owner.is_signed_in().await);
    w.clock.advance(DAY_S);
    let page = ask(&mut thief, "carl").await;
    assert_eq!(prove(&mut thief, &page, "", &thiefs[0]).await.status, 401);
}

#[tokio::test]
async fn an_app_of_today_stops_no_recovery() {
    let w = World::mailing(Db::Sqlite).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let codes = make(&mut by_password(&w, &carl).await).await;
    let mut owner = w.browser();
    let page = ask(&mut owner, "carl").await;
    assert!(waits(&prove(&mut owner, &page, "", &codes[0]).await));
    let mut thief = by_password(&w, &carl).await;
    let app = set_up_totp(&w, &mut thief).await;
    for settled in [false, true] {
        w.clock.advance(60);
        let mut browser = w.browser();
        browser.try_password("carl", PASSWORD).await;
        let code = app.code(w.clock.now());
        form(&mut browser, "/login/totp", "/login/totp", &[("code", &code)]).await;
        assert!(browser.is_signed_in().await);
        assert_eq!(w.account_of(&carl).await.recovery.is_none(), settled);
        w.clock.advance(DAY_S);
    }
}

#[tokio::test]
async fn a_passkey_set_aside_is_neither_removed_nor_come_round_by_a_password() {
    let w = World::mailing(Db::Sqlite).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let ann = w.person_with_both("ann", Options::platform()).await;
    w.suspend(&ann, 0).await;
    let mut thief = by_password(&w, &ann).await;
    let id = idp_core::encoding::base64url(&ann.keys[0].credential_id);
    let csrf = thief.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let path = format!("/account/security/remove?passkey={id}");
    assert_eq!(thief.get(&path).await.verdict(), refused(403, "passkey_protected"));
    let fields = [("csrf", csrf.as_str()), ("passkey", &id), ("last", "1")];
    assert_eq!(thief.post("/account/security/remove", &fields).await.verdict(), refused(403, "passkey_protected"));
    assert!(!thief.get("/account/security").await.has("mailed-code-send"));
    let answer = thief.post("/login/enrol/code", &[("csrf", &csrf), ("account", "1")]).await;
    assert_eq!(answer.verdict(), refused(403, "access_pass_required"));
    w.passkey(&ann, 0).await;
}

#[tokio::test]
async fn the_last_passkey_stays_where_a_recovery_would_lead_nowhere() {
    let w = World::mailing(Db::Sqlite).await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    make(&mut browser).await;
    let id = idp_core::encoding::base64url(&ann.keys[0].credential_id);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("passkey", &id), ("last", "1")];
    for (requires, registers) in [(EnrolmentRequires::AccessPass, true), (EnrolmentRequires::Confirmed, false)] {
        w.policy(|p| (p.mode, p.enrolment_requires) = (Mode::PasskeyOnly, requires)).await;
        w.policy(|p| p.allow_registration = registers).await;
        assert_eq!(browser.post("/account/security/remove", &fields).await.status, 409, "{requires:?}");
    }
    w.passkey(&ann, 0).await;
}
