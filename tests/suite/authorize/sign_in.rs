//! A sign-in from the authorization request to the tokens.

use crate::both;
use crate::world::{Answer, World};

both! {
    async fn a_passkey_signs_in_and_buys_tokens(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut person = w.person("ann").await;
        let mut browser = w.browser();
        let tokens = w.tokens(&mut browser, &mut person, &rp).await;
        assert_eq!(tokens.claims["sub"], person.sub());
        assert_eq!(tokens.claims["acr"], "phr");
        let userinfo = w.userinfo(&tokens.access_token).await;
        assert_eq!((userinfo.status, userinfo.value()["sub"].as_str()), (200, Some(person.sub().as_str())));
    }
}

#[tokio::test]
async fn single_sign_on_asks_nothing() {
    let w = World::sqlite().await;
    let (first, second) = (w.rp("first").await, w.rp("second").await);
    let mut person = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut person, &first).await;
    let ask = second.ask();
    let answer = Answer::of(&browser.get(&ask.url()).await);
    assert_eq!(answer.params.get("iss"), Some(&w.issuer));
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    assert_eq!(second.redeem(&w, &ask, &answer.code()).await.status, 200);
}
