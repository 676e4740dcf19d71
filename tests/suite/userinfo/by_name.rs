//! Claims asked for by name: told where they were asked for, and only what the user agreed to. OIDC Core §5.5.

use idp_core::client::ConsentMode;
use idp_softkey::Faults;
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Page, Rp, World};

async fn redeem(w: &World, rp: &Rp, ask: &Ask, code: &str) -> (Value, Value) {
    let answer = rp.redeem(w, ask, code).await;
    let tokens = w.accept(rp, ask, code, &answer).await;
    (tokens.claims, w.userinfo(&tokens.access_token).await.value())
}

async fn agree(browser: &mut Browser, page: &Page) -> String {
    let page = browser.submit(page, "/consent", &[("decision", "allow")]).await;
    Answer::of(&browser.follow(page).await).code()
}

#[tokio::test]
async fn each_claim_is_told_where_it_was_asked_for() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    w.join(&ann, &["staff"]).await;
    let asked = json!({
        "id_token": { "email": null, "groups": { "essential": true }, "iss": { "value": "https://evil.example" } },
        "userinfo": { "locale": { "values": ["fr"] }, "nickname": { "essential": true }, "shoe_size": null },
    });
    let ask = rp.ask().with("claims", &asked.to_string());
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let (id_token, userinfo) = redeem(&w, &rp, &ask, &code).await;
    assert_eq!((&id_token["email"], &id_token["groups"]), (&json!("ann@example.org"), &json!(["staff"])));
    assert_eq!((&id_token["iss"], id_token.get("locale")), (&json!(w.issuer), None));
    assert_eq!(userinfo, json!({ "sub": ann.sub(), "locale": "de-CH" }), "an essential claim nobody has is left out");
}

#[tokio::test]
async fn a_claim_is_agreed_to_like_the_scope_that_opens_it() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = ConsentMode::Ask).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut ann.keys[0], &Faults::default()).await.stand(), "complete");
    let page = browser.open(&rp.ask().url()).await;
    agree(&mut browser, &page).await;
    for place in ["id_token", "userinfo"] {
        let claim = if place == "id_token" { "email" } else { "phone_number" };
        let ask = rp.ask().with("claims", &json!({ place: { claim: null } }).to_string());
        let silent = Answer::of(&browser.open(&ask.clone().with("prompt", "none").url()).await);
        assert_eq!(silent.error(), "consent_required", "{}", rule("consent.given"));
        let page = browser.open(&ask.url()).await;
        let value = if place == "id_token" { "ann@example.org" } else { "+41 44 123 45 67" };
        assert!(page.has("consent-allow") && page.body.contains(value), "{}", page.body);
        let code = agree(&mut browser, &page).await;
        let (id_token, userinfo) = redeem(&w, &rp, &ask, &code).await;
        let told = if place == "id_token" { id_token } else { userinfo };
        assert_eq!(told[claim], value);
        // Agreed to once; and no more is told than was asked for.
        assert!(Answer::of(&browser.open(&ask.url()).await).params.contains_key("code"));
        assert_eq!(told.get("email_verified").or(told.get("phone_number_verified")), None);
    }
}

#[tokio::test]
async fn a_claim_behind_a_scope_that_is_not_the_clients_is_not_told() {
    let w = World::sqlite().await;
    w.set_scopes(json!([{ "name": "secret", "description": "A secret", "claims": [
        { "claim": "salary", "from": { "trait": "salary" }, "kind": "number" },
        { "claim": "nickname", "from": { "trait": "alias" } },
    ]}]))
    .await;
    let without = w.rp_with("without", |s| s.scopes = Some(vec!["openid".into(), "profile".into()])).await;
    let of = |scopes: &[&str]| Some(scopes.iter().map(|s| (*s).to_owned()).collect());
    let with = w.rp_with("with", |s| s.scopes = of(&["openid", "profile", "secret"])).await;
    let mut ann = w.person("ann").await;
    w.set_profile(&ann, |p| p.traits = json!({ "salary": 1, "alias": "x" }).as_object().unwrap().clone()).await;
    let asked = json!({ "userinfo": { "salary": null, "nickname": null }, "id_token": { "salary": null } });
    let mut browser = w.browser();
    for (rp, salary) in [(&without, None), (&with, Some(&json!(1)))] {
        let ask = rp.ask().with("claims", &asked.to_string());
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let (id_token, userinfo) = redeem(&w, rp, &ask, &code).await;
        assert_eq!((userinfo.get("salary"), id_token.get("salary")), (salary, salary));
        // The standard scope opens it: the realm's own, to which nobody was asked to agree, does not step in.
        assert_eq!(userinfo.get("nickname"), None);
    }
}
