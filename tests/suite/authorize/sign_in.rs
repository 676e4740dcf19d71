//! A sign-in from the authorization request to the tokens.

use serde_json::json;

use crate::both;
use crate::rules::rule;
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

both! {
    // What a sign-in costs a database is a promise: docs/performance.md.
    async fn a_sign_in_takes_two_commits_and_eleven_statements_and_single_sign_on_one_and_five(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut person = w.person("ann").await;
        w.tokens(&mut w.browser(), &mut person, &rp).await;
        // The least of three: what works beside them counts too, and never takes away.
        let mut least = [(u64::MAX, u64::MAX); 2];
        for _ in 0..3 {
            let mut browser = w.browser();
            for cost in &mut least {
                let before = (w.commits(), w.statements());
                let tokens = w.tokens(&mut browser, &mut person, &rp).await;
                assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
                *cost = (*cost).min((w.commits() - before.0, w.statements() - before.1));
            }
        }
        assert_eq!(least, [(2, 11), (1, 5)]);
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

#[tokio::test]
async fn a_passkey_answer_that_cannot_be_read_is_refused() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await.value();
    let good = browser.assertion(&mut ann.keys[0], &begun, None);
    let mut no_signature = good.clone();
    no_signature["credential"]["response"]["signature"] = json!(1);
    let mut no_client_data = good.clone();
    no_client_data["credential"]["response"]["clientDataJSON"] = json!("bm8gSlNPTg");
    for (id, body, code) in [
        ("webauthn.assertion.malformed_response", no_signature, "malformed_response"),
        ("webauthn.assertion.client_data", no_client_data, "client_data"),
    ] {
        let page = browser.json("/webauthn/authenticate", &body).await;
        assert_eq!((page.status, page.code().as_deref()), (400, Some(code)), "{}: {}", rule(id), page.body);
    }
    assert_eq!(browser.json("/webauthn/authenticate", &good).await.status, 200);
}
