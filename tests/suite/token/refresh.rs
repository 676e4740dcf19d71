//! Refresh tokens: who keeps one, who rotates, what a return means, how long they live. RFC 6749 §6, RFC 9700 §4.14.

use futures_util::future::join_all;
use idp_core::audit::AuditEvent;
use idp_core::client::{ClientAuthMethod, ClientSettings, GrantType};
use idp_store::audit::AuditFilter;

use super::refused;
use crate::both;
use crate::rules::rule;
use crate::world::{Browser, Page, Person, Rp, Tokens, World};

fn refreshes(settings: &mut ClientSettings) {
    settings.grant_types.push(GrantType::RefreshToken);
}

fn confidential(settings: &mut ClientSettings) {
    refreshes(settings);
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
}

struct Stage {
    w: World,
    rp: Rp,
    browser: Browser,
    ann: Person,
    tokens: Tokens,
}

async fn stage(w: World, change: fn(&mut ClientSettings), scope: &str) -> Stage {
    let rp = w.rp_with("app", change).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let tokens = w.tokens_for(&mut browser, &mut ann, &rp, scope).await;
    Stage { w, rp, browser, ann, tokens }
}

fn refresh_token(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    page.value()["refresh_token"].as_str().expect("a refresh token").to_owned()
}

async fn reuses(w: &World) -> usize {
    let filter = AuditFilter { event: Some(AuditEvent::RefreshReused), ..AuditFilter::default() };
    w.app.store.list_audit(w.realm, &filter, 100).await.unwrap().len()
}

#[tokio::test]
async fn a_client_without_the_grant_gets_no_refresh_token() {
    let s = stage(World::sqlite().await, |_| {}, "openid").await;
    assert_eq!(s.tokens.refresh_token, "");
    refused(&s.rp.refresh(&s.w, "x").await, "grant.allowed", "unauthorized_client", "refresh_token");
}

#[tokio::test]
async fn a_refreshed_id_token_says_what_the_first_said() {
    let s = stage(World::sqlite().await, confidential, "openid profile").await;
    s.w.clock.advance(300);
    let page = s.rp.refresh(&s.w, &s.tokens.refresh_token).await;
    assert_eq!(refresh_token(&page), s.tokens.refresh_token, "a confidential client keeps its token");
    let claims = s.w.verify(&s.rp, page.value()["id_token"].as_str().unwrap()).await;
    for claim in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(claims[claim], s.tokens.claims[claim], "{claim} (OIDC Core §12.2)");
    }
    assert!(claims.get("nonce").is_none());
    assert!(claims["iat"].as_i64() > s.tokens.claims["iat"].as_i64());
    let userinfo = s.w.userinfo(page.value()["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.value()["sub"], claims["sub"]);
}

#[tokio::test]
async fn parameters_are_there_once() {
    let s = stage(World::sqlite().await, confidential, "openid").await;
    let token = s.tokens.refresh_token.as_str();
    let page = s.rp.token(&s.w, &[("grant_type", "refresh_token")]).await;
    refused(&page, "refresh.params", "invalid_request", "is missing");
    let twice = [("grant_type", "refresh_token"), ("refresh_token", token), ("refresh_token", token)];
    refused(&s.rp.token(&s.w, &twice).await, "refresh.params", "invalid_request", "came twice");
    refresh_token(&s.rp.refresh(&s.w, token).await);
}

#[tokio::test]
async fn a_scope_may_be_narrowed_but_not_widened() {
    let s = stage(World::sqlite().await, confidential, "openid email").await;
    let ask =
        |scope| [("grant_type", "refresh_token"), ("refresh_token", s.tokens.refresh_token.as_str()), ("scope", scope)];
    for scope in ["openid profile", "profile", "openid email x"] {
        refused(&s.rp.token(&s.w, &ask(scope)).await, "refresh.scope", "invalid_scope", "not part of");
    }
    let page = s.rp.token(&s.w, &ask("openid")).await;
    assert_eq!(page.value()["scope"], "openid");
    let claims = s.w.userinfo(page.value()["access_token"].as_str().unwrap()).await.value();
    assert!(claims.get("email").is_none(), "{claims}");
    let page = s.rp.token(&s.w, &ask("email")).await;
    assert!(page.value().get("id_token").is_none(), "no ID token without openid");
    let page = s.w.userinfo(page.value()["access_token"].as_str().unwrap()).await;
    assert_eq!((page.status, page.error().as_str()), (403, "insufficient_scope"), "{}", rule("bearer.scope"));
    assert_eq!(
        s.rp.refresh(&s.w, &s.tokens.refresh_token).await.value()["scope"],
        "openid email",
        "the grant is as it was"
    );
}

both! {
    async fn a_public_clients_token_is_followed_by_a_successor(db) {
        let s = stage(World::start(db).await, refreshes, "openid").await;
        let first = s.tokens.refresh_token.clone();
        let second = refresh_token(&s.rp.refresh(&s.w, &first).await);
        assert_ne!(first, second);
        assert_eq!(refresh_token(&s.rp.refresh(&s.w, &first).await), second, "requests that crossed: the same again");
        let third = refresh_token(&s.rp.refresh(&s.w, &second).await);
        assert_eq!(reuses(&s.w).await, 0);
        refused(&s.rp.refresh(&s.w, &first).await, "refresh.once", "invalid_grant", "used before");
        assert_eq!(reuses(&s.w).await, 1);
        refused(&s.rp.refresh(&s.w, &third).await, "refresh.live", "invalid_grant", "has ended");
        assert_eq!(s.w.userinfo(&s.tokens.access_token).await.status, 401, "the whole family is revoked");
    }

    async fn a_token_that_returns_late_kills_its_family_also_after_a_restart(db) {
        let mut s = stage(World::start(db).await, refreshes, "openid offline_access").await;
        let first = s.tokens.refresh_token.clone();
        let second = refresh_token(&s.rp.refresh(&s.w, &first).await);
        s.w.stop().await;
        let other = World::on(s.w.db_url.clone()).await;
        other.clock.advance(11);
        refused(&s.rp.refresh(&other, &first).await, "refresh.once", "invalid_grant", "used before");
        refused(&s.rp.refresh(&other, &second).await, "refresh.live", "invalid_grant", "has ended");
    }

    async fn of_64_at_once_all_get_the_same_successor(db) {
        let s = stage(World::start(db).await, refreshes, "openid").await;
        let pages = join_all((0..64).map(|_| s.rp.refresh(&s.w, &s.tokens.refresh_token))).await;
        let mut successors: Vec<_> = pages.iter().map(refresh_token).collect();
        successors.dedup();
        assert_eq!(successors.len(), 1, "at most one distinct successor");
        refresh_token(&s.rp.refresh(&s.w, &successors[0]).await);
    }

    async fn nothing_lives_after_a_revocation_that_races_with_a_refresh(db) {
        let s = stage(World::start(db).await, refreshes, "openid").await;
        let first = s.tokens.refresh_token.as_str();
        let refreshed = join_all((0..8).map(|_| s.rp.refresh(&s.w, first)));
        let (pages, ()) = tokio::join!(refreshed, s.rp.revoke(&s.w, first));
        for page in pages.iter().filter(|p| p.status == 200) {
            assert_eq!(s.w.userinfo(page.value()["access_token"].as_str().unwrap()).await.status, 401);
            assert_eq!(s.rp.refresh(&s.w, &refresh_token(page)).await.error(), "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a_client_may_ask_to_rotate() {
    let s = stage(
        World::sqlite().await,
        |s| {
            confidential(s);
            s.rotate_refresh_tokens = true;
        },
        "openid",
    )
    .await;
    let second = refresh_token(&s.rp.refresh(&s.w, &s.tokens.refresh_token).await);
    assert_ne!(second, s.tokens.refresh_token);
}

#[tokio::test]
async fn another_client_cannot_use_it_nor_one_that_does_not_authenticate() {
    let s = stage(World::sqlite().await, confidential, "openid").await;
    let other = s.w.rp_with("other", confidential).await;
    let public = s.w.rp_with("public", refreshes).await;
    for rp in [&other, &public] {
        refused(&rp.refresh(&s.w, &s.tokens.refresh_token).await, "refresh.client", "invalid_grant", "this client's");
    }
    let mut nameless = s.rp.clone();
    nameless.client.settings.auth_method = ClientAuthMethod::None;
    assert_eq!(nameless.refresh(&s.w, &s.tokens.refresh_token).await.error(), "invalid_client");
    refresh_token(&s.rp.refresh(&s.w, &s.tokens.refresh_token).await);
}

#[tokio::test]
async fn an_ordinary_logout_ends_it_but_not_offline_access() {
    for (scope, survives) in [("openid", false), ("openid offline_access", true)] {
        let mut s = stage(World::sqlite().await, confidential, scope).await;
        let page = s.browser.get("/logout").await;
        assert_eq!(s.browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await.status, 200);
        let page = s.rp.refresh(&s.w, &s.tokens.refresh_token).await;
        if survives {
            refresh_token(&page);
        } else {
            refused(&page, "refresh.live", "invalid_grant", "has ended");
        }
    }
}

#[tokio::test]
async fn it_ends_with_its_session_unless_offline() {
    for (scope, survives) in [("openid", false), ("openid offline_access", true)] {
        let s = stage(World::sqlite().await, confidential, scope).await;
        for _ in 0..4 {
            s.w.clock.advance(3 * 3600 - 60);
            refresh_token(&s.rp.refresh(&s.w, &s.tokens.refresh_token).await);
        }
        s.w.clock.advance(3600);
        assert_eq!(s.rp.refresh(&s.w, &s.tokens.refresh_token).await.status == 200, survives, "{scope}");
    }
}

#[tokio::test]
async fn lifetimes_are_absolute_and_idle() {
    const DAY: i64 = 24 * 3600;
    let s = stage(World::sqlite().await, confidential, "openid offline_access").await;
    s.w.clock.advance(14 * DAY + 1);
    refused(&s.rp.refresh(&s.w, &s.tokens.refresh_token).await, "refresh.fresh", "invalid_grant", "expired");

    for change in [confidential, refreshes] {
        let s = stage(World::sqlite().await, change, "openid offline_access").await;
        let mut token = s.tokens.refresh_token.clone();
        for _ in 0..2 {
            s.w.clock.advance(13 * DAY);
            token = refresh_token(&s.rp.refresh(&s.w, &token).await);
        }
        s.w.clock.advance(5 * DAY);
        refused(&s.rp.refresh(&s.w, &token).await, "refresh.fresh", "invalid_grant", "expired");
    }
}

#[tokio::test]
async fn a_token_works_in_the_second_it_was_issued_and_is_no_access_token() {
    let s = stage(World::sqlite().await, refreshes, "openid").await;
    refresh_token(&s.rp.refresh(&s.w, &s.tokens.refresh_token).await);
    assert_eq!(s.w.userinfo(&s.tokens.refresh_token).await.status, 401);
    refused(&s.rp.refresh(&s.w, &s.tokens.access_token).await, "refresh.client", "invalid_grant", "this client's");
    refused(&s.rp.refresh(&s.w, &s.tokens.code).await, "refresh.client", "invalid_grant", "this client's");
    let as_code = [
        ("grant_type", "authorization_code"),
        ("code", s.tokens.refresh_token.as_str()),
        ("redirect_uri", s.rp.redirect_uri()),
    ];
    refused(&s.rp.token(&s.w, &as_code).await, "code.sealed_here", "invalid_grant", "not one of ours");
    assert_eq!(s.ann.sub(), s.tokens.claims["sub"].as_str().unwrap());
}
