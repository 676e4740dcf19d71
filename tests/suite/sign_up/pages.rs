//! The pages of signing up: a form made of the schema, checked by the server, nothing typed is lost.

use idp_core::realm::SelfRegistration;
use idp_core::user_schema::UserSchema;
use serde_json::json;

use super::{kratos, open};
use crate::world::{Db, World};

fn shop() -> UserSchema {
    UserSchema::new(json!({ "properties": {
        "email": { "type": "string", "format": "email" },
        "unit": { "enum": ["lab", "shop"], "title": "Unit" },
        "size": { "type": "integer", "minimum": 30 },
        "terms": { "type": "boolean", "const": true, "title": "I agree" },
        "badge": { "type": "string", "readOnly": true }
    }, "required": ["unit", "terms"], "additionalProperties": false }))
    .unwrap()
}

#[tokio::test]
async fn the_form_is_made_of_the_schema_and_says_what_does_not_fit() {
    let w = open(Db::Sqlite).await;
    w.set_settings(|s| s.user_schema = Some(shop())).await;
    let mut browser = w.browser();
    let page = browser.get("/signup").await;
    for id in ["username", "traits-email", "traits-unit", "traits-size", "traits-terms", "sign-up-submit"] {
        assert!(page.has(id), "{id}: {}", page.body);
    }
    assert!(!page.has("traits-badge"), "an administrator's");
    let typed = [("username", "ada"), ("traits.unit", "pub"), ("traits.size", "7"), ("traits.badge", "A-1")];
    let page = browser.submit(&page, "/signup", &typed).await;
    assert_eq!(page.status, 422);
    for text in ["must be one of lab, shop", "must be at least 30", "must be true", "value=\"7\"", "value=\"ada\""] {
        let capital = text.replacen("must", "Must", 1);
        assert!(page.body.contains(text) || page.body.contains(&capital), "{text}: {}", page.body);
    }
    let typed = [("username", "ada"), ("traits.unit", "lab"), ("traits.size", ""), ("traits.terms", "true")];
    let page = browser.submit(&page, "/signup", &typed).await;
    assert!(page.status == 200 && page.has("passkey-create") && page.has("sign-up-change"), "{}", page.body);
    let hidden = page.form("/signup");
    let traits = hidden.iter().find(|(name, _)| name == "all-traits").unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&traits.1).unwrap(), json!({ "unit": "lab", "terms": true }));
    // Nothing typed is lost on the way back.
    let page = browser.submit(&page, "/signup", &[("change", "1")]).await;
    assert!(page.has("sign-up-submit") && page.body.contains("value=\"lab\" selected"), "{}", page.body);
    let taken = w.person("ada").await;
    let page = browser
        .submit(&page, "/signup", &[("username", &taken.username), ("traits.unit", "lab"), ("traits.terms", "true")])
        .await;
    assert!(page.status == 422 && page.body.contains("Is taken"), "{}", page.body);
}

#[tokio::test]
async fn where_everybody_has_an_address_no_user_name_is_asked() {
    let w = open(Db::Sqlite).await;
    w.set_settings(|s| s.user_schema = Some(kratos())).await;
    let mut browser = w.browser();
    let page = browser.get("/signup").await;
    assert!(
        !page.has("username") && page.has("traits-name-first") && page.body.contains("First Name"),
        "{}",
        page.body
    );
    let page = browser.submit(&page, "/signup", &[("traits.email", "ada@example.org")]).await;
    assert!(page.status == 200 && page.has("passkey-create"), "{}", page.body);
    assert!(page.form("/signup").contains(&("username".to_owned(), "ada@example.org".to_owned())));
}

#[tokio::test]
async fn the_request_of_an_application_travels_and_its_hint_is_filled_in() {
    let w = open(Db::Sqlite).await;
    let rp = w.rp("app").await;
    let mut browser = w.browser();
    let login = browser.get(&rp.ask().with("login_hint", "ada@example.org").url()).await;
    let login = browser.follow(login).await;
    assert!(login.has("login-sign-up"), "{}", login.body);
    let sealed = login.sealed().unwrap();
    let page = browser.get(&format!("/signup?request={sealed}")).await;
    assert!(page.body.contains("value=\"ada@example.org\"") && page.sealed().is_some(), "{}", page.body);
    assert_eq!(browser.get("/signup?request=forged").await.status, 400);
    let page = browser.submit(&page, "/signup", &[("username", "ada")]).await;
    assert!(page.has("passkey-create") && page.sealed().is_some());
}

#[tokio::test]
async fn a_form_of_another_browser_is_refused() {
    let w = World::sqlite().await;
    w.set_settings(|s| s.self_registration = SelfRegistration::Open).await;
    let page = w.browser().get("/signup").await;
    assert_eq!(w.browser().submit(&page, "/signup", &[("username", "ada")]).await.verdict().1, "csrf_mismatch");
}
