//! Automatic upgrade: after a sign-in by password the browser may make a passkey without a dialogue.
//! WebAuthn L3 §5.1.3 (conditional mediation), §7.1 steps 15 and 16.

use idp_core::audit::AuditEvent;
use idp_core::client::ClientSettings;
use idp_core::passkey::policy::{ClientPolicy, Enrolment, EnrolmentRequires, Mode, PerType, Policy, Requirement};
use idp_softkey::{Faults, Options, SoftKey};
use serde_json::{Value, json};

use crate::both;
use crate::factors::set_up_totp;
use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Answer, Browser, Db, Page, Person, World};

const DAY_S: i64 = 86_400;
/// Nobody was there: UP and UV are missing.
const NOBODY: u8 = 0x01 | 0x04;

fn upgrading() -> Policy {
    let requires = EnrolmentRequires::Any;
    Policy { automatic_upgrade: true, enrolment: Enrolment::Off, enrolment_requires: requires, ..Policy::default() }
}

/// Somebody with a password and nothing else.
async fn stage(db: Db) -> (World, Person) {
    let w = World::start(db).await;
    w.set_policy(upgrading()).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    (w, carl)
}

/// The answer to a right password, not followed.
pub async fn by_password(browser: &mut Browser, person: &Person, request: Option<&str>) -> Page {
    let path = request.map_or("/login?switch=1".to_owned(), |r| format!("/login?switch=1&request={r}"));
    let page = browser.get(&path).await;
    let page = browser.submit(&page, "/login", &[("username", &person.username)]).await;
    browser.submit(&page, "/login/password", &[("username", &person.username), ("password", PASSWORD)]).await
}

/// Whether the page may make a passkey before it goes on.
pub fn offers(page: &Page) -> bool {
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.has("go-on"), "{}", page.body);
    // With the script the page is left by it, without scripts at once.
    let (script, at_once) =
        (page.body.contains("upgrade."), page.body.contains("<noscript><meta http-equiv=\"refresh\""));
    assert_eq!(script, at_once, "{}", page.body);
    script
}

async fn begin(browser: &mut Browser, request: Option<&str>) -> Page {
    browser.json("/webauthn/register/options", &json!({ "mediation": "conditional", "request": request })).await
}

async fn finish(browser: &mut Browser, begun: &Value, request: Option<&str>, key: &mut SoftKey) -> Page {
    let faults = Faults { flip_flags: NOBODY, ..Faults::default() };
    let credential = key.create_with(begun, &browser.origin, &faults);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    browser.json("/webauthn/register", &body).await
}

/// What the page's script does.
async fn upgrade(browser: &mut Browser, page: &Page, key: &mut SoftKey) -> Page {
    let request = page.sealed();
    let begun = begin(browser, request.as_deref()).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    finish(browser, &begun.value(), request.as_deref(), key).await
}

both! {
    async fn a_password_buys_a_passkey_that_nobody_was_asked_for_and_the_sign_in_goes_on(db) {
        let (w, carl) = stage(db).await;
        let rp = w.rp("app").await;
        let mut browser = w.browser();
        let ask = rp.ask();
        let request = browser.open(&ask.url()).await.sealed();
        let page = by_password(&mut browser, &carl, request.as_deref()).await;
        assert!(offers(&page), "{}", page.body);
        let mut new = key(Options::synced());
        let made = upgrade(&mut browser, &page, &mut new).await;
        assert_eq!((made.status, made.value()["name"].as_str()), (201, Some("Synced passkey")), "{}", made.body);
        let row = &w.audit_rows(&carl, AuditEvent::PasskeyRegistered).await[0];
        assert_eq!((&row.detail["automatic"], &row.detail["synced"]), (&json!(true), &json!(true)));

        // The password signed in, and that is what the tokens say.
        let code = Answer::of(&browser.open(&page.next().unwrap()).await).code();
        let answer = rp.redeem(&w, &ask, &code).await;
        let claims = w.accept(&rp, &ask, &code, &answer).await.claims;
        assert_eq!(claims["amr"], json!(["pwd"]));
        // Nor is it asked for in place of the password before its owner has used it.
        assert_eq!(by_password(&mut w.browser(), &carl, None).await.next().as_deref(), Some("/account/security"));

        // It signs in like any other, once it verified its user.
        let uv = Faults { flip_flags: 0x04, ..Faults::default() };
        let unverified = w.browser().try_passkey(&mut new, &uv).await;
        assert_eq!(unverified.verdict(), refused(400, "user_not_verified"));
        let mut browser = w.browser();
        assert_eq!(browser.try_passkey(&mut new, &Faults::default()).await.stand(), "complete");
        let claims = w.claims(&mut browser, &rp).await;
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("phr"), &json!(["swk", "pop", "user", "mfa"])));
        let next = by_password(&mut w.browser(), &carl, None).await.next();
        assert_eq!(next.as_deref(), Some("/login/second-factor"), "from then on it takes the password's place");
    }
}

#[tokio::test]
async fn an_unverified_passkey_is_worth_what_it_proved() {
    let (w, carl) = stage(Db::Sqlite).await;
    w.policy(|p| p.user_verification = PerType::all(Requirement::Preferred)).await;
    let rp = w.rp("app").await;
    let mut browser = w.browser();
    let page = by_password(&mut browser, &carl, None).await;
    let mut new = key(Options::synced());
    assert_eq!(upgrade(&mut browser, &page, &mut new).await.status, 201);
    let mut browser = w.browser();
    let uv = Faults { flip_flags: 0x04, ..Faults::default() };
    assert_eq!(browser.try_passkey(&mut new, &uv).await.stand(), "complete");
    let claims = w.claims(&mut browser, &rp).await;
    assert_eq!(claims["amr"], json!(["swk", "pop", "user"]), "somebody was there, but not `mfa`");
    assert_ne!(claims["acr"], "phr");
}

#[tokio::test]
async fn nobody_is_excused_from_being_there_in_another_ceremony() {
    let (w, carl) = stage(Db::Sqlite).await;
    let mut browser = w.browser();
    by_password(&mut browser, &carl, None).await;
    let begun = browser.json("/webauthn/register/options", &json!({})).await.value();
    let answer = finish(&mut browser, &begun, None, &mut key(Options::synced())).await;
    let id = rule("webauthn.registration.user_not_present");
    assert_eq!(answer.verdict(), refused(400, "user_not_present"), "{id}");
    let unknown = browser.json("/webauthn/register/options", &json!({ "mediation": "silent" })).await;
    assert_eq!(unknown.verdict(), refused(400, "body_invalid"));
}

#[tokio::test]
async fn the_field_is_asked_when_it_is_offered_begun_and_finished() {
    let (w, carl) = stage(Db::Sqlite).await;
    let mut browser = w.browser();
    by_password(&mut browser, &carl, None).await;
    let begun = begin(&mut browser, None).await;
    assert_eq!(begun.status, 200);
    w.policy(|p| p.automatic_upgrade = false).await;
    let late = finish(&mut browser, &begun.value(), None, &mut key(Options::synced())).await;
    assert_eq!(late.verdict(), refused(403, "upgrade_refused"));
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "upgrade_refused"));
    assert!(!offers(&by_password(&mut w.browser(), &carl, None).await));
}

#[tokio::test]
async fn only_where_the_password_is_the_strongest_factor() {
    let (w, carl) = stage(Db::Sqlite).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    // A passkey of one's own.
    let ann = w.person_with_both("ann", Options::synced()).await;
    let mut browser = w.browser();
    assert!(!offers(&by_password(&mut browser, &ann, None).await));
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "sign_in_again"));
    // One that was made in another tab meanwhile.
    let mut browser = w.browser();
    assert!(offers(&by_password(&mut browser, &carl, None).await));
    let (one, two) = (begin(&mut browser, None).await.value(), begin(&mut browser, None).await.value());
    assert_eq!(finish(&mut browser, &one, None, &mut key(Options::synced())).await.status, 201);
    let second = finish(&mut browser, &two, None, &mut key(Options::synced())).await;
    assert_eq!(second.verdict(), refused(403, "upgrade_refused"));
    // An authenticator app.
    let eve = w.person_with_password("eve", PASSWORD).await;
    let mut browser = w.browser();
    by_password(&mut browser, &eve, None).await;
    set_up_totp(&w, &mut browser).await;
    assert!(begin(&mut browser, None).await.status == 403);
    // Nobody at all, and a sign-in of a while ago.
    assert_eq!(begin(&mut w.browser(), None).await.verdict(), refused(401, "not_signed_in"));
    let dan = w.person_with_password("dan", PASSWORD).await;
    let mut browser = w.browser();
    by_password(&mut browser, &dan, None).await;
    let begun = begin(&mut browser, None).await.value();
    w.clock.advance(301);
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "sign_in_again"));
    let late = finish(&mut browser, &begun, None, &mut key(Options::synced())).await;
    assert_eq!(late.verdict(), refused(403, "sign_in_again"));
}

#[tokio::test]
async fn never_for_a_client_that_would_refuse_it_or_forbids_pages() {
    let (w, carl) = stage(Db::Sqlite).await;
    let demands = ClientPolicy { deny_synced: true, ..ClientPolicy::default() };
    let picky = w.rp_with("picky", |settings: &mut ClientSettings| settings.policy = demands).await;
    let rp = w.rp("app").await;
    let mut browser = w.browser();
    let request = browser.open(&picky.ask().url()).await.sealed();
    let page = by_password(&mut browser, &carl, request.as_deref()).await;
    assert!(!offers(&page));
    assert_eq!(begin(&mut browser, page.sealed().as_deref()).await.verdict(), refused(403, "upgrade_refused"));
    // A sealed request with `prompt=none` is no way to a passkey, either.
    let silent = browser.post("/authorize", &rp.ask().with("prompt", "none").fields()).await.sealed();
    assert!(silent.is_some());
    assert_eq!(begin(&mut browser, silent.as_deref()).await.verdict(), refused(403, "upgrade_refused"));
    assert_eq!(begin(&mut browser, None).await.status, 200);
}

#[tokio::test]
async fn a_browser_that_made_none_is_left_alone_for_two_weeks() {
    let (w, carl) = stage(Db::Sqlite).await;
    let mut browser = w.browser();
    assert!(offers(&by_password(&mut browser, &carl, None).await));
    // A browser that cannot does not ask, so it may learn.
    assert!(offers(&by_password(&mut browser, &carl, None).await));
    let begun = begin(&mut browser, None).await;
    let cookie = begun.headers.get_all("set-cookie").iter().find_map(|line| {
        let line = line.to_str().unwrap();
        line.contains("-upgrade=").then(|| line.to_owned())
    });
    assert!(cookie.unwrap().contains(&format!("Max-Age={}", 14 * DAY_S)));
    assert!(!offers(&by_password(&mut browser, &carl, None).await));
    // Somebody else at it, and the same person elsewhere.
    let eve = w.person_with_password("eve", PASSWORD).await;
    assert!(offers(&by_password(&mut browser, &eve, None).await));
    assert!(offers(&by_password(&mut w.browser(), &carl, None).await));
}

#[tokio::test]
async fn who_removes_it_needs_no_more_than_before_and_gets_no_other() {
    let (w, mut carl) = stage(Db::Sqlite).await;
    let mut browser = w.browser();
    let page = by_password(&mut browser, &carl, None).await;
    let mut new = key(Options::synced());
    assert_eq!(upgrade(&mut browser, &page, &mut new).await.status, 201);
    carl.keys.push(new);
    let id = idp_core::encoding::base64url(&carl.keys[0].credential_id);
    let page = browser.get(&format!("/account/security/remove?passkey={id}")).await;
    let page = browser.submit(&page, "/account/security/remove", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?removed=1"), "{}", page.body);
    w.clock.advance(400 * DAY_S);
    let mut browser = w.browser();
    assert!(!offers(&by_password(&mut browser, &carl, None).await));
    assert_eq!(begin(&mut browser, None).await.verdict(), refused(403, "upgrade_refused"));
}

#[tokio::test]
async fn its_owner_is_mailed_that_it_was_saved_and_how_to_remove_it() {
    let w = World::mailing(Db::Sqlite).await;
    w.set_policy(upgrading()).await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    let page = by_password(&mut browser, &carl, None).await;
    assert_eq!(upgrade(&mut browser, &page, &mut key(Options::synced())).await.status, 201);
    let letters = w.letters(1).await;
    let text = &letters[0].text;
    assert_eq!(letters[0].subject, "A passkey was added to your The Realm account");
    for says in ["without asking", "“Synced passkey”", "remove it", &format!("\n{}/account/security\n", w.issuer)] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[tokio::test]
async fn a_nudge_has_no_reason_any_more_where_it_worked() {
    let (w, carl) = stage(Db::Sqlite).await;
    w.policy(|p| p.enrolment = Enrolment::Nudge(14)).await;
    let rp = w.rp("app").await;
    for (works, asked) in [(false, true), (true, false)] {
        let mut browser = w.browser();
        let request = browser.open(&rp.ask().url()).await.sealed();
        let page = by_password(&mut browser, &carl, request.as_deref()).await;
        assert!(offers(&page), "before anybody is asked");
        if works {
            assert_eq!(upgrade(&mut browser, &page, &mut key(Options::synced())).await.status, 201);
        }
        let next = browser.open(&page.next().unwrap()).await;
        assert_eq!(next.has("enrol-later"), asked, "{}", next.body);
    }
    // The same without an application.
    let eve = w.person_with_password("eve", PASSWORD).await;
    let mut browser = w.browser();
    let page = by_password(&mut browser, &eve, None).await;
    assert!(offers(&page) && browser.get("/login/enrol").await.has("enrol-later"));
    assert_eq!(upgrade(&mut browser, &page, &mut key(Options::synced())).await.status, 201);
    assert_eq!(browser.get(&page.next().unwrap()).await.location(), Some("/account/security"));
    // "Not now" is said to this as well.
    let dan = w.person_with_password("dan", PASSWORD).await;
    let mut browser = w.browser();
    by_password(&mut browser, &dan, None).await;
    let page = browser.get("/login/enrol").await;
    browser.submit(&page, "/login/enrol/later", &[]).await;
    assert!(!offers(&by_password(&mut w.browser(), &dan, None).await));
}
