//! Users who make their own account, names of passkeys, proved addresses.

use futures_util::future::join_all;
use idp_core::account::Account;
use idp_core::audit::AuditEvent;
use idp_core::id::{MailId, RealmId};
use idp_core::mail::{Mail, MailTemplate};
use idp_core::passkey::naming::Pattern;
use idp_core::realm::{Realm, RealmSettings};
use idp_store::Store;
use idp_store::accounts::*;
use idp_store::email_verification::{MailCode, VerifyEmail};
use idp_store::mails::QueueMail;
use idp_store::passkey_names::NameClash;
use idp_store::realms::{RealmUpdated, UpdateRealm};
use idp_store::sign_up::{SignUp, SignedUp};
use idp_store::throttles::RecordFailure;

use crate::both;
use crate::fixtures::*;

fn throttle(bucket: i64) -> RecordFailure {
    RecordFailure { realm: REALM, buckets: vec![bucket], window_s: 3600, now: NOW, audit: None }
}

fn sign_up(username: &str) -> SignUp {
    let account = account(username);
    SignUp {
        realm: REALM,
        passkey: passkey(account.id),
        account,
        challenge: challenge(),
        throttle: throttle(7),
        audit: audit(AuditEvent::AccountCreated),
    }
}

async fn failures(store: &Store, bucket: i64) -> i64 {
    store.find_throttles(REALM, &[bucket]).await.unwrap().first().map_or(0, |t| t.failures)
}

fn change(account: &Account, seen: &Account, at_s: i64) -> UpdateAccount {
    UpdateAccount {
        realm: REALM,
        id: account.id,
        profile: account.profile.clone(),
        seen: seen.updated,
        now: NOW.plus_s(at_s),
        audit: audit(AuditEvent::AccountChanged),
    }
}

/// The realm of the tests, made so that it can be changed.
async fn realm(store: &Store) -> Realm {
    store.write(create_realm("main")).await.unwrap();
    store.find_realm("main").await.unwrap().unwrap()
}

async fn save(store: &Store, mut realm: Realm, change: impl FnOnce(&mut RealmSettings)) -> RealmUpdated {
    change(&mut realm.settings);
    store.write(UpdateRealm { realm, audit: audit(AuditEvent::RealmChanged) }).await.unwrap()
}

fn pattern(text: &str) -> Pattern {
    Pattern::try_from(text.to_owned()).unwrap()
}

both! {
    async fn makes_an_account_and_its_passkey_in_one_commit(db) {
        let op = sign_up("alice");
        let before = db.store.counts().commits;
        assert_eq!(db.store.write(op.clone()).await.unwrap(), SignedUp::Done);
        assert_eq!(db.store.counts().commits - before, 1);
        assert_eq!(db.store.find_account(REALM, &op.account.id).await.unwrap().unwrap().username, "alice");
        assert_eq!(db.store.list_passkeys(REALM, &op.account.id).await.unwrap(), std::slice::from_ref(&op.passkey));
        assert_eq!(failures(&db.store, 7).await, 1);

        let replay = SignUp { challenge: op.challenge, ..sign_up("bob") };
        assert_eq!(db.store.write(replay).await.unwrap(), SignedUp::ChallengeUsed);
        assert_eq!(db.store.write(sign_up("Alice")).await.unwrap(), SignedUp::NameTaken(NameTaken::Username));
        let mut same = sign_up("carol");
        same.account.profile.email = op.account.profile.email.clone();
        assert_eq!(db.store.write(same).await.unwrap(), SignedUp::NameTaken(NameTaken::Email));
        let mut copied = sign_up("dave");
        copied.passkey.credential_id = op.passkey.credential_id.clone();
        assert_eq!(db.store.write(copied.clone()).await.unwrap(), SignedUp::CredentialExists);
        assert!(db.store.find_account(REALM, &copied.account.id).await.unwrap().is_none(), "nothing in part");
        assert_eq!((failures(&db.store, 7).await, count_audit(&db.store, AuditEvent::AccountCreated).await), (1, 1));
    }

    async fn one_of_many_who_take_a_name_at_once_gets_it(db) {
        let ops: Vec<_> = (0..16).map(|_| sign_up("alice")).collect();
        let results = join_all(ops.into_iter().map(|op| db.store.write(op))).await;
        let made = results.into_iter().map(Result::unwrap).filter(|out| *out == SignedUp::Done).count();
        assert_eq!(made, 1);
    }

    async fn refuses_two_accounts_one_name_in_authenticators(db) {
        // passkey.name.unique
        make_account(&db.store, "alice").await;
        let op = |account: Account| CreateAccount { realm: REALM, account, audit: audit(AuditEvent::AccountCreated) };
        // A user name that is another one's address.
        let mut named = account("Alice@Example.org");
        named.profile.email = None;
        assert_eq!(db.store.write(op(named.clone())).await.unwrap(), Some(NameTaken::PasskeyName));
        named.profile.email = Some("other@example.org".to_owned());
        assert_eq!(db.store.write(op(named.clone())).await.unwrap(), None);
        let seen = db.store.find_account(REALM, &named.id).await.unwrap().unwrap();
        named.profile.email = None;
        assert_eq!(db.store.write(change(&named, &seen, 1)).await.unwrap(), AccountChange::PasskeyNameTaken);
        named.profile.email = Some("ALICE@example.org".to_owned());
        assert_eq!(db.store.write(change(&named, &seen, 1)).await.unwrap(), AccountChange::EmailTaken);
        named.profile.email = Some("third@example.org".to_owned());
        assert_eq!(db.store.write(change(&named, &seen, 1)).await.unwrap(), AccountChange::Done);
    }

    async fn who_takes_a_name_at_the_same_time_is_told_which(db) {
        let other = db.other().await;
        for round in 0..8 {
            // One drops the address and is named by a user name, which is what the other makes an address of.
            let wanted = format!("want{round}@example.org");
            let mut named = make_account(&db.store, &wanted).await;
            let mut addressed = make_account(&db.store, &format!("bob{round}")).await;
            let seen = [named.clone(), addressed.clone()];
            named.profile.email = None;
            addressed.profile.email = Some(wanted);
            let ops = (change(&named, &seen[0], 1), change(&addressed, &seen[1], 1));
            let (one, two) = futures_util::future::join(db.store.write(ops.0), other.write(ops.1)).await;
            let mut out = [one.unwrap(), two.unwrap()];
            out.sort_by_key(|out| *out != AccountChange::Done);
            assert_eq!(out, [AccountChange::Done, AccountChange::PasskeyNameTaken]);
        }
        let same: Vec<_> = join_all((0..8).map(|n| {
            let store = &db.store;
            async move { make_account(store, &format!("same{n}")).await }
        })).await;
        let changes = same.iter().map(|seen| {
            let mut account = seen.clone();
            account.profile.email = Some("same@example.org".to_owned());
            db.store.write(change(&account, seen, 1))
        });
        let out: Vec<_> = join_all(changes).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(out.iter().filter(|out| **out == AccountChange::Done).count(), 1, "{out:?}");
        assert_eq!(out.iter().filter(|out| **out == AccountChange::EmailTaken).count(), 7, "{out:?}");
    }

    async fn of_two_changes_within_a_millisecond_one_is_told_of_the_other(db) {
        let seen = make_account(&db.store, "alice").await;
        let mut account = seen.clone();
        account.profile.name = Some("Alice".to_owned());
        assert_eq!(db.store.write(change(&account, &seen, 0)).await.unwrap(), AccountChange::Done);
        assert_eq!(db.store.write(change(&account, &seen, 0)).await.unwrap(), AccountChange::Changed);
    }

    async fn a_pattern_that_names_two_users_alike_is_refused_and_names_them(db) {
        // passkey.name.unique
        let realm = realm(&db.store).await;
        assert_eq!(realm.id, RealmId(1));
        let (mut ann, mut bob) = (account("ann"), account("bob"));
        (ann.profile.name, bob.profile.name) = (Some("Same".to_owned()), Some("same".to_owned()));
        for account in [&ann, &bob] {
            let op = CreateAccount { realm: REALM, account: account.clone(), audit: audit(AuditEvent::AccountCreated) };
            assert_eq!(db.store.write(op).await.unwrap(), None);
        }
        let by_name = |s: &mut RealmSettings| s.passkey_username_pattern = pattern("{{ user.name }}");
        let clash = NameClash { name: "same".to_owned(), usernames: ["ann".to_owned(), "bob".to_owned()] };
        assert_eq!(save(&db.store, realm.clone(), by_name).await, RealmUpdated::NamesClash(vec![clash]));
        let now = db.store.find_realm("main").await.unwrap().unwrap();
        assert_eq!(now.settings.passkey_username_pattern, Pattern::of_claim("email"), "nothing was saved");

        let by_both = |s: &mut RealmSettings| s.passkey_username_pattern = pattern("{{ user.name }} ({{ user.username }})");
        assert_eq!(save(&db.store, realm.clone(), by_both).await, RealmUpdated::Updated);
        // From then on new names are judged by it: the same address is what clashes no more.
        let mut carol = account("carol");
        carol.profile.name = Some("Same (bob)".to_owned());
        carol.username = "same (ann)".to_owned();
        carol.profile.name = None;
        let op = CreateAccount { realm: REALM, account: carol, audit: audit(AuditEvent::AccountCreated) };
        assert_eq!(db.store.write(op).await.unwrap(), Some(NameTaken::PasskeyName));
    }

    async fn an_address_is_proved_once_and_only_while_it_is_the_address(db) {
        let account = make_account(&db.store, "alice").await;
        let mut proved = account.clone();
        proved.profile.email_verified = true;
        let once = challenge();
        let op = |seen: &Account, at_s| VerifyEmail { account: change(&proved, seen, at_s), once };
        assert_eq!(db.store.write(op(&account, 1)).await.unwrap(), AccountChange::Done);
        let after = db.store.find_account(REALM, &account.id).await.unwrap().unwrap();
        assert!(after.profile.email_verified);
        assert_eq!(db.store.write(op(&after, 2)).await.unwrap(), AccountChange::Changed, "used");
        let mut moved = after.clone();
        moved.profile.email = Some("new@example.org".to_owned());
        assert_eq!(db.store.write(change(&moved, &after, 2)).await.unwrap(), AccountChange::Done);
        let seen = db.store.find_account(REALM, &account.id).await.unwrap().unwrap();
        let late = VerifyEmail { once: challenge(), ..op(&seen, 3) };
        assert_eq!(db.store.write(late).await.unwrap(), AccountChange::Changed, "another address by now");
    }

    async fn each_mailed_code_is_counted(db) {
        let account = make_account(&db.store, "alice").await;
        let mail = Mail {
            id: MailId::new(NOW, [7; 10]),
            account_id: Some(account.id),
            address: "alice@example.org".to_owned(),
            template: MailTemplate::AddressCode,
            detail: serde_json::json!({}),
            secret_sealed: Some(vec![1]),
            created: NOW,
            expires: NOW.plus_s(600),
        };
        let account = account.id;
        let op = MailCode { account, mail: QueueMail { realm: REALM, mail, audit: None }, throttle: throttle(9) };
        assert!(db.store.write(op).await.unwrap());
        assert_eq!(failures(&db.store, 9).await, 1);
    }
}
