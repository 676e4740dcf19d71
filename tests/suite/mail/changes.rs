//! Every change of how an account is signed in to is told to its owner.

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_softkey::{Faults, Options};
use idp_store::accounts::SetAccountState;

use crate::both;
use crate::rules::rule;
use crate::world::World;

both! {
    async fn a_new_passkey_is_told_by_name_with_a_link_to_the_issuer(db) {
        let w = World::mailing(db).await;
        let mut ann = w.account("ann", None).await;
        w.add_passkey(&mut ann, Options::platform()).await;
        let letters = w.letters(1).await;
        let letter = &letters[0];
        assert_eq!(letter.to, "\"Name of ann\" <ann@example.org>");
        assert_eq!(letter.subject, "A passkey was added to your The Realm account");
        for says in ["Hello Name of ann,", "The passkey “", "When: ", &format!("\n{}/account/security\n", w.issuer), "“ann”"] {
            assert!(letter.text.contains(says), "{says}: {}", letter.text);
        }
        assert!(letter.raw.contains("text/html") && letter.raw.contains("Auto-Submitted: auto-generated"));
        assert_eq!(letters.len(), 1, "once");
    }

    async fn a_sign_in_tells_nobody(db) {
        let w = World::mailing(db).await;
        let mut ann = w.account("ann", None).await;
        w.add_passkey(&mut ann, Options::platform()).await;
        let mut browser = w.browser();
        assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
        assert_eq!(w.letters(0).await.len(), 1, "the passkey's alone");
    }
}

#[tokio::test]
async fn an_address_that_nobody_proved_gets_three_notices_a_day_without_a_word_of_the_sender() {
    let w = World::mailing(crate::world::Db::Sqlite).await;
    let mut eve = w.account("win-at.evil.example", None).await;
    let evil = "You won! Claim at https://evil.example/x";
    w.set_profile(&eve, |p| {
        (p.name, p.email) = (Some(evil.to_owned()), Some("Victim@bank.example".to_owned()));
        p.email_verified = false;
    })
    .await;
    w.add_passkey(&mut eve, Options::platform()).await;
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut eve.keys[0], &Faults::default()).await.stand(), "complete");
    for _ in 0..20 {
        let page = browser.get("/account/recovery-codes").await;
        assert_eq!(browser.submit(&page, "/account/recovery-codes", &[]).await.status, 200);
    }
    w.letters(3).await;
    let letters = w.letters(0).await;
    assert_eq!(letters.len(), 3, "{}", rule("email.unproved"));
    for letter in &letters {
        assert_eq!(letter.to, "Victim@bank.example");
        assert!(letter.text.starts_with("Hello,\n"), "{}", letter.text);
        assert!(!letter.raw.contains("evil") && !letter.raw.contains("won"), "{}", letter.raw);
    }
    assert!(letters.iter().any(|letter| letter.text.contains("A passkey was added to your account")));
    w.clock.advance(86_400);
    assert_eq!(browser.try_passkey(&mut eve.keys[0], &Faults::default()).await.stand(), "complete");
    let page = browser.get("/account").await;
    let sent = browser.submit(&page, "/account/email/code", &[]).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let code = w.letters(4).await.pop().unwrap();
    assert!(code.text.starts_with("Hello,\n") && !code.raw.contains("evil"), "{}", code.raw);
}

#[tokio::test]
async fn who_is_switched_off_is_told_and_nothing_is_sent_to_a_stranger() {
    let w = World::mailing(crate::world::Db::Sqlite).await;
    let ann = w.person("ann").await;
    let mut audit = w.audit(AuditEvent::AccountStateChanged);
    audit.account_id = Some(ann.id);
    audit.detail = serde_json::json!({ "state": "disabled" });
    let op = SetAccountState { realm: w.realm, id: ann.id, state: AccountState::Disabled, now: w.clock.now(), audit };
    w.app.store.write(op).await.unwrap();
    let letters = w.letters(2).await;
    let letter = letters.iter().find(|letter| letter.subject.contains("switched")).unwrap();
    assert!(letter.text.contains("Your account is switched off") && letter.text.contains("By: an administrator"));
    assert!(!letter.text.contains("/account/security"), "there is no way in: {}", letter.text);
}
