//! Hosts besides the issuer's: answered, and led home.

use reqwest::Method;
use serde_json::json;

use crate::world::World;
use crate::world::acts::key;
use crate::world::hosts::{NEW, OLD};

async fn two() -> World {
    let mut w = World::sqlite().await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    w
}

#[tokio::test]
async fn the_issuer_is_one_whatever_the_host() {
    let mut w = two().await;
    let rp = w.rp("app").await;
    let mut ada = w.person("ada").await;
    let path = "/.well-known/openid-configuration";
    let discovered = w.browser_at(OLD).get(path).await.value();
    assert_eq!(discovered["issuer"], w.issuer);
    assert_eq!(discovered, w.browser().get(path).await.value());
    // An application that still asks at the old host is led home, and gets tokens of the one issuer.
    let ask = rp.ask();
    let led = w.browser_at(OLD).get(&ask.url()).await;
    assert_eq!((led.status, led.location()), (303, Some(format!("{}{}", w.issuer, ask.url()).as_str())));
    let mut browser = w.browser();
    let answer = w.authorize(&mut browser, &mut ada, &ask).await;
    assert_eq!(answer.params["iss"], w.issuer);
    let old = format!("http://{}", w.host(OLD));
    let issuer = std::mem::replace(&mut w.issuer, old);
    let redeemed = rp.redeem(&w, &ask, &answer.code()).await.value();
    w.issuer = issuer;
    let claims = w.verify(&rp, redeemed["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["iss"], w.issuer);
}

#[tokio::test]
async fn pages_lead_home_and_forms_are_not_sent_on() {
    let w = two().await;
    let rp = w.rp("app").await;
    for path in ["/", "/login?switch=1", "/account/security", "/authorize/resume?request=x", "/consent", "/device"] {
        let page = w.browser_at(OLD).get(path).await;
        assert_eq!((page.status, page.location()), (303, Some(format!("{}{path}", w.issuer).as_str())), "{path}");
    }
    for path in ["/login", "/login/password", "/consent", "/login/cancel", "/account/security/rename"] {
        let page = w.browser_at(OLD).post(path, &[("csrf", "x"), ("password", "secret")]).await;
        assert_eq!((page.status, page.code().as_deref()), (421, Some("wrong_host")), "{path}");
        assert!(page.body.contains(&w.issuer), "it says where: {}", page.body);
    }
    // What comes by POST from another site goes on as a GET of the issuer's host.
    let ask = rp.ask();
    let fields: Vec<_> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut browser = w.browser_at(OLD);
    let posted = browser.post("/authorize", &fields).await;
    let led = browser.get(posted.location().unwrap()).await;
    let home = led.location().unwrap().to_owned();
    assert!(home.starts_with(&format!("{}/authorize/resume?request=", w.issuer)), "{home}");
    assert!(w.browser().open(&home).await.has("login-submit"));
}

#[tokio::test]
async fn a_host_that_is_taken_away_is_not_answered() {
    let mut w = two().await;
    assert_eq!(w.browser_at(OLD).get("/.well-known/webauthn").await.status, 200);
    w.serve_at(vec![w.party(NEW)]).await;
    for path in ["/.well-known/webauthn", "/login/away", "/authorize"] {
        let page = w.browser_at(OLD).get(path).await;
        assert!(page.status == 421 && !page.body.contains(NEW), "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn nobody_signs_in_at_another_host_for_that_host() {
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let mut there = w.browser_at(OLD);
    let begun = there.json("/webauthn/authenticate/options", &json!({})).await;
    assert_eq!((begun.status, begun.code().as_deref()), (421, Some("wrong_host")));
    // A ceremony of the issuer's host is worth nothing there either.
    let begun = w.browser().begin_sign_in().await;
    let credential = ada.keys[0].get(&begun, &there.origin);
    there.get("/webauthn/session").await;
    let answer =
        there.json("/webauthn/authenticate", &json!({ "ceremony": begun["ceremony"], "credential": credential })).await;
    assert_eq!(answer.status, 403);
    assert!(there.cookie("session").is_none());
    for (errand, request) in [("x", None), ("", None), ("x", Some("x"))] {
        let query = request.map(|r| format!("&request={r}")).unwrap_or_default();
        let page = there.get(&format!("/login/away?errand={errand}{query}")).await;
        assert_eq!(page.status, 400, "{}", page.body);
    }
}

#[tokio::test]
async fn a_link_of_before_the_move_enrols_where_passkeys_are_made_now() {
    let w = two().await;
    let ada = w.account("ada", None).await;
    let pass = w.access_pass(&ada).await;
    let mut there = w.browser_at(OLD);
    let led = there.get(&format!("/setup?token={pass}")).await;
    assert_eq!(led.location(), Some(format!("{}/setup?token={pass}", w.issuer).as_str()));
    // A link that means this host enrols for its RP ID.
    assert!(there.get(&format!("/setup?token={pass}&here=1")).await.body.contains(OLD));
    let mut key = key(idp_softkey::Options::platform());
    let kept = there.enrol(&pass, &mut key, &idp_softkey::Faults::default()).await;
    assert_eq!((kept.status, &kept.value()["rp_id"]), (201, &json!(OLD)));
    assert_eq!(there.get("/setup/done").await.status, 200);
    let request = there.request(Method::GET, "/login");
    assert!(there.send(request).await.location().unwrap().starts_with(&w.issuer));
}
