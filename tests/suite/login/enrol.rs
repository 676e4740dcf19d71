//! Making a passkey in the midst of a sign-in: offered, required after a grace period, demanded by a client.

use idp_core::passkey::policy::{AllowedTypes, ClientPolicy, Enrolment, EnrolmentRequires, Mode, PasskeyType, Policy};
use idp_softkey::{Faults, Options, SoftKey};
use serde_json::json;

use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Answer, Ask, Browser, Page, Person, Rp, World};

const DAY_S: i64 = 86_400;

struct Stage {
    w: World,
    rp: Rp,
    carl: Person,
}

/// Somebody with a password and nothing else; `enrolment` is asked of whoever signs in.
async fn stage(enrolment: Enrolment, enrolment_requires: EnrolmentRequires) -> Stage {
    let w = World::sqlite().await;
    w.set_policy(Policy { enrolment, enrolment_requires, ..Policy::default() }).await;
    let rp = w.rp("app").await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    Stage { w, rp, carl }
}

impl Stage {
    /// Signs in by password for a request; the page that follows.
    async fn by_password(&self, browser: &mut Browser, ask: &Ask) -> Page {
        let page = browser.open(&ask.url()).await;
        browser.sign_in_with_password(&self.carl, page.sealed().as_deref()).await
    }
}

/// Makes a passkey on the page; the answer.
pub async fn enrol(browser: &mut Browser, page: &Page, kind: &str, key: &mut SoftKey) -> Page {
    let request = page.sealed();
    let begun = browser.json("/webauthn/register/options", &json!({ "kind": kind, "request": request })).await;
    if begun.status != 200 {
        return begun;
    }
    let begun = begun.value();
    let credential = key.create_with(&begun, &browser.origin, &Faults::default());
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    browser.json("/webauthn/register", &body).await
}

/// Goes on with the passkey just made: whoever has just enrolled signs in once with it.
pub async fn sign_in_once(browser: &mut Browser, made: &Page, key: SoftKey) -> Page {
    assert_eq!(made.status, 201, "{}", made.body);
    let page = browser.open(made.value()["next"].as_str().unwrap()).await;
    assert!(page.has("passkey-login"), "{}", page.body);
    let mut keys = [key];
    let answer = browser.use_passkey(&mut keys[0], page.sealed().as_deref()).await;
    assert_eq!(answer.stand(), "complete");
    browser.open(answer.value()["next"].as_str().unwrap()).await
}

#[tokio::test]
async fn offers_a_passkey_and_takes_not_now_for_so_many_days() {
    let s = stage(Enrolment::Nudge(14), EnrolmentRequires::Any).await;
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    assert!(page.has("enrol-later") && page.has("passkey-create"), "{}: {}", rule("enrol.asked"), page.body);
    // Nothing is shown where nothing may be shown.
    let silent = browser.open(&s.rp.ask().with("prompt", "none").url()).await;
    Answer::of(&silent).code();
    let page = browser.submit(&page, "/login/enrol/later", &[]).await;
    Answer::of(&browser.follow(page).await).code();

    for (days, asked) in [(13, false), (2, true)] {
        s.w.clock.advance(days * DAY_S);
        let mut browser = s.w.browser();
        let page = s.by_password(&mut browser, &s.rp.ask()).await;
        assert_eq!(page.has("enrol-later"), asked, "{days}: {}", page.body);
    }
}

#[tokio::test]
async fn whoever_made_a_passkey_signs_in_once_with_it() {
    let s = stage(Enrolment::Nudge(14), EnrolmentRequires::Any).await;
    let mut browser = s.w.browser();
    let ask = s.rp.ask();
    let page = s.by_password(&mut browser, &ask).await;
    let mut new = key(Options::synced());
    let made = enrol(&mut browser, &page, "this-device", &mut new).await;
    let page = sign_in_once(&mut browser, &made, new).await;
    let code = Answer::of(&page).code();
    let answer = s.rp.redeem(&s.w, &ask, &code).await;
    let claims = s.w.accept(&s.rp, &ask, &code, &answer).await.claims;
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("phr"), &json!(["pwd", "swk", "pop", "user", "mfa"])));
}

#[tokio::test]
async fn asks_nobody_for_what_they_cannot_do() {
    // A second factor, an access pass or a mailed code would be needed, and no mails are sent here.
    let s = stage(Enrolment::Nudge(1), EnrolmentRequires::Confirmed).await;
    Answer::of(&s.by_password(&mut s.w.browser(), &s.rp.ask()).await).code();
    s.w.policy(|p| p.enrolment_requires = EnrolmentRequires::AccessPass).await;
    Answer::of(&s.by_password(&mut s.w.browser(), &s.rp.ask()).await).code();
    s.w.policy(|p| (p.enrolment, p.enrolment_requires) = (Enrolment::Off, EnrolmentRequires::Any)).await;
    Answer::of(&s.by_password(&mut s.w.browser(), &s.rp.ask()).await).code();
    // Required, it says who can help.
    s.w.policy(|p| (p.enrolment, p.enrolment_requires) = (Enrolment::Required(0), EnrolmentRequires::AccessPass)).await;
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    assert!(!page.has("passkey-create") && page.body.contains("access pass"), "{}", page.body);
    let made = enrol(&mut browser, &page, "this-device", &mut key(Options::synced())).await;
    assert_eq!(made.verdict(), refused(403, "access_pass_required"));
}

#[tokio::test]
async fn requires_one_once_the_grace_period_is_over() {
    let s = stage(Enrolment::Required(7), EnrolmentRequires::Any).await;
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    let page = browser.submit(&page, "/login/enrol/later", &[]).await;
    Answer::of(&browser.follow(page).await).code();
    s.w.clock.advance(6 * DAY_S);
    assert!(s.by_password(&mut s.w.browser(), &s.rp.ask()).await.has("enrol-later"));
    s.w.clock.advance(DAY_S);
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    assert!(page.has("passkey-create") && !page.has("enrol-later"), "{}", page.body);
    let forged = browser.submit(&page, "/login/enrol/later", &[]).await;
    assert_eq!(forged.verdict(), refused(403, "passkey_required"));
    let mut new = key(Options::platform());
    let made = enrol(&mut browser, &page, "this-device", &mut new).await;
    Answer::of(&sign_in_once(&mut browser, &made, new).await).code();
}

#[tokio::test]
async fn a_mode_that_needs_both_enrols_before_there_is_a_session() {
    let s = stage(Enrolment::Off, EnrolmentRequires::Any).await;
    s.w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    assert!(page.has("passkey-create") && browser.cookie("session").is_none(), "{}", page.body);
    // The same page in another browser is worth nothing.
    let stranger = enrol(&mut s.w.browser(), &page, "this-device", &mut key(Options::synced())).await;
    assert_eq!(stranger.verdict(), refused(401, "not_signed_in"));
    let mut new = key(Options::platform());
    let made = enrol(&mut browser, &page, "this-device", &mut new).await;
    Answer::of(&sign_in_once(&mut browser, &made, new).await).code();

    // By the grace rule the password does for a while.
    let s = stage(Enrolment::Required(7), EnrolmentRequires::Any).await;
    s.w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    let mut browser = s.w.browser();
    let page = s.by_password(&mut browser, &s.rp.ask()).await;
    let page = browser.submit(&page, "/login/enrol/later", &[]).await;
    Answer::of(&browser.follow(page).await).code();
    s.w.clock.advance(7 * DAY_S);
    let mut browser = s.w.browser();
    assert!(!s.by_password(&mut browser, &s.rp.ask()).await.has("enrol-later"));
    assert!(browser.cookie("session").is_none());
}

#[tokio::test]
async fn a_client_that_takes_no_passkey_of_the_account_leads_to_one_that_it_takes() {
    let w = World::sqlite().await;
    let keys_only = AllowedTypes::Only([PasskeyType::SecurityKey].into());
    let demands = ClientPolicy { allowed_types: Some(keys_only), ..ClientPolicy::default() };
    let rp = w.rp_with("keys", |settings| settings.policy = demands).await;
    let mut ann = w.person_with_key("ann", Options::synced()).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
    let page = browser.open(&next).await;
    assert!(
        page.body.contains("data-kind=\"security-key\"") && !page.body.contains("data-kind=\"phone\""),
        "{}",
        page.body
    );
    assert!(!page.has("enrol-later"));
    let wrong = enrol(&mut browser, &page, "this-device", &mut key(Options::platform())).await;
    assert_eq!(wrong.verdict(), refused(403, "type_not_allowed"));
    let mut new = key(Options::security_key());
    let made = enrol(&mut browser, &page, "security-key", &mut new).await;
    Answer::of(&sign_in_once(&mut browser, &made, new).await).code();
    // Elsewhere nothing is asked.
    let other = w.rp("other").await;
    Answer::of(&browser.open(&other.ask().url()).await).code();
}

#[tokio::test]
async fn a_sign_in_without_an_application_is_asked_by_the_same_rule() {
    let s = stage(Enrolment::Nudge(14), EnrolmentRequires::Any).await;
    let mut browser = s.w.browser();
    let page = browser.sign_in_with_password(&s.carl, None).await;
    assert!(page.has("enrol-later") && page.has("passkey-create") && !page.has("login-cancel"), "{}", page.body);
    let page = browser.submit(&page, "/login/enrol/later", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security"));
    assert_eq!(browser.get("/login/enrol").await.location(), Some("/account/security"), "nothing more is asked");
    // Once is enough, wherever it was.
    Answer::of(&s.by_password(&mut s.w.browser(), &s.rp.ask()).await).code();
    assert_eq!(s.w.browser().try_password("carl", PASSWORD).await.next().as_deref(), Some("/account/security"));
    s.w.clock.advance(14 * DAY_S);
    let mut browser = s.w.browser();
    let page = browser.sign_in_with_password(&s.carl, None).await;
    assert!(page.has("enrol-later"), "{}", page.body);
    let mut new = key(Options::platform());
    let made = enrol(&mut browser, &page, "this-device", &mut new).await;
    assert_eq!((made.status, made.value()["next"].as_str()), (201, Some("/account/security?added=1")));
    let mut browser = s.w.browser();
    let answer = browser.use_passkey(&mut new, None).await;
    assert_eq!(answer.value()["next"], "/account/security", "who has one is not asked");
    assert_eq!(s.w.browser().get("/login/enrol").await.location(), Some("/login"));
}

#[tokio::test]
async fn a_required_passkey_is_required_without_an_application_too() {
    let s = stage(Enrolment::Required(7), EnrolmentRequires::Any).await;
    let mut browser = s.w.browser();
    let page = browser.sign_in_with_password(&s.carl, None).await;
    let page = browser.submit(&page, "/login/enrol/later", &[]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security"));
    s.w.clock.advance(7 * DAY_S);
    let mut browser = s.w.browser();
    let page = browser.sign_in_with_password(&s.carl, None).await;
    assert!(page.has("passkey-create") && !page.has("enrol-later"), "{}", page.body);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let forged = browser.post("/login/enrol/later", &[("csrf", &csrf)]).await;
    assert_eq!(forged.verdict(), refused(403, "passkey_required"));
    // By JSON the way is told as well.
    let mut browser = s.w.browser();
    browser.get("/login").await;
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.csrf = csrf;
    let answer = browser.json("/login/password", &json!({ "username": "carl", "password": PASSWORD })).await;
    assert_eq!((answer.stand().as_str(), &answer.value()["next"]), ("complete", &json!("/login/enrol")));
}

#[tokio::test]
async fn the_grace_of_a_required_passkey_begins_with_the_first_sign_in_and_silence_does_not_prolong_it() {
    let s = stage(Enrolment::Required(7), EnrolmentRequires::Any).await;
    let silent = s.rp.ask().with("prompt", "none");
    s.w.set_settings(|settings| settings.session_idle_s = 30 * DAY_S).await;
    s.w.set_settings(|settings| settings.session_lifetime_s = 30 * DAY_S).await;
    let asked = async || s.w.app.store.find_account(s.w.realm, &s.carl.id).await.unwrap().unwrap().preferences;
    let mut browser = s.w.browser();
    // They never look at the page that asks.
    assert_eq!(browser.try_password("carl", PASSWORD).await.status, 200);
    let first = asked().await.passkey_first_asked;
    assert_eq!(first, Some(s.w.clock.now()));
    Answer::of(&browser.open(&silent.url()).await).code();
    s.w.clock.advance(6 * DAY_S);
    Answer::of(&browser.open(&silent.url()).await).code();
    s.w.browser().try_password("carl", PASSWORD).await;
    assert_eq!(asked().await.passkey_first_asked, first);
    s.w.clock.advance(DAY_S);
    let answer = Answer::of(&browser.open(&silent.url()).await);
    assert_eq!(answer.params["error"], "interaction_required", "{}", rule("enrol.asked"));
    let page = browser.open(&s.rp.ask().url()).await;
    assert!(page.has("passkey-create") && !page.has("enrol-later"), "{}", page.body);
}
