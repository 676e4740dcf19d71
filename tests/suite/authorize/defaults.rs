//! What a client is set up to mean where its requests say nothing. OIDC Registration §2.

use crate::rules::rule;
use crate::world::{Answer, World};

#[tokio::test]
async fn default_acr_values_stand_in_for_missing_ones() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.default_acr_values = vec!["aal2".to_owned(), "phr".to_owned()]).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (asked, acr) in [("", "aal2"), ("phr", "phr")] {
        let ask = rp.ask().with("acr_values", asked);
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let answer = rp.redeem(&w, &ask, &code).await;
        assert_eq!(w.accept(&rp, &ask, &code, &answer).await.claims["acr"], acr, "{asked}");
    }
    let rp = w.rp_with("strict", |s| (s.default_acr_values, s.acr_binding) = (vec!["phrh".to_owned()], true)).await;
    let answer = Answer::of(&browser.open(&rp.ask().url()).await);
    assert_eq!(answer.error(), "unmet_authentication_requirements", "{}", rule("step_up.essential"));
    Answer::of(&browser.open(&rp.ask().with("acr_values", "phr").url()).await).code();
}

#[tokio::test]
async fn a_default_max_age_stands_in_for_a_missing_one() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.default_max_age_s = Some(60)).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    let silently = |ask: crate::world::Ask| ask.with("prompt", "none").url();
    w.clock.advance(60);
    Answer::of(&browser.get(&silently(rp.ask())).await).code();
    w.clock.advance(1);
    let answer = Answer::of(&browser.get(&silently(rp.ask())).await);
    assert_eq!(answer.error(), "login_required", "{}", rule("login.fresh"));
    Answer::of(&browser.get(&silently(rp.ask().with("max_age", "600"))).await).code();
}
