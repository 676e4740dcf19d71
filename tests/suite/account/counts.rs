//! First and second factors of an account, counted apart.

use idp_softkey::Options;

use crate::factors::{by_passkey, set_up_totp};
use crate::world::{Browser, World};

async fn says(browser: &mut Browser, sentence: &str) {
    let page = browser.get("/account/security").await;
    assert!(page.body.contains(sentence), "{sentence}: {}", page.body);
}

#[tokio::test]
async fn what_begins_a_sign_in_and_what_is_asked_on_top_are_counted_apart() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = by_passkey(&w, &mut ann).await;
    says(&mut browser, "2 things let you begin to sign in; 1 can be asked for on top.").await;
    set_up_totp(&w, &mut browser).await;
    says(&mut browser, "2 things let you begin to sign in; 2 can be asked for on top.").await;
    w.policy(|p| p.allow_login = false).await;
    says(&mut browser, "1 thing lets you begin to sign in; 2 can be asked for on top.").await;
    w.policy(|p| (p.allow_login, p.allow_second_factor) = (true, false)).await;
    says(&mut browser, "2 things let you begin to sign in; 1 can be asked for on top.").await;
}
