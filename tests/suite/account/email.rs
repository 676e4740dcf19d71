//! A mailed code proves an address: the right one, in time, once.

use idp_core::audit::AuditEvent;

use crate::both;
use crate::rules::rule;
use crate::world::post::Letter;
use crate::world::{Browser, Db, Page, Person, World};

/// Somebody whose address is unproved, signed in.
async fn unproved(w: &World) -> (Person, Browser) {
    let mut ann = w.person("ann").await;
    w.set_profile(&ann, |p| p.email_verified = false).await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    (ann, browser)
}

async fn send(browser: &mut Browser) -> Page {
    let page = browser.get("/account").await;
    browser.submit(&page, "/account/email/code", &[]).await
}

async fn enter(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, "/account/email/verify", &[("code", code)]).await
}

/// The code of the newest letter with one, once there are so many; other mails come whenever they come.
async fn code(w: &World, codes: usize) -> String {
    let of = |letter: &Letter| {
        let mut lines = letter.text.lines().map(str::trim);
        lines.find(|line| line.len() == 9 && line.as_bytes()[4] == b'-').map(str::to_owned)
    };
    for _ in 0..60 {
        let mut found: Vec<String> = w.letters(0).await.iter().filter_map(of).collect();
        if found.len() >= codes {
            return found.pop().unwrap();
        }
    }
    panic!("no mail with a code came");
}

async fn is_verified(w: &World, person: &Person) -> bool {
    w.app.store.find_account(w.realm, &person.id).await.unwrap().unwrap().profile.email_verified
}

both! {
    async fn the_code_from_the_mail_verifies_the_address_once(db) {
        let w = World::mailing(db).await;
        let (ann, mut browser) = unproved(&w).await;
        let sent = send(&mut browser).await;
        assert!(sent.status == 200 && sent.has("email-verify"), "{}", sent.body);
        let code = code(&w, 1).await;
        assert!(!sent.body.contains(&code), "the page does not know it");
        let wrong = enter(&mut browser, &sent, "BCDF-GHJK").await;
        assert!(wrong.status == 422 && wrong.has("email-verify") && !is_verified(&w, &ann).await, "{}", wrong.body);
        let right = enter(&mut browser, &wrong, &code.to_lowercase().replace('-', " ")).await;
        assert_eq!(right.next().as_deref(), Some("/account?verified=1"), "{}", rule("email.code"));
        assert!(is_verified(&w, &ann).await);
        assert_eq!(w.audit_rows(&ann, AuditEvent::EmailVerified).await.len(), 1);
        let page = browser.get("/account?verified=1").await;
        assert!(page.body.contains("Your address is verified") && !page.has("email-code"), "{}", page.body);
        // Not a second time, even after the mark was taken away.
        w.set_profile(&ann, |p| p.email_verified = false).await;
        let again = enter(&mut browser, &sent, &code).await;
        assert!(again.status == 422 && !is_verified(&w, &ann).await, "{}", again.body);
    }
}

#[tokio::test]
async fn an_old_code_and_one_for_another_address_or_person_prove_nothing() {
    let w = World::mailing(Db::Sqlite).await;
    let (ann, mut browser) = unproved(&w).await;
    let sent = send(&mut browser).await;
    let first = code(&w, 1).await;
    w.clock.advance(601);
    assert_eq!(enter(&mut browser, &sent, &first).await.status, 422, "too old");
    let sent = send(&mut browser).await;
    let second = code(&w, 2).await;
    let mut bob = w.person("bob").await;
    w.set_profile(&bob, |p| p.email_verified = false).await;
    let mut other = w.browser();
    other.sign_in_with_passkey(&mut bob, None).await;
    let theirs = sent.form("/account/email/verify").into_iter().find(|(name, _)| name == "verification").unwrap().1;
    let csrf = other.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("verification", &theirs), ("code", &second)];
    assert_eq!(other.post("/account/email/verify", &fields).await.status, 422, "another person's");
    w.set_profile(&ann, |p| p.email = Some("new@example.org".to_owned())).await;
    assert_eq!(enter(&mut browser, &sent, &second).await.status, 422, "the address changed");
    assert!(!is_verified(&w, &ann).await && !is_verified(&w, &bob).await);
    assert_eq!(w.browser().post("/account/email/code", &[("csrf", "x")]).await.status, 403);
}

#[tokio::test]
async fn mails_and_guesses_are_bounded() {
    let w = World::mailing(Db::Sqlite).await;
    let (ann, mut browser) = unproved(&w).await;
    let sent = send(&mut browser).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(enter(&mut browser, &sent, "BCDF-GHJK").await.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429], "{}", rule("email.throttled"));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(send(&mut browser).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429], "five mails, the first one above");
    assert!(!is_verified(&w, &ann).await);
}

#[tokio::test]
async fn a_day_has_six_codes_for_an_address_whoever_asks() {
    let w = World::mailing(Db::Sqlite).await;
    let (ann, mut browser) = unproved(&w).await;
    w.set_profile(&ann, |p| p.email = Some("victim@bank.example".to_owned())).await;
    for n in 0..6 {
        assert_eq!(send(&mut browser).await.status, 200, "{n}");
        w.clock.advance(1800);
    }
    let refused = send(&mut browser).await;
    assert!(refused.status == 429 && refused.body.contains("a day"), "{} {}", rule("email.unproved"), refused.body);
    w.set_profile(&ann, |p| p.email = Some("ann@example.org".to_owned())).await;
    assert_eq!(send(&mut browser).await.status, 429, "another address does not help");
    let mut bob = w.person("bob").await;
    w.set_profile(&bob, |p| (p.email, p.email_verified) = (Some("Victim@bank.example".to_owned()), false)).await;
    let mut other = w.browser();
    other.sign_in_with_passkey(&mut bob, None).await;
    assert_eq!(send(&mut other).await.status, 429, "another account does not either");
    w.clock.advance(86_400);
    other.sign_in_with_passkey(&mut bob, None).await;
    assert_eq!(send(&mut other).await.status, 200);
}

#[tokio::test]
async fn without_mail_no_address_is_verified() {
    let w = World::sqlite().await;
    let (_, mut browser) = unproved(&w).await;
    assert!(!browser.get("/account").await.has("email-code"));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = browser.post("/account/email/code", &[("csrf", &csrf)]).await;
    assert_eq!(page.verdict(), (403, "verification_off".to_owned()));
}
