//! Everything that works once, tried 64 times at once by two processes on one database: it works once.

use futures_util::future::join_all;
use idp_core::audit::AuditEvent;
use idp_core::grant::Grant;
use idp_store::codes::Redeemed;
use idp_store::refresh_tokens::{NewRefreshToken, Refreshed, UseRefreshToken};
use idp_store::used_once::{Once, UseOnce};

use crate::both;
use crate::fixtures::*;

/// A rotating refresh token of `grant` presented at `NOW` + 20 s.
fn refresh(grant: &Grant, presented: [u8; 32], successor: [u8; 32]) -> UseRefreshToken {
    let now = NOW.plus_s(20);
    UseRefreshToken {
        realm: REALM,
        presented,
        grant: grant.clone(),
        successor: Some(NewRefreshToken { hash: successor, issued: now, expires: NOW.plus_s(3600) }),
        now,
        session_since: NOW.plus_s(-3600),
        grace_since: NOW.plus_s(10),
        audit: audit(AuditEvent::TokenRefreshed),
    }
}

both! {
    async fn a_jti_of_an_assertion_or_a_proof(db) {
        let other = db.other().await;
        let once = Once { hash: hash(), expires: NOW.plus_s(60) };
        let fresh = || Once { hash: hash(), expires: NOW.plus_s(60) };
        let tries = (0..64).map(|n| {
            let store = if n % 2 == 0 { &db.store } else { &other };
            store.write(UseOnce { realm: REALM, values: vec![fresh(), once] })
        });
        let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| o.is_none()).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Some(1)).count(), 63, "the second value was the one used before");
    }

    async fn an_authorization_code(db) {
        let other = db.other().await;
        let world = SignedInWorld::make(&db.store).await;
        let grant = world.grant();
        let tries = (0..64).map(|n| (if n % 2 == 0 { &db.store } else { &other }).write(redeem_code(&grant)));
        let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == Redeemed::Redeemed).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Redeemed::Reused).count(), 63);
    }

    async fn a_refresh_token(db) {
        let other = db.other().await;
        let world = SignedInWorld::make(&db.store).await;
        let (grant, first, second) = (world.grant(), hash(), hash());
        let mut redeem = redeem_code(&grant);
        redeem.refresh = Some(NewRefreshToken { hash: first, issued: NOW, expires: NOW.plus_s(3600) });
        assert_eq!(db.store.write(redeem).await.unwrap(), Redeemed::Redeemed);
        let tries = (0..64).map(|n| (if n % 2 == 0 { &db.store } else { &other }).write(refresh(&grant, first, second)));
        let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|o| **o == Refreshed::Done).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Refreshed::Repeated).count(), 63, "all get the same successor");
        // Its successor used, the first one is a thief's.
        assert_eq!(other.write(refresh(&grant, second, hash())).await.unwrap(), Refreshed::Done);
        assert_eq!(db.store.write(refresh(&grant, first, second)).await.unwrap(), Refreshed::Reused);
        assert_eq!(other.write(refresh(&grant, second, hash())).await.unwrap(), Refreshed::Gone, "the family is dead");
    }
}
