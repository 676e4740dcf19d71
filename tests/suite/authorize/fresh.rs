//! `prompt=login` and `max_age`: a new ceremony where one is due, no loop where clocks disagree.
//! OIDC Core §3.1.2.1.

use serde_json::Value;

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Person, Rp, World};

struct Stage {
    w: World,
    rp: Rp,
    ann: Person,
    browser: Browser,
    auth_time: i64,
}

/// Somebody signed in 100 seconds ago.
async fn stage() -> Stage {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
    w.clock.advance(100);
    Stage { auth_time: time(&tokens.claims), w, rp, ann, browser }
}

fn time(claims: &Value) -> i64 {
    claims["auth_time"].as_i64().unwrap()
}

impl Stage {
    /// Opens the request; a sign-in page must come.
    async fn asks_again(&mut self, ask: &Ask) -> String {
        let page = self.browser.open(&ask.url()).await;
        assert!(page.has("login-submit"), "{}: {}", rule("login.fresh"), page.body);
        page.sealed().unwrap()
    }

    async fn auth_time(&self, ask: &Ask, code: &str) -> i64 {
        let answer = self.rp.redeem(&self.w, ask, code).await;
        time(&self.w.accept(&self.rp, ask, code, &answer).await.claims)
    }
}

#[tokio::test]
async fn prompt_login_and_max_age_sign_in_again_and_move_auth_time() {
    let mut s = stage().await;
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("max_age", "1"), ("max_age", "99")] {
        let ask = s.rp.ask().with(name, value);
        let sealed = s.asks_again(&ask).await;
        let next = s.browser.sign_in_with_passkey(&mut s.ann, Some(&sealed)).await;
        let code = Answer::of(&s.browser.open(&next).await).code();
        let now = s.w.clock.now().secs();
        assert_eq!(s.auth_time(&ask, &code).await, now, "{name}={value}");
        assert!(now > s.auth_time, "{name}={value}");
        s.auth_time = now;
        s.w.clock.advance(100);
    }
}

#[tokio::test]
async fn a_young_enough_session_is_not_asked() {
    let mut s = stage().await;
    for (name, value) in [("max_age", "100"), ("max_age", "10000"), ("max_age", "9999999999")] {
        let ask = s.rp.ask().with(name, value);
        let code = Answer::of(&s.browser.open(&ask.url()).await).code();
        assert_eq!(s.auth_time(&ask, &code).await, s.auth_time, "{name}={value}");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_five_seconds_makes_no_loop() {
    for (skew, name, value) in [
        (5, "max_age", "0"),
        (-5, "max_age", "0"),
        (5, "max_age", "1"),
        (5, "prompt", "login"),
        (-5, "prompt", "login"),
    ] {
        let mut s = stage().await;
        let ask = s.rp.ask().with(name, value);
        let sealed = s.asks_again(&ask).await;
        let next = s.browser.sign_in_with_passkey(&mut s.ann, Some(&sealed)).await;
        s.w.clock.advance(skew);
        Answer::of(&s.browser.open(&next).await).code();
    }
}

#[tokio::test]
async fn a_sign_in_elsewhere_or_long_ago_does_not_count_for_this_request() {
    let mut s = stage().await;
    let ask = s.rp.ask().with("prompt", "login");
    let sealed = s.asks_again(&ask).await;
    // Signed in without this request, in another tab.
    s.browser.sign_in_with_passkey(&mut s.ann, None).await;
    let resume = format!("/authorize/resume?request={sealed}");
    assert!(s.browser.open(&resume).await.has("login-submit"), "{}", rule("login.fresh"));
    // The event of this request counts, for five minutes.
    s.browser.sign_in_with_passkey(&mut s.ann, Some(&sealed)).await;
    s.w.clock.advance(300);
    Answer::of(&s.browser.open(&resume).await).code();
    s.w.clock.advance(1);
    assert!(s.browser.open(&resume).await.has("login-submit"), "going back must not count as a sign-in");
}

#[tokio::test]
async fn a_ceremony_of_one_request_does_not_answer_another() {
    let mut s = stage().await;
    let first = s.asks_again(&s.rp.ask().with("prompt", "login")).await;
    let second = s.asks_again(&s.rp.ask().with("prompt", "login")).await;
    let begun =
        s.browser.json("/webauthn/authenticate/options", &serde_json::json!({ "request": first })).await.value();
    let body = s.browser.assertion(&mut s.ann.keys[0], &begun, Some(&second));
    let page = s.browser.json("/webauthn/authenticate", &body).await;
    assert_eq!((page.status, page.code().as_deref()), (400, Some("ceremony_invalid")));
}
