//! Clocks that differ by five seconds either way, and machines that think so.

use crate::person::{begin, claims, client, code, enrolled, redeem, sign_in};
use crate::product::{Place, Product, free_port, postgres};

/// Clocks ±5 s: the sign-in happens on one, the answer is made by the other. `max_age=0` must not loop.
#[test]
fn max_age_0_does_not_loop_between_clocks_that_differ() {
    let place = Place::serve(Some(&postgres("skew")));
    let fast = Product::serve_with(&place, free_port(), Some("+5s"), &[]);
    let slow = Product::serve_with(&place, free_port(), Some("-5s"), &[]);
    let secret = client(&place, "web");
    let mut browser = slow.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    let mut times = Vec::new();
    for (first, second) in [(&fast, &slow), (&slow, &fast)] {
        for more in [("max_age", "0"), ("prompt", "login")] {
            browser.port = first.port;
            let request = begin(&mut browser, "web", &[more]).unwrap();
            let next = sign_in(&mut browser, &mut key, Some(&request)).unwrap();
            browser.port = second.port;
            let code = code(&browser.get(&next).unwrap()).expect("one ceremony is enough");
            browser.port = first.port;
            let answer = redeem(&mut browser, ("web", &secret), &code).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            times.push(claims(&answer.json())["auth_time"].as_i64().unwrap());
        }
    }
    assert_eq!(times.len(), 4);
}
