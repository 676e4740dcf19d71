//! The outbox: what an act tells is queued with it, sent by one process, tried again, and gone in the end.

use std::time::Duration;

use futures_util::future::join_all;
use idp_core::account::{Account, AccountState};
use idp_core::audit::{Audit, AuditEvent};
use idp_core::id::{AccountId, MailId};
use idp_core::mail::{Mail, MailTemplate, NOTICE_LIFETIME_S};
use idp_store::accounts::{AccountChange, CreateAccount, DeleteAccount, SetAccountState, UpdateAccount};
use idp_store::audit::RecordAudit;
use idp_store::email_verification::MailCode;
use idp_store::mails::*;
use idp_store::sweep::Sweep;
use idp_store::throttles::RecordFailure;
use idp_store::{Options, Store};

use crate::both;
use crate::fixtures::*;

/// A store that queues mails.
async fn telling(db: &Db) -> Store {
    Store::open(&db.url, &Options { mails: true, ..Options::default() }).await.unwrap()
}

/// An account whose address somebody proved.
async fn make_proved(store: &Store, username: &str) -> Account {
    let mut account = account(username);
    account.profile.email_verified = true;
    let op = CreateAccount { realm: REALM, account: account.clone(), audit: audit(AuditEvent::AccountCreated) };
    assert_eq!(store.write(op).await.unwrap(), None);
    account
}

fn about(account: AccountId, event: AuditEvent) -> Audit {
    Audit { account_id: Some(account), detail: serde_json::json!({ "passkey": "Laptop" }), ..audit(event) }
}

fn record(account: AccountId, event: AuditEvent) -> RecordAudit {
    RecordAudit { realm: REALM, audit: about(account, event) }
}

fn claim(seconds: i64, most: i64) -> ClaimMails {
    let now = NOW.plus_s(seconds);
    ClaimMails { now, until: now.plus_s(60), most }
}

fn settle(taken: &TakenMail) -> SettleMail {
    SettleMail { realm: taken.realm, id: taken.mail.id, attempts: taken.attempts, again: None, audit: None }
}

async fn take(store: &Store, seconds: i64) -> Vec<TakenMail> {
    store.write(claim(seconds, 100)).await.unwrap()
}

both! {
    async fn tells_the_account_of_each_event_that_says_so_and_of_no_other(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        for event in AuditEvent::ALL {
            let before = store.counts().statements;
            store.write(record(account.id, *event)).await.unwrap();
            let statements = store.counts().statements - before;
            let taken = take(&store, 0).await;
            let Some(template) = event.mail() else {
                assert_eq!((statements, taken.len()), (1, 0), "{}: nobody is told, and nothing asked", event.text());
                continue;
            };
            assert_eq!((statements, taken.len()), (3, 1), "{}", event.text());
            let mail = &taken[0].mail;
            assert_eq!((mail.template, mail.account_id, mail.secret_sealed.as_deref()), (template, Some(account.id), None));
            assert_eq!(mail.address, account.profile.email.clone().unwrap());
            assert_eq!(mail.detail, serde_json::json!({ "passkey": "Laptop", "by": "operator" }));
            assert_eq!(mail.expires, NOW.plus_s(NOTICE_LIFETIME_S));
            assert!(store.write(settle(&taken[0])).await.unwrap());
        }
    }

    async fn an_address_that_nobody_proved_gets_few_notices_a_day_and_nothing_somebody_chose(db) {
        let store = telling(db).await;
        let (eve, other) = (make_account(&store, "eve").await, make_account(&store, "other").await);
        let record = |account: AccountId, seconds: i64| {
            let audit = Audit { at: NOW.plus_s(seconds), ..about(account, EVENT) };
            RecordAudit { realm: REALM, audit }
        };
        const EVENT: AuditEvent = AuditEvent::RecoveryCodesSet;
        // At once: the count is in the write.
        join_all((0..60).map(|_| store.write(record(eve.id, 0)))).await.into_iter().for_each(Result::unwrap);
        let taken = take(&store, 0).await;
        assert_eq!(taken.len(), 3, "email.unproved");
        assert_eq!(taken[0].mail.detail, serde_json::json!({ "by": "operator", "impersonal": true }));
        for mail in &taken { assert!(store.write(settle(mail)).await.unwrap()); }

        // Another address of the same account gets none, and the same address of another account neither.
        let change = |account: &Account, email: &str, seen: i64| {
            let mut profile = account.profile.clone();
            profile.email = Some(email.to_owned());
            let (seen, now) = (NOW.plus_s(seen), NOW.plus_s(seen + 1));
            UpdateAccount { realm: REALM, id: account.id, profile, seen, now, audit: audit(AuditEvent::AccountChanged) }
        };
        assert_eq!(store.write(change(&eve, "victim@example.org", 0)).await.unwrap(), AccountChange::Done);
        store.write(record(eve.id, 1)).await.unwrap();
        assert_eq!(store.write(change(&other, "eve@example.org", 0)).await.unwrap(), AccountChange::Done);
        store.write(record(other.id, 1)).await.unwrap();
        assert!(take(&store, 2).await.is_empty());

        // A day later, swept or not; and in the order in which they were used up.
        store.write(record(eve.id, 86_399)).await.unwrap();
        assert!(take(&store, 86_399).await.is_empty());
        for _ in 0..4 { store.write(record(eve.id, 86_400)).await.unwrap(); }
        assert_eq!(take(&store, 86_400).await.len(), 3);
        let mut proved = eve.profile.clone();
        (proved.email, proved.email_verified) = (Some("victim@example.org".to_owned()), true);
        let op = UpdateAccount { profile: proved, ..change(&eve, "", 1) };
        assert_eq!(store.write(op).await.unwrap(), AccountChange::Done);
        for _ in 0..9 { store.write(record(eve.id, 86_401)).await.unwrap(); }
        assert_eq!(take(&store, 86_401).await.len(), 9, "whoever proved it is told of everything");
        // What counted is swept.
        let sweep = Sweep { now: NOW.plus_s(4 * 86_400), batch: 100, keep_s: 86_400, throttle_window_s: 60 };
        assert_eq!(store.write(sweep).await.unwrap().once, 10, "of two addresses and eve three each, of the other one");
    }

    async fn an_address_that_nobody_proved_gets_few_codes_a_day(db) {
        let store = telling(db).await;
        let (eve, other) = (make_account(&store, "eve").await, make_account(&store, "other").await);
        let mail = |account: AccountId, address: &str| {
            let mail = Mail { address: address.to_owned(), ..code(&account) };
            let throttle = RecordFailure { realm: REALM, buckets: vec![9], window_s: 60, now: NOW, audit: None };
            MailCode { account, mail: QueueMail { realm: REALM, mail, audit: None }, throttle }
        };
        let ops: Vec<_> = (0..20).map(|_| store.write(mail(eve.id, "Victim@example.org"))).collect();
        let mailed = join_all(ops).await.into_iter().filter(|mailed| *mailed.as_ref().unwrap()).count();
        assert_eq!((mailed, take(&store, 0).await.len()), (6, 6), "email.unproved");
        assert_eq!(store.find_throttles(REALM, &[9]).await.unwrap()[0].failures, 6, "what was not mailed wrote nothing");
        assert!(!store.write(mail(eve.id, "second@example.org")).await.unwrap(), "the account's are used up");
        assert!(!store.write(mail(other.id, "VICTIM@example.org")).await.unwrap(), "the address's are");
        assert!(store.write(mail(other.id, "third@example.org")).await.unwrap());
    }

    async fn queues_nothing_without_an_address_an_account_or_somebody_who_sends(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        let mut profile = account.profile.clone();
        profile.email = None;
        let (seen, now) = (account.updated, NOW.plus_s(1));
        let op = UpdateAccount { realm: REALM, id: account.id, profile, seen, now, audit: audit(AuditEvent::AccountChanged) };
        assert_eq!(store.write(op).await.unwrap(), AccountChange::Done);
        let other = make_proved(&store, "bob").await;
        store.write(record(account.id, AuditEvent::PasskeyRegistered)).await.unwrap();
        store.write(RecordAudit { realm: REALM, audit: audit(AuditEvent::PassIssued) }).await.unwrap();
        db.store.write(record(other.id, AuditEvent::PasskeyRegistered)).await.unwrap();
        let mail = code(&other.id);
        db.store.write(QueueMail { realm: REALM, mail, audit: None }).await.unwrap();
        assert!(!db.store.queues_mail() && store.queues_mail());
        assert!(!store.has_due_mail(NOW.plus_s(3600)).await.unwrap());
    }

    async fn rings_after_the_commit_and_not_for_what_was_undone(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        let rings = || tokio::time::timeout(Duration::from_millis(200), store.mail_queued());
        store.write(record(account.id, AuditEvent::SignIn)).await.unwrap();
        assert!(rings().await.is_err());
        store.write(record(account.id, AuditEvent::PasskeyRemoved)).await.unwrap();
        rings().await.expect("a ring");
        let op = UpdateAccount {
            realm: REALM,
            id: account.id,
            profile: account.profile.clone(),
            seen: NOW.plus_s(-7),
            now: NOW,
            audit: about(account.id, AuditEvent::EmailChanged),
        };
        assert_eq!(store.write(op).await.unwrap(), AccountChange::Changed);
        assert_eq!(take(&store, 0).await.len(), 1, "the one that was kept");
    }

    async fn tells_of_a_new_address_at_the_old_one_and_of_a_deletion_at_the_last(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        let old = account.profile.email.clone().unwrap();
        let mut profile = account.profile.clone();
        profile.email = Some("New@Example.org".to_owned());
        let audit = about(account.id, AuditEvent::EmailChanged);
        let op = UpdateAccount { realm: REALM, id: account.id, profile, seen: account.updated, now: NOW.plus_s(1), audit };
        assert_eq!(store.write(op).await.unwrap(), AccountChange::Done);
        let audit = about(account.id, AuditEvent::AccountStateChanged);
        let op = SetAccountState { realm: REALM, id: account.id, state: AccountState::Disabled, now: NOW, audit };
        store.write(op).await.unwrap();
        let audit = about(account.id, AuditEvent::AccountDeleted);
        store.write(DeleteAccount { realm: REALM, id: account.id, audit }).await.unwrap();
        let mut told: Vec<_> = take(&store, 0).await.into_iter().map(|t| (t.mail.template.text(), t.mail.address)).collect();
        told.sort();
        let new = "new@example.org".to_owned();
        assert_eq!(told, [("account-deleted", new.clone()), ("account-state", new), ("email-changed", old)]);
    }

    async fn lets_one_of_many_processes_send_each_mail(db) {
        let store = telling(db).await;
        let other = telling(db).await;
        let account = make_proved(&store, "ada").await;
        for _ in 0..12 {
            store.write(record(account.id, AuditEvent::PasswordSet)).await.unwrap();
        }
        let claims = (0..6).map(|i| if i % 2 == 0 { store.write(claim(0, 3)) } else { other.write(claim(0, 3)) });
        let taken: Vec<_> = join_all(claims).await.into_iter().flat_map(Result::unwrap).collect();
        let mut ids: Vec<_> = taken.iter().map(|taken| taken.mail.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), taken.len()), (taken.len(), taken.len()), "none twice");
        assert!(taken.len() >= 3 && taken.len() <= 12);
        while !store.write(claim(0, 3)).await.unwrap().is_empty() {}
        assert!(!store.has_due_mail(NOW.plus_s(59)).await.unwrap());
        assert_eq!(take(&store, 61).await.len(), 12, "whoever took them died");
    }

    async fn settles_for_whoever_took_it_last(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        store.write(record(account.id, AuditEvent::PasswordSet)).await.unwrap();
        let first = take(&store, 0).await.remove(0);
        let second = take(&store, 61).await.remove(0);
        assert_eq!((first.attempts, second.attempts), (1, 2));
        assert!(!store.write(settle(&first)).await.unwrap(), "it is another's now");
        let again = Some(NOW.plus_s(1000));
        assert!(store.write(SettleMail { again, ..settle(&second) }).await.unwrap());
        assert!(take(&store, 999).await.is_empty());
        let third = take(&store, 1000).await.remove(0);
        let audit = Some(about(account.id, AuditEvent::MailUndelivered));
        assert!(store.write(SettleMail { audit, ..settle(&third) }).await.unwrap());
        assert!(take(&store, 10_000).await.is_empty());
    }

    async fn keeps_a_code_sealed_and_forgets_what_nobody_sent(db) {
        let store = telling(db).await;
        let account = make_proved(&store, "ada").await;
        let mail = code(&account.id);
        let op = QueueMail { realm: REALM, mail: mail.clone(), audit: Some(audit(AuditEvent::AccountChanged)) };
        store.write(op.clone()).await.unwrap();
        store.write(op).await.unwrap();
        let taken = take(&store, 0).await;
        assert_eq!(taken.len(), 1, "the same mail is queued once");
        assert_eq!(taken[0].mail, mail);
        let sweep = |days: i64| Sweep { now: NOW.plus_s(days * 86_400), batch: 10, keep_s: 86_400, throttle_window_s: 60 };
        assert_eq!(store.write(sweep(1)).await.unwrap().mails, 0);
        assert_eq!(store.write(sweep(2)).await.unwrap().mails, 1);
    }
}

fn code(account: &AccountId) -> Mail {
    Mail {
        id: MailId::new(NOW, number().to_be_bytes().repeat(2)[..10].try_into().unwrap()),
        account_id: Some(*account),
        address: "ada@example.org".to_owned(),
        template: MailTemplate::AddressCode,
        detail: serde_json::json!({}),
        secret_sealed: Some(vec![1, 2, 3]),
        created: NOW,
        expires: NOW.plus_s(600),
    }
}
