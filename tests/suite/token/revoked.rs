//! What ends for one leaves others alone, and ends everywhere at once. The matrix of what ends what: `matrix.rs`.

use idp_core::account::AccountState;

use crate::matrix::{ENDS, End};
use crate::world::World;

#[tokio::test]
async fn what_is_somebody_elses_stays_good() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp("app").await, w.rp("other").await);
    let ends = ENDS.iter().filter(|end| !matches!(end, End::ConsentWithdrawn | End::GroupRemoved));
    for (n, end) in ends.enumerate() {
        let rp = w.rp(&format!("app{n}")).await;
        let (mut ann, mut bob) = (w.person(&format!("ann{n}")).await, w.person(&format!("bob{n}")).await);
        let mut browser = w.browser();
        w.tokens(&mut browser, &mut ann, &rp).await;
        let bobs = w.tokens(&mut w.browser(), &mut bob, &other).await;
        end.happen(&w, &ann, &rp, &mut browser).await;
        assert_eq!(w.userinfo(&bobs.access_token).await.status, 200, "{end:?}");
    }
    assert_eq!(rp.id(), "app");
}

#[tokio::test]
async fn a_user_locked_in_one_session_is_out_in_all() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browsers = [w.browser(), w.browser()];
    let mut tokens = Vec::new();
    for browser in &mut browsers {
        tokens.push(w.tokens(browser, &mut ann, &rp).await);
    }
    w.set_account_state(&ann, AccountState::Locked).await;
    for (browser, token) in browsers.iter_mut().zip(tokens) {
        assert_eq!(w.userinfo(&token.access_token).await.status, 401);
        assert!(browser.open(&rp.ask().url()).await.has("login-submit"), "the session is over");
    }
    let mut browser = w.browser();
    let answer = browser.use_passkey(&mut ann.keys[0], None).await;
    assert_eq!((answer.status, answer.code().as_deref()), (403, Some("account_disabled")));
}
