//! `/account`: people see what is known about them, and change what is theirs.

use idp_core::audit::AuditEvent;
use idp_core::realm::SelfRegistration;
use idp_core::user_schema::UserSchema;
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::world::acts::{PASSWORD, key};
use crate::world::{Db, World};

fn schema() -> UserSchema {
    UserSchema::new(json!({ "properties": {
        "email": { "type": "string", "format": "email", "idp": { "verification": "email" } },
        "nick": { "type": "string", "maxLength": 8, "title": "Nickname", "idp": { "claim": "nickname" } },
        "badge": { "type": "string", "readOnly": true, "title": "Badge" }
    } }))
    .unwrap()
}

#[tokio::test]
async fn without_a_schema_an_administrator_sets_the_profile() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    assert_eq!(browser.get("/account").await.location(), Some("/login"));
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.get("/account").await;
    assert!(page.status == 200 && page.body.contains("Name of ann") && page.body.contains("ann@example.org"));
    assert!(!page.has("profile-save") && !page.has("email-save"), "{}", page.body);
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    for path in ["/account", "/account/email"] {
        let page = browser.post(path, &[("csrf", &csrf), ("traits.name", "Eve"), ("email", "eve@example.org")]).await;
        assert_eq!(page.verdict(), (403, "profile_fixed".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_person_changes_what_the_schema_lets_them() {
    let w = World::start(Db::Postgres).await;
    w.set_settings(|s| s.user_schema = Some(schema())).await;
    let mut ann = w.person("ann").await;
    w.set_profile(&ann, |p| {
        p.traits.insert("badge".to_owned(), "A-1".into());
    })
    .await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.get("/account").await;
    assert!(page.has("traits-nick") && page.body.contains("A-1"), "{}", page.body);
    let page = browser.submit(&page, "/account", &[("traits.nick", "much too long")]).await;
    assert!(page.status == 422 && page.body.contains("at most 8 characters"), "user_schema.traits {}", page.body);
    let typed = [("traits.nick", "Annie"), ("traits.badge", "B-2"), ("traits.email", "eve@example.org")];
    let page = browser.submit(&page, "/account", &typed).await;
    assert_eq!(page.next().as_deref(), Some("/account?saved=1"));
    let kept = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap().profile;
    assert_eq!((kept.nickname.as_deref(), kept.email.as_deref()), (Some("Annie"), Some("ann@example.org")));
    assert_eq!((kept.traits["badge"].as_str(), kept.email_verified), (Some("A-1"), true));
    assert_eq!(w.audit_rows(&ann, AuditEvent::AccountChanged).await.len(), 1);
    let page = browser.get("/account").await;
    browser.submit(&page, "/account", &[("traits.nick", "Annie")]).await;
    assert_eq!(w.audit_rows(&ann, AuditEvent::AccountChanged).await.len(), 1, "no change, no row");
}

#[tokio::test]
async fn another_address_needs_a_fresh_sign_in_and_is_unverified() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.user_schema = Some(schema())).await;
    w.person("bob").await;
    let mut ann = w.person_with_key("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let fresh = browser.get("/account").await;
    assert!(fresh.has("email-save"), "{}", fresh.body);
    w.clock.advance(301);
    let page = browser.get("/account").await;
    assert!(!page.has("email-save") && page.has("email-again"), "account.fresh {}", page.body);
    let late = browser.submit(&fresh, "/account/email", &[("email", "new@example.org")]).await;
    assert_eq!(late.next().as_deref(), Some("/login?again=1"));
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.get("/account").await;
    for (typed, text) in [("bob@example.org", "Belongs to another account"), ("nowhere", "Must be an e-mail address")] {
        let page = browser.submit(&page, "/account/email", &[("email", typed)]).await;
        assert!(page.status == 422 && page.body.contains(text), "{typed}: {}", page.body);
    }
    let done = browser.submit(&page, "/account/email", &[("email", "new@example.org")]).await;
    assert_eq!(done.next().as_deref(), Some("/account?email-saved=1"));
    let kept = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap().profile;
    assert_eq!((kept.email.as_deref(), kept.email_verified), (Some("new@example.org"), false));
    assert_eq!(w.audit_rows(&ann, AuditEvent::EmailChanged).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_named_by_an_address_leaves_the_name_with_it() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.self_registration = SelfRegistration::Open).await;
    let boss = "boss@example.org";
    let mut key = key(Options::platform());
    let mut browser = w.browser();
    let body = json!({ "username": boss, "traits": { "email": boss } });
    let begun = browser.json("/webauthn/register/options", &body).await.value();
    assert_eq!(browser.register(&begun, &mut key, &Faults::default()).await.status, 201);
    assert_eq!(browser.try_passkey(&mut key, &Faults::default()).await.stand(), "complete");
    let eve = w.app.store.find_account_by_username(w.realm, boss).await.unwrap().unwrap();
    let page = browser.get("/account").await;
    let refused = browser.submit(&page, "/account/email", &[("email", "")]).await;
    assert!(refused.status == 422 && refused.body.contains("Is your user name, too"), "{}", refused.body);
    let done = browser.submit(&page, "/account/email", &[("email", "eve@example.org")]).await;
    assert_eq!(done.next().as_deref(), Some("/account?email-saved=1"), "{}", done.body);
    let kept = w.app.store.find_account(w.realm, &eve.id).await.unwrap().unwrap();
    assert_eq!(kept.username, "eve@example.org", "nobody answers for an address that is another's");
    assert!(w.app.store.find_account_by_username(w.realm, boss).await.unwrap().is_none());
}

#[tokio::test]
async fn an_address_means_whoever_proved_it() {
    let w = World::sqlite().await;
    // An account of times when a user name could outlive the address.
    let squatter = w.person_with_password("boss@example.org", "the squatter's own").await;
    let boss = w.person_with_password("boss", PASSWORD).await;
    let sign_in = async |password: &str| {
        let before = w.statements();
        let mut browser = w.browser();
        browser.try_password("BOSS@example.org", password).await;
        (browser.is_signed_in().await, w.statements() - before)
    };
    w.set_profile(&squatter, |p| p.email = Some("eve@example.org".to_owned())).await;
    assert!(sign_in(PASSWORD).await.0 && !sign_in("the squatter's own").await.0);
    w.set_profile(&boss, |p| p.email_verified = false).await;
    assert!(!sign_in(PASSWORD).await.0, "nobody proved it: the user name");
    let wrong = async |name: &str| {
        let mut browser = w.browser();
        browser.get("/login?switch=1").await;
        let before = w.statements();
        browser.try_password(name, "wrong").await;
        w.statements() - before
    };
    assert_eq!(wrong("boss@example.org").await, wrong("nobody@example.org").await, "names cost the same");
}

#[tokio::test]
async fn whose_an_address_is_is_told_as_seldom_as_to_newcomers() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.user_schema = Some(schema())).await;
    w.person("bob").await;
    let mut ann = w.person_with_key("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.get("/account").await;
    for n in 0..20 {
        let page = browser.submit(&page, "/account/email", &[("email", "bob@example.org")]).await;
        assert_eq!(page.status, 422, "{n}");
    }
    for address in ["bob@example.org", "free@example.org"] {
        let page = browser.submit(&page, "/account/email", &[("email", address)]).await;
        assert!(page.status == 429 && page.body.contains("Too many tries"), "{}", page.body);
        assert!(!page.body.contains("Belongs to another account"));
    }
    let kept = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap().profile;
    assert_eq!(kept.email.as_deref(), Some("ann@example.org"), "what waits is not saved");
    w.clock.advance(60);
    let done = browser.submit(&page, "/account/email", &[("email", "free@example.org")]).await;
    assert_eq!(done.next().as_deref(), Some("/account?email-saved=1"));
}
