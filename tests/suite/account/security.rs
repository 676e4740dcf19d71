//! Passkeys of one's own: listed, renamed, removed, the last one kept.

use idp_core::audit::AuditEvent;
use idp_core::encoding::base64url;
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Maker, Options};
use reqwest::header::{HeaderValue, USER_AGENT};

use crate::both;
use crate::webauthn::attestation::{self, MODEL};
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::hosts::{NEW, OLD};
use crate::world::{Browser, Db, Page, Person, World};

fn id(person: &Person, at: usize) -> String {
    base64url(&person.keys[at].credential_id)
}

/// A browser in which the person has just signed in with that passkey.
async fn signed_in(w: &World, person: &mut Person, at: usize) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[at], &Faults::default()).await.stand(), "complete");
    browser
}

/// Two passkeys; the first one's browser.
async fn two_passkeys(w: &World) -> (Person, Browser) {
    let mut ann = w.person("ann").await;
    w.add_passkey(&mut ann, Options::security_key()).await;
    let browser = signed_in(w, &mut ann, 0).await;
    (ann, browser)
}

/// Posts a form of the account pages without having opened it.
async fn post(browser: &mut Browser, path: &str, passkey: &str, name: &str) -> Page {
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.post(path, &[("csrf", &csrf), ("passkey", passkey), ("name", name)]).await
}

async fn remove(browser: &mut Browser, passkey: &str) -> Page {
    post(browser, "/account/security/remove", passkey, "").await
}

#[tokio::test]
async fn passkeys_are_listed_with_what_tells_them_apart() {
    let w = World::sqlite().await;
    let (ann, mut browser) = two_passkeys(&w).await;
    let page = browser.get("/account/security").await;
    assert_eq!(page.status, 200);
    for text in ["This device", "Security key", &id(&ann, 0), &id(&ann, 1)] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let page = w.browser().get("/account/security").await;
    assert_eq!((page.status, page.location()), (303, Some("/login")));
    assert_eq!(browser.get("/").await.location(), Some("/account/security"));
}

#[tokio::test]
async fn what_keeps_a_passkey_and_where_it_works_is_shown() {
    let maker = Maker::new("Maker");
    let mut w = attestation::world(Db::Sqlite, &maker, 100).await;
    attestation::publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
    let mut ann = w.person("ann").await;
    let hello = *uuid::uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96").as_bytes();
    w.add_passkey(&mut ann, Options { aaguid: hello, ..Options::platform() }).await;
    w.add_passkey(&mut ann, Options { aaguid: MODEL, ..Options::security_key() }).await;
    let mut browser = w.browser();
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    browser.headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    let page = browser.get("/account/security").await.body;
    // They are named by what keeps them; nothing is said twice.
    for named in ["Windows Hello", "Soft Key"] {
        assert!(page.contains(named) && !page.contains("Kept by"), "{page}");
    }
    assert!(!page.contains("Works on"), "{page}");
    assert!(page.contains(", Firefox on Linux, network 127.0.0.*</span>"), "{page}");
    for at in 0..3 {
        post(&mut browser, "/account/security/rename", &id(&ann, at), "mine").await;
    }
    let page = browser.get("/account/security").await.body;
    for words in ["Kept by Windows Hello", "Kept by Soft Key", "#laptop", "#stick", "asks for its PIN"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let pass = w.access_pass(&ann).await;
    let mut new = key(Options::platform());
    assert_eq!(w.browser().enrol(&pass, &mut new, &Faults::default()).await.status, 201);
    ann.keys.push(new);
    let page = signed_in(&w, &mut ann, 3).await.get("/account/security").await.body;
    assert_eq!(page.matches("Works on localhost").count(), 3, "{page}");
}

#[tokio::test]
async fn a_passkey_is_renamed() {
    let w = World::sqlite().await;
    let (ann, mut browser) = two_passkeys(&w).await;
    for (typed, kept) in [
        ("Work laptop", "Work laptop".to_owned()),
        ("<b>\"bold\"</b>&amp;", "<b>\"bold\"</b>&amp;".to_owned()),
        (&"ü".repeat(200), "ü".repeat(80)),
        (" a\u{0}b\u{7}\n ", "ab".to_owned()),
    ] {
        let page = post(&mut browser, "/account/security/rename", &id(&ann, 0), typed).await;
        let page = browser.follow(page).await;
        assert_eq!(w.passkey(&ann, 0).await.name, kept);
        assert!(!page.body.contains("<b>\""), "{}", page.body);
    }
    let page = post(&mut browser, "/account/security/rename", &id(&ann, 0), "  ").await;
    assert_eq!(page.next().as_deref(), Some("/account/security?bad-name=1"));
    assert_eq!(w.passkey(&ann, 0).await.name, "ab");
    assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyRenamed).await.len(), 4);
    // Names that somebody else swapped would lead to the removal of the wrong one.
    w.clock.advance(301);
    let page = post(&mut browser, "/account/security/rename", &id(&ann, 0), "Stick").await;
    assert_eq!(page.next().as_deref(), Some("/login?again=1"), "account.fresh");
    assert_eq!(w.passkey(&ann, 0).await.name, "ab");
}

both! {
    async fn removing_ends_the_sessions_it_opened_and_what_they_were_granted(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let (mut ann, mut browser) = two_passkeys(&w).await;
        let own = w.silent_tokens(&mut browser, &rp, rp.ask()).await;
        let mut other = signed_in(&w, &mut ann, 1).await;
        let theirs = w.silent_tokens(&mut other, &rp, rp.ask()).await;
        let page = browser.get(&format!("/account/security/remove?passkey={}", id(&ann, 1))).await;
        assert!(page.has("passkey-remove"), "{}", page.body);
        let page = browser.submit(&page, "/account/security/remove", &[]).await;
        assert_eq!(page.next().as_deref(), Some("/account/security?removed=1"));
        assert!(!other.is_signed_in().await, "its session is over");
        assert_eq!(w.userinfo(&theirs.access_token).await.status, 401);
        assert!(browser.is_signed_in().await, "the other passkey's is not");
        assert_eq!(w.userinfo(&own.access_token).await.status, 200);
        let answer = w.browser().try_passkey(&mut ann.keys[1], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(400, "unknown_credential"));
        assert_eq!(w.audit_rows(&ann, AuditEvent::PasskeyRemoved).await.len(), 1);
    }

    async fn of_two_removed_at_once_one_stays(db) {
        let w = World::start(db).await;
        let (mut ann, one) = two_passkeys(&w).await;
        let two = signed_in(&w, &mut ann, 1).await;
        let mut runs = Vec::new();
        for (mut browser, at) in [(one, 0), (two, 1)] {
            let id = id(&ann, at);
            runs.push(tokio::spawn(async move { remove(&mut browser, &id).await.status }));
        }
        for run in runs {
            assert!(run.await.unwrap() < 500);
        }
        assert_eq!(w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_last_way_in_is_kept_and_said_to_be() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann, 0).await;
    let page = browser.get("/account/security").await;
    assert!(!page.body.contains("/account/security/remove"), "no button that cannot work");
    let page = remove(&mut browser, &id(&ann, 0)).await;
    assert!(page.status == 409 && page.body.contains("It is your last way in"), "{}", page.body);
    assert!(browser.is_signed_in().await);
    let page = browser.get(&format!("/account/security/remove?passkey={}", id(&ann, 0))).await;
    assert!(!page.has("passkey-remove") && page.body.contains("cannot be removed"), "{}", page.body);
    // One that is suspended is no way in.
    w.add_passkey(&mut ann, Options::synced()).await;
    w.suspend(&ann, 1).await;
    assert_eq!(remove(&mut browser, &id(&ann, 0)).await.status, 409);
    assert_eq!(remove(&mut browser, &id(&ann, 1)).await.next().as_deref(), Some("/account/security?removed=1"));
}

#[tokio::test]
async fn a_password_is_a_way_in_only_where_it_lets_in() {
    for (mode, kept) in [(Mode::PasskeyFirst, false), (Mode::Optional, false), (Mode::PasskeyOnly, true)] {
        let w = World::sqlite().await;
        w.policy(|p| p.mode = mode).await;
        let mut ann = w.person_with_both("ann", Options::platform()).await;
        let mut browser = signed_in(&w, &mut ann, 0).await;
        let page = remove(&mut browser, &id(&ann, 0)).await;
        assert_eq!(page.status, if kept { 409 } else { 200 }, "{mode:?}");
        let left = w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len();
        assert_eq!(left, usize::from(kept), "{mode:?}");
    }
}

#[tokio::test]
async fn removing_needs_a_fresh_and_strong_sign_in() {
    let w = World::sqlite().await;
    let (mut ann, mut browser) = two_passkeys(&w).await;
    w.clock.advance(301);
    assert_eq!(remove(&mut browser, &id(&ann, 1)).await.next().as_deref(), Some("/login?again=1"), "account.fresh");
    let page = browser.get(&format!("/account/security/remove?passkey={}", id(&ann, 1))).await;
    assert_eq!(page.location(), Some("/login?again=1"));
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(remove(&mut browser, &id(&ann, 1)).await.next().as_deref(), Some("/account/security?removed=1"));

    // A password is not as strong as the passkey that would go.
    w.policy(|p| p.mode = Mode::Optional).await;
    let bob = w.person_with_both("bob", Options::platform()).await;
    let mut browser = w.browser();
    browser.try_password("bob", PASSWORD).await;
    assert_eq!(remove(&mut browser, &id(&bob, 0)).await.next().as_deref(), Some("/login?again=1"), "account.fresh");
}

#[tokio::test]
async fn passkeys_of_others_are_unknown() {
    let w = World::sqlite().await;
    let (_, mut browser) = two_passkeys(&w).await;
    let bob = w.person("bob").await;
    for passkey in [id(&bob, 0), "AAAA".to_owned(), String::new(), "!".to_owned()] {
        for path in ["/account/security/remove", "/account/security/rename"] {
            let page = post(&mut browser, path, &passkey, "mine").await;
            assert_eq!(page.verdict(), refused(404, "passkey_unknown"), "{path} {passkey}");
        }
        let page = browser.get(&format!("/account/security/remove?passkey={passkey}")).await;
        assert_eq!(page.verdict(), refused(404, "passkey_unknown"), "{passkey}");
    }
    assert_eq!(w.passkey(&bob, 0).await.name, "This device");
}

#[tokio::test]
async fn strangers_and_forged_forms_change_nothing() {
    let w = World::sqlite().await;
    let (ann, mut browser) = two_passkeys(&w).await;
    for path in ["/account/security/remove", "/account/security/rename"] {
        let mut stranger = w.browser();
        stranger.get("/login").await;
        assert_eq!(
            post(&mut stranger, path, &id(&ann, 1), "x").await.verdict(),
            refused(401, "not_signed_in"),
            "{path}"
        );
        let page = browser.post(path, &[("csrf", "x"), ("passkey", &id(&ann, 1)), ("name", "x")]).await;
        assert_eq!(page.verdict(), refused(403, "csrf_mismatch"), "{path}");
    }
    assert_eq!(w.app.store.list_passkeys(w.realm, &ann.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_disabled_account_is_signed_out_at_once() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (ann, mut browser) = two_passkeys(&w).await;
    let tokens = w.silent_tokens(&mut browser, &rp, rp.ask()).await;
    w.disable(&ann).await;
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.get("/account/security").await.location(), Some("/login"));
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
}
