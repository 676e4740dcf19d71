//! `POST /device_authorization`: who may begin, with what, how often. RFC 8628 §3.1 and §3.2.

use idp_core::client::{ClientAuthMethod, ClientState, GrantType};
use idp_core::oauth::device::MOST_WAITING;

use crate::both;
use crate::rules::rule;
use crate::token::refused;
use crate::world::World;

both! {
    async fn answers_with_two_codes_an_address_and_a_pace(db) {
        let w = World::start(db).await;
        let tv = w.tv("tv").await;
        let device = w.begin_device(&tv).await;
        let (begun, code) = (&device.begun, &device.user_code);
        assert_eq!(begun["verification_uri"], format!("{}/device", w.issuer));
        assert_eq!(begun["verification_uri_complete"], format!("{}/device?user_code={code}", w.issuer));
        assert_eq!((begun["expires_in"].as_i64(), begun["interval"].as_i64()), (Some(600), Some(5)));
        assert_eq!(device.code.len(), 43, "256 bits");
        assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
        assert!(code.bytes().all(|b| b"BCDFGHJKLMNPQRSTVWXZ-".contains(&b)), "{code}");
        let other = w.begin_device(&tv).await;
        assert!(other.code != device.code && other.user_code != device.user_code);
    }

    async fn of_more_than_may_wait_the_next_is_told_to_come_back(db) {
        let w = World::start(db).await;
        let (tv, other) = (w.tv("tv").await, w.tv("other").await);
        for _ in 0..MOST_WAITING.0 {
            w.begin_device(&tv).await;
        }
        let page = other.begin(&w, &[("scope", "openid")]).await;
        assert_eq!((page.status, page.header("retry-after")), (429, Some("60")), "{}", rule("device.waiting"));
        assert_eq!(page.error(), "temporarily_unavailable");
        w.clock.advance(600);
        w.begin_device(&tv).await;
    }
}

#[tokio::test]
async fn refuses_what_it_cannot_grant() {
    let w = World::sqlite().await;
    let (tv, web) = (w.tv("tv").await, w.rp("web").await);
    let ask = |params: &'static [(&'static str, &'static str)]| tv.begin(&w, params);
    refused(&web.begin(&w, &[("scope", "openid")]).await, "device.allowed", "unauthorized_client", "not set up");
    let twice = ask(&[("scope", "openid"), ("scope", "openid")]).await;
    refused(&twice, "device.params", "invalid_request", "scope came twice");
    refused(&ask(&[("scope", "email")]).await, "scope.openid", "invalid_scope", "lacks openid");
    let resource = ask(&[("scope", "openid"), ("resource", "https://api.example")]).await;
    refused(&resource, "resource.allowed", "invalid_target", "https://api.example");
    w.set_client_state(&tv, ClientState::Disabled).await;
    refused(&ask(&[("scope", "openid")]).await, "client.active", "invalid_client", "disabled");
}

#[tokio::test]
async fn a_confidential_client_proves_who_it_is() {
    let w = World::sqlite().await;
    let tv = w.tv_with("tv", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    let device = w.begin_device(&tv).await;
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
    let mut thief = tv.clone();
    thief.secret = Some("wrong".to_owned());
    refused(&thief.begin(&w, &[("scope", "openid")]).await, "client.secret", "invalid_client", "secret");
    refused(&thief.poll(&w, &device.code).await, "client.secret", "invalid_client", "secret");
}

#[tokio::test]
async fn a_client_of_the_device_grant_alone_gets_no_code() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let web = w.rp("web").await;
    let page = w.browser().get(&web.ask().with("client_id", tv.id()).url()).await;
    assert_eq!(page.status, 400, "it has no redirect URI");
    let poll = web.token(&w, &[("grant_type", GrantType::DeviceCode.text()), ("device_code", "x")]).await;
    refused(&poll, "grant.allowed", "unauthorized_client", "device_code");
}
