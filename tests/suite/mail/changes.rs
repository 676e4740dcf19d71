//! Every change of how an account is signed in to is told to its owner.

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_softkey::{Faults, Options};
use idp_store::accounts::SetAccountState;

use crate::both;
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
