//! Sessions and applications of one's own: shown, ended, taken back; never those of others.

use idp_core::audit::AuditEvent;
use idp_core::client::ConsentMode;
use idp_softkey::Faults;

use crate::both;
use crate::world::acts::refused;
use crate::world::{Browser, Page, Person, World};

async fn signed_in(w: &World, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
    browser
}

/// Posts a form of the account pages without having opened it.
async fn post(browser: &mut Browser, path: &str, field: (&str, &str)) -> Page {
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.post(path, &[("csrf", &csrf), field]).await
}

both! {
    async fn sessions_are_shown_and_ended_one_by_one_and_all_at_once(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let mut browser = signed_in(&w, &mut ann).await;
        let (mut second, mut third) = (signed_in(&w, &mut ann).await, signed_in(&w, &mut ann).await);
        let tokens = w.silent_tokens(&mut third, &rp, rp.ask()).await;
        let page = browser.get("/account/sessions").await;
        assert_eq!(page.body.matches("name=\"sid\"").count(), 2, "this one has no button: {}", page.body);
        assert!(page.body.contains("This browser") && page.body.contains("network 127.0.0.*"), "{}", page.body);
        let sid = ann.sid(&w, &second).await.to_string();
        let answer = post(&mut browser, "/account/sessions/end", ("sid", &sid)).await;
        assert_eq!(answer.next().as_deref(), Some("/account/sessions?ended=1"));
        assert!(!second.is_signed_in().await && third.is_signed_in().await && browser.is_signed_in().await);
        let answer = post(&mut browser, "/account/sessions/end", ("sid", &sid)).await;
        assert_eq!(answer.verdict(), refused(404, "session_unknown"));
        let page = browser.get("/account/security").await;
        let answer = browser.submit(&page, "/account/sessions/end-others", &[]).await;
        assert_eq!(answer.next().as_deref(), Some("/account/sessions?others=1"));
        assert!(!third.is_signed_in().await && browser.is_signed_in().await);
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401, "what was granted there is revoked");
        assert_eq!(w.audit_rows(&ann, AuditEvent::SessionEnded).await.len(), 2);
        let page = browser.get("/account/sessions?others=1").await;
        assert!(page.body.contains("All other sessions have ended") && !page.body.contains("name=\"sid\""));
    }

    async fn an_application_loses_what_it_got_and_asks_again(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |c| c.consent = ConsentMode::Ask).await;
        let trusted = w.rp("trusted").await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
        let theirs = w.silent_tokens(&mut browser, &trusted, trusted.ask()).await;
        let page = browser.get("/account/applications").await;
        for text in ["Application app", "Application trusted", "Provided by your organisation", ">ann</span>"] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
        let answer = post(&mut browser, "/account/applications/revoke", ("client_id", "app")).await;
        assert_eq!(answer.next().as_deref(), Some("/account/applications?revoked=1"));
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 200);
        let page = browser.get(&rp.ask().url()).await;
        let page = browser.follow(page).await;
        assert!(page.has("consent-allow"), "it asks again: {}", page.body);
        // One that never had to ask is taken back as well.
        post(&mut browser, "/account/applications/revoke", ("client_id", "trusted")).await;
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 401);
        let page = browser.get("/account/applications").await;
        assert!(page.body.contains("No application gets anything"), "{}", page.body);
        for id in ["app", "trusted", "no-such", "", "!"] {
            let answer = post(&mut browser, "/account/applications/revoke", ("client_id", id)).await;
            assert_eq!(answer.verdict(), refused(404, "application_unknown"), "{id}");
        }
        assert_eq!(w.audit_rows(&ann, AuditEvent::ConsentWithdrawn).await.len(), 2);
    }
}

#[tokio::test]
async fn sessions_and_applications_of_others_are_unknown() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |c| c.consent = ConsentMode::Ask).await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut theirs = w.browser();
    let tokens = w.tokens(&mut theirs, &mut bob, &rp).await;
    let mut browser = signed_in(&w, &mut ann).await;
    let sid = bob.sid(&w, &theirs).await.to_string();
    for sid in [&sid, "AAAA", "", "!"] {
        let answer = post(&mut browser, "/account/sessions/end", ("sid", sid)).await;
        assert_eq!(answer.verdict(), refused(404, "session_unknown"), "{sid}");
    }
    let answer = post(&mut browser, "/account/applications/revoke", ("client_id", "app")).await;
    assert_eq!(answer.verdict(), refused(404, "application_unknown"));
    post(&mut browser, "/account/sessions/end-others", ("x", "")).await;
    assert!(theirs.is_signed_in().await);
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
}

#[tokio::test]
async fn sessions_end_after_a_fresh_sign_in_alone() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    w.clock.advance(301);
    let mut other = signed_in(&w, &mut ann).await;
    let sid = ann.sid(&w, &other).await.to_string();
    for (path, field) in [("/account/sessions/end", ("sid", sid.as_str())), ("/account/sessions/end-others", ("x", ""))]
    {
        assert_eq!(post(&mut browser, path, field).await.next().as_deref(), Some("/login?again=1"), "account.fresh");
    }
    assert!(other.is_signed_in().await);
}

#[tokio::test]
async fn strangers_see_nothing_and_forged_forms_do_nothing() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    for path in ["/account/sessions", "/account/applications", "/account/activity"] {
        assert_eq!(w.browser().get(path).await.location(), Some("/login"), "{path}");
    }
    for path in [
        "/account/sessions/end",
        "/account/sessions/end-others",
        "/account/applications/revoke",
        "/account/security/ask-passkey",
    ] {
        let forged = browser.post(path, &[("csrf", "x"), ("sid", "x"), ("client_id", "x"), ("on", "1")]).await;
        assert_eq!(forged.verdict(), refused(403, "csrf_mismatch"), "{path}");
        let mut stranger = w.browser();
        stranger.get("/login").await;
        assert_eq!(post(&mut stranger, path, ("x", "")).await.verdict(), refused(401, "not_signed_in"), "{path}");
    }
    assert_eq!(w.browser().get("/webauthn/signals").await.verdict(), refused(401, "not_signed_in"));
}
