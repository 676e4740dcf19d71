//! Attacks that once worked here: each by its own test.

use idp_core::audit::AuditEvent;
use idp_core::client::{ClientAuthMethod, GrantType};
use idp_core::oauth::scope::STANDARD;
use idp_store::audit::AuditFilter;
use std::sync::Arc;

use super::refused;
use crate::both;
use crate::world::jwt::Key;
use crate::world::{Rp, World};

both! {
    async fn an_old_code_that_a_stranger_found_ends_nothing(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.grant_types.push(GrantType::RefreshToken)).await;
        let stranger = w.rp("stranger").await;
        let mut ann = w.person("ann").await;
        let ask = rp.ask().with("scope", "openid offline_access");
        let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
        let answer = rp.redeem(&w, &ask, &code).await;
        let tokens = w.accept(&rp, &ask, &code, &answer).await;
        w.clock.advance(75);
        for who in [&stranger, &rp] {
            refused(&who.redeem(&w, &ask, &code).await, "code.fresh", "invalid_grant", "expired");
        }
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
        assert_eq!(rp.refresh(&w, &tokens.refresh_token).await.status, 200);
    }

    async fn a_code_that_keeps_coming_back_is_noted_once(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        let ask = rp.ask();
        for _ in 0..5 {
            assert_eq!(rp.redeem(&w, &ask, &tokens.code).await.error(), "invalid_grant");
        }
        let filter = AuditFilter { event: Some(AuditEvent::CodeReused), ..AuditFilter::default() };
        assert_eq!(w.app.store.list_audit(w.realm, &filter, 100).await.unwrap().len(), 1);
    }

    async fn a_nul_in_a_text_is_no_fault_of_ours(db) {
        let w = World::start(db).await;
        let page = w.browser().try_password("a\0b", "correct horse battery").await;
        assert!((400..500).contains(&page.status), "{}: {}", page.status, page.body);
    }

    async fn what_an_admin_took_from_a_client_is_not_refreshed(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.grant_types.push(GrantType::RefreshToken)).await;
        let mut ann = w.person("ann").await;
        let tokens = w.tokens_for(&mut w.browser(), &mut ann, &rp, "openid email offline_access").await;
        let mut client = rp.client.clone();
        client.settings.scopes = Some(vec!["openid".to_owned()]);
        client.updated = w.clock.now().plus_s(1);
        let audit = w.audit(AuditEvent::ClientChanged);
        let op = idp_store::clients::UpdateClient { realm: w.realm, client, seen: rp.client.updated, audit };
        w.app.store.write(op).await.unwrap();
        let page = rp.refresh(&w, &tokens.refresh_token).await;
        assert_eq!((page.status, page.value()["scope"].as_str()), (200, Some("openid")), "{}", page.body);
    }
}

#[tokio::test]
async fn a_narrower_token_tells_no_more_by_name() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.grant_types.push(GrantType::RefreshToken)).await;
    let mut ann = w.person("ann").await;
    let claims = r#"{"userinfo":{"email":null},"id_token":{"email":null}}"#;
    let ask = rp.ask().with("scope", "openid profile").with("claims", claims);
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let answer = rp.redeem(&w, &ask, &code).await;
    let tokens = w.accept(&rp, &ask, &code, &answer).await;
    assert_eq!(w.userinfo(&tokens.access_token).await.value()["email"], "ann@example.org");
    let narrow =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str()), ("scope", "openid")];
    let answer = rp.token(&w, &narrow).await.value();
    let claims = w.verify(&rp, answer["id_token"].as_str().unwrap()).await;
    let userinfo = w.userinfo(answer["access_token"].as_str().unwrap()).await.value();
    assert!(claims.get("email").is_none() && userinfo.get("email").is_none(), "{claims} {userinfo}");
}

#[tokio::test]
async fn a_client_acting_for_itself_gets_no_scope_that_speaks_of_a_user() {
    let w = World::sqlite().await;
    let rp = w
        .rp_with("worker", |s| {
            s.auth_method = ClientAuthMethod::ClientSecretBasic;
            s.grant_types = vec![GrantType::ClientCredentials];
            s.scopes = Some(STANDARD.iter().chain(&["read"]).map(|s| (*s).to_owned()).collect());
        })
        .await;
    let page = rp.token(&w, &[("grant_type", "client_credentials")]).await;
    assert_eq!(page.value()["scope"], "read");
    let page = rp.token(&w, &[("grant_type", "client_credentials"), ("scope", "openid")]).await;
    refused(&page, "client_credentials.scope", "invalid_scope", "openid");
}

#[tokio::test]
async fn proofs_that_anybody_can_make_fill_nothing() {
    let w = World::sqlite().await;
    let public = w.rp("public").await;
    let flood = Rp { dpop: Some(Arc::new(Key::es256("flood"))), ..public.clone() };
    w.set_settings(|s| s.dpop_nonce_required = false).await;
    let junk = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://public.example/cb")];
    let mut statuses = Vec::new();
    for _ in 0..601 {
        statuses.push(flood.post_proved(&w, "/token", &junk, |p| p).await.status);
    }
    assert!(statuses[..600].iter().all(|s| *s == 400) && statuses[600] == 429, "{:?}", &statuses[595..]);
    w.clock.advance(3 * 60 + 120);
    let sweep =
        idp_store::sweep::Sweep { now: w.clock.now(), batch: 1000, keep_s: 7 * 24 * 3600, throttle_window_s: 900 };
    assert_eq!(w.app.store.write(sweep).await.unwrap().once, 600, "gone with the proofs' own life");
}
