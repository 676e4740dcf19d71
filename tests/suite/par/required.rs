//! Where requests must be pushed: for a client, a realm, the profile `fapi2`; and that profile's other demands.

use idp_core::client::{ClientProfile, ClientSettings};

use super::confidential;
use crate::rules::rule;
use crate::world::{Answer, Ask, World};

type Settings = fn(&mut ClientSettings);

#[tokio::test]
async fn a_direct_request_is_told_to_push_and_a_pushed_one_goes_on() {
    let w = World::sqlite().await;
    let ways: &[(&str, Settings)] =
        &[("client", |s| s.require_par = true), ("fapi", |s| s.profile = ClientProfile::Fapi2), ("realm", |_| {})];
    for (id, settings) in ways {
        if *id == "realm" {
            w.set_settings(|s| s.require_par = true).await;
        }
        let rp = w.rp_with(id, |s| (confidential(s), settings(s)).1).await;
        let ask = rp.ask();
        for page in [w.browser().get(&ask.url()).await, w.browser().post("/authorize", &ask.fields()).await] {
            let answer = Answer::of(&page);
            assert_eq!(answer.error(), "invalid_request", "{}: {id}", rule("request.pushed"));
            assert!(answer.params["error_description"].contains("push"), "{}", answer.url);
            assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
        }
        let elsewhere = Answer::of(&w.browser().get(&ask.with("request_uri", "https://app.example/r").url()).await);
        assert_eq!(elsewhere.error(), "invalid_request", "{}: {id}", rule("request.pushed"));
        let page = w.browser().get(&rp.pushed(&w, &rp.ask()).await).await;
        assert!(page.location().unwrap().starts_with("/login?request="), "{id}");
    }
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
}

/// Rule, settings, change of an honest request, `error`.
type Case = (&'static str, Settings, fn(Ask) -> Ask, &'static str);

const CASES: &[Case] = &[
    ("fapi2.client", |s| s.auth_method = idp_core::client::ClientAuthMethod::None, |a| a, "unauthorized_client"),
    ("fapi2.pkce", |_| {}, |a| a.without("code_challenge").without("code_challenge_method"), "invalid_request"),
    ("pkce.method", |_| {}, |a| a.with("code_challenge_method", "plain"), "invalid_request"),
    ("pkce.method", |_| {}, |a| a.without("code_challenge_method"), "invalid_request"),
    (
        "fapi2.redirect_uri",
        |s| s.redirect_uris.push("http://localhost/cb".to_owned()),
        |a| a.with("redirect_uri", "http://localhost/cb"),
        "invalid_request",
    ),
    (
        "fapi2.redirect_uri",
        |s| s.redirect_uris.push("com.example.app:/cb".to_owned()),
        |a| a.with("redirect_uri", "com.example.app:/cb"),
        "invalid_request",
    ),
    ("address.redirect_uri", |_| {}, |a| a.without("redirect_uri"), "invalid_request"),
    ("response_type.code", |_| {}, |a| a.with("response_type", "code id_token"), "unsupported_response_type"),
    ("response_type.code", |_| {}, |a| a.with("response_type", "token"), "unsupported_response_type"),
    ("request_uri.refused", |_| {}, |a| a.with("request_uri", "https://app.example/r"), "invalid_request"),
];

#[tokio::test]
async fn the_profile_demands_more_of_a_push() {
    let w = World::sqlite().await;
    for (number, (id, settings, change, error)) in CASES.iter().enumerate() {
        let change_settings = |s: &mut ClientSettings| {
            confidential(s);
            s.profile = ClientProfile::Fapi2;
            settings(s);
        };
        let rp = w.rp_with(&format!("app{number}"), change_settings).await;
        let page = rp.push(&w, &change(rp.ask())).await;
        assert_eq!((page.status, page.error().as_str()), (400, *error), "{id}: {}", page.body);
        // What is refused here is refused for its own reason: the honest request goes through.
        let honest = rp.push(&w, &rp.ask().with("nonce", &"n".repeat(64)).with("state", &"s".repeat(64))).await;
        assert_eq!(honest.status == 201, *id != "fapi2.client", "{id}: {}", honest.body);
    }
    for id in ["fapi2.client", "fapi2.pkce", "fapi2.redirect_uri"] {
        rule(id);
    }
}
