//! Accounts, passwords, groups.

use futures_util::future::join_all;
use idp_core::account::{Account, AccountState, Role};
use idp_core::audit::AuditEvent;
use idp_store::accounts::*;
use idp_store::groups::*;
use idp_store::passwords::PasswordSet;
use idp_store::sign_in::SignedIn;

use crate::both;
use crate::fixtures::*;

fn create(account: &Account) -> CreateAccount {
    CreateAccount { realm: REALM, account: account.clone(), audit: audit(AuditEvent::AccountCreated) }
}

fn set_state(account: &Account, state: AccountState) -> SetAccountState {
    SetAccountState { realm: REALM, id: account.id, state, now: NOW, audit: audit(AuditEvent::AccountChanged) }
}

fn set_role(account: &Account, role: Role) -> SetRole {
    SetRole { realm: REALM, id: account.id, role, now: NOW, audit: audit(AuditEvent::AccountChanged) }
}

both! {
    async fn finds_an_account_by_each_of_its_names(db) {
        let account = make_account(&db.store, "Alice").await;
        let found = [
            db.store.find_account(REALM, &account.id).await,
            db.store.find_account_by_username(REALM, "aLICE").await,
            db.store.find_account_by_email(REALM, "ALICE@example.org").await,
        ];
        for found in found {
            let found = found.unwrap().unwrap();
            assert_eq!((found.id, found.username.as_str(), &found.profile), (account.id, "Alice", &account.profile));
        }
        assert!(db.store.find_account_by_username(idp_core::id::RealmId(2), "alice").await.unwrap().is_none());
    }

    async fn refuses_a_name_or_address_that_is_taken(db) {
        make_account(&db.store, "alice").await;
        assert_eq!(db.store.write(create(&account("ALICE"))).await.unwrap(), Some(NameTaken::Username));
        let mut other = account("bob");
        other.profile.email = Some("Alice@Example.org".to_owned());
        assert_eq!(db.store.write(create(&other)).await.unwrap(), Some(NameTaken::Email));
        other.profile.email = None;
        assert_eq!(db.store.write(create(&other)).await.unwrap(), None);
        let mut third = account("carol");
        third.profile.email = None;
        assert_eq!(db.store.write(create(&third)).await.unwrap(), None, "any number have no address");
    }

    async fn makes_one_account_when_many_take_its_name_at_once(db) {
        let ops: Vec<_> = (0..32).map(|_| create(&account("alice"))).collect();
        let results = join_all(ops.into_iter().map(|op| db.store.write(op))).await;
        let made = results.into_iter().map(Result::unwrap).filter(Option::is_none).count();
        assert_eq!(made, 1);
    }

    async fn lists_accounts_by_page(db) {
        for name in ["dave", "Bob", "alice", "Carol"] { make_account(&db.store, name).await; }
        let names = async |after: &str| -> Vec<String> {
            let page = db.store.list_accounts(REALM, after, 3).await.unwrap();
            page.into_iter().map(|account| account.username).collect()
        };
        assert_eq!(names("").await, ["alice", "Bob", "Carol"]);
        assert_eq!(names("Carol").await, ["dave"]);
    }

    async fn updates_a_profile_that_nobody_changed_meanwhile(db) {
        make_account(&db.store, "bob").await;
        let account = make_account(&db.store, "alice").await;
        let update = |email: &str, seen| {
            let mut profile = account.profile.clone();
            profile.email = Some(email.to_owned());
            UpdateAccount { realm: REALM, id: account.id, profile, seen, now: NOW.plus_s(1), audit: audit(AuditEvent::AccountChanged) }
        };
        assert_eq!(db.store.write(update("bob@example.org", NOW)).await.unwrap(), AccountChange::EmailTaken);
        assert_eq!(db.store.write(update("a@example.org", NOW)).await.unwrap(), AccountChange::Done);
        assert_eq!(db.store.write(update("b@example.org", NOW)).await.unwrap(), AccountChange::Changed);
        assert!(db.store.find_account_by_email(REALM, "a@example.org").await.unwrap().is_some());
    }

    async fn a_user_name_that_is_the_address_stays_the_address(db) {
        make_account(&db.store, "bob").await;
        let mut ada = account("ada@example.org");
        ada.profile.email = Some("Ada@example.org".to_owned());
        assert_eq!(db.store.write(create(&ada)).await.unwrap(), None);
        let update = |email: Option<&str>, seconds: i64| {
            let mut profile = ada.profile.clone();
            profile.email = email.map(str::to_owned);
            let (seen, now) = (NOW.plus_s(seconds), NOW.plus_s(seconds + 1));
            UpdateAccount { realm: REALM, id: ada.id, profile, seen, now, audit: audit(AuditEvent::EmailChanged) }
        };
        assert_eq!(db.store.write(update(None, 0)).await.unwrap(), AccountChange::NamedByAddress);
        assert_eq!(db.store.write(update(Some("bob@example.org"), 0)).await.unwrap(), AccountChange::EmailTaken);
        assert_eq!(db.store.write(update(Some("Ada@b.org"), 0)).await.unwrap(), AccountChange::Done);
        let kept = db.store.find_account_by_username(REALM, "ada@b.org").await.unwrap().unwrap();
        assert_eq!((kept.id, kept.username.as_str()), (ada.id, "Ada@b.org"));
        assert!(db.store.find_account_by_username(REALM, "ada@example.org").await.unwrap().is_none(), "free again");
        let next = make_account(&db.store, "next").await;
        let mut profile = next.profile.clone();
        profile.email = Some("ada@example.org".to_owned());
        let op = UpdateAccount { realm: REALM, id: next.id, profile, seen: NOW, now: NOW.plus_s(1), audit: audit(AuditEvent::EmailChanged) };
        assert_eq!(db.store.write(op).await.unwrap(), AccountChange::Done);
        assert_eq!(db.store.find_account(REALM, &next.id).await.unwrap().unwrap().username, "next", "a name of its own stays");
    }

    async fn keeps_the_last_owner(db) {
        let (one, two) = (make_account(&db.store, "one").await, make_account(&db.store, "two").await);
        for account in [&one, &two] {
            assert_eq!(db.store.write(set_role(account, Role::Owner)).await.unwrap(), AccountChange::Done);
        }
        assert_eq!(db.store.count_owners(REALM).await.unwrap(), 2);
        let (a, b) = tokio::join!(
            db.store.write(set_role(&one, Role::User)),
            db.store.write(set_state(&two, AccountState::Disabled))
        );
        let mut outcomes = [a.unwrap(), b.unwrap()];
        outcomes.sort_by_key(|outcome| *outcome != AccountChange::Done);
        assert_eq!(outcomes, [AccountChange::Done, AccountChange::LastOwner]);
        assert_eq!(db.store.count_owners(REALM).await.unwrap(), 1);
    }

    async fn ends_sessions_and_grants_of_an_account_that_is_switched_off(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        let redeem = redeem_code(&grant);
        db.store.write(redeem).await.unwrap();
        for state in [AccountState::Locked, AccountState::Active] {
            assert_eq!(db.store.write(set_state(&world.account, state)).await.unwrap(), AccountChange::Done);
        }
        let status = db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap();
        assert!(status.account_active && !status.session_live && !status.is_good());
        assert_eq!(status.grant.state, idp_core::grant::GrantState::Revoked);
        assert!(!is_live(&db.store, &world.account.id, &world.sid).await, "switching it on again revives nothing");
    }

    async fn lets_no_sign_in_slip_past_an_account_that_is_switched_off(db) {
        for round in 0..10 {
            let account = make_account(&db.store, &format!("user{round}")).await;
            let passkey = make_passkey(&db.store, &account).await;
            let ops: Vec<_> = (0..8).map(|_| sign_in(&passkey)).collect();
            let sids: Vec<_> = ops.iter().map(|op| op.session.sid).collect();
            let (_, off) = tokio::join!(
                join_all(ops.into_iter().map(|op| db.store.write(op))),
                db.store.write(set_state(&account, AccountState::Disabled))
            );
            assert_eq!(off.unwrap(), AccountChange::Done);
            for sid in &sids { assert!(!is_live(&db.store, &account.id, sid).await) }
        }
    }

    async fn deletes_an_account_with_all_that_lets_it_in(db) {
        let world = SignedInWorld::make(&db.store).await;
        let delete = || DeleteAccount { realm: REALM, id: world.account.id, audit: audit(AuditEvent::AccountDeleted) };
        assert_eq!(db.store.write(delete()).await.unwrap(), AccountChange::Done);
        assert_eq!(db.store.write(delete()).await.unwrap(), AccountChange::Gone);
        assert!(db.store.find_account(REALM, &world.account.id).await.unwrap().is_none());
        assert!(db.store.list_passkeys(REALM, &world.account.id).await.unwrap().is_empty());
        assert!(!is_live(&db.store, &world.account.id, &world.sid).await);
        assert_eq!(db.store.write(sign_in(&world.passkey)).await.unwrap(), SignedIn::AccountGone);
    }

    async fn ends_the_other_sessions_when_a_password_changes(db) {
        let world = SignedInWorld::make(&db.store).await;
        let other = sign_in(&world.passkey);
        let kept = other.session.sid;
        db.store.write(other).await.unwrap();
        let op = set_password(&world.account, Some("$argon2id$x"), 0, Some(kept));
        assert_eq!(db.store.write(op.clone()).await.unwrap(), PasswordSet::Done);
        assert_eq!(db.store.write(op).await.unwrap(), PasswordSet::Changed, "its version was seen before");
        assert!(is_live(&db.store, &world.account.id, &kept).await && !is_live(&db.store, &world.account.id, &world.sid).await);
        let account = db.store.find_account(REALM, &world.account.id).await.unwrap().unwrap();
        assert_eq!((account.password_version, account.password_hash.is_some()), (1, true));
    }

    async fn refuses_to_sign_in_with_a_password_that_changed_meanwhile(db) {
        let account = make_account(&db.store, "alice").await;
        db.store.write(set_password(&account, Some("$argon2id$x"), 0, None)).await.unwrap();
        assert_eq!(db.store.write(password_sign_in(&account, 0)).await.unwrap(), SignedIn::AccountGone);
        assert!(matches!(db.store.write(password_sign_in(&account, 1)).await.unwrap(), SignedIn::Done(_)));
    }

    async fn keeps_a_password_that_is_the_last_way_in(db) {
        db.store.write(create_realm("a")).await.unwrap();
        let account = make_account(&db.store, "alice").await;
        db.store.write(set_password(&account, Some("$argon2id$x"), 0, None)).await.unwrap();
        let remove = set_password(&account, None, 1, None);
        assert_eq!(db.store.write(remove.clone()).await.unwrap(), PasswordSet::LastWayIn);
        make_passkey(&db.store, &account).await;
        assert_eq!(db.store.write(remove).await.unwrap(), PasswordSet::Done);
    }

    async fn keeps_groups_and_their_members(db) {
        let account = make_account(&db.store, "alice").await;
        let group = Group { name: "staff".to_owned(), display_name: "Staff".to_owned(), created: NOW };
        let create = || CreateGroup { realm: REALM, group: group.clone(), audit: audit(AuditEvent::GroupCreated) };
        let add = || AddMember { realm: REALM, group: "staff".to_owned(), account: account.id, audit: audit(AuditEvent::GroupChanged) };
        let remove = || RemoveMember { realm: REALM, group: "staff".to_owned(), account: account.id, audit: audit(AuditEvent::GroupChanged) };
        assert_eq!(db.store.write(add()).await.unwrap(), Membership::Gone);
        assert!(db.store.write(create()).await.unwrap() && !db.store.write(create()).await.unwrap());
        assert_eq!(db.store.write(add()).await.unwrap(), Membership::Done);
        assert_eq!(db.store.write(add()).await.unwrap(), Membership::Already);
        assert_eq!(db.store.list_groups(REALM).await.unwrap(), std::slice::from_ref(&group));
        assert_eq!(db.store.list_groups_of(REALM, &account.id).await.unwrap(), std::slice::from_ref(&group));
        assert_eq!(db.store.list_group_members(REALM, "staff").await.unwrap()[0].id, account.id);
        assert_eq!(db.store.write(remove()).await.unwrap(), Membership::Done);
        assert_eq!(db.store.write(remove()).await.unwrap(), Membership::Already);
        db.store.write(add()).await.unwrap();
        let delete = || DeleteGroup { realm: REALM, name: "staff".to_owned(), audit: audit(AuditEvent::GroupDeleted) };
        assert!(db.store.write(delete()).await.unwrap() && !db.store.write(delete()).await.unwrap());
        assert!(db.store.list_groups_of(REALM, &account.id).await.unwrap().is_empty());
        db.store.write(create()).await.unwrap();
        assert!(db.store.list_group_members(REALM, "staff").await.unwrap().is_empty(), "a new group has no old members");
    }
}
