//! The life of signing keys: by schedule, and at once for one that leaked.

use idp::jobs::keys::turn;
use idp_core::audit::AuditEvent;
use idp_core::client::{AccessTokenFormat, SigningAlg};
use idp_core::jose::keyset::KeyState;
use idp_store::keys::RevokeKey;

use crate::both;
use crate::world::World;

const DAY: i64 = 24 * 3600;

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn published(w: &World) -> Vec<String> {
    let jwks = w.browser().get("/.well-known/jwks.json").await.value();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn keys_turn_by_the_calendar_and_no_token_is_lost(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.access_token = AccessTokenFormat::Jwt).await;
        let mut ann = w.person("ann").await;
        turn(&w.app).await.unwrap();
        let first = published(&w).await;
        assert_eq!(first.len(), SigningAlg::ALL.len(), "nothing is due");
        w.clock.advance(89 * DAY);
        turn(&w.app).await.unwrap();
        let both = published(&w).await;
        assert_eq!(both.len(), 2 * first.len(), "published a day before they sign");
        let before = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        assert!(first.contains(&kid(&before.id_token)), "the old ones sign");
        w.clock.advance(DAY);
        let before = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        let (one, two) = tokio::join!(turn(&w.app), turn(&w.app));
        one.and(two).unwrap();
        let after = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        assert!(!first.contains(&kid(&after.id_token)) && both.contains(&kid(&after.id_token)), "the new ones sign");
        assert_eq!(published(&w).await, both, "the old ones still verify");
        w.verify(&rp, &before.id_token).await;
        assert_eq!(w.userinfo(&before.access_token).await.status, 200);
        w.clock.advance(DAY);
        let now = published(&w).await;
        assert!(now.len() == first.len() && !now.iter().any(|kid| first.contains(kid)), "nothing old can be good now");
        let hint = rp.ask().with("prompt", "none").with("id_token_hint", &before.id_token);
        let page = w.browser().open(&hint.url()).await;
        assert_eq!(crate::world::Answer::of(&page).error(), "login_required", "as a hint it is still known");
    }

    async fn a_leaked_key_is_unpublished_and_nothing_it_signed_is_believed(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.access_token = AccessTokenFormat::Jwt).await;
        let mut ann = w.person("ann").await;
        let before = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        let leaked = kid(&before.id_token);
        let replacement =
            idp::keys::make(SigningAlg::RS256, w.realm, w.app.sealer(), w.app.random(), w.app.now()).unwrap();
        assert_eq!(replacement.state, KeyState::Active);
        let audit = w.audit(AuditEvent::KeyRevoked);
        let op = RevokeKey { realm: w.realm, kid: leaked.clone(), replacement, now: w.app.now(), audit };
        assert!(w.app.store.write(op).await.unwrap());
        assert!(!published(&w).await.contains(&leaked));
        assert_eq!(w.userinfo(&before.access_token).await.status, 401);
        let hint = rp.ask().with("id_token_hint", &before.id_token);
        let page = w.browser().open(&hint.url()).await;
        assert_eq!(crate::world::Answer::of(&page).error(), "invalid_request");
        let after = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        assert_eq!(w.userinfo(&after.access_token).await.status, 200);
        let page = w.browser().get("/.well-known/jwks.json").await;
        assert_eq!(page.header("cache-control"), Some("public, max-age=300"));
    }
}
