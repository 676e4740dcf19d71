//! Case 9: {code, access token} × {user disabled, locked, deleted, session ended, client disabled, …}: refused at
//! once. The matrix is generated: a new change or a new kind of token is one row.

use idp_core::account::AccountState;
use idp_core::client::ClientState;

use crate::both;
use crate::rules::rule;
use crate::world::{Browser, Person, Rp, Tokens, World};

/// Something that ends what somebody was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    UserDisabled,
    UserLocked,
    UserDeleted,
    SessionEnded,
    SignedOut,
    ClientDisabled,
    ClientDeleted,
    PasskeyRemoved,
}

const CHANGES: &[Change] = &[
    Change::UserDisabled,
    Change::UserLocked,
    Change::UserDeleted,
    Change::SessionEnded,
    Change::SignedOut,
    Change::ClientDisabled,
    Change::ClientDeleted,
    Change::PasskeyRemoved,
];

async fn change(w: &World, what: Change, ann: &Person, rp: &Rp, browser: &mut Browser) {
    match what {
        Change::UserDisabled => w.set_account_state(ann, AccountState::Disabled).await,
        Change::UserLocked => w.set_account_state(ann, AccountState::Locked).await,
        Change::UserDeleted => w.delete_account(ann).await,
        Change::SessionEnded => w.end_session(ann, ann.sid(w, browser).await).await,
        Change::SignedOut => {
            let page = browser.get("/logout").await;
            assert_eq!(browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await.status, 200);
        }
        Change::ClientDisabled => w.set_client_state(rp, ClientState::Disabled).await,
        Change::ClientDeleted => w.delete_client(rp).await,
        Change::PasskeyRemoved => w.remove_passkey(ann, 0).await,
    }
}

both! {
    async fn nothing_is_good_after_what_it_rests_on_ended(db) {
        let w = World::start(db).await;
        for (n, what) in CHANGES.iter().enumerate() {
            let rp = w.rp(&format!("app{n}")).await;
            let mut ann = w.person(&format!("ann{n}")).await;
            let mut browser = w.browser();
            let token: Tokens = w.tokens(&mut browser, &mut ann, &rp).await;
            assert_eq!(token.sid(), ann.sid(&w, &browser).await, "the claim is the session's");
            let ask = rp.ask();
            let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
            assert_eq!(w.userinfo(&token.access_token).await.status, 200);
            change(&w, *what, &ann, &rp, &mut browser).await;
            let userinfo = w.userinfo(&token.access_token).await;
            assert_eq!((userinfo.status, userinfo.error().as_str()), (401, "invalid_token"), "{what:?}");
            let redeemed = rp.redeem(&w, &ask, &code).await;
            let client = matches!(what, Change::ClientDisabled | Change::ClientDeleted);
            let expected = if client { (401, "invalid_client") } else { (400, "invalid_grant") };
            assert_eq!((redeemed.status, redeemed.error().as_str()), expected, "{}: {what:?}", rule("code.session"));
        }
    }
}

#[tokio::test]
async fn what_is_somebody_elses_stays_good() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp("app").await, w.rp("other").await);
    for (n, what) in CHANGES.iter().enumerate() {
        let rp = w.rp(&format!("app{n}")).await;
        let (mut ann, mut bob) = (w.person(&format!("ann{n}")).await, w.person(&format!("bob{n}")).await);
        let mut browser = w.browser();
        w.tokens(&mut browser, &mut ann, &rp).await;
        let bobs = w.tokens(&mut w.browser(), &mut bob, &other).await;
        change(&w, *what, &ann, &rp, &mut browser).await;
        assert_eq!(w.userinfo(&bobs.access_token).await.status, 200, "{what:?}");
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
