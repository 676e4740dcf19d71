//! What keeps somebody from signing up, and what the refusal says.

use idp_core::passkey::naming::Pattern;
use idp_core::passkey::policy::Mode;
use idp_core::realm::SelfRegistration;
use idp_core::user_schema::UserSchema;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use super::{accounts, begin, kratos, open};
use crate::rules::rule;
use crate::world::acts::{key, refused};
use crate::world::{Browser, Db, World};

#[tokio::test]
async fn nobody_signs_up_unless_the_realm_allows_it_and_a_passkey_lets_in() {
    let off = (403, "sign_up_off".to_owned());
    let w = World::sqlite().await;
    let mut browser = w.browser();
    assert_eq!(begin(&mut browser, "ada", json!({})).await.verdict(), off, "{}", rule("sign_up.off"));
    assert_eq!(browser.get("/signup").await.verdict(), off);
    assert!(!browser.get("/login").await.has("login-sign-up"));
    w.set_settings(|s| s.self_registration = SelfRegistration::Open).await;
    assert!(browser.get("/login").await.has("login-sign-up"));
    let begun = begin(&mut browser, "ada", json!({})).await.value();
    w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    assert_eq!(begin(&mut browser, "eve", json!({})).await.verdict(), off, "an account that could never sign in");
    assert!(!browser.get("/login").await.has("login-sign-up"));
    let late = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!((late.verdict(), accounts(&w).await), (off, 0), "asked again at the end");
}

#[tokio::test]
async fn what_does_not_fit_is_told_by_its_path() {
    let w = open(Db::Sqlite).await;
    w.set_settings(|s| s.user_schema = Some(kratos())).await;
    let mut browser = w.browser();
    for (username, traits, path) in [
        ("", json!({}), "email"),
        ("", json!({ "email": "no address" }), "email"),
        ("", json!({ "email": "a@b.ch", "name": { "first": 7 } }), "name.first"),
        ("", json!({ "email": "a@b.ch", "name": { "first": "\u{0}" } }), "name.first"),
        ("eve@b.ch", json!({ "email": "a@b.ch" }), "username"),
        ("a\u{202e}b", json!({ "email": "a@b.ch" }), "username"),
    ] {
        let answer = begin(&mut browser, username, traits.clone()).await;
        assert_eq!(answer.verdict(), refused(422, "traits_invalid"), "sign_up.traits {traits}");
        let value = answer.value();
        let paths: Vec<_> = value["problems"].as_array().unwrap().iter().map(|p| p["path"].clone()).collect();
        assert!(paths.contains(&Value::from(path)), "{traits}: {value}");
        assert!(value["detail"].as_str().unwrap().contains(path), "{value}");
    }
    let list = browser.json("/webauthn/register/options", &json!({ "username": "ada", "traits": ["email"] })).await;
    assert_eq!(list.verdict(), refused(400, "body_invalid"));
    assert_eq!(accounts(&w).await, 0);
}

#[tokio::test]
async fn nobody_brings_what_an_administrator_sets() {
    let w = open(Db::Sqlite).await;
    let mut browser = w.browser();
    let refused_at = async |browser: &mut Browser, traits: Value, path: &str| {
        let answer = begin(browser, "ada", traits.clone()).await;
        assert_eq!(answer.verdict(), refused(422, "traits_invalid"), "{} {traits}", rule("user_schema.own"));
        let problem = &answer.value()["problems"][0];
        assert_eq!(
            (&problem["path"], &problem["detail"]),
            (&json!(path), &json!("is set by an administrator")),
            "{traits}"
        );
    };
    for traits in [json!({ "role": "admin" }), json!({ "groups": ["admins"] }), json!({ "email_verified": true })] {
        let path = traits.as_object().unwrap().keys().next().unwrap().clone();
        refused_at(&mut browser, traits, &path).await;
    }
    let schema = json!({
        "properties": {
            "email": { "type": "string" },
            "badge": { "type": "string", "readOnly": true },
            "org": { "readOnly": true, "properties": { "grade": { "type": "string" } } }
        },
        "allOf": [{ "properties": { "level": { "type": "integer", "readOnly": true } } }],
        "patternProperties": { "^x_": { "readOnly": true } }
    });
    w.set_settings(|s| s.user_schema = Some(UserSchema::new(schema).unwrap())).await;
    for (traits, path) in [
        (json!({ "role": "admin" }), "role"),
        (json!({ "badge": "7" }), "badge"),
        (json!({ "org": { "grade": "A" } }), "org.grade"),
        (json!({ "org": { "boss": "yes" } }), "org.boss"),
        (json!({ "level": 9 }), "level"),
        (json!({ "x_admin": "1" }), "x_admin"),
    ] {
        refused_at(&mut browser, traits, path).await;
    }
    // What was good when the ceremony began is asked again at its end.
    let begun = begin(&mut browser, "ada", json!({ "email": "ada@example.org" })).await.value();
    let fixed = json!({ "properties": { "email": { "type": "string", "readOnly": true } } });
    w.set_settings(|s| s.user_schema = Some(UserSchema::new(fixed).unwrap())).await;
    let late = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!((late.verdict(), accounts(&w).await), (refused(422, "traits_invalid"), 0), "{}", late.body);
}

#[tokio::test]
async fn the_first_owner_brings_a_name_and_an_address_alone() {
    let w = World::sqlite().await;
    let link = w.setup_link().await;
    let mut browser = w.browser();
    for (username, traits, verdict) in [
        ("ada", json!({ "role": "admin" }), refused(422, "traits_invalid")),
        ("ada@example.org", json!({}), refused(422, "username_invalid")),
        ("ada@example.org", json!({ "email": "ada@b.ch" }), refused(422, "username_invalid")),
        ("ada@example.org", json!({ "email": "ada@example.org", "name": "Ada" }), (200, String::new())),
    ] {
        let body = json!({ "pass": link, "username": username, "traits": traits });
        let answer = browser.json("/webauthn/register/options", &body).await;
        assert_eq!(answer.verdict(), verdict, "{body} {}", answer.body);
    }
}

#[tokio::test]
async fn names_and_addresses_that_are_taken_are_told_but_not_often() {
    let w = open(Db::Sqlite).await;
    w.person("ann").await;
    let mut browser = w.browser();
    let before = w.commits();
    let taken = begin(&mut browser, "ANN", json!({})).await.value();
    assert_eq!(taken["problems"][0]["path"], "username", "{taken}");
    let taken = begin(&mut browser, "", json!({ "email": "ann@example.org" })).await.value();
    assert_eq!(taken["problems"][0]["path"], "email", "{taken}");
    let mut answers = Vec::new();
    for n in 0..24 {
        answers.push(begin(&mut browser, &format!("name{n}"), json!({})).await.verdict());
    }
    assert!(answers.contains(&(200, String::new())) && answers.contains(&refused(429, "sign_up_rate")), "{answers:?}");
    w.clock.advance(60);
    assert_eq!(begin(&mut browser, "later", json!({})).await.status, 200);
    assert_eq!(w.commits(), before, "asking writes nothing");
}

#[tokio::test]
async fn where_domains_are_listed_others_are_refused() {
    let w = open(Db::Sqlite).await;
    w.set_settings(|s| s.self_registration = SelfRegistration::Domains(vec!["example.org".to_owned()])).await;
    let mut browser = w.browser();
    assert_eq!(begin(&mut browser, "ada", json!({ "email": "ada@example.com" })).await.status, 422, "sign_up.domain");
    assert_eq!(begin(&mut browser, "ada", json!({})).await.status, 422);
    assert_eq!(begin(&mut browser, "ada", json!({ "email": "ada@Example.org" })).await.status, 200);
}

#[tokio::test]
async fn two_newcomers_are_not_named_alike_in_authenticators() {
    let w = open(Db::Sqlite).await;
    let by_name = Pattern::try_from("{{ user.name }}".to_owned()).unwrap();
    w.set_settings(|s| s.passkey_username_pattern = by_name).await;
    for (username, status) in [("ada", 201), ("eve", 422)] {
        let mut browser = w.browser();
        let begun = begin(&mut browser, username, json!({ "name": "Ada" })).await.value();
        assert_eq!(begun["publicKey"]["user"]["name"], "Ada");
        let made = browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await;
        assert_eq!(made.status, status, "{} {}", rule("passkey.name.unique"), made.body);
    }
    assert_eq!(accounts(&w).await, 1);
}

#[tokio::test]
async fn many_accounts_from_one_address_become_slow() {
    let w = open(Db::Sqlite).await;
    let (mut made, mut waits) = (0, 0);
    for n in 0..60 {
        w.clock.advance(if n % 15 == 0 { 60 } else { 0 });
        let mut browser = w.browser();
        let begun = begin(&mut browser, &format!("user{n}"), json!({})).await.value();
        match browser.register(&begun, &mut key(Options::platform()), &Faults::default()).await.status {
            201 => made += 1,
            429 => waits += 1,
            other => panic!("{other}"),
        }
    }
    assert!(made >= 50 && waits > 0, "{made} made, {waits} told to wait");
}
