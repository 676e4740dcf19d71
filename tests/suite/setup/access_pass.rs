//! Access passes: enrol a passkey or set a password, once.

use idp_core::audit::AuditEvent;
use idp_core::pass::{self, Pass, PassKind};
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};
use idp_store::passes::IssuePass;

use crate::both;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Browser, Page, World};

/// Sets a password by the form of the link.
async fn set_password(browser: &mut Browser, pass: &str, password: &str) -> Page {
    browser.get("/login?switch=1").await;
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.post("/setup", &[("csrf", &csrf), ("pass", pass), ("password", password)]).await
}

both! {
    async fn one_of_many_parallel_uses_wins(db) {
        let w = World::start(db).await;
        let ann = w.account("ann", None).await;
        let pass = w.access_pass(&ann).await;
        let mut begun = Vec::new();
        for _ in 0..8 {
            let mut browser = w.browser();
            begun.push((browser.begin_with_pass(&pass).await.value(), browser));
        }
        let mut runs = Vec::new();
        for (n, (begun, mut browser)) in begun.into_iter().enumerate() {
            let pass = pass.clone();
            runs.push(tokio::spawn(async move {
                if n % 2 == 0 {
                    let answer = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
                    answer.verdict()
                } else {
                    set_password(&mut browser, &pass, PASSWORD).await.verdict()
                }
            }));
        }
        let mut used = 0;
        for run in runs {
            match run.await.unwrap() {
                (200 | 201, _) => used += 1,
                other => assert_eq!(other, refused(403, "link_over")),
            }
        }
        assert_eq!(used, 1);
    }
}

#[tokio::test]
async fn a_pass_is_used_once() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let pass = w.access_pass(&ann).await;
    let mut browser = w.browser();
    assert_eq!(browser.get(&format!("/setup?token={pass}")).await.status, 200);
    assert_eq!(browser.enrol(&pass, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    assert_eq!(browser.begin_with_pass(&pass).await.verdict(), refused(403, "link_over"));
    assert_eq!(set_password(&mut browser, &pass, PASSWORD).await.verdict(), refused(403, "link_over"));
    assert_eq!(browser.get(&format!("/setup?token={pass}")).await.verdict(), refused(403, "link_over"));
}

#[tokio::test]
async fn a_pass_expires_also_while_its_page_is_open() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let pass = w.access_pass(&ann).await;
    w.clock.advance(3599);
    let mut browser = w.browser();
    let begun = browser.begin_with_pass(&pass).await.value();
    w.clock.advance(1);
    let answer = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "link_over"));
    assert_eq!(set_password(&mut browser, &pass, PASSWORD).await.verdict(), refused(403, "link_over"));
}

#[tokio::test]
async fn a_password_is_set_and_ends_what_was_open() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person("ann").await;
    let rp = w.rp("app").await;
    let mut open = w.browser();
    let tokens = w.tokens(&mut open, &mut ann, &rp).await;
    let pass = w.access_pass(&ann).await;
    let page = w.browser().get(&format!("/setup?token={pass}")).await;
    assert!(page.has("password") && page.body.contains("ann"), "{}", page.body);
    let mut browser = w.browser();
    for weak in ["short", "fourteen chars", "ANN@example.org", "aaaaaaaaaaaaaaaaaaaa"] {
        let page = set_password(&mut browser, &pass, weak).await;
        assert_eq!(page.status, 422, "{weak}");
        assert!(page.has("password"), "the page comes back");
    }
    let page = set_password(&mut browser, &pass, &"x".repeat(1025)).await;
    assert_eq!(page.verdict(), refused(400, "password_too_long"));
    assert_eq!(set_password(&mut browser, &pass, PASSWORD).await.status, 200);
    assert!(!browser.is_signed_in().await, "setting a password authenticates nobody");
    assert_eq!(browser.try_password("ann", PASSWORD).await.status, 200);
    assert!(!open.is_signed_in().await);
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
}

#[tokio::test]
async fn a_pass_of_a_disabled_account_enrols_nothing() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let pass = w.access_pass(&ann).await;
    w.disable(&ann).await;
    let mut browser = w.browser();
    let begun = browser.begin_with_pass(&pass).await;
    assert_eq!(begun.status, 200, "said at the end, to whoever holds the pass");
    let answer = browser.register(&begun.value(), &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "account_disabled"));
    assert_eq!(set_password(&mut browser, &pass, PASSWORD).await.verdict(), refused(403, "link_over"));
    w.delete_account(&ann).await;
    assert_eq!(w.browser().begin_with_pass(&pass).await.verdict(), refused(403, "link_over"));
    assert_eq!(w.browser().get(&format!("/setup?token={pass}")).await.verdict(), refused(403, "link_over"));
}

#[tokio::test]
async fn a_pass_is_for_its_own_account() {
    let w = World::sqlite().await;
    let (ann, bob) = (w.account("ann", None).await, w.person("bob").await);
    // Bob is signed in here; the passkey is Ann's all the same.
    let mut bob = bob;
    let mut browser = w.browser();
    browser.try_passkey(&mut bob.keys[0], &Faults::default()).await;
    let answer = browser.enrol(&w.access_pass(&ann).await, &mut key(Options::synced()), &Faults::default()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len(), 1);
    assert_eq!(w.app.store.list_passkeys(w.realm, &bob.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_code_that_is_typed_in_does_what_the_link_does() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let code = pass::code(w.app.random());
    let now = w.app.now();
    let issued = Pass {
        hash: pass::hash(&code),
        kind: PassKind::Access,
        account_id: Some(ann.id),
        created: now,
        expires: now.plus_s(600),
        used: None,
        browser: None,
    };
    let op = IssuePass { realm: w.realm, pass: issued, audit: w.audit(AuditEvent::PassIssued) };
    assert!(w.app.store.write(op).await.unwrap());
    let mut browser = w.browser();
    let page = browser.get("/setup").await;
    assert!(page.status == 200 && page.has("setup-code"), "{}", page.body);
    assert_eq!(browser.get("/setup?token=0000-0000-0000-0000").await.verdict(), refused(403, "link_over"));
    let typed = code.to_uppercase().replace('-', "+");
    let page = browser.get(&format!("/setup?token={typed}")).await;
    assert!(page.has("passkey-create"), "{}", page.body);
    assert_eq!(browser.enrol(&code, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    assert_eq!(browser.get(&format!("/setup?token={code}")).await.verdict(), refused(403, "link_over"));
}
