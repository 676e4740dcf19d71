//! Sign-up and sign-in by an API client: JSON alone, plain base64 from its library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp_core::account::Role;
use idp_core::encoding::from_base64url;
use idp_core::passkey::policy::Mode;
use idp_softkey::{Faults, Options};
use serde_json::{Value, json};

use super::{accounts, begin, kratos, open};
use crate::both;
use crate::world::acts::{PASSWORD, key, refused};
use crate::world::{Answer, World};

/// Every binary member as plain base64 with padding, as `btoa` makes it.
fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let binary =
                    ["rawId", "attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle"];
                match value.as_str().filter(|_| binary.contains(&name.as_str())).and_then(from_base64url) {
                    Some(bytes) => *value = STANDARD.encode(bytes).into(),
                    None => plain(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

both! {
    async fn an_account_with_traits_and_a_passkey_is_one_commit_and_signs_in_once(db) {
        let w = open(db).await;
        w.set_settings(|s| s.user_schema = Some(kratos())).await;
        let rp = w.rp("app").await;
        let mut browser = w.browser();
        let ask = rp.ask();
        let sealed = browser.get(&ask.url()).await.sealed().expect("a request that waits");

        let before = w.commits();
        let traits = json!({ "email": "Ada@example.org", "name": { "first": "Ada" } });
        let body = json!({ "traits": traits, "request": sealed });
        let begun = browser.json("/webauthn/register/options", &body).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let begun = begun.value();
        assert_eq!(begun["publicKey"]["user"]["name"], "Ada@example.org");
        assert_eq!(begun["publicKey"]["user"]["displayName"], "Ada@example.org", "the trait marked display_name");
        assert_eq!((w.commits() - before, accounts(&w).await), (0, 0), "nothing before the ceremony");
        let mut first = key(Options::platform());
        let mut credential = first.create(&begun, &browser.origin);
        plain(&mut credential);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": sealed });
        let made = browser.json("/webauthn/register", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!((w.commits() - before, accounts(&w).await), (1, 1));
        assert!(!browser.is_signed_in().await, "a registration authenticates nobody");
        let ada = w.app.store.find_account_by_email(w.realm, "ada@example.org").await.unwrap().unwrap();
        assert_eq!((ada.username.as_str(), ada.role, ada.profile.email_verified), ("Ada@example.org", Role::User, false));
        assert_eq!(Value::Object(ada.profile.traits.clone()), json!({ "name": { "first": "Ada" } }));

        // Where the answer leads, the new passkey signs in, and on to the application.
        let next = made.value()["next"].as_str().unwrap().to_owned();
        let page = browser.get(&next).await;
        assert!(page.status == 200 && page.has("passkey-login") && page.body.contains("account is ready"), "{}", page.body);
        let sealed = page.sealed().expect("the request travelled");
        let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": sealed })).await.value();
        let mut body = browser.assertion(&mut first, &begun, Some(&sealed));
        plain(&mut body["credential"]);
        let done = browser.json("/webauthn/authenticate", &body).await;
        assert_eq!(done.stand(), "complete");
        let page = browser.open(done.value()["next"].as_str().unwrap()).await;
        let code = Answer::of(&page).code();
        let tokens = w.accept(&rp, &ask, &code, &rp.redeem(&w, &ask, &code).await).await;
        assert_eq!(tokens.claims["sub"], ada.id.to_string());

        // The ceremony was used up.
        let again = json!({ "ceremony": begun["ceremony"], "credential": {} });
        assert!((400..500).contains(&browser.json("/webauthn/register", &again).await.status));
    }
}

#[tokio::test]
async fn a_password_then_the_passkey_as_json() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    w.policy(|p| p.mode = Mode::PasswordThenPasskey).await;
    let mut browser = w.browser();
    let session = browser.get("/webauthn/session").await.value();
    browser.csrf = session["csrf"].as_str().unwrap().to_owned();
    let wrong = browser.json("/login/password", &json!({ "username": "ann", "password": "not that one" })).await;
    assert_eq!(wrong.verdict(), refused(401, "password_wrong"));
    let nobody = browser.json("/login/password", &json!({ "username": "nobody", "password": "not that one" })).await;
    assert_eq!(nobody.verdict(), refused(401, "password_wrong"), "the same for a name that does not exist");
    let right = browser.json("/login/password", &json!({ "username": "ann", "password": PASSWORD })).await;
    assert_eq!(right.stand(), "second_factor");
    assert!(!browser.is_signed_in().await);
    let done = browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    assert_eq!(done.stand(), "complete");
    assert!(browser.is_signed_in().await);
    let session = browser.get("/webauthn/session").await.value();
    browser.csrf = session["csrf"].as_str().unwrap().to_owned();
    let broken = browser.json("/login/password", &json!({ "username": 1 })).await;
    assert_eq!((broken.status, broken.header("content-type")), (400, Some("application/problem+json")));
    browser.csrf = "x".to_owned();
    let forged = browser.json("/login/password", &json!({ "username": "ann", "password": PASSWORD })).await;
    assert_eq!(forged.verdict(), refused(403, "csrf_mismatch"));
    let elsewhere = browser.json_from("/login/password", &json!({}), "https://evil.example").await;
    assert_eq!(elsewhere.verdict(), refused(403, "origin_mismatch"));
}

#[tokio::test]
async fn an_account_that_was_made_meanwhile_is_not_made_twice() {
    let w = open(crate::world::Db::Sqlite).await;
    let (mut one, mut two) = (w.browser(), w.browser());
    let first = begin(&mut one, "ada", json!({})).await.value();
    let second = begin(&mut two, "Ada", json!({})).await.value();
    assert_eq!(one.register(&first, &mut key(Options::platform()), &Faults::default()).await.status, 201);
    let late = two.register(&second, &mut key(Options::platform()), &Faults::default()).await;
    assert_eq!(late.verdict(), refused(422, "traits_invalid"), "{}", late.body);
    assert_eq!(accounts(&w).await, 1);
}
