//! Polling: not yet, too fast, no, too late, once. RFC 8628 §3.4 and §3.5.

use std::sync::Arc;

use idp_core::client::{ClientAuthMethod, GrantType};
use serde_json::json;

use crate::both;
use crate::rules::rule;
use crate::token::refused;
use crate::world::jwt::Key;
use crate::world::{Rp, World};

both! {
    async fn a_device_gets_tokens_when_somebody_allowed_it(db) {
        let w = World::start(db).await;
        let tv = w.tv_with("tv", |s| s.resources = vec!["https://api.example".to_owned()]).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let device = w.begin_device(&tv).await;
        refused(&device.poll(&w).await, "device_code.answered", "authorization_pending", "not answered");
        browser.allow(&mut ann, &device).await;
        let answer = device.poll(&w).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = answer.value();
        assert_eq!((tokens["scope"].as_str(), tokens["token_type"].as_str()), (Some("openid email"), Some("Bearer")));
        let claims = w.verify(&tv, tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(claims["sub"], ann.sub());
        // A passkey that verified its user, but on another device than the one that gets the tokens.
        assert_eq!(claims["acr"], "https://refeds.org/profile/mfa", "{}", rule("device.acr"));
        assert_eq!(claims["amr"], json!(["hwk", "pop", "user", "mfa", "mca"]), "{}", rule("device.acr"));
        assert_eq!(claims["auth_time"], w.clock.now().secs());
        assert_eq!(claims["sid"], ann.sid(&w, &browser).await.to_string());
        let userinfo = w.userinfo(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(userinfo.value()["email"], "ann@example.org");
        let again = tv.refresh(&w, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(again.status, 200, "{}", again.body);
        let claims = w.verify(&tv, again.value()["id_token"].as_str().unwrap()).await;
        assert_eq!(claims["acr"], "https://refeds.org/profile/mfa", "nor does a refresh make it stronger");
    }

    async fn a_code_works_once_also_of_64_at_once(db) {
        let w = World::start(db).await;
        let tv = w.tv("tv").await;
        let mut ann = w.person("ann").await;
        let device = w.allowed_device(&tv, &mut w.browser(), &mut ann).await;
        let answers = futures_util::future::join_all((0..64).map(|_| device.poll(&w))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 63), "{}", rule("device_code.once"));
        bad.iter().for_each(|page| refused(page, "device_code.once", "invalid_grant", "used before"));
        let token = good[0].value()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(w.userinfo(&token).await.status, 200);
        w.clock.advance(3600);
        refused(&device.poll(&w).await, "device_code.once", "invalid_grant", "used before");
    }

    async fn slow_down_lengthens_the_interval_for_good(db) {
        let w = World::start(db).await;
        let device = w.begin_device(&w.tv("tv").await).await;
        // (ms since the last poll, what is said); 5 s at first, 5 s more each time.
        for (ms, error) in [
            (0, "authorization_pending"),
            (5000, "authorization_pending"),
            (4999, "slow_down"),
            (5000, "slow_down"),
            (15_000, "authorization_pending"),
            (14_999, "slow_down"),
            (20_000, "authorization_pending"),
            (19_999, "slow_down"),
            (25_000, "authorization_pending"),
        ] {
            w.clock.advance_ms(ms);
            let page = device.poll(&w).await;
            let id = if error == "slow_down" { "device_code.pace" } else { "device_code.answered" };
            refused(&page, id, error, "");
        }
    }

    async fn of_polls_at_once_one_is_in_time(db) {
        let w = World::start(db).await;
        let device = w.begin_device(&w.tv("tv").await).await;
        let answers = futures_util::future::join_all((0..16).map(|_| device.poll(&w))).await;
        assert_eq!(answers.iter().filter(|a| a.error() == "authorization_pending").count(), 1);
        assert_eq!(answers.iter().filter(|a| a.error() == "slow_down").count(), 15);
    }
}

#[tokio::test]
async fn an_allowed_device_need_not_slow_down() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&w.tv("tv").await).await;
    device.poll(&w).await;
    refused(&device.poll(&w).await, "device_code.pace", "slow_down", "5 seconds longer");
    w.browser().allow(&mut ann, &device).await;
    assert_eq!(device.poll(&w).await.status, 200);
}

#[tokio::test]
async fn another_client_gets_nothing_and_spoils_nothing() {
    let w = World::sqlite().await;
    let (tv, thief) = (w.tv("tv").await, w.tv("thief").await);
    let spy = w.tv_with("spy", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&tv).await;
    for other in [&thief, &spy] {
        refused(&other.poll(&w, &device.code).await, "device_code.client", "invalid_grant", "not one of this client's");
    }
    assert_eq!(device.poll(&w).await.error(), "authorization_pending", "their polls were not counted as ours");
    w.browser().allow(&mut ann, &device).await;
    for other in [&thief, &spy] {
        refused(&other.poll(&w, &device.code).await, "device_code.client", "invalid_grant", "not one of this client's");
    }
    assert_eq!(device.poll(&w).await.status, 200);
}

#[tokio::test]
async fn what_is_no_device_code_is_refused() {
    let w = World::sqlite().await;
    let (tv, elsewhere) = (w.tv("tv").await, World::sqlite().await);
    let theirs = elsewhere.begin_device(&elsewhere.tv("tv").await).await;
    let device = w.begin_device(&tv).await;
    for code in [theirs.code.as_str(), &device.user_code, &device.code[1..], "x", &"x".repeat(5000)] {
        refused(&tv.poll(&w, code).await, "device_code.client", "invalid_grant", "not one of this client's");
    }
    let kind = ("grant_type", GrantType::DeviceCode.text());
    refused(&tv.token(&w, &[kind]).await, "device_code.params", "invalid_request", "missing");
    let twice = tv.token(&w, &[kind, ("device_code", &device.code), ("device_code", "x")]).await;
    refused(&twice, "device_code.params", "invalid_request", "came twice");
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_allowed_or_not() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let (waiting, allowed) = (w.begin_device(&tv).await, w.allowed_device(&tv, &mut w.browser(), &mut ann).await);
    w.clock.advance_ms(599_999);
    assert_eq!(waiting.poll(&w).await.error(), "authorization_pending");
    w.clock.advance_ms(1);
    for device in [&waiting, &allowed] {
        refused(&device.poll(&w).await, "device_code.fresh", "expired_token", "expired");
    }
}

#[tokio::test]
async fn who_says_no_is_heard() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut browser = w.browser();
    let page = browser.approach(&mut ann, &device.user_code).await;
    let done = browser.submit(&page, "/device/confirm", &[("decision", "deny")]).await;
    assert!(done.status == 200 && done.body.contains("was not allowed"), "{}", done.body);
    for _ in 0..2 {
        refused(&device.poll(&w).await, "device_code.denied", "access_denied", "said no");
    }
    let late = browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    assert!(late.status == 400 && late.has("device-code"), "one answer is all there is: {}", late.body);
}

#[tokio::test]
async fn tokens_are_for_the_resources_asked_for() {
    let w = World::sqlite().await;
    let both = ["https://a.example", "https://b.example"];
    let tv = w.tv_with("tv", |s| s.resources = both.map(str::to_owned).to_vec()).await;
    let mut ann = w.person("ann").await;
    let ask = [("scope", "openid"), ("resource", both[0]), ("resource", both[1])];
    let begun = tv.begin(&w, &ask).await.value();
    let (code, user_code) = (begun["device_code"].as_str().unwrap(), begun["user_code"].as_str().unwrap());
    let mut browser = w.browser();
    let page = browser.approach(&mut ann, user_code).await;
    browser.submit(&page, "/device/confirm", &[("decision", "allow")]).await;
    let poll = |resource| {
        let params = [("grant_type", GrantType::DeviceCode.text()), ("device_code", code), ("resource", resource)];
        let (tv, w) = (&tv, &w);
        async move { tv.token(w, &params).await }
    };
    refused(&poll("https://c.example").await, "resource.granted", "invalid_target", "not granted");
    let tokens = poll(both[1]).await.value();
    let userinfo = w.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((userinfo.status, userinfo.error().as_str()), (401, "invalid_token"), "it is for b alone");
}

#[tokio::test]
async fn a_device_that_proves_a_key_gets_tokens_bound_to_it() {
    let w = World::sqlite().await;
    let mut tv = w.tv_with("tv", |s| s.dpop_bound = true).await;
    let mut ann = w.person("ann").await;
    let unbound = w.allowed_device(&tv, &mut w.browser(), &mut ann).await;
    refused(&unbound.poll(&w).await, "grant.bound", "invalid_dpop_proof", "");
    tv.dpop = Some(Arc::new(Key::es256("tv")));
    let page = tv.poll(&w, &unbound.code).await;
    assert_eq!(page.status, 200, "nothing was burnt: {}", page.body);
    let tokens = page.value();
    assert_eq!(tokens["token_type"], "DPoP");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!((tv.userinfo(&w, access).await.status, w.userinfo(access).await.status), (200, 401));
    // A public client's refresh token is bound, too (RFC 9449 §5).
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let thief = Rp { dpop: Some(Arc::new(Key::es256("thief"))), ..tv.clone() };
    refused(&thief.refresh(&w, refresh).await, "refresh.key", "invalid_grant", "another DPoP key");
    assert_eq!(tv.refresh(&w, refresh).await.status, 200);
}
