//! Which claims a scope opens. OIDC Core §5.4.

use serde_json::{Value, json};

use crate::both;
use crate::world::World;

both! {
    async fn each_scope_opens_its_claims_and_no_more(db) {
        let w = World::start(db).await;
        let rp = w.rp("app").await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let profile = json!({
            "name": "Name of ann",
            "given_name": "Given",
            "family_name": "Family",
            "locale": "de-CH",
            "preferred_username": "ann",
            "updated_at": w.clock.now().secs(),
        });
        let email = json!({ "email": "ann@example.org", "email_verified": true });
        let phone = json!({ "phone_number": "+41 44 123 45 67", "phone_number_verified": false });
        let address = json!({ "address": { "locality": "Zürich" } });
        for (scope, parts) in [
            ("openid", vec![]),
            ("openid profile", vec![&profile]),
            ("email openid", vec![&email]),
            ("openid phone", vec![&phone]),
            ("address openid", vec![&address]),
            ("openid profile email address phone", vec![&profile, &email, &phone, &address]),
        ] {
            let ask = rp.ask().with("scope", scope);
            let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
            let tokens = rp.redeem(&w, &ask, &code).await.value();
            let told = w.userinfo(tokens["access_token"].as_str().unwrap()).await;
            let mut expected = json!({ "sub": ann.sub() });
            for part in parts {
                expected.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            }
            assert_eq!(told.value(), expected, "{scope}");
        }
    }
}

#[tokio::test]
async fn a_consent_page_shows_the_values_that_will_be_told() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = idp_core::client::ConsentMode::Ask).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.open(&rp.ask().with("scope", "openid profile email").url()).await;
    assert!(page.has("consent-allow"));
    for value in ["Name of ann", "ann@example.org", "app.example"] {
        assert!(page.body.contains(value), "{value}");
    }
    let page = browser.open(&rp.ask().url()).await;
    assert!(!page.body.contains("ann@example.org"), "the address was not asked for");
}

#[tokio::test]
async fn empty_claims_are_left_out() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().with("scope", "openid profile");
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let tokens = rp.redeem(&w, &ask, &code).await.value();
    let told = w.userinfo(tokens["access_token"].as_str().unwrap()).await.value();
    assert!(told.as_object().unwrap().values().all(|v| *v != Value::Null && *v != ""), "{told}");
}
