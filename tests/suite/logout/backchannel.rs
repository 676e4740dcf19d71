//! Clients are told by the back channel when a session ends, whatever ended it. Back-Channel Logout 1.0.

use std::time::Duration;

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::client::{ClientSettings, SigningAlg, SubjectType};
use idp_core::encoding::from_base64url;
use idp_store::audit::AuditFilter;
use serde_json::{Value, json};

use crate::both;
use crate::rules::rule;
use crate::world::{Browser, OUTSIDE, Outside, Person, Reply, Rp, Tokens, World, encode};

/// A client that hears, and the server it hears by.
async fn hears(w: &World, id: &str) -> (Rp, Outside) {
    let server = Outside::at(OUTSIDE).await;
    let uri = server.url("/logged-out?keep=1");
    (w.rp_with(id, |settings| settings.backchannel_logout_uri = Some(uri)).await, server)
}

/// Header and claims of the token of a delivery.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| from_base64url(part).unwrap_or_default());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

async fn log_out(browser: &mut Browser, tokens: &Tokens) {
    let page = browser.get(&format!("/logout?{}", encode(&[("id_token_hint", &tokens.id_token)]))).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

async fn rows(w: &World, event: AuditEvent) -> Vec<Value> {
    let filter = AuditFilter { event: Some(event), ..AuditFilter::default() };
    let rows = w.app.store.list_audit(w.realm, &filter, 100).await.unwrap();
    rows.into_iter().map(|row| row.detail).collect()
}

/// Waits until a delivery that failed has been put off: before, it is due when its lease ends.
async fn put_off(w: &World) {
    while w.app.store.list_due_logouts(w.clock.now().plus_s(10), 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until so many rows of an event are there.
async fn rows_in_time(w: &World, event: AuditEvent, count: usize) -> Vec<Value> {
    for _ in 0..1000 {
        if rows(w, event).await.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rows = rows(w, event).await;
    assert_eq!(rows.len(), count, "{rows:?}");
    rows
}

async fn signed_in(w: &World, rps: &[&Rp]) -> (Person, Browser, Vec<Tokens>) {
    let (mut ann, mut browser, mut tokens) = (w.person("ann").await, w.browser(), Vec::new());
    for rp in rps {
        tokens.push(w.tokens(&mut browser, &mut ann, rp).await);
    }
    (ann, browser, tokens)
}

both! {
    async fn each_client_of_the_session_gets_a_token_of_its_own_and_no_other_client(db) {
        let w = World::start(db).await;
        let ((one, at_one), (two, at_two)) = (hears(&w, "one").await, hears(&w, "two").await);
        let ((never, at_never), deaf) = (hears(&w, "never").await, w.rp("deaf").await);
        let (_, mut browser, tokens) = signed_in(&w, &[&one, &two, &deaf]).await;
        let _ = never;
        log_out(&mut browser, &tokens[0]).await;
        for (rp, server, tokens) in [(&one, &at_one, &tokens[0]), (&two, &at_two, &tokens[1])] {
            let heard = server.heard(1).await;
            assert_eq!(heard[0].line, "POST /logged-out?keep=1");
            assert_eq!(heard[0].content_type, "application/x-www-form-urlencoded");
            assert_eq!(heard[0].form.len(), 1);
            let token = &heard[0].form["logout_token"];
            let [header, claims] = parts(token);
            let about = rule("logout.backchannel.token");
            assert_eq!(header["typ"], "logout+jwt", "{about}");
            assert_eq!(header["alg"], "RS256", "{about}");
            assert_eq!(w.verify(rp, token).await, claims, "{about}");
            for name in ["iss", "aud", "sub", "sid"] {
                assert_eq!(claims[name], tokens.claims[name], "{about} {name}");
            }
            let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert!(iat == w.clock.now().secs() && exp - iat <= 120, "{about}");
            assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
            assert!(claims.get("nonce").is_none() && claims["jti"].as_str().unwrap().len() >= 16, "{about}");
        }
        let rows = rows_in_time(&w, AuditEvent::LogoutDelivered, 2).await;
        assert_eq!(rows[0]["host"], "127.0.0.1");
        assert_eq!(at_never.connections(), 0, "{}", rule("logout.backchannel.everyone"));
    }

    async fn whatever_ends_a_session_reaches_its_clients(db) {
        let w = World::start(db).await;
        let (rp, server) = hears(&w, "app").await;
        let about = rule("logout.backchannel.everyone");
        // Ended by an operator; switched off; deleted; another person in the same browser.
        let (ann, mut browser, first) = signed_in(&w, &[&rp]).await;
        w.end_session(&ann, first[0].sid()).await;
        server.heard(1).await;
        let mut ben = w.person("ben").await;
        w.tokens(&mut w.browser(), &mut ben, &rp).await;
        w.set_account_state(&ben, AccountState::Disabled).await;
        server.heard(2).await;
        let mut cy = w.person("cy").await;
        w.tokens(&mut w.browser(), &mut cy, &rp).await;
        w.delete_account(&cy).await;
        server.heard(3).await;
        let mut dee = w.person("dee").await;
        let before = w.tokens(&mut browser, &mut dee, &rp).await;
        let mut eve = w.person("eve").await;
        browser.sign_in_with_passkey(&mut eve, None).await;
        let heard = server.heard(4).await;
        assert_eq!(parts(&heard[3].form["logout_token"])[1]["sid"], before.claims["sid"], "{about}");
        let mut sids: Vec<_> = heard.iter().map(|r| parts(&r.form["logout_token"])[1]["sid"].to_string()).collect();
        sids.sort();
        sids.dedup();
        assert_eq!(sids.len(), 4, "{about}");
    }

    async fn what_failed_is_sent_again_with_a_fresh_token_until_it_arrives(db) {
        let w = World::start(db).await;
        let (rp, server) = hears(&w, "app").await;
        let (_, mut browser, tokens) = signed_in(&w, &[&rp]).await;
        server.answers(Reply::Status(503));
        log_out(&mut browser, &tokens[0]).await;
        server.heard(1).await;
        put_off(&w).await;
        assert_eq!(rows(&w, AuditEvent::LogoutDelivered).await.len(), 0);
        server.answers(Reply::Status(204));
        w.clock.advance(60);
        let heard = server.heard(2).await;
        let jti = |at: usize| parts(&heard[at].form["logout_token"])[1]["jti"].clone();
        assert_ne!(jti(0), jti(1), "{}", rule("logout.backchannel.again"));
        assert_eq!(parts(&heard[1].form["logout_token"])[1]["iat"], w.clock.now().secs());
        let rows = rows_in_time(&w, AuditEvent::LogoutDelivered, 1).await;
        assert_eq!(rows[0]["attempts"], 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_refuses_or_stays_down_for_a_day_is_given_up_and_that_is_audited() {
    let w = World::sqlite().await;
    let ((one, at_one), (two, at_two)) = (hears(&w, "one").await, hears(&w, "two").await);
    at_one.answers(Reply::Status(400));
    at_two.answers(Reply::Status(500));
    let (_, mut browser, tokens) = signed_in(&w, &[&one, &two]).await;
    log_out(&mut browser, &tokens[0]).await;
    at_one.heard(1).await;
    at_two.heard(1).await;
    let rows = rows_in_time(&w, AuditEvent::LogoutUndelivered, 1).await;
    assert_eq!((&rows[0]["reason"], &rows[0]["attempts"]), (&json!("400"), &json!(1)));
    put_off(&w).await;
    w.clock.advance(24 * 3600);
    at_two.heard(2).await;
    let rows = rows_in_time(&w, AuditEvent::LogoutUndelivered, 2).await;
    assert_eq!(rows[0]["reason"], "500", "{}", rule("logout.backchannel.again"));
    w.clock.advance(24 * 3600);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((at_one.heard(1).await.len(), at_two.heard(2).await.len()), (1, 2));
    assert!(!rule("logout.backchannel.refused").is_empty());
}

#[tokio::test]
async fn clients_of_several_sectors_cannot_tell_by_sid_that_one_session_is_behind_them() {
    let w = World::sqlite().await;
    let server = Outside::at(OUTSIDE).await;
    let pairwise = |settings: &mut ClientSettings| {
        settings.subject_type = SubjectType::Pairwise;
        settings.backchannel_logout_uri = Some(server.url("/logged-out"));
    };
    let (one, other) = (w.rp_with("one", pairwise).await, w.rp_with("other", pairwise).await);
    let (_, mut browser, tokens) = signed_in(&w, &[&one, &other]).await;
    let mut sids: Vec<_> = tokens.iter().map(|tokens| tokens.claims["sid"].clone()).collect();
    assert_ne!(sids[0], sids[1]);
    log_out(&mut browser, &tokens[0]).await;
    assert!(!browser.is_signed_in().await, "its own hint is for the session at hand");
    let heard = server.heard(2).await;
    let told = heard.iter().map(|request| parts(&request.form["logout_token"])[1]["sid"].clone());
    let mut told: Vec<_> = told.collect();
    for list in [&mut told, &mut sids] {
        list.sort_unstable_by_key(Value::to_string);
    }
    assert_eq!(told, sids, "the sid of a logout token is that of the ID token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_client_delays_no_other() {
    let w = World::sqlite().await;
    let ((dead, at_dead), (live, at_live)) = (hears(&w, "dead").await, hears(&w, "live").await);
    at_dead.answers(Reply::Silence);
    for name in ["ann", "ben", "cy", "dee", "eve", "flo"] {
        let (mut person, mut browser) = (w.person(name).await, w.browser());
        w.tokens(&mut browser, &mut person, &dead).await;
        let tokens = w.tokens(&mut browser, &mut person, &live).await;
        log_out(&mut browser, &tokens).await;
    }
    let began = std::time::Instant::now();
    at_live.heard(6).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{}", rule("logout.backchannel.again"));
    assert!((1..=4).contains(&at_dead.connections()), "{} at once", at_dead.connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_inside_gets_no_connection_and_the_audit_says_so_at_once() {
    let w = World::sqlite().await;
    let inside = Outside::at("127.0.0.2".parse().unwrap()).await;
    let uri = inside.url("/logout");
    let change = |settings: &mut idp_core::client::ClientSettings| {
        settings.backchannel_logout_uri = Some(uri);
        settings.id_token_alg = SigningAlg::ES256;
    };
    let rp = w.rp_with("app", change).await;
    let (_, mut browser, tokens) = signed_in(&w, &[&rp]).await;
    log_out(&mut browser, &tokens[0]).await;
    let rows = rows_in_time(&w, AuditEvent::LogoutUndelivered, 1).await;
    assert_eq!(rows[0], json!({ "host": "127.0.0.2", "reason": "refused_by_guard", "attempts": 1 }));
    assert_eq!(inside.connections(), 0);
    let metrics = w.app.metrics.render().unwrap();
    assert!(metrics.contains("idp_logout_deliveries_total{outcome=\"put_off\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_outlives_the_process() {
    let mut w = World::sqlite().await;
    let (rp, server) = hears(&w, "app").await;
    server.answers(Reply::Silence);
    let (_, mut browser, tokens) = signed_in(&w, &[&rp]).await;
    log_out(&mut browser, &tokens[0]).await;
    server.heard(1).await;
    w.stop().await;
    server.answers(Reply::Status(200));
    let next = World::on(w.db_url.clone()).await;
    next.clock.advance(21);
    let heard = server.heard(2).await;
    assert_eq!(parts(&heard[1].form["logout_token"])[1]["sid"], tokens[0].claims["sid"]);
}
