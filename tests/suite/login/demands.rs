//! What an application demands of passkeys: the person is led to the one that fits, or the application hears that there
//! is none. Making one is tried in `enrol`.

use idp_softkey::{Faults, Options, SoftKey};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Answer, Browser, Page, Person, Rp, World};

/// An application with demands, and somebody with a password and a passkey.
async fn stage(demands: &[(&str, &str)], options: Options) -> (World, Rp, Person) {
    let w = World::sqlite().await;
    let rp = w.rp("keys").await;
    w.set_demands(&rp, demands).await;
    let ann = w.person_with_both("ann", options).await;
    (w, rp, ann)
}

/// The ids that a page would list to the browser.
async fn listed(browser: &mut Browser, page: &Page) -> (Vec<Value>, Value) {
    let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": page.sealed() })).await;
    let options = begun.value()["publicKey"].clone();
    let ids = options["allowCredentials"].as_array().unwrap().iter().map(|c| c["id"].clone()).collect();
    (ids, options)
}

/// Signs in for the request on a page; what comes next.
async fn sign_in(browser: &mut Browser, page: &Page, key: &mut SoftKey) -> Page {
    let answer = browser.use_passkey(key, page.sealed().as_deref()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    browser.open(answer.value()["next"].as_str().unwrap()).await
}

#[tokio::test]
async fn leads_to_the_passkey_that_fits_and_says_which() {
    let demands = [("allowed_types", "security_key"), ("deny_synced", "true")];
    let (w, rp, mut ann) = stage(&demands, Options::synced()).await;
    w.add_passkey(&mut ann, Options::security_key()).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    assert!(page.body.contains("Application keys only takes security keys."), "{}", page.body);
    assert!(page.body.contains("takes no passkeys that are synced"), "{}", page.body);
    assert!(!page.has("login-continue"), "{}", rule("step_up.policy"));
    let (ids, options) = listed(&mut browser, &page).await;
    assert_eq!(ids, [json!(idp_core::encoding::base64url(&ann.keys[1].credential_id))], "{options}");
    // The other one once more does not help.
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    assert!(page.body.contains("only takes security keys"), "{}", page.body);
    Answer::of(&sign_in(&mut browser, &page, &mut ann.keys[1]).await).code();
    // After a password, too, only what fits is listed.
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = browser.sign_in_with_password(&ann, page.sealed().as_deref()).await;
    assert!(page.body.contains("only takes security keys"), "{}", page.body);
    assert_eq!(listed(&mut browser, &page).await.0.len(), 1);
    let page = sign_in(&mut browser, &page, &mut ann.keys[1]).await;
    Answer::of(&page).code();
}

#[tokio::test]
async fn where_none_fits_the_one_there_is_signs_in_and_a_better_one_is_made() {
    let (w, rp, mut ann) = stage(&[("allowed_types", "security_key")], Options::platform()).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = browser.sign_in_with_password(&ann, page.sealed().as_deref()).await;
    assert_eq!(listed(&mut browser, &page).await.0.len(), 1);
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    assert!(page.has("passkey-create") && page.body.contains("only takes security keys"), "{}", page.body);
}

#[tokio::test]
async fn where_nothing_helps_the_application_is_told_and_nobody_goes_in_circles() {
    let (w, rp, mut ann) = stage(&[("allowed_types", "security_key")], Options::platform()).await;
    w.policy(|p| p.allow_registration = false).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let answer = Answer::of(&sign_in(&mut browser, &page, &mut ann.keys[0]).await);
    assert_eq!(answer.error(), "unmet_authentication_requirements", "{}", rule("step_up.policy"));
    assert_eq!(answer.params.get("code"), None);
    // Silently it is the usual answer, and elsewhere nothing is in the way.
    let silent = browser.open(&rp.ask().with("prompt", "none").url()).await;
    assert_eq!(Answer::of(&silent).error(), "login_required");
    let other = w.rp("other").await;
    Answer::of(&browser.open(&other.ask().url()).await).code();
}

#[tokio::test]
async fn user_verification_that_an_application_demands_is_asked_for_and_judged() {
    let unverified = Options { uv: false, ..Options::platform() };
    let w = World::sqlite().await;
    w.policy_fields(&[("user_verification", "discouraged"), ("resident_key", "discouraged")]).await;
    let rp = w.rp("keys").await;
    let mut ann = w.person_with_key("ann", unverified).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    assert_eq!(listed(&mut browser, &page).await.1["userVerification"], "discouraged");
    w.set_demands(&rp, &[("user_verification", "required")]).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    assert_eq!(listed(&mut browser, &page).await.1["userVerification"], "required");
    // A program that answers without it gets a session, but nothing for this application.
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    assert!(page.body.contains("data-passkey"), "asked once more: {}", page.body);
    let other = w.rp("other").await;
    Answer::of(&browser.open(&other.ask().url()).await).code();
    // With it, all is well.
    let mut bob = w.person_with_key("bob", Options::platform()).await;
    let answer = w.authorize(&mut w.browser(), &mut bob, &rp.ask()).await;
    answer.code();
}

#[tokio::test]
async fn a_least_acr_is_reached_by_a_further_factor_or_by_a_passkey_to_be_made() {
    let w = World::sqlite().await;
    w.policy_fields(&[("mode", "optional"), ("enrolment_requires", "any"), ("enrolment", "off")]).await;
    let rp = w.rp("keys").await;
    w.set_demands(&rp, &[("minimum_acr", "phr")]).await;
    // Whoever has a passkey is asked for it,
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = browser.sign_in_with_password(&ann, page.sealed().as_deref()).await;
    assert!(page.has("passkey-login") && !page.has("login-continue"), "{}", page.body);
    let ask = rp.ask();
    let page = browser.open(&ask.url()).await;
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    let code = Answer::of(&page).code();
    let answer = rp.redeem(&w, &ask, &code).await;
    assert_eq!(w.accept(&rp, &ask, &code, &answer).await.claims["acr"], "phr");
    // whoever has none makes one,
    let carl = w.person_with_password("carl", PASSWORD).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = browser.sign_in_with_password(&carl, page.sealed().as_deref()).await;
    assert!(page.has("passkey-create") && !page.has("enrol-later"), "{}", page.body);
    // and the device that asked for a code can never have it.
    w.policy(|p| p.allow_registration = false).await;
    let answer = Answer::of(&browser.open(&rp.ask().url()).await);
    assert_eq!(answer.error(), "unmet_authentication_requirements", "{}", rule("step_up.policy"));
}

/// A session by password, and a passkey that is refused since the ceremony began, or since it was registered.
#[tokio::test]
async fn a_passkey_that_the_policy_refuses_by_now_steps_nothing_up() {
    for (field, value, options, verdict) in [
        ("deny_synced", "true", Options::synced(), refused(403, "synced_not_allowed")),
        ("allowed_types", "security_key", Options::phone(), refused(403, "type_not_allowed")),
        ("user_verification", "required", Options::u2f(), refused(400, "user_not_verified")),
        ("aaguid_deny", "09090909-0909-0909-0909-090909090909", other_model(), refused(403, "model_denied")),
        ("attestation_trust", "mds", Options::platform(), refused(403, "not_attested")),
        ("enabled", "false", Options::platform(), refused(403, "passkeys_disabled")),
    ] {
        let w = World::sqlite().await;
        w.policy_fields(LAX).await;
        let rp = w.rp("keys").await;
        let mut ann = w.person_with_both("ann", options).await;
        let mut browser = w.browser();
        browser.sign_in_with_password(&ann, None).await;
        let ask = rp.ask().with("acr_values", "phr");
        let page = browser.open(&ask.url()).await;
        assert!(page.has("passkey-login") && page.has("login-continue"), "{field}: {}", page.body);
        let request = page.sealed();
        let options = json!({ "request": request });
        let begun = browser.json("/webauthn/authenticate/options", &options).await.value();
        w.policy(|p| p.set(field, value).unwrap()).await;
        let body = browser.assertion(&mut ann.keys[0], &begun, request.as_deref());
        assert_eq!(browser.json("/webauthn/authenticate", &body).await.verdict(), verdict, "{field}");
        // Begun anew it is no better, and what the password let in goes on without.
        let begun = browser.json("/webauthn/authenticate/options", &options).await;
        if begun.status == 200 {
            let body = browser.assertion(&mut ann.keys[0], &begun.value(), request.as_deref());
            assert_eq!(browser.json("/webauthn/authenticate", &body).await.verdict(), verdict, "{field}");
        } else {
            assert_eq!((field, begun.verdict()), ("enabled", refused(403, "passkeys_off")));
        }
        let page = browser.submit(&page, "/login/continue", &[]).await;
        let code = Answer::of(&browser.follow(page).await).code();
        let answer = rp.redeem(&w, &ask, &code).await;
        assert_eq!(w.accept(&rp, &ask, &code, &answer).await.claims["amr"], json!(["pwd"]), "{field}");
    }
}

const LAX: &[(&str, &str)] = &[
    ("mode", "optional"),
    ("user_verification", "discouraged"),
    ("resident_key", "discouraged"),
    ("attestation", "direct"),
];

fn other_model() -> Options {
    Options { aaguid: [9; 16], ..Options::platform() }
}

#[tokio::test]
async fn a_client_cannot_register_demands_and_keeps_its_own_when_it_changes_itself() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.registration = idp_core::realm::Registration::Open).await;
    let metadata = json!({ "redirect_uris": ["https://new.example/cb"], "policy": { "mode": "passkey_only" },
        "minimum_acr": "phr" });
    let mut browser = w.browser();
    let made = browser.json("/register", &metadata).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = idp_core::id::ClientId::parse(made.value()["client_id"].as_str().unwrap()).unwrap();
    let client = w.app.store.find_client(w.realm, &id).await.unwrap().unwrap();
    assert!(client.settings.policy.is_empty());
    assert!(!made.body.contains("minimum_acr"), "{}", made.body);
}

#[tokio::test]
async fn a_passkey_that_an_application_refuses_is_not_registered_in_its_name() {
    let (w, rp, mut ann) = stage(&[("deny_synced", "true")], Options::synced()).await;
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let page = sign_in(&mut browser, &page, &mut ann.keys[0]).await;
    let request = page.sealed();
    let begun = browser.json("/webauthn/register/options", &json!({ "request": request })).await.value();
    let credential = key(Options::synced()).create_with(&begun, &browser.origin, &Faults::default());
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    let made = browser.json("/webauthn/register", &body).await;
    assert_eq!(made.verdict(), refused(403, "synced_not_allowed"));
}
