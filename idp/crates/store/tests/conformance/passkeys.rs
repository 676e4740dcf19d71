//! Passkeys and passes.

use futures_util::future::join_all;
use idp_core::account::{Preferences, Role};
use idp_core::audit::AuditEvent;
use idp_core::credential::recovery::Recovery;
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::{Mode, Policy};
use idp_core::passkey::record::{Passkey, PasskeyState};
use idp_core::secret::Secret;
use idp_store::accounts::NameTaken;
use idp_store::held::WayIn;
use idp_store::passes::IssuePass;
use idp_store::passkey_removal::*;
use idp_store::passkeys::*;
use idp_store::passwords::{PasswordSet, UsePassForPassword};
use idp_store::recovery_codes::ReplaceRecoveryCodes;
use idp_store::sign_in::SignedIn;

use crate::both;
use crate::fixtures::*;

fn pass(kind: PassKind, account: Option<idp_core::id::AccountId>) -> Pass {
    Pass { hash: hash(), kind, account_id: account, created: NOW, expires: NOW.plus_s(60), used: None, browser: None }
}

fn issue(pass: &Pass) -> IssuePass {
    IssuePass { realm: REALM, pass: pass.clone(), audit: audit(AuditEvent::PassIssued) }
}

fn remove(passkey: &Passkey, way_in: Option<WayIn>) -> RemovePasskey {
    let (account, credential_id) = (passkey.account_id, passkey.credential_id.clone());
    RemovePasskey { realm: REALM, account, credential_id, way_in, audit: audit(AuditEvent::PasskeyRemoved) }
}

fn suspend(passkey: &Passkey) -> SuspendPasskey {
    let (account, credential_id) = (passkey.account_id, passkey.credential_id.clone());
    SuspendPasskey {
        realm: REALM,
        account,
        credential_id,
        reason: "counter".to_owned(),
        tell: Vec::new(),
        audit: audit(AuditEvent::PasskeyCloned),
    }
}

fn set_up(username: &str, pass: &Pass) -> SetUpOwner {
    let mut owner = account(username);
    owner.role = Role::Owner;
    SetUpOwner {
        realm: REALM,
        passkey: passkey(owner.id),
        account: owner,
        challenge: challenge(),
        pass: pass.hash,
        now: NOW,
        audit: audit(AuditEvent::AccountCreated),
    }
}

both! {
    async fn reads_a_passkey_as_it_was_registered(db) {
        let account = make_account(&db.store, "alice").await;
        let mut made = passkey(account.id);
        (made.discoverable, made.attachment) = (Some(true), Some("platform".to_owned()));
        (made.last_used, made.last_used_client) = (Some(NOW), Some("Safari".to_owned()));
        (made.uv_initialized, made.counter) = (true, u32::MAX);
        assert_eq!(db.store.write(register(&made)).await.unwrap(), PasskeyRegistered::Registered);
        assert_eq!(find_passkey(&db.store, &made.credential_id).await, Some(made.clone()));
        assert_eq!(db.store.list_passkeys(REALM, &account.id).await.unwrap(), [made]);
    }

    async fn registers_a_challenge_and_a_credential_once(db) {
        let account = make_account(&db.store, "alice").await;
        let first = register(&passkey(account.id));
        assert_eq!(db.store.write(first.clone()).await.unwrap(), PasskeyRegistered::Registered);
        let mut replay = register(&passkey(account.id));
        replay.challenge = first.challenge;
        assert_eq!(db.store.write(replay).await.unwrap(), PasskeyRegistered::ChallengeUsed);
        let mut same = register(&first.passkey);
        assert_eq!(db.store.write(same.clone()).await.unwrap(), PasskeyRegistered::CredentialExists);
        // What was refused used up nothing.
        same.passkey = passkey(account.id);
        assert_eq!(db.store.write(same).await.unwrap(), PasskeyRegistered::Registered);
        let nobody = register(&passkey(fixtures_account_id()));
        assert_eq!(db.store.write(nobody).await.unwrap(), PasskeyRegistered::AccountGone);
    }

    async fn registers_no_more_than_allowed_however_many_try_at_once(db) {
        let account = make_account(&db.store, "alice").await;
        let ops: Vec<_> = (0..24).map(|_| RegisterPasskey { max_passkeys: 3, ..register(&passkey(account.id)) }).collect();
        let results = join_all(ops.into_iter().map(|op| db.store.write(op))).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == PasskeyRegistered::Registered).count(), 3);
        assert_eq!(outcomes.iter().filter(|o| **o == PasskeyRegistered::TooMany).count(), 21);
    }

    async fn keeps_that_a_passkey_was_made_without_a_dialogue(db) {
        let account = make_account(&db.store, "alice").await;
        let preferences = Preferences { passkey_upgraded: Some(NOW), ..Preferences::default() };
        let op = RegisterPasskey { automatic: true, ..register(&passkey(account.id)) };
        let full = RegisterPasskey { max_passkeys: 0, ..op.clone() };
        let kept = async || db.store.find_account(REALM, &account.id).await.unwrap().unwrap().preferences;
        assert_eq!(db.store.write(full).await.unwrap(), PasskeyRegistered::TooMany);
        assert_eq!(kept().await, Preferences::default());
        assert_eq!(db.store.write(op).await.unwrap(), PasskeyRegistered::Registered);
        assert_eq!(kept().await, preferences);
        assert_eq!(db.store.write(register(&passkey(account.id))).await.unwrap(), PasskeyRegistered::Registered);
        assert_eq!(kept().await, preferences);
    }

    async fn makes_one_passkey_without_a_dialogue_of_many_at_once_and_none_beside_another(db) {
        let account = make_account(&db.store, "alice").await;
        let automatic = || RegisterPasskey { automatic: true, ..register(&passkey(account.id)) };
        let ops: Vec<_> = (0..8).map(|_| automatic()).collect();
        let results = join_all(ops.into_iter().map(|op| db.store.write(op))).await;
        let made = results.into_iter().filter(|r| matches!(r, Ok(PasskeyRegistered::Registered))).count();
        assert_eq!(made, 1);
        assert_eq!(db.store.write(automatic()).await.unwrap(), PasskeyRegistered::TooMany);
    }

    async fn uses_up_a_pass_by_one_registration(db) {
        let account = make_account(&db.store, "alice").await;
        let pass = pass(PassKind::Access, Some(account.id));
        assert!(db.store.write(issue(&pass)).await.unwrap());
        let op = || RegisterPasskey { pass: Some(pass.hash), ..register(&passkey(account.id)) };
        let late = RegisterPasskey { now: NOW.plus_s(60), ..op() };
        assert_eq!(db.store.write(late).await.unwrap(), PasskeyRegistered::PassGone);
        let other = make_account(&db.store, "bob").await;
        let stolen = RegisterPasskey { passkey: passkey(other.id), ..op() };
        assert_eq!(db.store.write(stolen).await.unwrap(), PasskeyRegistered::PassGone);
        let results = join_all([op(), op(), op(), op()].map(|op| db.store.write(op))).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == PasskeyRegistered::Registered).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == PasskeyRegistered::PassGone).count(), 3);
        assert_eq!(db.store.find_pass(REALM, &pass.hash).await.unwrap().unwrap().used, Some(NOW));
    }

    async fn issues_no_pass_for_an_account_that_is_gone(db) {
        let pass = pass(PassKind::Access, Some(fixtures_account_id()));
        assert!(!db.store.write(issue(&pass)).await.unwrap());
        assert!(db.store.find_pass(REALM, &pass.hash).await.unwrap().is_none());
    }

    async fn sets_up_one_owner_by_a_link(db) {
        make_account(&db.store, "bob").await;
        let pass = pass(PassKind::Setup, None);
        db.store.write(issue(&pass)).await.unwrap();
        let taken = OwnerSetUp::NameTaken(NameTaken::Username);
        assert_eq!(db.store.write(set_up("Bob", &pass)).await.unwrap(), taken, "the link stays good");
        let results = join_all((0..8).map(|n| db.store.write(set_up(&format!("owner{n}"), &pass)))).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == OwnerSetUp::Done).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == OwnerSetUp::PassGone).count(), 7);
        assert_eq!(db.store.count_owners(REALM).await.unwrap(), 1);
    }

    async fn does_not_take_a_setup_link_for_an_access_pass(db) {
        let account = make_account(&db.store, "alice").await;
        let (setup, access) = (pass(PassKind::Setup, None), pass(PassKind::Access, Some(account.id)));
        for pass in [&setup, &access] { assert!(db.store.write(issue(pass)).await.unwrap()) }
        let op = RegisterPasskey { pass: Some(setup.hash), ..register(&passkey(account.id)) };
        assert_eq!(db.store.write(op).await.unwrap(), PasskeyRegistered::PassGone);
        assert_eq!(db.store.write(set_up("owner", &access)).await.unwrap(), OwnerSetUp::PassGone);
    }

    async fn sets_a_password_by_a_pass_once(db) {
        let world = SignedInWorld::make(&db.store).await;
        let pass = pass(PassKind::Access, Some(world.account.id));
        db.store.write(issue(&pass)).await.unwrap();
        let op = || UsePassForPassword {
            realm: REALM, account: world.account.id, pass: pass.hash, hash: Secret::new("$argon2id$x".to_owned()),
            now: NOW, audit: audit(AuditEvent::PasswordSet),
        };
        assert_eq!(db.store.write(op()).await.unwrap(), PasswordSet::Done);
        assert_eq!(db.store.write(op()).await.unwrap(), PasswordSet::PassGone);
        assert!(!is_live(&db.store, &world.account.id, &world.sid).await);
    }

    async fn renames_only_a_passkey_of_the_account(db) {
        let (alice, bob) = (make_account(&db.store, "alice").await, make_account(&db.store, "bob").await);
        let made = make_passkey(&db.store, &alice).await;
        let rename = |account| RenamePasskey {
            realm: REALM, account, credential_id: made.credential_id.clone(), name: "Key".to_owned(),
            audit: audit(AuditEvent::PasskeyRenamed),
        };
        assert!(!db.store.write(rename(bob.id)).await.unwrap());
        assert!(db.store.write(rename(alice.id)).await.unwrap());
        assert_eq!(find_passkey(&db.store, &made.credential_id).await.unwrap().name, "Key");
    }

    async fn keeps_one_of_two_passkeys_removed_at_once(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let account = make_account(&db.store, "alice").await;
        let (one, two) = (make_passkey(&db.store, &account).await, make_passkey(&db.store, &account).await);
        let (a, b) = tokio::join!(db.store.write(remove(&one, Some(way_in()))), db.store.write(remove(&two, Some(way_in()))));
        let outcomes = [a.unwrap(), b.unwrap()];
        assert!(outcomes.contains(&PasskeyRemoved::Done { sessions: 0 }) && outcomes.contains(&PasskeyRemoved::LastWayIn));
    }

    async fn ends_what_a_removed_passkey_opened_and_nothing_else(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let world = SignedInWorld::make(&db.store).await;
        let other = make_passkey(&db.store, &world.account).await;
        let op = sign_in(&other);
        let kept = op.session.sid;
        db.store.write(op).await.unwrap();
        let grant = world.grant();
        let redeem = redeem_code(&grant);
        db.store.write(redeem).await.unwrap();
        assert_eq!(db.store.write(remove(&world.passkey, Some(way_in()))).await.unwrap(), PasskeyRemoved::Done { sessions: 1 });
        assert_eq!(db.store.write(remove(&world.passkey, Some(way_in()))).await.unwrap(), PasskeyRemoved::Gone);
        assert!(!is_live(&db.store, &world.account.id, &world.sid).await);
        assert!(is_live(&db.store, &world.account.id, &kept).await);
        assert!(!db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap().is_good());
    }

    async fn lets_a_suspended_passkey_open_nothing(db) {
        let world = SignedInWorld::make(&db.store).await;
        assert_eq!(db.store.write(suspend(&world.passkey)).await.unwrap(), PasskeyRemoved::Done { sessions: 1 });
        assert_eq!(db.store.write(suspend(&world.passkey)).await.unwrap(), PasskeyRemoved::Gone);
        assert_eq!(db.store.write(sign_in(&world.passkey)).await.unwrap(), SignedIn::PasskeyGone);
        let read = find_passkey(&db.store, &world.passkey.credential_id).await.unwrap();
        assert_eq!(read.state, PasskeyState::Suspended);
    }

    async fn removes_the_last_passkey_where_something_lets_in_or_recovers_or_an_operator_asks(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let account = make_account(&db.store, "alice").await;
        let made = make_passkey(&db.store, &account).await;
        assert_eq!(db.store.write(remove(&made, Some(way_in()))).await.unwrap(), PasskeyRemoved::LastWayIn);
        assert_eq!(db.store.write(remove(&made, None)).await.unwrap(), PasskeyRemoved::Done { sessions: 0 });
        // A password, where it lets in.
        let made = make_passkey(&db.store, &account).await;
        db.store.write(set_password(&account, Some("$argon2id$x"), 0, None)).await.unwrap();
        let policy = Policy { mode: Mode::PasskeyOnly, ..Policy::default() };
        let strict = || Some(WayIn { policy: policy.clone(), ..way_in() });
        assert_eq!(db.store.write(remove(&made, strict())).await.unwrap(), PasskeyRemoved::LastWayIn);
        assert_eq!(db.store.write(remove(&made, Some(way_in()))).await.unwrap(), PasskeyRemoved::Done { sessions: 0 });
        // A recovery, where there is one.
        let made = make_passkey(&db.store, &account).await;
        let codes = ReplaceRecoveryCodes {
            realm: REALM, account: account.id, hashes: vec![hash()], now: NOW, settled: NOW, audit: audit(AuditEvent::RecoveryCodesSet),
        };
        db.store.write(codes).await.unwrap();
        let closed = Some(WayIn { policy: policy.clone(), recovery: Recovery::Off });
        assert_eq!(db.store.write(remove(&made, closed)).await.unwrap(), PasskeyRemoved::LastWayIn);
        assert_eq!(db.store.write(remove(&made, strict())).await.unwrap(), PasskeyRemoved::Done { sessions: 0 });
    }
}

fn fixtures_account_id() -> idp_core::id::AccountId {
    account("nobody").id
}
