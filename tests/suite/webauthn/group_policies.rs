//! A group's policy in place of the realm's, in either direction.

use idp_core::passkey::policy::{Mode, Policy};
use idp_core::realm::SelfRegistration;
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::rules::rule;
use crate::world::acts::{Of, PASSWORD, STAFF, refused};
use crate::world::{Person, Rp, World};

#[tokio::test]
async fn passkeys_of_a_group_work_where_the_realm_has_none() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut bob = w.person("bob").await;
    w.join(&ann, &["staff"]).await;
    w.policy(|p| p.enabled = false).await;
    let page = w.browser().get("/login?switch=1").await;
    assert!(!page.has("passkey-login"), "nobody has passkeys");
    w.set_group_policy("staff", 5, Policy::default()).await;
    let page = w.browser().get("/login?switch=1").await;
    assert!(page.has("passkey-login") && page.has("login-submit"), "whoever it is, is not known yet");
    let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.stand(), "complete", "{}", rule("policy.resolved"));
    let answer = w.browser().try_passkey(&mut bob.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "passkeys_disabled"));
    // Whoever leaves the group leaves its policy.
    w.leave(&ann, "staff").await;
    let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(answer.verdict(), refused(403, "passkeys_disabled"));
}

#[tokio::test]
async fn a_stricter_group_asks_more_and_a_laxer_one_with_higher_priority_less() {
    let w = World::sqlite().await;
    let ann = w.person_with_password("ann", PASSWORD).await;
    let signs_in = async |w: &World| {
        let mut browser = w.browser();
        browser.try_password("ann", PASSWORD).await;
        browser.cookie("session").is_some()
    };
    w.join(&ann, &["strict", "lax"]).await;
    assert!(signs_in(&w).await);
    w.set_group_policy("strict", 1, Policy { mode: Mode::PasskeyOnly, ..Policy::default() }).await;
    assert!(!signs_in(&w).await, "{}", rule("policy.resolved"));
    w.set_group_policy("lax", 2, Policy::default()).await;
    assert!(signs_in(&w).await);
}

#[tokio::test]
async fn a_password_is_offered_where_only_a_group_takes_it() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.join(&carl, &["guests"]).await;
    w.policy(|p| p.mode = Mode::PasskeyOnly).await;
    let shown = async |w: &World| {
        let mut browser = w.browser();
        let page = browser.get("/login?switch=1").await;
        let page = browser.submit(&page, "/login", &[("username", "carl")]).await;
        page.body.contains("type=\"password\"")
    };
    assert!(!shown(&w).await);
    w.set_group_policy("guests", 1, Policy::default()).await;
    assert!(shown(&w).await);
    let mut browser = w.browser();
    browser.try_password("carl", PASSWORD).await;
    assert!(browser.cookie("session").is_some());
}

#[tokio::test]
async fn the_options_of_a_stranger_lock_out_no_group() {
    let w = World::sqlite().await;
    let unverified = Options { uv: false, ..Options::platform() };
    w.policy_fields(&[("user_verification", "discouraged"), ("resident_key", "discouraged")]).await;
    let mut ann = w.person_with_key("ann", unverified).await;
    w.join(&ann, &["lax"]).await;
    let lax = Policy::clone(&w.realm().await.policy);
    w.set_policy(Policy::default()).await;
    w.set_group_policy("lax", 1, lax).await;
    let mut browser = w.browser();
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await.value();
    assert_eq!(begun["publicKey"]["userVerification"], "preferred");
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

/// Where passkeys show to somebody who signs in by password, is invited by a link, or is nobody yet.
async fn surfaces(w: &World, rp: &Rp, carl: &Person) -> Vec<&'static str> {
    let pass = w.access_pass(carl).await;
    let login = w.browser().get("/login?switch=1").await;
    let mut browser = w.browser();
    browser.try_password(&carl.username, PASSWORD).await;
    let security = browser.get("/account/security").await;
    assert_eq!(security.status, 200);
    let setup = w.browser().get(&format!("/setup?token={pass}")).await;
    assert!(setup.status == 200 && setup.has("setup-submit"), "the password remains: {}", setup.body);
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let asked = browser.sign_in_with_password(carl, page.sealed().as_deref()).await;
    assert!(asked.has("passkey-create") || asked.next().is_some_and(|next| next.contains("code=")), "{}", asked.body);
    // Also for whoever types the address.
    let enrol = browser.open(&format!("/login/enrol?request={}", page.sealed().unwrap())).await;
    assert_eq!(asked.has("passkey-create"), enrol.has("passkey-create"));
    let endpoints = w.browser().get("/.well-known/passkey-endpoints").await.value();
    let begun = w.browser().json("/webauthn/authenticate/options", &json!({})).await.status;
    let made = w.browser().begin_with_pass(&pass).await.status;
    let shown = [
        ("login", login.has("passkey-login")),
        ("sign-up link", login.has("login-sign-up")),
        ("sign-up", w.browser().get("/signup").await.status == 200),
        ("security", security.has("add")),
        ("set-up", setup.has("passkey-create")),
        ("enrol", asked.has("passkey-create")),
        ("enroll endpoint", endpoints["enroll"].is_string()),
        ("manage endpoint", endpoints["manage"].is_string()),
        ("sign-in ceremony", begun == 200),
        ("registration ceremony", made == 200),
    ];
    shown.into_iter().filter_map(|(name, is)| is.then_some(name)).collect()
}

#[tokio::test]
async fn passkeys_that_are_off_show_nowhere_and_those_of_a_group_where_its_people_are() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.self_registration = SelfRegistration::Open).await;
    let (rp, carl) = (w.rp("app").await, w.person_with_password("carl", PASSWORD).await);
    w.join(&carl, &[STAFF]).await;
    let asks = [("enrolment", "required:0"), ("enrolment_requires", "any")];
    w.policy(|p| asks.iter().for_each(|(name, value)| p.set(name, value).unwrap())).await;
    let all = surfaces(&w, &rp, &carl).await;
    assert_eq!(all.len(), 10, "{all:?}");
    w.policy(|p| p.enabled = false).await;
    assert_eq!(surfaces(&w, &rp, &carl).await, Vec::<&str>::new());
    // A newcomer is in no group.
    w.policy_of(Of::Group, |p| p.enabled = true).await;
    let of_group: Vec<_> = all.iter().copied().filter(|name| !name.starts_with("sign-up")).collect();
    assert_eq!(surfaces(&w, &rp, &carl).await, of_group);
    // Nobody makes a new one, but those there are sign in.
    w.policy_of(Of::Group, |p| p.allow_registration = false).await;
    let old = ["login", "manage endpoint", "sign-in ceremony"];
    assert_eq!(surfaces(&w, &rp, &carl).await, old);
}
