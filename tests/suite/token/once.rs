//! A code works once, for sixty seconds, with exactly what it was issued for. RFC 6749 §4.1.2 and §4.1.3.

use std::collections::BTreeSet;

use idp_core::client::ClientAuthMethod;

use super::refused;
use crate::both;
use crate::rules::rule;
use crate::world::World;

both! {
    async fn a_second_use_is_refused_and_revokes_what_the_first_one_bought(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let ask = rp.ask();
        let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
        let first = rp.redeem(&w, &ask, &code).await;
        let tokens = w.accept(&rp, &ask, &code, &first).await;
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
        w.clock.advance(30);
        refused(&rp.redeem(&w, &ask, &tokens.code).await, "code.once", "invalid_grant", "used before");
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401, "{}", rule("code.once"));
    }

    async fn of_64_parallel_redemptions_one_succeeds_and_its_tokens_are_revoked(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let ask = rp.ask();
        let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
        let attempts = (0..64).map(|_| rp.redeem(&w, &ask, &code));
        let answers = futures_util::future::join_all(attempts).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 63), "{}", rule("code.once"));
        let errors: BTreeSet<_> = bad.iter().map(|a| (a.status, a.error())).collect();
        assert_eq!(errors, BTreeSet::from([(400, "invalid_grant".to_owned())]));
        let token = good[0].value()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(w.userinfo(&token).await.status, 401, "{}", rule("code.once"));
    }

    async fn whatever_does_not_fit_burns_the_code_for_everybody(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let public = w.rp("thief").await;
        let confidential = w.rp_with("spy", |s| s.auth_method = ClientAuthMethod::ClientSecretBasic).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        for (id, thief, change) in [
            ("code.client", &public, None),
            ("code.client", &confidential, None),
            ("code.redirect_uri", &rp, Some(("redirect_uri", "https://app.example/cb2"))),
            ("code.redirect_uri", &rp, Some(("redirect_uri", "https://app.example/CB"))),
            ("code.verifier", &rp, Some(("code_verifier", "A-wrong-verifier-of-the-right-form-and-length"))),
            ("code.verifier", &rp, Some(("code_verifier", "short"))),
            ("code.verifier", &rp, Some(("code_verifier", ""))),
        ] {
            let ask = rp.ask();
            let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
            let mut params = rp.code_params(&ask, &code);
            if let Some((name, value)) = change {
                params.retain(|(n, _)| *n != name);
                params.push((name, value));
            }
            refused(&thief.token(&w, &params).await, id, "invalid_grant", "");
            let honest = rp.redeem(&w, &ask, &code).await;
            assert_eq!((honest.status, honest.error().as_str()), (400, "invalid_grant"), "{}: burnt", rule(id));
        }
    }
}

#[tokio::test]
async fn a_wrong_presentation_after_redemption_revokes_too() {
    let w = World::sqlite().await;
    let (rp, thief) = (w.rp("app").await, w.rp("thief").await);
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let tokens = rp.redeem(&w, &ask, &code).await.value();
    refused(&thief.redeem(&w, &ask, &code).await, "code.client", "invalid_grant", "another client");
    assert_eq!(w.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn a_code_lives_for_sixty_seconds() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (age_ms, good) in [(60_000, true), (60_001, false), (61_000, false), (3_600_000, false)] {
        let ask = rp.ask();
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        w.clock.advance_ms(age_ms);
        let answer = rp.redeem(&w, &ask, &code).await;
        if good {
            assert_eq!(answer.status, 200, "{age_ms} ms: {}", answer.body);
        } else {
            refused(&answer, "code.fresh", "invalid_grant", "expired");
        }
    }
}

#[tokio::test]
async fn a_code_that_is_not_ours_is_refused() {
    let (w, elsewhere) = (World::sqlite().await, World::sqlite().await);
    let (rp, foreign) = (w.rp("app").await, elsewhere.rp("app").await);
    let (mut ann, mut zoe) = (w.person("ann").await, elsewhere.person("zoe").await);
    let ask = rp.ask();
    let theirs = elsewhere.authorize(&mut elsewhere.browser(), &mut zoe, &foreign.ask()).await.code();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let sealed_request = w.browser().get(&ask.url()).await.sealed().unwrap();
    let tampered = format!("{}{}", if code.starts_with('A') { "B" } else { "A" }, &code[1..]);
    let access_token = w.tokens(&mut w.browser(), &mut ann, &rp).await.access_token;
    // Case 8: a value of another type is not a code.
    for text in [theirs.as_str(), &tampered, &code[1..], "x", &sealed_request, &access_token, &"x".repeat(5000)] {
        refused(&rp.redeem(&w, &ask, text).await, "code.sealed_here", "invalid_grant", "not one of ours");
    }
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200, "the true one still works");
}

#[tokio::test]
async fn a_code_is_no_access_token() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    assert_eq!(w.userinfo(&code).await.status, 401);
    let tokens = rp.redeem(&w, &ask, &code).await.value();
    assert_eq!(w.userinfo(&code).await.status, 401);
    assert_eq!(w.userinfo(tokens["id_token"].as_str().unwrap()).await.status, 401, "nor is an ID token");
}
