//! The set-up link makes the first owner, once.

use idp_core::account::Role;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::both;
use crate::world::acts::{Verdict, key, refused};
use crate::world::{Browser, Page, World};

async fn begin(browser: &mut Browser, link: &str, name: &str, traits: Value) -> Page {
    browser.json("/webauthn/register/options", &json!({ "pass": link, "username": name, "traits": traits })).await
}

/// The whole set-up.
async fn set_up(w: &World, link: &str, name: &str) -> Verdict {
    let mut browser = w.browser();
    let begun = begin(&mut browser, link, name, json!({})).await;
    if begun.status != 200 {
        return begun.verdict();
    }
    browser.register(&begun.value(), &mut key(Options::platform()), &Faults::default()).await.verdict()
}

both! {
    async fn the_link_makes_an_owner_who_signs_in(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let link = w.setup_link().await;
        let mut browser = w.browser();
        let page = browser.get(&format!("/setup?token={link}")).await;
        assert!(page.has("setup-username") && page.has("setup-email") && page.has("setup-submit"), "{}", page.body);
        let begun = begin(&mut browser, &link, " ada ", json!({ "email": "ada@example.org", "name": "Ada L" })).await.value();
        assert_eq!(begun["publicKey"]["user"]["name"], "ada@example.org");
        let mut first = key(Options::platform());
        let made = browser.register(&begun, &mut first, &Faults::default()).await;
        assert_eq!((made.status, made.value()["next"].as_str()), (201, Some("/setup/done")), "{}", made.body);
        assert!(browser.get("/setup/done").await.body.contains("/login"));
        assert!(!browser.is_signed_in().await, "a registration authenticates nobody");
        let ada = w.app.store.find_account_by_username(w.realm, "ADA").await.unwrap().unwrap();
        assert_eq!((ada.role, ada.profile.email.as_deref(), ada.profile.email_verified), (Role::Owner, Some("ada@example.org"), false));
        assert_eq!(browser.try_passkey(&mut first, &Faults::default()).await.stand(), "complete");
        assert_eq!(w.claims(&mut browser, &rp).await["sub"], ada.id.to_string());

        // The link is worth nothing now.
        let page = w.browser().get(&format!("/setup?token={link}")).await;
        assert_eq!(page.verdict(), refused(403, "link_over"));
        assert_eq!(set_up(&w, &link, "eve").await, refused(403, "link_over"));
    }

    async fn one_of_many_uses_of_links_wins(db) {
        let w = World::start(db).await;
        let link = w.setup_link().await;
        let mut started = Vec::new();
        for n in 0..8 {
            // Half of them with links of their own.
            let link = if n % 2 == 0 { link.clone() } else { w.setup_link().await };
            let mut browser = w.browser();
            let begun = begin(&mut browser, &link, &format!("owner{n}"), json!({})).await.value();
            started.push((begun, browser));
        }
        let mut runs = Vec::new();
        for (begun, mut browser) in started {
            runs.push(tokio::spawn(async move {
                browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await.verdict()
            }));
        }
        let mut made = 0;
        for run in runs {
            match run.await.unwrap() {
                (201, _) => made += 1,
                other => assert_eq!(other, refused(403, "link_over")),
            }
        }
        assert_eq!(made, 1);
    }
}

#[tokio::test]
async fn a_second_link_is_worth_nothing_once_there_is_an_owner() {
    let w = World::sqlite().await;
    let (one, two) = (w.setup_link().await, w.setup_link().await);
    // Begun before the owner was there.
    let mut early = w.browser();
    let begun = begin(&mut early, &two, "eve", json!({})).await.value();
    assert_eq!(set_up(&w, &one, "ada").await.0, 201);
    let late = early.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(late.verdict(), refused(403, "link_over"));
    assert_eq!(set_up(&w, &two, "eve").await, refused(403, "link_over"));
    assert_eq!(w.browser().get(&format!("/setup?token={two}")).await.verdict(), refused(403, "link_over"));
    assert!(w.app.store.find_account_by_username(w.realm, "eve").await.unwrap().is_none());
}

#[tokio::test]
async fn a_link_expires() {
    let w = World::sqlite().await;
    let link = w.setup_link().await;
    let mut browser = w.browser();
    let begun = begin(&mut browser, &link, "ada", json!({})).await.value();
    w.clock.advance(3600);
    assert_eq!(set_up(&w, &link, "ada").await, refused(403, "link_over"));
    assert_eq!(w.browser().get(&format!("/setup?token={link}")).await.verdict(), refused(403, "link_over"));
    let late = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(late.verdict(), refused(400, "ceremony_expired"));
    for token in ["x", "%00", &"A".repeat(43), &"A".repeat(4000)] {
        assert_eq!(
            w.browser().get(&format!("/setup?token={token}")).await.verdict(),
            refused(403, "link_over"),
            "{token}"
        );
    }
}

#[tokio::test]
async fn names_that_cannot_be_used_are_refused_with_the_reason() {
    let w = World::sqlite().await;
    let link = w.setup_link().await;
    let mut browser = w.browser();
    for name in ["", "   ", &"x".repeat(129), "a\u{202e}b", "a\nb", "\u{200b}"] {
        let answer = begin(&mut browser, &link, name, json!({})).await;
        assert_eq!(answer.verdict(), refused(422, "username_invalid"), "{name:?}");
    }
    for email in ["x", "a@", "@b", "a b@c", "<a@b>", "a@b@c"] {
        let answer = begin(&mut browser, &link, "ada", json!({ "email": email })).await;
        assert_eq!(answer.verdict(), refused(422, "email_invalid"), "{email}");
    }
    for name in ["x".repeat(201), "a\u{7}b".to_owned()] {
        let answer = begin(&mut browser, &link, "ada", json!({ "name": name })).await;
        assert_eq!(answer.verdict(), refused(422, "name_invalid"));
    }
    assert_eq!(begin(&mut browser, &link, "ada", json!({ "email": "", "name": " " })).await.status, 200);
}

#[tokio::test]
async fn a_name_or_address_that_is_taken_keeps_the_link_alive() {
    let w = World::sqlite().await;
    w.account("ann", None).await;
    let link = w.setup_link().await;
    assert_eq!(set_up(&w, &link, "ANN").await, refused(409, "username_taken"));
    let mut browser = w.browser();
    let begun = begin(&mut browser, &link, "ada", json!({ "email": "Ann@Example.org" })).await.value();
    let answer = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(409, "email_taken"));
    assert_eq!(set_up(&w, &link, "ada").await.0, 201);
}

#[tokio::test]
async fn the_link_sets_no_password() {
    let w = World::sqlite().await;
    let link = w.setup_link().await;
    let mut browser = w.browser();
    let page = browser.get(&format!("/setup?token={link}")).await;
    assert!(!page.body.contains("type=\"password\""));
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("pass", &link), ("password", "correct horse battery")];
    assert_eq!(browser.post("/setup", &fields).await.verdict(), refused(400, "password_needs_account"));
}
