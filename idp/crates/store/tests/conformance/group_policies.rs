//! Policies of groups, and what people chose for themselves.

use idp_core::account::Preferences;
use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::{Mode, Policy};
use idp_store::accounts::{Preference, SetPreference};
use idp_store::group_policies::{GroupPolicySet, SetGroupPolicy};
use idp_store::groups::{AddMember, CreateGroup, DeleteGroup, Group};
use idp_store::realms::RealmCreated;

use crate::both;
use crate::fixtures::*;

fn make(name: &str) -> CreateGroup {
    let group = Group { name: name.to_owned(), display_name: name.to_owned(), created: NOW };
    CreateGroup { realm: REALM, group, audit: audit(AuditEvent::GroupCreated) }
}

fn set(group: &str, policy: Option<(i64, Mode)>) -> SetGroupPolicy {
    let policy = policy.map(|(priority, mode)| (priority, Policy { mode, ..Policy::default() }));
    SetGroupPolicy { realm: REALM, group: group.to_owned(), policy, audit: audit(AuditEvent::PolicyChanged) }
}

both! {
    async fn a_realm_bears_the_policies_of_its_groups_highest_priority_first(db) {
        let RealmCreated::Created(REALM) = db.store.write(create_realm("a")).await.unwrap() else { panic!() };
        for group in ["a", "b", "c"] {
            db.store.write(make(group)).await.unwrap();
        }
        assert!(db.store.cached_realms().await.unwrap().all[0].group_policies.is_empty());
        for (group, policy) in [("a", (-1, Mode::Optional)), ("b", (7, Mode::PasskeyOnly))] {
            assert_eq!(db.store.write(set(group, Some(policy))).await.unwrap(), GroupPolicySet::Done);
        }
        let realms = db.store.cached_realms().await.unwrap();
        let found = &realms.all[0].group_policies;
        let seen: Vec<_> = found.iter().map(|of| (of.group.as_str(), of.priority, of.policy.mode)).collect();
        assert_eq!(seen, [("b", 7, Mode::PasskeyOnly), ("a", -1, Mode::Optional)]);
        assert_eq!(db.store.find_realm("a").await.unwrap().unwrap().group_policies, *found);

        let taken = db.store.write(set("c", Some((7, Mode::Optional)))).await.unwrap();
        assert_eq!(taken, GroupPolicySet::PriorityTaken("b".to_owned()));
        assert_eq!(db.store.write(set("b", Some((7, Mode::Optional)))).await.unwrap(), GroupPolicySet::Done, "its own");
        assert_eq!(db.store.write(set("nobody", None)).await.unwrap(), GroupPolicySet::Gone);
        assert_eq!(db.store.write(set("a", None)).await.unwrap(), GroupPolicySet::Done);
        let gone = DeleteGroup { realm: REALM, name: "b".to_owned(), audit: audit(AuditEvent::GroupDeleted) };
        assert!(db.store.write(gone).await.unwrap());
        assert!(db.store.cached_realms().await.unwrap().all[0].group_policies.is_empty());
        assert_eq!(count_audit(&db.store, AuditEvent::PolicyChanged).await, 4);
    }

    async fn pages_bear_accounts_with_their_groups_and_passkeys(db) {
        for group in ["a", "b"] {
            db.store.write(make(group)).await.unwrap();
        }
        let mut expected = Vec::new();
        for name in ["ann", "bob", "carl", "dora", "eve"] {
            let account = make_account(&db.store, name).await;
            let mut keys = Vec::new();
            let mut groups = Vec::new();
            if ["ann", "dora"].contains(&name) {
                keys = vec![make_passkey(&db.store, &account).await, make_passkey(&db.store, &account).await];
                keys.sort_by(|one, other| one.credential_id.cmp(&other.credential_id));
            }
            for group in ["a", "b"].into_iter().filter(|group| *group == "a" || ["bob", "dora"].contains(&name)) {
                let (group, audit) = (group.to_owned(), audit(AuditEvent::GroupChanged));
                groups.push(group.clone());
                db.store.write(AddMember { realm: REALM, group, account: account.id, audit }).await.unwrap();
            }
            expected.push((account.id, groups, keys));
        }
        expected.sort_by_key(|(id, ..)| *id);
        for limit in [1, 2, 5, 9] {
            let mut found = Vec::new();
            let mut after = None;
            let before = db.store.counts().statements;
            let mut pages = 0;
            loop {
                let page = db.store.list_holders(REALM, after.as_ref(), limit).await.unwrap();
                pages += 1;
                let Some(last) = page.last() else { break };
                after = Some(last.account.id);
                found.extend(page.into_iter().map(|holder| (holder.account.id, holder.groups, holder.passkeys)));
            }
            assert_eq!(found, expected, "{limit} at once");
            assert_eq!(db.store.counts().statements - before, 3 * (pages - 1) + 1, "three statements a page");
        }
    }

    async fn keeps_what_a_person_chose(db) {
        let account = make_account(&db.store, "ann").await;
        let chosen =
            SetPreference { realm: REALM, account: account.id, preference: Preference::AskPasskey(true), audit: None };
        let put_off =
            |at| SetPreference { preference: Preference::PasskeyPutOff(at), ..chosen.clone() };
        // In two tabs at once: neither undoes the other.
        let both = [db.store.write(chosen.clone()), db.store.write(put_off(NOW))];
        assert!(futures_util::future::join_all(both).await.into_iter().all(Result::unwrap));
        assert!(db.store.write(put_off(NOW.plus_s(5))).await.unwrap());
        let asked = Preference::PasskeyAsked(NOW.plus_s(9));
        assert!(db.store.write(SetPreference { preference: asked, ..chosen.clone() }).await.unwrap());
        let upgraded = Preference::PasskeyUpgraded(NOW.plus_s(7));
        assert!(db.store.write(SetPreference { preference: upgraded, ..chosen.clone() }).await.unwrap());
        let found = db.store.find_account(REALM, &account.id).await.unwrap().unwrap();
        let expected = Preferences {
            ask_passkey: true,
            passkey_first_asked: Some(NOW),
            passkey_put_off: Some(NOW.plus_s(5)),
            passkey_upgraded: Some(NOW.plus_s(7)),
        };
        assert_eq!(found.preferences, expected);
        let audited = SetPreference { audit: Some(audit(AuditEvent::AccountChanged)), ..chosen.clone() };
        assert!(db.store.write(audited).await.unwrap());
        assert_eq!(count_audit(&db.store, AuditEvent::AccountChanged).await, 1);
        let nobody = SetPreference { account: idp_core::id::AccountId::from_bytes([9; 16]), ..chosen };
        assert!(!db.store.write(nobody).await.unwrap());
    }
}
