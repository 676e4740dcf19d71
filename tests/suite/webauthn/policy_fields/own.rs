//! Fields that no row can say: a function each, for the realm's policy and for a group's.

use std::pin::Pin;

use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use crate::login::{modes, upgrade};
use crate::rules::rule;
use crate::webauthn::{clones, enrolment as enrolling};
use crate::world::acts::{Of, PASSWORD, STAFF, refused};
use crate::world::{Answer, Browser, Person, World};

/// Tries a field that somebody's policy sets.
pub type Tried = fn(Of) -> Pin<Box<dyn Future<Output = ()>>>;

/// Each with what tries it.
pub const OWN: &[(&str, Tried)] = &[
    ("allow_login", |of| Box::pin(allow_login(of))),
    ("allow_second_factor", |of| Box::pin(allow_second_factor(of))),
    ("mode", |of| Box::pin(modes::a_passkey_alone(of))),
    ("hints", |of| Box::pin(hints(of))),
    ("attestation", |of| Box::pin(attestation(of))),
    ("max_passkeys", |of| Box::pin(enrolling::an_account_has_so_many_passkeys_and_no_more(of))),
    ("clone_response", |of| Box::pin(clones::the_response_is_what_the_policy_says(of))),
    ("enrolment_requires", |of| Box::pin(enrolling::the_first_passkey_needs_what_the_policy_says(of))),
    ("enrolment", |of| Box::pin(enrolment(of))),
    ("automatic_upgrade", |of| Box::pin(automatic_upgrade(of))),
];

/// Somebody with a password and a passkey, in the group.
async fn stage() -> (World, Person) {
    let w = World::sqlite().await;
    let ann = w.person_with_both("ann", Options::platform()).await;
    w.join(&ann, &[STAFF]).await;
    (w, ann)
}

/// A browser where the password was typed, and what begins the ceremony after it.
async fn after_a_password(w: &World) -> (Browser, Value) {
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    let begun = browser.begin_sign_in().await;
    (browser, begun)
}

/// Refused as the first factor, a passkey still completes what a password began.
async fn allow_login(of: Of) {
    let (w, mut ann) = stage().await;
    w.policy_of(of, |p| p.set("allow_login", "false").unwrap()).await;
    let mut browser = w.browser();
    let answer = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "login_disabled"), "{of:?}: {}", rule("passkey.policy.allow_login"));
    assert!(!browser.is_signed_in().await, "{of:?}");
    let (mut browser, begun) = after_a_password(&w).await;
    assert!(!browser.is_signed_in().await, "{of:?}: the passkey is asked for");
    let answer = browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.stand(), "complete", "{of:?}");
    assert!(browser.is_signed_in().await, "{of:?}");
}

/// Refused after a password, a passkey still opens the door by itself.
async fn allow_second_factor(of: Of) {
    let (w, mut ann) = stage().await;
    let (mut browser, begun) = after_a_password(&w).await;
    w.policy_of(of, |p| p.allow_second_factor = false).await;
    let answer = browser.clone().assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
    let id = rule("passkey.policy.allow_second_factor");
    assert_eq!(answer.verdict(), refused(403, "second_factor_disabled"), "{of:?}: {id}");
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete", "{of:?}");
    w.policy_of(of, |p| p.allow_second_factor = true).await;
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete", "{of:?}");
}

/// Also what else the browser is asked: whoever is known is asked by their own policy.
async fn hints(of: Of) {
    let (w, ann) = stage().await;
    let fields = [("hints", "security-key,hybrid"), ("user_verification", "preferred"), ("algorithms", "-257,-7")];
    w.policy_of(of, |p| fields.iter().for_each(|(name, value)| p.set(name, value).unwrap())).await;
    let begun = w.browser().begin_with_pass(&w.access_pass(&ann).await).await.value()["publicKey"].take();
    assert_eq!(begun["hints"], json!(["security-key", "hybrid"]), "{of:?}");
    assert_eq!(begun["authenticatorSelection"]["userVerification"], "preferred", "{of:?}");
    let algs: Vec<_> = begun["pubKeyCredParams"].as_array().unwrap().iter().map(|p| p["alg"].clone()).collect();
    assert_eq!(algs, [json!(-257), json!(-7)], "{of:?}");
    let (_, mut begun) = after_a_password(&w).await;
    let begun = match of {
        Of::Realm => w.browser().begin_sign_in().await["publicKey"].take(),
        Of::Group => begun["publicKey"].take(),
    };
    assert_eq!(begun["hints"], json!(["security-key", "hybrid"]), "{of:?}");
    assert_eq!(begun["userVerification"], "preferred", "{of:?}");
}

/// What the browser is asked to tell of a new passkey's model.
async fn attestation(of: Of) {
    let (w, ann) = stage().await;
    let pass = w.access_pass(&ann).await;
    for value in ["none", "indirect", "direct", "enterprise"] {
        w.policy_of(of, |p| p.set("attestation", value).unwrap()).await;
        let begun = w.browser().begin_with_pass(&pass).await.value();
        assert_eq!(begun["publicKey"]["attestation"], value, "{of:?}");
    }
}

/// Whoever signs in without a passkey is left alone, offered one, or made to make one.
async fn enrolment(of: Of) {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.join(&carl, &[STAFF]).await;
    w.policy(|p| p.set("enrolment", "off").unwrap()).await;
    for (value, asked, later) in [("off", false, false), ("nudge:14", true, true), ("required:0", true, false)] {
        let fields = [("enrolment", value), ("enrolment_requires", "any")];
        w.policy_of(of, |p| fields.iter().for_each(|(name, value)| p.set(name, value).unwrap())).await;
        let mut browser = w.browser();
        let page = browser.open(&rp.ask().url()).await;
        let page = browser.sign_in_with_password(&carl, page.sealed().as_deref()).await;
        assert_eq!((page.has("passkey-create"), page.has("enrol-later")), (asked, later), "{of:?} {value}");
        if !asked {
            Answer::of(&page).code();
        }
    }
}

/// Whether the page after a password may make a passkey; what that leads to is in `login::upgrade`.
async fn automatic_upgrade(of: Of) {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.join(&carl, &[STAFF]).await;
    w.policy(|p| p.set("enrolment", "off").unwrap()).await;
    for value in ["false", "true"] {
        let fields = [("enrolment", "off"), ("enrolment_requires", "any"), ("automatic_upgrade", value)];
        w.policy_of(of, |p| fields.iter().for_each(|(name, value)| p.set(name, value).unwrap())).await;
        let page = upgrade::by_password(&mut w.browser(), &carl, None).await;
        assert_eq!(upgrade::offers(&page), value == "true", "{of:?}");
    }
}
