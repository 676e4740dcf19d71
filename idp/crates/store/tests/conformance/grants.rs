//! Codes redeemed, reused, burnt; grants revoked.

use futures_util::future::join_all;
use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::client::ClientState;
use idp_core::grant::{Grant, GrantState};
use idp_store::accounts::SetAccountState;
use idp_store::clients::UpdateClient;
use idp_store::codes::*;
use idp_store::grants::*;
use idp_store::sessions::EndSession;

use crate::both;
use crate::fixtures::*;

fn burn(grant: &Grant) -> BurnCode {
    BurnCode { realm: REALM, grant: grant.clone(), audit: audit(AuditEvent::CodeBurnt) }
}

fn end(world: &SignedInWorld) -> EndSession {
    EndSession { realm: REALM, sid: world.sid, account: world.account.id, audit: audit(AuditEvent::SessionEnded) }
}

both! {
    async fn redeems_a_code_once_of_64_at_once_and_revokes_what_it_bought(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        let results = join_all((0..64).map(|_| db.store.write(redeem_code(&grant)))).await;
        let outcomes: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == Redeemed::Redeemed).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Redeemed::Reused).count(), 63);
        let status = db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap();
        assert_eq!(status.grant.state, GrantState::Revoked);
        assert_eq!(count_audit(&db.store, AuditEvent::CodeRedeemed).await, 1);
        assert_eq!(count_audit(&db.store, AuditEvent::CodeReused).await, 1, "noted when something was revoked");
    }

    async fn reads_a_redeemed_grant_with_what_it_depends_on(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        assert_eq!(db.store.write(redeem_code(&grant)).await.unwrap(), Redeemed::Redeemed);
        let before = db.store.counts().statements;
        let status = db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap();
        assert_eq!(db.store.counts().statements - before, 1);
        assert!(status.is_good());
        assert_eq!(status.grant, grant);
        let (same, account) = db.store.find_grant_with_account(REALM, &grant.id).await.unwrap().unwrap();
        assert_eq!((same, account.unwrap().id), (status, world.account.id));
        assert_eq!(db.store.counts().statements - before, 2);
        let mut client = world.client.clone();
        (client.state, client.updated) = (ClientState::Disabled, NOW.plus_s(1));
        db.store.write(UpdateClient { realm: REALM, client, seen: NOW, audit: audit(AuditEvent::ClientChanged) }).await.unwrap();
        let status = db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap();
        assert!(!status.client_active && !status.is_good());
        assert_eq!(db.store.write(redeem_code(&world.grant())).await.unwrap(), Redeemed::Gone, "nor does it get another");
        let off = SetAccountState { realm: REALM, id: world.account.id, state: AccountState::Locked, now: NOW, audit: audit(AuditEvent::AccountChanged) };
        db.store.write(off).await.unwrap();
        let (status, account) = db.store.find_grant_with_account(REALM, &grant.id).await.unwrap().unwrap();
        assert!(!status.account_active && !status.is_good() && account.is_none());
    }

    async fn redeems_nothing_after_logout(db) {
        let world = SignedInWorld::make(&db.store).await;
        assert!(db.store.write(end(&world)).await.unwrap());
        let grant = world.grant();
        assert_eq!(db.store.write(redeem_code(&grant)).await.unwrap(), Redeemed::Gone);
        assert!(db.store.find_grant(REALM, &grant.id).await.unwrap().is_none());
    }

    async fn leaves_no_live_grant_behind_a_logout_that_comes_at_the_same_time(db) {
        let world = SignedInWorld::make(&db.store).await;
        for _ in 0..10 {
            let op = sign_in(&world.passkey);
            let sid = op.session.sid;
            db.store.write(op).await.unwrap();
            let grants: Vec<_> = (0..8).map(|_| Grant { sid: Some(sid), ..world.grant() }).collect();
            let end = EndSession { sid, ..end(&world) };
            let (_, ended) = tokio::join!(join_all(grants.iter().map(|g| db.store.write(redeem_code(g)))), db.store.write(end));
            assert!(ended.unwrap());
            for grant in &grants {
                let status = db.store.find_grant(REALM, &grant.id).await.unwrap();
                assert!(status.is_none_or(|s| s.grant.state == GrantState::Revoked));
            }
        }
    }

    async fn burns_a_code_for_ever(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        assert_eq!(db.store.write(burn(&grant)).await.unwrap(), CodeBurnt::Burnt);
        assert_eq!(db.store.write(redeem_code(&grant)).await.unwrap(), Redeemed::Reused);
        assert_eq!(db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap().grant.state, GrantState::Burnt);
    }

    async fn revokes_what_a_code_bought_when_it_comes_again_wrongly(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        db.store.write(redeem_code(&grant)).await.unwrap();
        assert_eq!(db.store.write(burn(&grant)).await.unwrap(), CodeBurnt::Reused);
        assert_eq!(db.store.find_grant(REALM, &grant.id).await.unwrap().unwrap().grant.state, GrantState::Revoked);
        assert_eq!(count_audit(&db.store, AuditEvent::CodeReused).await, 1);
    }

    async fn notices_a_code_reused_after_logout(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        db.store.write(redeem_code(&grant)).await.unwrap();
        db.store.write(end(&world)).await.unwrap();
        assert_eq!(db.store.write(redeem_code(&grant)).await.unwrap(), Redeemed::Reused);
    }

    async fn revokes_a_grant_once(db) {
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        db.store.write(redeem_code(&grant)).await.unwrap();
        let revoke = || RevokeGrant { realm: REALM, id: grant.id, audit: audit(AuditEvent::CodeReused) };
        assert!(db.store.write(revoke()).await.unwrap());
        assert!(!db.store.write(revoke()).await.unwrap());
    }

    async fn counts_a_redemption_as_activity_of_the_session(db) {
        let world = SignedInWorld::make(&db.store).await;
        db.store.write(redeem_code(&world.grant())).await.unwrap();
        let session = db.store.list_sessions(REALM, &world.account.id, NOW, IDLE_S).await.unwrap().remove(0);
        assert_eq!(session.active, NOW.plus_s(5));
    }
}
