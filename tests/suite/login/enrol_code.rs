//! A code mailed to a verified address confirms who makes a first passkey; nothing else does in its place.

use idp_core::audit::AuditEvent;
use idp_core::passkey::explain::explain;
use idp_core::passkey::policy::{Enrolment, EnrolmentRequires, Mode, Policy};
use idp_core::passkey::reach::{Holder, Reach};
use idp_softkey::Options;
use serde_json::{Value, json};

use super::enrol::{enrol, sign_in_once};
use crate::both;
use crate::factors::{by_password, form, set_up_totp};
use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Answer, Browser, Db, Page, Person, Rp, World};

const DAY_S: i64 = 86_400;

struct Stage {
    w: World,
    rp: Rp,
    carl: Person,
}

/// Somebody with a password and a verified address, where mails are sent and the policy is the default one.
async fn stage(db: Db) -> Stage {
    let w = World::mailing(db).await;
    let rp = w.rp("app").await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    Stage { w, rp, carl }
}

impl Stage {
    /// Signs in by password for a request; the page that follows.
    async fn sign_in(&self, browser: &mut Browser) -> Page {
        let page = browser.open(&self.rp.ask().url()).await;
        browser.sign_in_with_password(&self.carl, page.sealed().as_deref()).await
    }

    /// Whether `idp policy explain` says that the person may make a passkey, or comes in anyhow.
    async fn reach(&self) -> Reach {
        let account = self.w.account_of(&self.carl).await;
        let passkeys = self.w.app.store.list_passkeys(self.w.realm, &account.id).await.unwrap();
        let mails = self.w.app.store.queues_mail();
        let holder = Holder { account, groups: Vec::new(), passkeys, mails };
        explain(&self.w.realm().await, None, &holder, self.w.clock.now()).reach
    }
}

/// Asks for a code on a page that offers one; the page that follows.
async fn send(browser: &mut Browser, page: &Page) -> Page {
    assert!(page.has("mailed-code-send"), "{}", page.body);
    let page = browser.submit(page, "/login/enrol/code", &[]).await;
    if page.next().is_some() { browser.follow(page).await } else { page }
}

/// Types a code in; what follows.
async fn confirm(browser: &mut Browser, page: &Page, code: &str) -> Page {
    let page = browser.submit(page, "/login/enrol/confirm", &[("code", code)]).await;
    if page.next().is_some() { browser.follow(page).await } else { page }
}

/// Begins a ceremony as the page would; the verdict.
async fn begin(browser: &mut Browser, request: Option<String>) -> Page {
    browser.json("/webauthn/register/options", &json!({ "kind": "this-device", "request": request })).await
}

both! {
    async fn whoever_has_a_verified_address_is_nudged_and_confirms_by_a_mailed_code(db) {
        let s = stage(db).await;
        assert_eq!(s.reach().await, Reach::In);
        let mut browser = s.w.browser();
        let page = s.sign_in(&mut browser).await;
        assert!(page.has("enrol-later") && !page.has("passkey-create"), "{}: {}", rule("enrol.code"), page.body);
        assert!(page.body.contains("c…@example.org") && !page.body.contains("carl@example.org"), "{}", page.body);
        assert_eq!(begin(&mut browser, page.sealed()).await.verdict(), refused(403, "access_pass_required"));
        let page = send(&mut browser, &page).await;
        let (letter, code) = s.w.letter_with_code(&mut Vec::new()).await;
        assert!(letter.to.contains("carl@example.org") && letter.subject.contains("first passkey"), "{letter:?}");
        assert!(page.has("mailed-code") && !page.body.contains(&code), "{}", page.body);
        let page = confirm(&mut browser, &page, &format!(" {} {} ", &code[..4], &code[4..])).await;
        assert!(page.has("passkey-create") && !page.has("mailed-code-send"), "{}", page.body);
        // It takes a while to find the security key; the password is old by then.
        s.w.clock.advance(500);
        let mut new = key(Options::platform());
        let made = enrol(&mut browser, &page, "this-device", &mut new).await;
        Answer::of(&sign_in_once(&mut browser, &made, new).await).code();
        assert_eq!(s.w.audit_rows(&s.carl, AuditEvent::PasskeyRegistered).await.len(), 1);
    }

    async fn a_code_works_once_and_in_its_browser_alone(db) {
        let s = stage(db).await;
        let mut browser = s.w.browser();
        let page = s.sign_in(&mut browser).await;
        let page = send(&mut browser, &page).await;
        let code = s.w.mailed_code(&mut Vec::new()).await;
        // Another browser of the same person.
        let mut other = s.w.browser();
        let there = s.sign_in(&mut other).await;
        let stolen = other.post("/login/enrol/confirm", &csrf(&there, &code)).await;
        assert!(stolen.status == 401 && !stolen.has("passkey-create"), "{}", stolen.body);
        // The same browser as it was before the code was used.
        let mut before = browser.clone();
        let right = confirm(&mut browser, &page, &code).await;
        assert!(right.has("passkey-create"), "{}", right.body);
        let again = before.submit(&page, "/login/enrol/confirm", &[("code", &code)]).await;
        assert!(again.status == 401 && !again.has("passkey-create"), "{}", again.body);
        assert_eq!(begin(&mut before, page.sealed()).await.verdict(), refused(403, "access_pass_required"));
        assert_eq!(begin(&mut browser, page.sealed()).await.status, 200);
    }
}

/// Fields of a form that is typed by hand.
fn csrf<'a>(page: &'a Page, code: &'a str) -> Vec<(&'static str, &'a str)> {
    let find = |name: &str| page.form("/login/enrol/code").into_iter().find(|(n, _)| n == name).unwrap().1;
    let (csrf, request) = (find("csrf").leak() as &str, find("request").leak() as &str);
    vec![("csrf", csrf), ("request", request), ("code", code)]
}

#[tokio::test]
async fn the_security_page_confirms_by_a_code_too() {
    let s = stage(Db::Sqlite).await;
    let mut browser = by_password(&s.w, &s.carl).await;
    let page = browser.get("/account/security").await;
    assert!(!page.has("passkey-create"), "{}", page.body);
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut Vec::new()).await;
    let wrong = browser.submit(&page, "/login/enrol/confirm", &[("code", "12")]).await;
    assert!(wrong.status == 401 && wrong.has("mailed-code") && wrong.has("passkeys"), "{}", wrong.body);
    let page = confirm(&mut browser, &wrong, &code).await;
    assert!(page.has("passkey-create"), "{}", page.body);
    let made = enrol(&mut browser, &page, "this-device", &mut key(Options::platform())).await;
    assert_eq!((made.status, &made.value()["next"]), (201, &json!("/account/security?added=1")));
    // A second one takes a sign-in by the first.
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "sign_in_again"));
}

#[tokio::test]
async fn an_old_sign_in_is_asked_for_again_before_a_code_is_mailed() {
    let s = stage(Db::Sqlite).await;
    let mut browser = by_password(&s.w, &s.carl).await;
    let page = browser.get("/account/security").await;
    s.w.clock.advance(301);
    let late = browser.submit(&page, "/login/enrol/code", &[]).await;
    assert_eq!(late.next().as_deref(), Some("/login?again=1"));
    let page = browser.open(&s.rp.ask().url()).await;
    let late = browser.submit(&page, "/login/enrol/code", &[]).await;
    let page = browser.follow(late).await;
    assert!(page.has("username"), "{}", page.body);
    let page = browser.sign_in_with_password(&s.carl, page.sealed().as_deref()).await;
    assert!(send(&mut browser, &page).await.has("mailed-code"));
}

#[tokio::test]
async fn a_mode_that_needs_both_confirms_without_a_session() {
    let s = stage(Db::Sqlite).await;
    s.w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    assert_eq!(s.reach().await, Reach::Enrols);
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    assert!(!page.has("enrol-later") && browser.cookie("session").is_none(), "{}", page.body);
    // The mail takes longer than a first factor waits elsewhere.
    let page = send(&mut browser, &page).await;
    s.w.clock.advance(400);
    let code = s.w.mailed_code(&mut Vec::new()).await;
    let page = confirm(&mut browser, &page, &code).await;
    s.w.clock.advance(400);
    let mut new = key(Options::platform());
    let made = enrol(&mut browser, &page, "this-device", &mut new).await;
    Answer::of(&sign_in_once(&mut browser, &made, new).await).code();
}

#[tokio::test]
async fn a_required_passkey_is_confirmed_by_a_code() {
    let s = stage(Db::Sqlite).await;
    s.w.policy(|p| p.enrolment = Enrolment::Required(0)).await;
    assert_eq!(s.reach().await, Reach::Enrols);
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    assert!(!page.has("enrol-later"), "{}", page.body);
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut Vec::new()).await;
    assert!(confirm(&mut browser, &page, &code).await.has("passkey-create"));
}

#[tokio::test]
async fn wrong_codes_are_throttled_and_stop_no_passkey() {
    let s = stage(Db::Sqlite).await;
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut Vec::new()).await;
    for _ in 0..5 {
        let wrong = browser.submit(&page, "/login/enrol/confirm", &[("code", "00000001")]).await;
        assert!(wrong.status == 401 && wrong.has("mailed-code"), "{}", wrong.body);
    }
    let right = browser.submit(&page, "/login/enrol/confirm", &[("code", &code)]).await;
    assert_eq!((right.status, right.header("retry-after")), (429, Some("1")), "{}", right.body);
    assert_eq!(s.w.audit_rows(&s.carl, AuditEvent::SignInFailed).await.len(), 5);
    // Neither the password nor whoever has a passkey waits.
    assert_eq!(s.w.browser().try_password("carl", PASSWORD).await.status, 200);
    s.w.clock.advance(2);
    assert!(confirm(&mut browser, &page, &code).await.has("passkey-create"));
}

#[tokio::test]
async fn few_codes_are_mailed_in_an_hour() {
    let s = stage(Db::Sqlite).await;
    let mut browser = s.w.browser();
    let mut page = s.sign_in(&mut browser).await;
    let mut known = Vec::new();
    for _ in 0..5 {
        page = send(&mut browser, &page).await;
        s.w.mailed_code(&mut known).await;
    }
    let more = browser.submit(&page, "/login/enrol/code", &[]).await;
    assert!(more.status == 429 && more.header("retry-after").is_some(), "{}", more.body);
    // The newest one counts.
    let old = browser.submit(&page, "/login/enrol/confirm", &[("code", &known[0])]).await;
    assert_eq!(old.status, 401);
    assert!(confirm(&mut browser, &page, &known[4]).await.has("passkey-create"));
}

#[tokio::test]
async fn an_old_code_and_one_for_another_address_or_account_confirm_nothing() {
    let s = stage(Db::Sqlite).await;
    let mut known = Vec::new();
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let old = s.w.mailed_code(&mut known).await;
    s.w.clock.advance(600);
    let late = browser.submit(&page, "/login/enrol/confirm", &[("code", &old)]).await;
    assert!(late.status == 401 && !late.has("mailed-code") && late.has("mailed-code-send"), "{}", late.body);

    // Mailed to the former address.
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let former = s.w.mailed_code(&mut known).await;
    s.w.set_profile(&s.carl, |p| p.email = Some("new@example.org".to_owned())).await;
    assert_eq!(browser.submit(&page, "/login/enrol/confirm", &[("code", &former)]).await.status, 401);

    // Confirmed by the former address.
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut known).await;
    let page = confirm(&mut browser, &page, &code).await;
    assert!(page.has("passkey-create"), "{}", page.body);
    s.w.set_profile(&s.carl, |p| p.email = Some("newer@example.org".to_owned())).await;
    assert_eq!(begin(&mut browser, page.sealed()).await.verdict(), refused(403, "access_pass_required"));

    // For somebody else in the same browser.
    let dora = Stage { carl: s.w.person_with_password("dora", PASSWORD).await, ..s };
    let mut browser = dora.w.browser();
    let page = dora.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let code = dora.w.mailed_code(&mut known).await;
    let emil = Stage { carl: dora.w.person_with_password("emil", PASSWORD).await, ..dora };
    let page = {
        let _ = page;
        emil.sign_in(&mut browser).await
    };
    assert_eq!(browser.post("/login/enrol/confirm", &csrf(&page, &code)).await.status, 401);
}

#[tokio::test]
async fn a_confirmation_is_over_after_ten_minutes() {
    let s = stage(Db::Sqlite).await;
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut Vec::new()).await;
    let page = confirm(&mut browser, &page, &code).await;
    s.w.clock.advance(600);
    let late = begin(&mut browser, page.sealed()).await;
    assert_eq!(late.verdict(), refused(403, "sign_in_again"));
}

#[tokio::test]
async fn is_not_offered_where_it_cannot_work() {
    let s = stage(Db::Sqlite).await;
    let forged = async |browser: &mut Browser| {
        let value: Value = browser.get("/webauthn/session").await.value();
        let csrf = value["csrf"].as_str().unwrap();
        let sent = browser.post("/login/enrol/code", &[("csrf", csrf)]).await;
        let typed = browser.post("/login/enrol/confirm", &[("csrf", csrf), ("code", "12345678")]).await;
        (sent.verdict(), typed.verdict())
    };
    let no = || (refused(403, "access_pass_required"), refused(403, "access_pass_required"));
    // An address that nobody proved to read.
    s.w.set_profile(&s.carl, |p| p.email_verified = false).await;
    let mut browser = s.w.browser();
    Answer::of(&s.sign_in(&mut browser).await).code();
    assert!(!browser.get("/account/security").await.has("mailed-code-send"));
    assert_eq!(forged(&mut browser).await, no(), "{}", rule("enrol.confirmed"));
    s.w.policy(|p| p.enrolment = Enrolment::Required(0)).await;
    assert_eq!(s.reach().await, Reach::Out);
    s.w.policy(|p| p.enrolment = Policy::default().enrolment).await;
    s.w.set_profile(&s.carl, |p| p.email_verified = true).await;
    // A policy that wants an access pass.
    s.w.policy(|p| p.enrolment_requires = EnrolmentRequires::AccessPass).await;
    assert_eq!(forged(&mut browser).await, no());
    s.w.policy(|p| p.enrolment_requires = EnrolmentRequires::Confirmed).await;
    // Nobody is signed in, and no password was given.
    let mut nobody = s.w.browser();
    nobody.get("/login?switch=1").await;
    assert_eq!(forged(&mut nobody).await.0, refused(401, "not_signed_in"));
    assert!(s.w.letters(0).await.iter().all(|letter| !letter.subject.contains("first passkey")));
}

#[tokio::test]
async fn an_authenticator_app_is_asked_for_in_place_of_a_code() {
    let s = stage(Db::Sqlite).await;
    let mut browser = by_password(&s.w, &s.carl).await;
    // A code that was typed in before counts no more, either.
    let page = browser.get("/account/security").await;
    let page = send(&mut browser, &page).await;
    let code = s.w.mailed_code(&mut Vec::new()).await;
    assert!(confirm(&mut browser, &page, &code).await.has("passkey-create"));
    let secret = set_up_totp(&s.w, &mut browser).await;
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "access_pass_required"));
    s.w.clock.advance(DAY_S);
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = browser.submit(&page, "/login/totp", &[("code", &secret.code(s.w.clock.now()))]).await;
    let page = browser.follow(page).await;
    assert!(page.has("passkey-create") && !page.has("mailed-code-send"), "{}", page.body);
}

#[tokio::test]
async fn codes_of_recovery_and_of_enrolment_do_not_count_for_each_other() {
    let s = stage(Db::Sqlite).await;
    let mut known = Vec::new();
    let mut browser = s.w.browser();
    let page = s.sign_in(&mut browser).await;
    let page = send(&mut browser, &page).await;
    let of_enrolment = s.w.mailed_code(&mut known).await;
    let recovery = form(&mut browser, "/login/recovery?again=1", "/login/recovery", &[("username", "carl")]).await;
    let recovery = browser.follow(recovery).await;
    let of_recovery = s.w.mailed_code(&mut known).await;
    assert_eq!(browser.submit(&page, "/login/enrol/confirm", &[("code", &of_recovery)]).await.status, 401);
    let tried = browser.submit(&recovery, "/login/recovery/prove", &[("email_code", &of_enrolment)]).await;
    assert_eq!(tried.status, 401, "{}", tried.body);
}

#[tokio::test]
async fn whoever_has_a_passkey_gets_no_other_one_by_a_code() {
    let s = stage(Db::Sqlite).await;
    s.w.policy(|p| p.mode = Mode::Optional).await;
    let mut dora = s.w.account("dora", Some(PASSWORD)).await;
    s.w.add_passkey(&mut dora, Options::platform()).await;
    let mut browser = by_password(&s.w, &dora).await;
    let page = browser.get("/account/security").await;
    assert!(!page.has("mailed-code-send"), "{}", page.body);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let sent = browser.post("/login/enrol/code", &[("csrf", &csrf)]).await;
    assert_eq!(sent.next().as_deref(), Some("/account/security"));
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "sign_in_again"));
    assert!(s.w.letters(0).await.iter().all(|letter| !letter.subject.contains("first passkey")));
}
