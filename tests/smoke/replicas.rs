//! Two processes of the product on one PostgreSQL: one code works once, and what is switched off is off everywhere.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::person::{access_token, begin, client, enrolled, finish, is_signed_in, redeem, whole_sign_in};
use crate::product::{Place, Product, postgres};

#[test]
fn sixty_four_parallel_redemptions_over_two_processes_yield_one_success_and_then_nothing() {
    let place = Place::serve(Some(&postgres("replicas")));
    let (a, b) = (Product::serve(&place), Product::serve(&place));
    let secret = client(&place, "web");
    let mut browser = a.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    let request = begin(&mut browser, "web", &[]).unwrap();
    let code = finish(&mut browser, &mut key, &request).unwrap();

    let start = Barrier::new(64);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let redeem = |n: usize| {
            let mut browser = if n.is_multiple_of(2) { a.browser() } else { b.browser() };
            let (start, code, secret) = (&start, &code, &secret);
            scope.spawn(move || {
                start.wait();
                redeem(&mut browser, ("web", secret), code).unwrap()
            })
        };
        let threads: Vec<_> = (0..64).map(redeem).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(good.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
    }
    let token = access_token(&good[0].json());
    for replica in [&a, &b] {
        assert_eq!(replica.browser().get_as_bearer("/userinfo", &token).unwrap().status, 401, "the grant is revoked");
    }
    let reused = place.json(&["audit", "list", "--event", "code.reused"]);
    assert!(!reused.as_array().unwrap().is_empty());
}

#[test]
fn a_finished_ceremony_is_worth_nothing_to_the_other_process() {
    let place = Place::serve(Some(&postgres("ceremony")));
    let (a, b) = (Product::serve(&place), Product::serve(&place));
    let mut browser = a.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    let begun = browser.post_json("/webauthn/authenticate/options", &json!({}), "").unwrap().json();
    let credential = key.get(&begun["publicKey"], &browser.origin);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let csrf = begun["csrf"].as_str().unwrap();
    // With the cookies it was begun with.
    let mut again = browser.clone();
    assert_eq!(browser.post_json("/webauthn/authenticate", &body, csrf).unwrap().status, 200);
    for port in [b.port, a.port] {
        again.port = port;
        let refused = again.post_json("/webauthn/authenticate", &body, csrf).unwrap();
        assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("ceremony_used")), "{}", refused.body);
        assert!(!is_signed_in(&mut again).unwrap());
    }
    // The options of one process are finished at the other.
    let begun = again.post_json("/webauthn/authenticate/options", &json!({}), "").unwrap().json();
    again.port = b.port;
    let credential = key.get(&begun["publicKey"], &again.origin);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let csrf = begun["csrf"].as_str().unwrap();
    assert_eq!(again.post_json("/webauthn/authenticate", &body, csrf).unwrap().status, 200);
}

/// Waits until it holds, a second at most.
fn within_a_second(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(1), "{what} takes longer than a second");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_command_switches_off_is_off_in_every_process_within_a_second() {
    let place = Place::serve(Some(&postgres("switch")));
    let (a, b) = (Product::serve(&place), Product::serve(&place));
    switches_off(&place, &a, &b);
}

#[test]
fn what_a_command_switches_off_is_off_beside_it_within_a_second_on_sqlite() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    switches_off(&place, &product, &product);
}

fn switches_off(place: &Place, a: &Product, b: &Product) {
    let secret = client(place, "web");
    let web = ("web", secret.as_str());
    let mut browser = a.browser();
    let mut key = enrolled(place, &mut browser, "ada");
    let tokens = whole_sign_in(&mut browser, &mut key, web).unwrap();
    let token = access_token(&tokens);
    let mut beside = browser.clone();
    beside.port = b.port;
    assert_eq!(beside.get_as_bearer("/userinfo", &token).unwrap().status, 200);
    assert!(is_signed_in(&mut beside).unwrap());

    place.json(&["user", "disable", "ada"]);
    within_a_second("disabling a user", || {
        beside.get_as_bearer("/userinfo", &token).unwrap().status == 401 && !is_signed_in(&mut beside).unwrap()
    });
    assert!(whole_sign_in(&mut b.browser(), &mut key, web).is_err(), "a disabled user cannot sign in");
    place.json(&["user", "enable", "ada"]);

    let mut browser = b.browser();
    let token = access_token(&whole_sign_in(&mut browser, &mut key, web).unwrap());
    let request = begin(&mut browser, "web", &[("prompt", "login")]).unwrap();
    let code = finish(&mut browser, &mut key, &request).unwrap();
    place.json(&["client", "disable", "web"]);
    within_a_second("disabling a client", || {
        let authorize = b.browser().get(&crate::person::authorize_url("web", &[])).unwrap();
        authorize.status == 400 && b.browser().get_as_bearer("/userinfo", &token).unwrap().status == 401
    });
    assert_eq!(redeem(&mut browser, web, &code).unwrap().status, 401, "a disabled client redeems nothing");
    place.json(&["client", "enable", "web"]);

    place.json(&["policy", "set", "mode=password_then_passkey"]);
    within_a_second("a policy", || whole_sign_in(&mut b.browser(), &mut key, web).is_err());
}
