//! `/revoke`: a client gives a token back. RFC 7009.

use idp_core::client::{ClientAuthMethod, ClientSettings, GrantType};

use crate::both;
use crate::rules::rule;
use crate::token::refused;
use crate::world::World;

fn confidential(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
    settings.grant_types.push(GrantType::RefreshToken);
}

both! {
    async fn every_token_of_a_grant_ends_with_any_of_them(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", confidential).await;
        let mut ann = w.person("ann").await;
        for by_refresh in [true, false] {
            let mut browser = w.browser();
            let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
            let kept = w.silent_tokens(&mut browser, &rp, rp.ask()).await;
            rp.revoke(&w, if by_refresh { &tokens.refresh_token } else { &tokens.access_token }).await;
            assert_eq!(w.userinfo(&tokens.access_token).await.status, 401, "{}", rule("revoke.grant"));
            assert_eq!(rp.refresh(&w, &tokens.refresh_token).await.error(), "invalid_grant");
            assert_eq!(rp.introspect(&w, &tokens.access_token).await["active"], false);
            assert_eq!(w.userinfo(&kept.access_token).await.status, 200, "another grant of the client lives on");
            rp.revoke(&w, &tokens.refresh_token).await;
        }
    }
}

#[tokio::test]
async fn tokens_of_others_and_unknown_ones_are_answered_alike_and_live_on() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp_with("app", confidential).await, w.rp_with("other", confidential).await);
    let mut ann = w.person("ann").await;
    let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    for token in [&tokens.access_token, &tokens.refresh_token, &tokens.id_token, "x", &"x".repeat(20_000)] {
        let page = other.post(&w, "/revoke", &[("token", token), ("token_type_hint", "x")]).await;
        assert_eq!((page.status, page.body.as_str()), (200, "{}"), "{}", rule("revoke.client"));
    }
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    assert_eq!(rp.refresh(&w, &tokens.refresh_token).await.status, 200);
}

#[tokio::test]
async fn a_public_client_revokes_its_own_and_a_request_is_well_formed() {
    let w = World::sqlite().await;
    let rp = w.rp_with("spa", |s| s.grant_types.push(GrantType::RefreshToken)).await;
    let mut ann = w.person("ann").await;
    let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    for params in [&[][..], &[("token", "a"), ("token", "b")]] {
        refused(&rp.post(&w, "/revoke", params).await, "revoke.params", "invalid_request", "token");
    }
    rp.revoke(&w, &tokens.refresh_token).await;
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
}
