//! Request objects by value: honoured whole or refused, never ignored. RFC 9101, OIDC Core §6.1.

use idp_core::client::{ClientAuthMethod, ClientSettings, RequestObjectAlg, SigningAlg};
use serde_json::{Value, json};

use super::refusals::refused_by_a_page;
use crate::rules::rule;
use crate::world::jwt::{Jwt, Key, bent};
use crate::world::{Answer, Ask, Rp, World};

fn signing(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::PrivateKeyJwt;
}

fn key(rp: &Rp) -> &Key {
    rp.key.as_deref().unwrap()
}

/// The parameters of `ask` as claims.
fn object(w: &World, rp: &Rp, ask: &Ask) -> Jwt {
    let now = w.clock.now().secs();
    let header = json!({ "alg": "ES256", "kid": key(rp).kid, "typ": "oauth-authz-req+jwt" });
    let claims = json!({ "iss": rp.id(), "aud": w.issuer, "iat": now, "nbf": now, "exp": now + 60 });
    let jwt = Jwt { header, claims };
    ask.fields().into_iter().fold(jwt, |jwt, (name, value)| jwt.with(name, value))
}

/// A request by object; beside it what a URL needs, and parameters that do not count.
fn by_object(rp: &Rp, object: &str) -> Ask {
    let beside = rp.ask().with("state", "outer").with("nonce", "outer").with("scope", "openid email");
    beside.with("response_mode", "query").with("request", object)
}

#[tokio::test]
async fn what_the_client_signed_counts_and_nothing_beside_it() {
    let w = World::sqlite().await;
    let api = "https://api.example/";
    let rp = w.rp_with("app", |s| (signing(s), s.resources = vec![api.to_owned()]).1).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    let ask = rp.ask();
    let claims = json!({ "userinfo": { "email": { "essential": true } } });
    let jwt = object(&w, &rp, &ask).with("response_mode", "fragment").with("max_age", 10_000).with("claims", claims);
    let jwt = jwt.with("resource", json!([api, w.issuer]));
    let outer =
        by_object(&rp, &jwt.sign(key(&rp))).with("redirect_uri", "https://evil.example/").with("prompt", "login");
    let bare = outer.clone().without("redirect_uri").without("response_type").without("scope");
    for outer in [outer, bare] {
        let answer = Answer::of(&browser.get(&outer.url()).await);
        assert!(answer.url.starts_with("https://app.example/cb#code="), "{}", answer.url);
        assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
        let tokens = rp.redeem(&w, &ask, &answer.code()).await;
        assert_eq!(tokens.value()["scope"], "openid", "{}", tokens.body);
        let tokens = w.accept(&rp, &ask, &answer.code(), &tokens).await;
        let detail = super::claims::detail_of(&w, &tokens.access_token).await;
        assert_eq!(detail.claims.userinfo.first().map(|c| c.essential), Some(true));
        assert_eq!(detail.resources, [api.to_owned(), w.issuer.clone()]);
    }
    // Pushed, and by POST.
    let pushed = rp.pushed(&w, &Ask { params: vec![("request".to_owned(), jwt.sign(key(&rp)))], ..ask.clone() }).await;
    Answer::of(&browser.get(&pushed).await).code();
    let page = browser.post("/authorize", &by_object(&rp, &jwt.sign(key(&rp))).fields()).await;
    Answer::of(&browser.follow(page).await).code();
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert_eq!(metadata["request_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], false, "true is what silence would mean");
    let algs = metadata["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(
        ["ES256", "PS256"].iter().all(|alg| algs.contains(&json!(alg))) && !algs.contains(&json!("none")),
        "{algs:?}"
    );
}

type Bend = fn(Jwt, &Key) -> String;

const SPOILT: &[(&str, Bend)] = &[
    ("jar.form", |_, _| "x.y.z".to_owned()),
    ("jar.form", |_, _| "e30".to_owned()),
    ("jar.form", |jwt, _| jwt.header("alg", "none").unsigned() + "."),
    ("jar.form", |jwt, _| jwt.header("alg", "nOnE").unsigned() + "."),
    ("jar.form", |jwt, key| jwt.header("alg", "HS256").sign(key)),
    ("jar.form", |jwt, key| jwt.header("typ", "at+jwt").sign(key)),
    ("jar.form", |jwt, key| jwt.header("crit", json!(["exp"])).sign(key)),
    ("jar.form", |jwt, key| jwt.with("exp", "tomorrow").sign(key)),
    ("jar.key", |jwt, key| jwt.header("kid", "../../dev/null").sign(key)),
    ("jar.signature", |jwt, key| bent(&jwt.sign(key))),
    ("jar.signature", |jwt, _| jwt.header("jwk", Key::es256("x").public()).sign(&Key::es256("x"))),
    ("jar.client", |jwt, key| jwt.with("client_id", "other").sign(key)),
    ("jar.client", |jwt, key| jwt.with("iss", "other").sign(key)),
    ("jar.client", |jwt, key| jwt.with("sub", "app").sign(key)),
    ("jar.audience", |jwt, key| jwt.with("aud", "https://evil.example").sign(key)),
    ("jar.time", |jwt, key| {
        let exp = jwt.claims["exp"].as_i64().unwrap();
        jwt.with("exp", exp - 91).sign(key)
    }),
    ("jar.time", |jwt, key| {
        let exp = jwt.claims["exp"].as_i64().unwrap();
        jwt.with("nbf", exp).sign(key)
    }),
    ("jar.nested", |jwt, key| jwt.with("request", "x").sign(key)),
    ("jar.nested", |jwt, key| jwt.with("request_uri", "urn:x").sign(key)),
];

#[tokio::test]
async fn an_object_that_is_not_good_is_refused_here_and_when_pushed() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", signing).await;
    for (id, bend) in SPOILT {
        let text = bend(object(&w, &rp, &rp.ask()), key(&rp));
        let outer = by_object(&rp, &text);
        let answer = Answer::of(&w.browser().get(&outer.url()).await);
        assert_eq!(answer.error(), "invalid_request_object", "{}: {}", rule(id), answer.url);
        assert_eq!(answer.params["state"], "outer", "{id}");
        let page = rp.push(&w, &outer).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_request_object"), "{id}: {}", page.body);
        // Where there is no address beside it, what the object says is no address either.
        refused_by_a_page(&mut w.browser(), &outer.without("redirect_uri"), "redirect_uri_missing").await;
    }
    // The rules of every request hold for what is inside.
    for (change, error) in [
        ((|j| j.with("response_type", "token")) as fn(Jwt) -> Jwt, "unsupported_response_type"),
        (|j| j.with("code_challenge_method", "plain"), "invalid_request"),
        (|j| j.with("prompt", json!(["login"])), "invalid_request"),
        (|j| j.with("max_age", -1), "invalid_request"),
        (|j| j.with("scope", Value::Null), "invalid_scope"),
    ] {
        let text = change(object(&w, &rp, &rp.ask())).sign(key(&rp));
        assert_eq!(Answer::of(&w.browser().get(&by_object(&rp, &text).url()).await).error(), error);
    }
    let text = object(&w, &rp, &rp.ask()).with("redirect_uri", "https://evil.example/cb").sign(key(&rp));
    refused_by_a_page(&mut w.browser(), &by_object(&rp, &text), "redirect_uri_mismatch").await;
}

#[tokio::test]
async fn a_client_signs_as_it_is_set_up_to() {
    let w = World::sqlite().await;
    let strict = w.rp_with("strict", |s| (signing(s), s.require_request_object = true).1).await;
    let answer = Answer::of(&w.browser().get(&strict.ask().url()).await);
    assert_eq!(answer.error(), "invalid_request", "{}", rule("request.object"));
    let page = strict.push(&w, &strict.ask()).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}", rule("request.object"));
    let text = object(&w, &strict, &strict.ask()).sign(key(&strict));
    let page = w.browser().get(&by_object(&strict, &text).url()).await;
    assert!(page.location().unwrap().starts_with("/login?request="), "{:?}", page.location());

    let ps256 = |s: &mut ClientSettings| {
        (signing(s), s.request_object_alg = Some(RequestObjectAlg::Signed(SigningAlg::PS256))).1
    };
    let other = w.rp_with("ps256", ps256).await;
    let text = object(&w, &other, &other.ask()).sign(key(&other));
    let answer = Answer::of(&w.browser().get(&by_object(&other, &text).url()).await);
    assert_eq!(answer.error(), "invalid_request_object", "{}", rule("jar.form"));

    let unsigned = |s: &mut ClientSettings| s.request_object_alg = Some(RequestObjectAlg::Unsigned);
    let plain = w.rp_with("plain", unsigned).await;
    let header = json!({ "alg": "none" });
    let jwt = Jwt { header, claims: json!({ "client_id": "plain" }) };
    let jwt = plain.ask().fields().into_iter().fold(jwt, |jwt, (name, value)| jwt.with(name, value));
    let page = w.browser().get(&by_object(&plain, &format!("{}.", jwt.unsigned())).url()).await;
    assert!(page.location().unwrap().starts_with("/login?request="), "{:?}", page.location());

    let without = w.rp("without").await;
    for text in [format!("{}.", jwt.unsigned()), "x".to_owned()] {
        let answer = Answer::of(&w.browser().get(&by_object(&without, &text).url()).await);
        assert_eq!(answer.error(), "request_not_supported", "{}", rule("request.refused"));
    }
}
