//! Recent activity, with the way out where it was not oneself; and what its owner chose.

use idp_core::account::Preferences;
use idp_core::audit::{Audit, AuditEvent};
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};
use idp_store::audit::RecordAudit;
use serde_json::json;

use crate::world::acts::{PASSWORD, refused};
use crate::world::{Browser, Db, Page, Person, World};

async fn signed_in(w: &World, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
    browser
}

#[tokio::test]
async fn what_happened_is_shown_with_time_and_place_and_a_way_out() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut bob = w.person("bob").await;
    signed_in(&w, &mut bob).await;
    w.browser().try_password("ann", "wrong horse battery").await;
    signed_in(&w, &mut ann).await;
    let mut browser = signed_in(&w, &mut ann).await;
    let page = browser.get("/account/activity").await;
    for text in ["Signed in", "Somebody typed a wrong password", "was added", "network 127.0.0.*"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(page.body.contains("href=\"/account/security#passkeys\""), "to where it is removed: {}", page.body);
    // This session needs no question, the other one does; so does the passkey.
    assert_eq!(page.body.matches("Was this you?").count(), 2, "{}", page.body);
    let answer = browser.submit(&page, "/account/sessions/end-others", &[]).await;
    assert_eq!(answer.next().as_deref(), Some("/account/sessions?others=1"));
    assert!(!page.body.contains("bob"));
}

#[tokio::test]
async fn a_long_history_comes_in_pages_without_what_applications_do() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    for at in 0..70 {
        let event = if at % 7 == 0 { AuditEvent::TokenRefreshed } else { AuditEvent::SessionEnded };
        let audit = Audit { account_id: Some(ann.id), detail: json!({}), ..w.audit(event) };
        w.app.store.write(RecordAudit { realm: w.realm, audit }).await.unwrap();
        w.clock.advance(1);
    }
    let mut browser = signed_in(&w, &mut ann).await;
    let (mut url, mut seen) = (Some("/account/activity".to_owned()), Vec::new());
    while let Some(next) = url {
        let page = browser.get(&next).await;
        assert_eq!(page.status, 200);
        seen.push(page.body.matches("A session was ended").count());
        let older = page.body.split("href=\"/account/activity?before=").nth(1);
        url = older.map(|rest| format!("/account/activity?before={}", rest.split('"').next().unwrap()));
    }
    assert_eq!((seen.len(), seen.iter().sum::<usize>()), (3, 60), "{seen:?}");
    assert_eq!(browser.get("/account/activity?before=nonsense").await.status, 200);
}

async fn ask(browser: &mut Browser, on: &str) -> Page {
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.post("/account/security/ask-passkey", &[("csrf", &csrf), ("on", on)]).await
}

#[tokio::test]
async fn under_optional_the_passkey_is_asked_for_too_when_its_owner_wants() {
    let w = World::mailing(Db::Sqlite).await;
    w.policy(|p| p.mode = Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = signed_in(&w, &mut ann).await;
    let page = browser.get("/account/security").await;
    assert!(page.has("ask-passkey"), "{}", page.body);
    assert_eq!(w.browser().try_password("ann", PASSWORD).await.next().as_deref(), Some("/account/security"));
    assert_eq!(ask(&mut browser, "1").await.next().as_deref(), Some("/account/security?asks=1"));
    let page = browser.get("/account/security?asks=1").await;
    assert!(page.body.contains("Your passkey is asked for too"), "{}", page.body);
    assert_eq!(w.browser().try_password("ann", PASSWORD).await.next().as_deref(), Some("/login/second-factor"));
    let letters = w.letters(2).await;
    assert!(letters.iter().any(|l| l.text.contains("you are asked for your passkey from now on")), "{letters:?}");
    // Off again is a change of factors as well.
    w.clock.advance(301);
    assert_eq!(ask(&mut browser, "0").await.next().as_deref(), Some("/login?again=1"), "account.fresh");
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(ask(&mut browser, "0").await.next().as_deref(), Some("/account/security?asks=0"));
    let account = w.app.store.find_account(w.realm, &ann.id).await.unwrap().unwrap();
    assert_eq!(account.preferences, Preferences::default());
    w.policy(|p| p.mode = Mode::PasskeyFirst).await;
    assert_eq!(ask(&mut browser, "1").await.verdict(), refused(403, "not_yours_to_choose"));
    assert!(!browser.get("/account/security").await.has("ask-passkey"));
}

#[tokio::test]
async fn a_second_passkey_is_advised_until_one_outlives_a_device() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let mut says = async |text: &str| {
        let page = browser.get("/account/security").await;
        assert!(page.body.contains(text), "{text}: {}", page.body);
    };
    says("One step missing: a second passkey").await;
    w.add_passkey(&mut ann, Options::security_key()).await;
    says("One step missing: a passkey that outlives a device").await;
    w.policy(|p| p.deny_synced = true).await;
    says("Your account is well protected").await;
    w.policy(|p| p.deny_synced = false).await;
    w.add_passkey(&mut ann, Options::synced()).await;
    says("Your account is well protected").await;
}
