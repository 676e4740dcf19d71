//! Pushed authorization requests: found, consumed once, swept soon.

use futures_util::future::join_all;
use idp_core::id::{ClientId, RealmId};
use idp_core::secret::Hash;
use idp_store::pushed_requests::{PushRequest, UsePushedRequest};
use idp_store::sweep::Sweep;

use crate::both;
use crate::fixtures::*;

fn push(hash: Hash) -> PushRequest {
    let client_id = ClientId::parse("app").unwrap();
    PushRequest { realm: REALM, hash, client_id, request: "{\"\u{fc}\":1}".to_owned(), expires: NOW.plus_s(60) }
}

fn consume(hash: Hash, after_s: i64) -> UsePushedRequest {
    UsePushedRequest { realm: REALM, hash, now: NOW.plus_s(after_s) }
}

both! {
    async fn finds_a_request_until_it_expires_used_or_not(db) {
        let hash = hash();
        db.store.write(push(hash)).await.unwrap();
        let find = async |realm, hash: Hash, after_s| db.store.find_pushed_request(realm, &hash, NOW.plus_s(after_s)).await.unwrap();
        let found = find(REALM, hash, 60).await.unwrap();
        assert_eq!((found.client_id.as_str(), found.request.as_str(), found.used), ("app", "{\"\u{fc}\":1}", false));
        assert!(find(REALM, hash, 61).await.is_none() && find(RealmId(2), hash, 0).await.is_none());
        assert!(find(REALM, crate::fixtures::hash(), 0).await.is_none());
        assert!(!db.store.write(consume(hash, 61)).await.unwrap(), "too late");
        assert!(db.store.write(consume(hash, 60)).await.unwrap());
        assert!(find(REALM, hash, 60).await.unwrap().used);
    }

    async fn consumes_a_request_once_of_64_at_once_over_two_processes(db) {
        let hash = hash();
        db.store.write(push(hash)).await.unwrap();
        let other = db.other().await;
        let stores = [&db.store, &other];
        let results = join_all((0..64).map(|n| stores[n % 2].write(consume(hash, 1)))).await;
        assert_eq!(results.into_iter().map(Result::unwrap).filter(|used| *used).count(), 1);
    }

    async fn sweeps_requests_a_minute_after_their_end(db) {
        for _ in 0..3 { db.store.write(push(hash())).await.unwrap(); }
        let sweep = |after_s| Sweep { now: NOW.plus_s(after_s), batch: 2, keep_s: 1_000_000, throttle_window_s: 60 };
        let mut swept = Vec::new();
        for after_s in [119, 121, 121] {
            swept.push(db.store.write(sweep(after_s)).await.unwrap().pushed_requests);
        }
        assert_eq!(swept, [0, 2, 1]);
    }
}
