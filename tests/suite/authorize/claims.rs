//! `claims` and `resource`: carried into what the code buys; a `sub` with a value names who must be signed in.
//! OIDC Core §5.5 and §5.5.1, RFC 8707 §2.

use idp_core::encoding::base64url;
use idp_core::grant::GrantDetail;
use idp_core::oauth::access_token::AccessToken;
use idp_core::oauth::authorize::code::Code;
use idp_core::seal::Purpose;
use idp_core::secret::sha256;
use serde_json::json;

use crate::rules::rule;
use crate::world::{Answer, Ask, World};

/// What the grant behind an access token remembers.
pub async fn detail_of(w: &World, access_token: &str) -> GrantDetail {
    let token: AccessToken = w.app.open(Purpose::AccessToken, w.realm, access_token).unwrap();
    w.app.store.find_grant(w.realm, &token.grant).await.unwrap().unwrap().grant.detail
}

#[tokio::test]
async fn the_grant_remembers_every_claim_and_resource_asked_for() {
    let w = World::sqlite().await;
    let api = "https://api.example/".to_owned();
    let rp = w.rp_with("app", |s| s.resources = vec![api.clone()]).await;
    let mut ann = w.person("ann").await;
    let asked = json!({
        "userinfo": { "email": { "essential": true }, "zoneinfo": null, "x": { "value": [1, { "a": "\u{fc}" }] } },
        "id_token": { "auth_time": { "essential": true }, "locale": { "values": ["de", "fr"] } },
        "unknown": 7,
    });
    let ask = rp.ask().with("claims", &asked.to_string()).and("resource", &api).and("resource", &w.issuer);
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let tokens = rp.redeem(&w, &ask, &code).await.value();
    let detail = detail_of(&w, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(detail.resources, [api, w.issuer.clone()]);
    let claims = |list: &[idp_core::oauth::authorize::claims::ClaimRequest]| -> Vec<(String, bool, String)> {
        list.iter().map(|c| (c.name.clone(), c.essential, c.values.join(" "))).collect()
    };
    let expected = |name: &str, essential, values: &str| (name.to_owned(), essential, values.to_owned());
    let mut userinfo = claims(&detail.claims.userinfo);
    userinfo.sort();
    assert_eq!(
        userinfo,
        [expected("email", true, ""), expected("x", false, "[1,{\"a\":\"\u{fc}\"}]"), expected("zoneinfo", false, "")]
    );
    let mut id_token = claims(&detail.claims.id_token);
    id_token.sort();
    assert_eq!(id_token, [expected("auth_time", true, ""), expected("locale", false, "\"de\" \"fr\"")]);
}

#[tokio::test]
async fn a_named_subject_is_the_one_who_signs_in() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (mut ann, bob) = (w.person("ann").await, w.person("bob").await);
    let named = |place: &str, sub: &str| -> Ask {
        rp.ask().with("claims", &json!({ place: { "sub": { "value": sub } } }).to_string())
    };
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    for place in ["id_token", "userinfo"] {
        let ask = named(place, &ann.sub()).with("prompt", "none");
        Answer::of(&browser.get(&ask.url()).await).code();
        let ask = named(place, &bob.sub()).with("prompt", "none");
        let refused = Answer::of(&browser.get(&ask.url()).await);
        assert_eq!(refused.error(), "login_required", "{}", rule("login.subject"));
        let page = browser.open(&named(place, &bob.sub()).url()).await;
        assert!(page.has("login-submit") || page.has("passkey-login"), "{}", rule("login.subject"));
    }
    // Whoever signs in instead gets no further.
    let page = browser.open(&named("id_token", &bob.sub()).url()).await;
    let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
    let page = browser.open(&next).await;
    assert!(page.next().is_none() && page.sealed().is_some(), "{}: {}", rule("login.subject"), page.body);
}

#[tokio::test]
async fn languages_are_taken_and_english_is_spoken() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let ask = rp.ask().with("ui_locales", "de-CH fr").with("claims_locales", "de");
    let page = w.browser().open(&ask.url()).await;
    assert!(page.status == 200 && page.body.contains("<html lang=\"en\">"));
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert_eq!(metadata["claims_parameter_supported"], true);
    assert_eq!(metadata["ui_locales_supported"], json!(["en"]));
}

#[tokio::test]
async fn a_code_asked_for_with_a_key_is_redeemed_by_that_key_alone() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let ask = rp.ask().with("dpop_jkt", &base64url(sha256(b"a key")));
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    let sealed: Code = w.app.open(Purpose::Code, w.realm, &code).unwrap();
    assert_eq!(sealed.jkt, Some(sha256(b"a key")));
    let answer = rp.redeem(&w, &ask, &code).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", rule("code.key"));
}
