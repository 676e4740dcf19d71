//! Pushing: who may, what is answered, what is refused.

use super::confidential;
use crate::authorize::refusals::CASES;
use crate::rules::rule;
use crate::world::{Ask, World, basic, encode};

#[tokio::test]
async fn answers_201_with_a_uri_that_nobody_can_guess_and_its_lifetime() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let page = rp.push(&w, &rp.ask()).await;
    assert_eq!((page.status, page.header("content-type")), (201, Some("application/json")), "{}", page.body);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let body = page.value();
    let uri = body["request_uri"].as_str().unwrap();
    assert!(uri.strip_prefix("urn:ietf:params:oauth:request_uri:").is_some_and(|secret| secret.len() == 43), "{uri}");
    assert_eq!(body["expires_in"], 90, "{}", rule("par.fresh"));
    assert_ne!(rp.push(&w, &rp.ask()).await.value()["request_uri"], uri);
    let metadata = w.browser().get("/.well-known/oauth-authorization-server").await.value();
    assert_eq!(metadata["pushed_authorization_request_endpoint"], format!("{}/par", w.issuer));
    assert_eq!(metadata["require_pushed_authorization_requests"], false);
}

#[tokio::test]
async fn each_rule_of_the_authorization_request_refuses_a_push_too() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let before = w.commits();
    for (number, (id, change, error, says)) in CASES.iter().enumerate() {
        if number % 50 == 49 {
            w.clock.advance(60); // another minute, another allowance
        }
        let page = rp.push(&w, &change(rp.ask())).await;
        let error = if *id == "request_uri.refused" { "invalid_request" } else { error };
        assert_eq!((page.status, page.error().as_str()), (400, error), "{}: {}", rule(id), page.body);
        let body = page.value();
        assert!(body["error_description"].as_str().unwrap().contains(says), "{}: {}", rule(id), page.body);
    }
    assert_eq!(w.commits(), before, "a refusal writes nothing");
}

#[tokio::test]
async fn an_address_that_is_not_the_clients_is_refused_to_its_face() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    type Spoil = fn(Ask) -> Ask;
    let cases: &[(Spoil, &str)] = &[
        (|a| a.without("redirect_uri"), "redirect_uri is missing"),
        (|a| a.with("redirect_uri", "https://evil.example/cb"), "not registered"),
        (|a| a.with("redirect_uri", "https://app.example/cb/..;/"), "not registered"),
        (|a| a.and("redirect_uri", "https://app.example/cb"), "came twice"),
        (|a| a.with("request_uri", "urn:ietf:params:oauth:request_uri:x"), "send the parameters"),
    ];
    for (change, says) in cases {
        let page = rp.push(&w, &change(rp.ask())).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}", page.body);
        assert!(page.body.contains(says), "{}", page.body);
    }
}

#[tokio::test]
async fn only_the_client_itself_pushes_and_names_nobody_else() {
    let w = World::sqlite().await;
    let (rp, other) = (w.rp_with("app", confidential).await, w.rp_with("other", confidential).await);
    let ask = rp.ask();
    let post = async |authorization: Option<String>, ask: &Ask| {
        let mut browser = w.browser();
        let mut request = browser.request(reqwest::Method::POST, "/par");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body = encode(&ask.fields());
        browser.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    };
    let page = post(None, &ask).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{}", rule("client.registered_method"));
    let page = post(Some(basic("app", "wrong")), &ask).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{}", rule("client.secret"));
    assert!(page.header("www-authenticate").unwrap().starts_with("Basic"));
    let others = basic("other", other.secret.as_deref().unwrap());
    let page = post(Some(others), &ask).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}", rule("client.one_method"));
    // The header names the client; the body need not.
    let own = || Some(basic("app", rp.secret.as_deref().unwrap()));
    for ask in [ask.clone(), ask.without("client_id")] {
        assert_eq!(post(own(), &ask).await.status, 201);
    }
    w.set_client_state(&rp, idp_core::client::ClientState::Disabled).await;
    let page = rp.push(&w, &rp.ask()).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{}", rule("client.active"));
    // A browser's GET is no push.
    assert_eq!(w.browser().get("/par").await.status, 405);
}
