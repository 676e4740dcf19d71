//! The RP ID changes: whoever comes in by an old passkey makes a new one in the same visit.

use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::both;
use crate::rules::rule;
use crate::world::acts::key;
use crate::world::hosts::{NEW, OLD};
use crate::world::{Answer, Browser, Page, Person, World};

/// Signs in by the old passkey as far as the page that offers a new one.
async fn arrive(w: &World, home: &mut Browser, person: &mut Person, address: &str) -> Page {
    let page = home.open(address).await;
    let answer = home.use_passkey_elsewhere(&mut w.browser_at(OLD), person, &page).await;
    home.open(answer["next"].as_str().unwrap()).await
}

async fn begin(home: &mut Browser) -> Page {
    home.json("/webauthn/register/options", &json!({})).await
}

both! {
    async fn re_enrols_in_the_same_visit_and_signs_in_with_the_new_passkey_from_then_on(db) {
        rule("enrol.moved");
        let mut w = World::start(db).await;
        let mut ada = w.moved().await;
        let rp = w.rp("app").await;
        let mut home = w.browser();
        let enrol = arrive(&w, &mut home, &mut ada, &rp.ask().url()).await;
        assert!(enrol.has("passkey-create") && enrol.has("enrol-later"), "{}", enrol.body);
        let begun = begin(&mut home).await;
        assert_eq!(begun.status, 200, "the old passkey is proof enough: {}", begun.body);
        let begun = begun.value();
        assert_eq!(begun["publicKey"]["rp"]["id"], NEW);
        assert_eq!(begun["publicKey"]["excludeCredentials"], json!([]), "one of another RP ID is no duplicate");
        let mut new = key(Options::platform());
        let kept = home.register(&begun, &mut new, &Faults::default()).await;
        assert_eq!((kept.status, &kept.value()["rp_id"]), (201, &json!(NEW)), "{}", kept.body);
        // The page goes on with the request.
        let sealed = enrol.sealed().unwrap();
        let answer = Answer::of(&home.open(&format!("/authorize/resume?request={sealed}")).await);
        assert!(answer.url.starts_with(rp.redirect_uri()) && !answer.code().is_empty());

        // Later visits: at the new host alone, and nothing more is offered.
        ada.keys.insert(0, new);
        w.authorize(&mut w.browser(), &mut ada, &rp.ask()).await.code();
        // The old one works on, until it is finished.
        ada.keys.swap(0, 1);
        let done = arrive(&w, &mut w.browser(), &mut ada, &rp.ask().url()).await;
        assert!(!Answer::of(&done).code().is_empty(), "it has one already: nothing is offered");
        w.serve_at(vec![w.party(NEW)]).await;
        let page = w.browser().open(&rp.ask().url()).await;
        assert!(page.link_to("data-elsewhere").is_none());
        assert_eq!(w.browser_at(OLD).get("/login/away").await.status, 421);
    }
}

#[tokio::test]
async fn may_be_put_off_for_this_visit_and_is_never_asked_silently() {
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let enrol = arrive(&w, &mut home, &mut ada, &rp.ask().url()).await;
    let later = home.submit(&enrol, "/login/enrol/later", &[]).await;
    assert!(!Answer::of(&home.follow(later).await).code().is_empty());
    // Single sign-on later is no visit of the old passkey, and prompt=none has no page.
    assert!(!Answer::of(&home.open(&rp.ask().url()).await).code().is_empty());
    assert!(!Answer::of(&home.open(&rp.ask().with("prompt", "none").url()).await).code().is_empty());
    let mut again = w.browser();
    assert!(
        arrive(&w, &mut again, &mut ada, &rp.ask().url()).await.has("passkey-create"),
        "the next sign-in asks again"
    );
    let foreign = w.browser().post("/login/enrol/later", &[("csrf", "x"), ("request", "x")]).await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test]
async fn is_not_offered_where_new_passkeys_are_switched_off() {
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    w.policy(|policy| policy.allow_registration = false).await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let done = arrive(&w, &mut home, &mut ada, &rp.ask().url()).await;
    assert!(!Answer::of(&done).code().is_empty());
}

#[tokio::test]
async fn a_password_does_not_buy_the_first_passkey_of_the_new_rp_id() {
    let mut w = World::sqlite().await;
    w.serve_at(vec![w.party(OLD)]).await;
    w.policy(|policy| policy.mode = idp_core::passkey::policy::Mode::Optional).await;
    let ada = w.person_with_both("ada", Options::platform()).await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let mut home = w.browser();
    home.sign_in_with_password(&ada, None).await;
    let begun = begin(&mut home).await;
    assert_eq!((begun.status, begun.code().as_deref()), (403, Some("sign_in_again")));
}
