//! Authenticator apps, recovery codes, and recoveries.

use futures_util::future::join_all;
use idp_core::account::{Account, AccountState};
use idp_core::audit::AuditEvent;
use idp_core::credential::recovery_code::MAILED_TRIES;
use idp_core::id::{AccountId, EventId, MailId};
use idp_core::mail::{Mail, MailTemplate};
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::{Mode, Policy};
use idp_core::secret::{Hash, Secret};
use idp_core::session::{AuthEvent, Method};
use idp_store::Store;
use idp_store::accounts::{AccountChange, DeleteAccount, SetAccountState};
use idp_store::held::WayIn;
use idp_store::passes::IssuePass;
use idp_store::passkeys::{PasskeyRegistered, RegisterPasskey};
use idp_store::passwords::{Keep, PasswordSet, SetPassword, UsePassForPassword};
use idp_store::recoveries::{
    Brought, CancelRecovery, MailRecoveryCode, OpenRecovery, Outcome, ProveRecovery, Recovered, Recovery, Tried,
    TryRecovery,
};
use idp_store::recovery_codes::{Kept, RemoveRecoveryCodes, ReplaceRecoveryCodes};
use idp_store::sign_in::{FinishSignIn, SignedIn};
use idp_store::sweep::Sweep;
use idp_store::throttles::RecordFailure;
use idp_store::totp::{FactorRemoved, RemoveTotp, SetTotp, TotpUse};

use crate::both;
use crate::fixtures::*;

const BROWSER: Hash = [7; 32];

fn set_totp(account: AccountId, step: i64) -> SetTotp {
    SetTotp { realm: REALM, account, sealed: vec![1, 2, 3], step, now: NOW, audit: audit(AuditEvent::TotpSet) }
}

fn remove_totp(account: AccountId, way_in: Option<WayIn>) -> RemoveTotp {
    RemoveTotp { realm: REALM, account, way_in, keep: None, audit: audit(AuditEvent::TotpRemoved) }
}

fn codes(account: AccountId, hashes: Vec<Hash>) -> ReplaceRecoveryCodes {
    ReplaceRecoveryCodes {
        realm: REALM,
        account,
        hashes,
        settled: NOW,
        now: NOW,
        audit: audit(AuditEvent::RecoveryCodesSet),
    }
}

fn ask(account: AccountId, hash: Hash) -> MailRecoveryCode {
    let count = RecordFailure {
        realm: REALM,
        buckets: vec![1, 2],
        window_s: 3600,
        now: NOW,
        audit: Some(audit(AuditEvent::RecoveryAsked)),
    };
    MailRecoveryCode {
        realm: REALM,
        account,
        hash,
        browser: BROWSER,
        expires: NOW.plus_s(600),
        count,
        mail: mail(account),
    }
}

fn mail(account: AccountId) -> Mail {
    Mail {
        id: MailId::new(NOW, hash()[..10].try_into().unwrap()),
        account_id: Some(account),
        address: String::new(),
        template: MailTemplate::RecoveryCode,
        detail: serde_json::json!({}),
        secret_sealed: Some(vec![1]),
        created: NOW,
        expires: NOW.plus_s(600),
    }
}

fn attempt(account: AccountId, mailed: Option<Hash>, kept: Option<Hash>) -> TryRecovery {
    TryRecovery { realm: REALM, account, brought: Brought { mailed, kept }, browser: BROWSER, now: NOW }
}

fn pass(account: AccountId) -> Pass {
    let (account_id, browser) = (Some(account), Some(BROWSER));
    Pass {
        hash: hash(),
        kind: PassKind::Access,
        account_id,
        created: NOW,
        expires: NOW.plus_s(900),
        used: None,
        browser,
    }
}

fn wait(account: AccountId) -> Recovery {
    let (ready, expires) = (NOW.plus_s(3600), NOW.plus_s(7200));
    Recovery { account, hash: hash(), cancel_hash: hash(), created: NOW, ready, expires }
}

fn prove(account: AccountId, proof: Brought, outcome: Outcome) -> ProveRecovery {
    let audit = audit(AuditEvent::RecoveryOpened);
    ProveRecovery { realm: REALM, account, proof, outcome, tell: Vec::new(), now: NOW, audit }
}

fn open(recovery: &Recovery, at_s: i64) -> OpenRecovery {
    OpenRecovery {
        realm: REALM,
        account: recovery.account,
        hash: recovery.hash,
        pass: pass(recovery.account),
        now: NOW.plus_s(at_s),
        audit: audit(AuditEvent::RecoveryOpened),
    }
}

fn cancel(account: AccountId) -> CancelRecovery {
    CancelRecovery { realm: REALM, account, now: NOW, audit: audit(AuditEvent::RecoveryCancelled) }
}

async fn lock(store: &Store, account: &Account) {
    let (state, audit) = (AccountState::Locked, audit(AuditEvent::AccountChanged));
    let op = SetAccountState { realm: REALM, id: account.id, state, now: NOW, audit };
    assert_eq!(store.write(op).await.unwrap(), AccountChange::Done);
}

const MAILED: Brought = Brought { mailed: Some([1; 32]), kept: None };
const NOTHING: Brought = Brought { mailed: None, kept: None };

both! {
    async fn keeps_one_authenticator_app_an_account(db) {
        let account = make_account(&db.store, "alice").await;
        assert_eq!(db.store.find_totp(REALM, &account.id).await.unwrap(), None);
        assert!(db.store.write(set_totp(account.id, 5)).await.unwrap());
        let again = SetTotp { sealed: vec![9], ..set_totp(account.id, 7) };
        assert!(db.store.write(again).await.unwrap());
        let totp = db.store.find_totp(REALM, &account.id).await.unwrap().unwrap();
        assert_eq!((totp.sealed, totp.last_step, totp.created, totp.last_used), (vec![9], 7, NOW, None));
        let found = db.store.find_account(REALM, &account.id).await.unwrap().unwrap();
        assert_eq!((account.totp, found.totp), (None, Some(NOW)));
        lock(&db.store, &account).await;
        assert!(!db.store.write(set_totp(account.id, 9)).await.unwrap());
        assert_eq!(count_audit(&db.store, AuditEvent::TotpSet).await, 2);
    }

    async fn takes_each_step_of_an_app_once_of_16_at_once(db) {
        let account = make_account(&db.store, "alice").await;
        let other = db.other().await;
        let op = |step| {
            let totp = Some(TotpUse { step, sealed: vec![4, 5] });
            FinishSignIn { totp, ..password_sign_in(&account, 0) }
        };
        assert_eq!(db.store.write(op(6)).await.unwrap(), SignedIn::Replayed, "there is no app");
        db.store.write(set_totp(account.id, 5)).await.unwrap();
        assert_eq!(db.store.write(op(5)).await.unwrap(), SignedIn::Replayed, "the step that confirmed it");
        let results = join_all((0..16).map(|n| if n % 2 == 0 { &db.store } else { &other }.write(op(6)))).await;
        let done = results.into_iter().filter(|r| matches!(r, Ok(SignedIn::Done(_)))).count();
        assert_eq!(done, 1);
        let totp = db.store.find_totp(REALM, &account.id).await.unwrap().unwrap();
        assert_eq!((totp.last_step, totp.last_used, totp.sealed), (6, Some(NOW), vec![4, 5]));
        assert!(matches!(db.store.write(op(7)).await.unwrap(), SignedIn::Done(_)));
        assert_eq!(db.store.write(op(6)).await.unwrap(), SignedIn::Replayed, "an older one");
        assert_eq!(db.store.list_sessions(REALM, &account.id, NOW, IDLE_S).await.unwrap().len(), 2);
    }

    async fn removing_an_app_ends_what_its_codes_opened_but_the_session_at_hand(db) {
        let account = make_account(&db.store, "alice").await;
        let client = make_client(&db.store, "app").await;
        db.store.write(set_totp(account.id, 1)).await.unwrap();
        let by = |methods: &[Method]| {
            let mut op = password_sign_in(&account, 0);
            let event = op.events.remove(0);
            op.events = methods.iter().map(|m| AuthEvent { id: EventId::new(NOW, random()), method: m.clone(), ..event.clone() }).collect();
            op
        };
        let mut sids = Vec::new();
        // What somebody calls a browser is no code of an app.
        let strange = Some(r#"{"method":"totp"}"#.to_owned());
        for methods in [&[Method::Password, Method::Totp][..], &[Method::Password], &[Method::Password, Method::Totp]] {
            let mut op = by(methods);
            op.events[0].client = strange.clone();
            sids.push(op.session.sid);
            assert!(matches!(db.store.write(op).await.unwrap(), SignedIn::Done(_)));
        }
        let mut grants = Vec::new();
        for sid in &sids {
            let world = SignedInWorld { account: account.clone(), passkey: passkey(account.id), client: client.clone(), sid: *sid };
            let grant = world.grant();
            db.store.write(redeem_code(&grant)).await.unwrap();
            grants.push(grant.id);
        }
        let op = RemoveTotp { keep: Some(sids[2]), ..remove_totp(account.id, None) };
        assert_eq!(db.store.write(op).await.unwrap(), FactorRemoved::Done);
        let (mut live, mut good) = (Vec::new(), Vec::new());
        for (sid, grant) in sids.iter().zip(&grants) {
            live.push(is_live(&db.store, &account.id, sid).await);
            good.push(db.store.find_grant(REALM, grant).await.unwrap().unwrap().is_good());
        }
        assert_eq!((live, good), (vec![false, true, true], vec![false, true, true]));
    }

    async fn removes_an_app_unless_nothing_else_lets_in(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let account = make_account(&db.store, "alice").await;
        let strict = || {
            let policy = Policy { mode: Mode::PasskeyThenSecondFactor, ..Policy::default() };
            Some(WayIn { policy, ..way_in() })
        };
        assert_eq!(db.store.write(remove_totp(account.id, None)).await.unwrap(), FactorRemoved::Gone);
        db.store.write(set_totp(account.id, 5)).await.unwrap();
        make_passkey(&db.store, &account).await;
        assert_eq!(db.store.write(remove_totp(account.id, strict())).await.unwrap(), FactorRemoved::LastWayIn);
        assert!(db.store.find_totp(REALM, &account.id).await.unwrap().is_some());
        // A recovery that is ready is a way back in.
        db.store.write(codes(account.id, vec![hash()])).await.unwrap();
        assert_eq!(db.store.write(remove_totp(account.id, strict())).await.unwrap(), FactorRemoved::Done);
        db.store.write(set_totp(account.id, 5)).await.unwrap();
        assert_eq!(db.store.write(remove_totp(account.id, Some(way_in()))).await.unwrap(), FactorRemoved::Done);
        assert_eq!(count_audit(&db.store, AuditEvent::TotpRemoved).await, 2);
    }

    async fn keeps_the_newest_recovery_codes_alone(db) {
        let account = make_account(&db.store, "alice").await;
        let (old, new) = (hash(), hash());
        assert!(db.store.write(codes(account.id, vec![old, hash()])).await.unwrap());
        assert!(db.store.write(codes(account.id, vec![new])).await.unwrap());
        let tried = |kept| db.store.write(attempt(account.id, None, Some(kept)));
        assert_eq!(tried(old).await.unwrap(), Tried::default());
        assert_eq!(tried(new).await.unwrap(), Tried { mailed: false, kept: Some(Kept { settled: NOW, weak: false }) });
        assert_eq!(db.store.count_recovery_codes(REALM, &account.id).await.unwrap(), 1);
        let proof = Brought { mailed: None, kept: Some(new) };
        let op = prove(account.id, proof, Outcome::Open(pass(account.id)));
        assert_eq!(db.store.write(op).await.unwrap(), Recovered::Done);
        assert_eq!(tried(new).await.unwrap(), Tried::default(), "it was used");
        assert_eq!(db.store.count_recovery_codes(REALM, &account.id).await.unwrap(), 0);
        let remove = || RemoveRecoveryCodes { realm: REALM, account: account.id, audit: audit(AuditEvent::RecoveryCodesRemoved) };
        assert_eq!(db.store.write(remove()).await.unwrap(), 1);
        assert_eq!(db.store.write(remove()).await.unwrap(), 0);
        assert_eq!(count_audit(&db.store, AuditEvent::RecoveryCodesRemoved).await, 1);
        lock(&db.store, &account).await;
        assert!(!db.store.write(codes(account.id, vec![hash()])).await.unwrap());
    }

    async fn codes_made_on_a_password_take_the_place_of_others_once_they_are_settled(db) {
        let account = make_account(&db.store, "alice").await;
        let (owners, first, second) = (hash(), hash(), hash());
        let at = |seconds| NOW.plus_s(seconds);
        let made = |kept, now, settled| ReplaceRecoveryCodes { now, settled, ..codes(account.id, vec![kept]) };
        db.store.write(codes(account.id, vec![hash(), owners])).await.unwrap();
        db.store.write(made(first, at(10), at(100))).await.unwrap();
        db.store.write(made(second, at(20), at(110))).await.unwrap();
        assert_eq!(db.store.count_recovery_codes(REALM, &account.id).await.unwrap(), 1, "of the newest set");
        let good = async |kept, now| {
            let attempt = TryRecovery { now, ..attempt(account.id, None, Some(kept)) };
            db.store.write(attempt).await.unwrap().kept
        };
        assert_eq!(good(owners, at(50)).await, Some(Kept { settled: NOW, weak: false }));
        assert_eq!(good(first, at(50)).await, None, "one unsettled set at most");
        assert_eq!(good(second, at(50)).await, Some(Kept { settled: at(110), weak: true }));
        assert_eq!((good(owners, at(110)).await, good(second, at(110)).await.is_some()), (None, true));
        db.store.write(made(first, at(200), at(300))).await.unwrap();
        assert!(good(second, at(250)).await.is_some() && good(owners, at(250)).await.is_none());
        db.store.write(ReplaceRecoveryCodes { now: at(400), settled: at(400), ..codes(account.id, vec![owners]) }).await.unwrap();
        assert!(good(first, at(400)).await.is_none() && good(owners, at(400)).await.is_some());
    }

    async fn takes_so_many_tries_of_a_mailed_code_and_no_more(db) {
        let account = make_account(&db.store, "alice").await;
        let other = db.other().await;
        let (right, wrong) = ([1; 32], [2; 32]);
        assert!(db.store.write(ask(account.id, [9; 32])).await.unwrap());
        assert!(db.store.write(ask(account.id, right)).await.unwrap());
        assert_eq!(db.store.write(attempt(account.id, Some([9; 32]), None)).await.unwrap(), Tried::default(), "one is out");
        assert_eq!(db.store.write(attempt(account.id, Some(right), None)).await.unwrap(), Tried { mailed: true, kept: None });
        let elsewhere = TryRecovery { browser: [8; 32], ..attempt(account.id, Some(right), None) };
        assert_eq!(db.store.write(elsewhere).await.unwrap(), Tried::default(), "another browser");
        let later = TryRecovery { now: NOW.plus_s(600), ..attempt(account.id, Some(right), None) };
        assert_eq!(db.store.write(later).await.unwrap(), Tried::default(), "its ten minutes are over");
        // Somebody else asks for one, too: each has the newest of their own.
        let mine = MailRecoveryCode { browser: [8; 32], ..ask(account.id, [3; 32]) };
        assert!(db.store.write(mine).await.unwrap());
        let elsewhere = TryRecovery { browser: [8; 32], ..attempt(account.id, Some([3; 32]), None) };
        assert!(db.store.write(elsewhere).await.unwrap().mailed);
        assert!(db.store.write(attempt(account.id, Some(right), None)).await.unwrap().mailed);
        let tries = (0..20).map(|n| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(attempt(account.id, Some(wrong), None))
        });
        join_all(tries).await;
        assert_eq!(db.store.write(attempt(account.id, Some(right), None)).await.unwrap(), Tried::default());
        const { assert!(MAILED_TRIES < 20) };
    }

    async fn runs_the_same_statements_for_nobody(db) {
        let account = make_account(&db.store, "alice").await;
        let nobody = AccountId::new(NOW, [3; 10]);
        let mut seen = Vec::new();
        for id in [account.id, nobody] {
            let before = db.store.counts();
            let mailed = db.store.write(ask(id, [1; 32])).await.unwrap();
            assert_eq!(mailed, id == account.id);
            db.store.write(attempt(id, Some([2; 32]), Some(hash()))).await.unwrap();
            let after = db.store.counts();
            seen.push((after.statements - before.statements, after.commits - before.commits));
        }
        assert_eq!(seen[0], seen[1]);
    }

    async fn proves_a_recovery_once(db) {
        let account = make_account(&db.store, "alice").await;
        db.store.write(ask(account.id, [1; 32])).await.unwrap();
        let other = db.other().await;
        let passes: Vec<_> = (0..16).map(|_| pass(account.id)).collect();
        let proofs = passes.iter().enumerate().map(|(n, pass)| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(prove(account.id, MAILED, Outcome::Open(pass.clone())))
        });
        let results: Vec<_> = join_all(proofs).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results.iter().filter(|r| **r == Recovered::Done).count(), 1);
        let mut kept = 0;
        for pass in &passes {
            if let Some(found) = db.store.find_pass(REALM, &pass.hash).await.unwrap() {
                assert_eq!((found.browser, found.account_id), (Some(BROWSER), Some(account.id)));
                kept += 1;
            }
        }
        assert_eq!(kept, 1);
        assert_eq!(count_audit(&db.store, AuditEvent::RecoveryOpened).await, 1);
    }

    async fn opens_a_recovery_that_waited_at_its_hour_and_once(db) {
        let account = make_account(&db.store, "alice").await;
        let recovery = wait(account.id);
        let op = prove(account.id, NOTHING, Outcome::Wait(wait(account.id), mail(account.id)));
        assert_eq!(db.store.write(op).await.unwrap(), Recovered::Done);
        let op = prove(account.id, NOTHING, Outcome::Wait(recovery.clone(), mail(account.id)));
        assert_eq!(db.store.write(op).await.unwrap(), Recovered::Done, "in place of the one before");
        assert_eq!(db.store.find_recovery(REALM, &account.id, NOW).await.unwrap().as_ref(), Some(&recovery));
        let by_link = db.store.find_recovery_to_cancel(REALM, &recovery.cancel_hash, NOW).await.unwrap();
        assert_eq!(by_link.as_ref(), Some(&recovery));
        assert_eq!(db.store.write(open(&recovery, 3599)).await.unwrap(), Recovered::Over);
        let foreign = Recovery { hash: hash(), ..recovery.clone() };
        assert_eq!(db.store.write(open(&foreign, 3600)).await.unwrap(), Recovered::Over);
        assert_eq!(db.store.write(open(&recovery, 7200)).await.unwrap(), Recovered::Over);
        assert_eq!(db.store.write(open(&recovery, 3600)).await.unwrap(), Recovered::Done);
        assert_eq!(db.store.write(open(&recovery, 3600)).await.unwrap(), Recovered::Over);
    }

    async fn cancels_what_waits_and_what_was_opened(db) {
        let account = make_account(&db.store, "alice").await;
        assert!(!db.store.write(cancel(account.id)).await.unwrap());
        let recovery = wait(account.id);
        db.store.write(prove(account.id, NOTHING, Outcome::Wait(recovery.clone(), mail(account.id)))).await.unwrap();
        assert!(db.store.write(cancel(account.id)).await.unwrap());
        assert_eq!(db.store.write(open(&recovery, 3600)).await.unwrap(), Recovered::Over);
        let opened = pass(account.id);
        db.store.write(prove(account.id, NOTHING, Outcome::Open(opened.clone()))).await.unwrap();
        assert!(db.store.write(cancel(account.id)).await.unwrap());
        assert_eq!(db.store.find_pass(REALM, &opened.hash).await.unwrap().unwrap().expires, NOW);
        assert_eq!(count_audit(&db.store, AuditEvent::RecoveryCancelled).await, 2);
    }

    async fn a_new_password_ends_what_the_old_one_could_prepare(db) {
        let account = make_account(&db.store, "alice").await;
        let waits = async || {
            let op = prove(account.id, NOTHING, Outcome::Wait(wait(account.id), mail(account.id)));
            assert_eq!(db.store.write(op).await.unwrap(), Recovered::Done);
            assert!(db.store.find_account(REALM, &account.id).await.unwrap().unwrap().recovery.is_some());
        };
        let left = async || {
            assert_eq!(db.store.find_account(REALM, &account.id).await.unwrap().unwrap().recovery, None);
            db.store.count_recovery_codes(REALM, &account.id).await.unwrap()
        };
        let by_password = |settled| ReplaceRecoveryCodes { settled, ..codes(account.id, vec![hash(), hash()]) };
        let new = |version| SetPassword {
            realm: REALM, account: account.id, hash: Some(Secret::new("hash".to_owned())), seen_version: version,
            keep: Keep::None, way_in: None, clear: Vec::new(), now: NOW, audit: audit(AuditEvent::PasswordSet),
        };
        // Those made with more than a password stay, beside others or alone.
        for (version, settled, expected) in [(0, NOW.plus_s(60), 0), (1, NOW, 2), (2, NOW.plus_s(60), 2)] {
            db.store.write(by_password(settled)).await.unwrap();
            waits().await;
            assert_eq!(db.store.write(new(version)).await.unwrap(), PasswordSet::Done);
            assert_eq!(left().await, expected);
        }
        // By a pass as well.
        db.store.write(by_password(NOW.plus_s(60))).await.unwrap();
        waits().await;
        let opened = pass(account.id);
        db.store.write(prove(account.id, NOTHING, Outcome::Open(opened.clone()))).await.unwrap();
        let by_pass = UsePassForPassword {
            realm: REALM, account: account.id, pass: opened.hash, hash: Secret::new("hash".to_owned()), now: NOW,
            audit: audit(AuditEvent::PasswordSet),
        };
        db.store.write(set_totp(account.id, 5)).await.unwrap();
        assert_eq!(db.store.write(by_pass).await.unwrap(), PasswordSet::Done);
        assert_eq!(left().await, 2);
        assert_eq!(db.store.find_totp(REALM, &account.id).await.unwrap(), None, "whose code would be asked for next");
    }

    async fn a_sign_in_may_stop_a_recovery(db) {
        let account = make_account(&db.store, "alice").await;
        let recovery = wait(account.id);
        db.store.write(prove(account.id, NOTHING, Outcome::Wait(recovery.clone(), mail(account.id)))).await.unwrap();
        let signed_in = password_sign_in(&account, 0);
        assert!(matches!(db.store.write(signed_in.clone()).await.unwrap(), SignedIn::Done(_)));
        assert!(db.store.find_recovery(REALM, &account.id, NOW).await.unwrap().is_some());
        let stops_recovery = Some(audit(AuditEvent::RecoveryCancelled));
        let op = FinishSignIn { stops_recovery, ..password_sign_in(&account, 0) };
        assert!(matches!(db.store.write(op).await.unwrap(), SignedIn::Done(_)));
        assert_eq!(db.store.write(open(&recovery, 3600)).await.unwrap(), Recovered::Over);
        assert_eq!(count_audit(&db.store, AuditEvent::RecoveryCancelled).await, 1);
    }

    async fn a_passkey_made_by_a_recovery_ends_all_sessions(db) {
        let account = make_account(&db.store, "alice").await;
        let by = async |browser| {
            db.store.write(password_sign_in(&account, 0)).await.unwrap();
            db.store.write(set_totp(account.id, 5)).await.unwrap();
            let opened = Pass { browser, ..pass(account.id) };
            let audit = audit(AuditEvent::PassIssued);
            db.store.write(IssuePass { realm: REALM, pass: opened.clone(), audit }).await.unwrap();
            let op = RegisterPasskey { pass: Some(opened.hash), ..register(&passkey(account.id)) };
            assert_eq!(db.store.write(op).await.unwrap(), PasskeyRegistered::Registered);
            assert_eq!(db.store.find_totp(REALM, &account.id).await.unwrap().is_some(), browser.is_none());
            db.store.list_sessions(REALM, &account.id, NOW, IDLE_S).await.unwrap().len()
        };
        assert_eq!(by(None).await, 1);
        assert_eq!(by(Some(BROWSER)).await, 0);
    }

    async fn recovers_no_account_that_an_admin_locked(db) {
        let account = make_account(&db.store, "alice").await;
        let recovery = wait(account.id);
        db.store.write(prove(account.id, NOTHING, Outcome::Wait(recovery.clone(), mail(account.id)))).await.unwrap();
        lock(&db.store, &account).await;
        assert_eq!(db.store.write(open(&recovery, 3600)).await.unwrap(), Recovered::AccountGone);
        let op = prove(account.id, NOTHING, Outcome::Open(pass(account.id)));
        assert_eq!(db.store.write(op).await.unwrap(), Recovered::AccountGone);
        assert!(!db.store.write(ask(account.id, [1; 32])).await.unwrap(), "and no code is mailed");
    }

    async fn sweeps_what_is_over_and_deletes_with_the_account(db) {
        let account = make_account(&db.store, "alice").await;
        let bob = make_account(&db.store, "bob").await;
        for id in [account.id, bob.id] {
            db.store.write(ask(id, [1; 32])).await.unwrap();
            db.store.write(prove(id, NOTHING, Outcome::Wait(wait(id), mail(id)))).await.unwrap();
        }
        db.store.write(set_totp(bob.id, 5)).await.unwrap();
        db.store.write(codes(bob.id, vec![hash()])).await.unwrap();
        let op = DeleteAccount { realm: REALM, id: bob.id, audit: audit(AuditEvent::AccountDeleted) };
        assert_eq!(db.store.write(op).await.unwrap(), AccountChange::Done);
        assert_eq!(db.store.count_recovery_codes(REALM, &bob.id).await.unwrap(), 0);
        assert_eq!(db.store.find_totp(REALM, &bob.id).await.unwrap(), None);
        assert!(db.store.find_recovery(REALM, &bob.id, NOW).await.unwrap().is_none());
        let sweep = |at_s| Sweep { now: NOW.plus_s(at_s), batch: 100, keep_s: 60, throttle_window_s: 1_000_000 };
        assert_eq!(db.store.write(sweep(600)).await.unwrap().recoveries, 0);
        assert_eq!(db.store.write(sweep(100_000)).await.unwrap().recoveries, 2);
    }
}
