//! How many commits a sign-in costs.

use crate::both;
use crate::world::{Answer, World};

both! {
    async fn a_passkey_sign_in_is_two_commits_and_single_sign_on_one(db) {
        let w = World::start(db).await;
        let (rp, second) = (w.rp("app").await, w.rp("second").await);
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();

        let before = w.commits();
        let ask = rp.ask();
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        assert_eq!(w.commits() - before, 1, "the sign-in");
        assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200);
        assert_eq!(w.commits() - before, 2, "and the redemption");

        let before = w.commits();
        let ask = second.ask();
        let code = Answer::of(&browser.get(&ask.url()).await).code();
        assert_eq!(w.commits() - before, 0, "an issued code is sealed, not stored");
        let tokens = second.redeem(&w, &ask, &code).await.value();
        assert_eq!(w.commits() - before, 1);

        let before = w.commits();
        assert_eq!(w.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
        assert_eq!(rp.redeem(&w, &rp.ask(), "x").await.status, 400, "not a code");
        assert_eq!(w.commits() - before, 0, "reading and plain refusals write nothing");
    }

    async fn a_consent_is_one_commit_more_and_remembered(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.consent = idp_core::client::ConsentMode::Ask).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let before = w.commits();
        w.authorize(&mut browser, &mut ann, &rp.ask()).await.code();
        assert_eq!(w.commits() - before, 2, "sign-in and consent");
        w.authorize(&mut browser, &mut ann, &rp.ask()).await.code();
        assert_eq!(w.commits() - before, 2, "it is not asked again");
    }
}
