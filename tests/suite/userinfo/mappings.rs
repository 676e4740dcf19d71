//! Scopes of a realm's own: where their claims come from, which type they have and which token tells them.
//! OIDC Core §5.1.2 and §5.4.

use idp_core::client::{ClientSettings, ConsentMode, GrantType, RoleMapping};
use idp_core::oauth::scope::STANDARD;
use serde_json::{Value, json};

use crate::both;
use crate::world::{Browser, Person, Rp, World};

/// Lets a client ask for the standard scopes and the realm's own `work` and `types`.
fn works(settings: &mut ClientSettings) {
    settings.scopes = Some(STANDARD.iter().chain(&["work", "types"]).map(|scope| (*scope).to_owned()).collect());
}

/// What an app that asks for `scope` is told: claims of the ID token, and of userinfo.
async fn told(w: &World, browser: &mut Browser, person: &mut Person, rp: &Rp, scope: &str) -> (Value, Value) {
    let ask = rp.ask().with("scope", scope);
    let code = w.authorize(browser, person, &ask).await.code();
    let answer = rp.redeem(w, &ask, &code).await;
    let tokens = w.accept(rp, &ask, &code, &answer).await;
    let userinfo = w.userinfo(&tokens.access_token).await.value();
    assert_eq!(userinfo["sub"], tokens.claims["sub"], "OIDC Core §5.3.2");
    (tokens.claims, userinfo)
}

both! {
    async fn claims_come_from_traits_groups_roles_the_profile_and_constants(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| {
            works(s);
            s.roles = [("admin", "staff"), ("boss", "owners"), ("admin", "wiki-admins")]
                .map(|(role, group)| RoleMapping { role: role.into(), group: group.into() })
                .to_vec();
        }).await;
        let mut ann = w.person("ann").await;
        w.join(&ann, &["wiki-users", "staff", "wiki-admins"]).await;
        w.set_profile(&ann, |p| {
            let traits = json!({ "department": "Sales", "level": 7, "badge": true, "tongues": ["de", "fr"] });
            p.traits = traits.as_object().unwrap().clone();
        }).await;
        let both = json!(["id_token", "userinfo"]);
        w.set_scopes(json!([{ "name": "work", "description": "Where you work", "claims": [
            { "claim": "department", "from": { "trait": "department" } },
            { "claim": "level", "from": { "trait": "level" }, "kind": "number" },
            { "claim": "https://example.org/badge", "from": { "trait": "badge" }, "kind": "boolean" },
            { "claim": "tongues", "from": { "trait": "tongues" }, "kind": "strings", "where": ["id_token"] },
            { "claim": "login", "from": "username", "where": both },
            { "claim": "mail", "from": { "claim": "email" } },
            { "claim": "tenant", "from": { "constant": "northwind" } },
            { "claim": "wiki", "from": { "groups": { "prefix": "wiki-" } }, "kind": "strings" },
            { "claim": "rights", "from": { "groups": { "values": { "staff": "read", "wiki-admins": "write",
                "wiki-users": "read" } } }, "kind": "strings" },
            { "claim": "app_roles", "from": "roles", "kind": "strings", "where": both },
            { "claim": "only_in_jwt", "from": "username", "where": ["access_token"] },
        ]}])).await;
        let mut browser = w.browser();
        let (id_token, userinfo) = told(&w, &mut browser, &mut ann, &rp, "openid work").await;
        let expected = json!({
            "sub": ann.sub(), "department": "Sales", "level": 7, "https://example.org/badge": true, "login": "ann",
            "mail": "ann@example.org", "tenant": "northwind", "wiki": ["wiki-admins", "wiki-users"],
            "rights": ["read", "write"], "app_roles": ["admin"],
        });
        assert_eq!(userinfo, expected);
        assert_eq!((&id_token["tongues"], &id_token["login"]), (&json!(["de", "fr"]), &json!("ann")));
        assert_eq!((&id_token["app_roles"], id_token.get("department")), (&json!(["admin"]), None));
        let (id_token, userinfo) = told(&w, &mut browser, &mut ann, &rp, "openid").await;
        assert_eq!((userinfo, id_token.get("login")), (json!({ "sub": ann.sub() }), None), "not without the scope");
    }

    async fn groups_and_roles_have_scopes_and_follow_membership_at_once(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| {
            s.roles = vec![RoleMapping { role: "editor".into(), group: "staff".into() }];
            s.grant_types.push(GrantType::RefreshToken);
        }).await;
        let mut ann = w.person("ann").await;
        w.join(&ann, &["staff", "all"]).await;
        let ask = rp.ask().with("scope", "openid roles groups");
        let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
        let tokens = rp.redeem(&w, &ask, &code).await.value();
        assert_eq!(tokens["scope"], "openid groups roles");
        let token = tokens["access_token"].as_str().unwrap();
        let expected = json!({ "sub": ann.sub(), "groups": ["all", "staff"], "roles": ["editor"] });
        assert_eq!(w.userinfo(token).await.value(), expected);
        w.leave(&ann, "staff").await;
        let expected = json!({ "sub": ann.sub(), "groups": ["all"], "roles": [] });
        assert_eq!(w.userinfo(token).await.value(), expected);
    }

    async fn leaving_the_group_that_gates_a_client_ends_its_tokens_at_once(db) {
        let w = World::start(db).await;
        let rp = w.rp_with("app", |s| s.allowed_groups = vec!["staff".into()]).await;
        let mut ann = w.person("ann").await;
        w.join(&ann, &["staff"]).await;
        let tokens = w.tokens(&mut w.browser(), &mut ann, &rp).await;
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
        w.leave(&ann, "staff").await;
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_left_out() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", works).await;
    let mut ann = w.person("ann").await;
    w.set_profile(&ann, |p| {
        p.traits = json!({ "text": "7", "number": 7, "flag": true, "list": ["a"] }).as_object().unwrap().clone();
    })
    .await;
    let traits = ["text", "number", "flag", "list"];
    let kinds = ["string", "number", "boolean", "strings"];
    let claims = traits
        .iter()
        .flat_map(|of| kinds.map(|kind| (of, kind)))
        .map(|(of, kind)| json!({ "claim": format!("{of}_as_{kind}"), "from": { "trait": of }, "kind": kind }));
    let claims: Vec<Value> = claims.collect();
    w.set_scopes(json!([{ "name": "types", "description": "All types", "claims": claims }])).await;
    let (_, userinfo) = told(&w, &mut w.browser(), &mut ann, &rp, "openid types").await;
    let expected = json!({ "sub": ann.sub(), "text_as_string": "7", "number_as_number": 7, "flag_as_boolean": true,
        "list_as_strings": ["a"] });
    assert_eq!(userinfo, expected);
}

#[tokio::test]
async fn a_scope_of_the_realm_is_announced_described_and_kept_from_clients_not_set_for_it() {
    let w = World::sqlite().await;
    let claim = json!({ "claim": "department", "from": { "trait": "department" } });
    w.set_scopes(json!([{ "name": "work", "description": "Where you work <b>", "claims": [claim] }])).await;
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!("work")));
    assert!(metadata["claims_supported"].as_array().unwrap().contains(&json!("department")));
    let rp = w
        .rp_with("asking", |s| {
            works(s);
            s.consent = ConsentMode::Ask;
        })
        .await;
    let without = w.rp("without").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let page = browser.open(&rp.ask().with("scope", "openid work").url()).await;
    assert!(page.has("consent-allow") && page.body.contains("Where you work &lt;b&gt;"), "{}", page.body);
    let (_, userinfo) = told(&w, &mut browser, &mut ann, &without, "openid work").await;
    assert_eq!(userinfo, json!({ "sub": ann.sub() }), "only for clients that it is set for");
    // Once agreed to, a scope that is deleted opens nothing.
    let ask = rp.ask().with("scope", "openid work");
    let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
    let token = rp.redeem(&w, &ask, &code).await.value()["access_token"].as_str().unwrap().to_owned();
    w.set_profile(&ann, |p| p.traits = json!({ "department": "Sales" }).as_object().unwrap().clone()).await;
    assert_eq!(w.userinfo(&token).await.value()["department"], "Sales");
    w.set_scopes(json!([])).await;
    assert_eq!(w.userinfo(&token).await.value(), json!({ "sub": ann.sub() }));
}
