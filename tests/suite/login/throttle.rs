//! Throttled guesses: the same for names that do not exist, and never the owner's trouble. NIST SP 800-63B-4 §3.2.2.

use idp_softkey::{Faults, Options};

use crate::both;
use crate::world::acts::PASSWORD;
use crate::world::{Browser, World};

async fn guess(browser: &mut Browser, name: &str, password: &str) -> u16 {
    browser.try_password(name, password).await.status
}

#[tokio::test]
async fn five_guesses_are_free_for_known_and_unknown_names() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    for name in ["carl", "nobody"] {
        // A new browser each time: a cookie more or less makes no difference.
        for _ in 0..5 {
            assert_eq!(guess(&mut w.browser(), name, "wrong").await, 401, "{name}");
        }
        let page = w.browser().try_password(name, PASSWORD).await;
        assert_eq!(page.status, 429, "{name}: not even the right one is looked at");
        assert!(page.has("password") && page.body.contains("minute"), "{name}: the page says how long: {}", page.body);
        assert!(page.header("retry-after").is_some(), "{name}");
        w.clock.advance(2);
        assert_eq!(guess(&mut w.browser(), name, "wrong").await, 401, "{name}");
        w.clock.advance(1);
        assert_eq!(guess(&mut w.browser(), name, "wrong").await, 429, "{name}: the delay doubles");
    }
    w.clock.advance(2);
    assert_eq!(guess(&mut w.browser(), "carl", PASSWORD).await, 200);
}

#[tokio::test]
async fn spellings_of_one_name_share_their_guesses() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    for name in ["carl", "CARL", " carl", "Carl", "cARL "] {
        assert_eq!(guess(&mut w.browser(), name, "wrong").await, 401);
    }
    assert_eq!(guess(&mut w.browser(), "carl", "wrong").await, 429);
}

both! {
    async fn of_a_hundred_parallel_guesses_ninety_are_not_looked_at(db) {
        let w = World::start(db).await;
        w.person_with_password("carl", PASSWORD).await;
        let mut runs = Vec::new();
        let mut browser = w.browser();
        browser.get("/login").await;
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        for n in 0..100 {
            let (mut browser, csrf) = (browser.clone(), csrf.clone());
            runs.push(tokio::spawn(async move {
                let password = format!("guess {n}");
                browser.post("/login/password", &[("csrf", &csrf), ("username", "carl"), ("password", &password)]).await.status
            }));
        }
        let mut throttled = 0;
        for run in runs {
            match run.await.unwrap() {
                429 => throttled += 1,
                401 => {}
                other => panic!("{other}"),
            }
        }
        assert!(throttled >= 90, "{throttled}");
    }
}

#[tokio::test]
async fn an_attackers_failures_do_not_lock_the_owner_out() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    w.policy(|p| p.mode = idp_core::passkey::policy::Mode::Optional).await;
    // The browser that Ann signed in with before.
    let mut known = w.browser();
    assert_eq!(guess(&mut known, "ann", PASSWORD).await, 200);
    for _ in 0..10 {
        guess(&mut w.browser(), "ann", "wrong").await;
    }
    assert_eq!(guess(&mut w.browser(), "ann", PASSWORD).await, 429, "a stranger's browser waits");
    assert_eq!(guess(&mut known, "ann", PASSWORD).await, 200, "hers does not");
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    // Her browser is no help against other accounts, and has its own limit.
    w.person_with_password("carl", PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut known, "carl", "wrong").await, 401);
        assert_eq!(guess(&mut known, "ann", "wrong").await, 401);
    }
    assert_eq!(guess(&mut known, "carl", "wrong").await, 429);
    assert_eq!(guess(&mut known, "ann", PASSWORD).await, 429);
}

#[tokio::test]
async fn spraying_names_from_one_address_stops() {
    let w = World::sqlite().await;
    w.person_with_password("mallory", PASSWORD).await;
    let mut browser = w.browser();
    let mut looked_at = 0;
    for n in 0..70 {
        if guess(&mut browser, &format!("name{n}"), "wrong").await == 401 {
            looked_at += 1;
        }
        // An account of one's own does not buy another fifty.
        if n == 40 {
            assert_eq!(guess(&mut w.browser(), "mallory", PASSWORD).await, 200);
        }
    }
    assert_eq!(looked_at, 50);
}

#[tokio::test]
async fn a_right_password_clears_the_guesses_before_it() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(guess(&mut w.browser(), "carl", "wrong").await, 401);
        }
        assert_eq!(guess(&mut w.browser(), "carl", PASSWORD).await, 200);
    }
}

#[tokio::test]
async fn an_hour_without_guesses_forgets_them() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    for _ in 0..5 {
        guess(&mut w.browser(), "carl", "wrong").await;
    }
    assert_eq!(guess(&mut w.browser(), "carl", "wrong").await, 429);
    w.clock.advance(3601);
    for _ in 0..5 {
        assert_eq!(guess(&mut w.browser(), "carl", "wrong").await, 401);
    }
    assert_eq!(guess(&mut w.browser(), "carl", "wrong").await, 429);
}

#[tokio::test]
async fn a_throttle_kills_neither_sessions_nor_tokens() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
    for _ in 0..10 {
        guess(&mut w.browser(), "ann", "wrong").await;
    }
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    assert!(browser.is_signed_in().await);
}
