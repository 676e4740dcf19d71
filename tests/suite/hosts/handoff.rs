//! Who used a passkey at another host goes on at the issuer's: once, soon, in the browser and for the request it began with.

use idp_core::audit::AuditEvent;
use idp_core::passkey::policy::Mode;
use idp_softkey::Options;
use serde_json::{Value, json};

use crate::both;
use crate::rules::rule;
use crate::world::acts::PASSWORD;
use crate::world::hosts::{NEW, OLD};
use crate::world::{Answer, Browser, Page, Person, Rp, World};

/// Leaves for the old host and uses the passkey there; the sign-in page it began at, and the address that leads back.
async fn away(w: &World, home: &mut Browser, person: &mut Person, rp: &Rp) -> (Page, String) {
    let page = home.open(&rp.ask().url()).await;
    let answer = home.use_passkey_elsewhere(&mut w.browser_at(OLD), person, &page).await;
    assert_eq!(answer["status"], "handoff");
    let next = answer["next"].as_str().unwrap().to_owned();
    assert!(next.starts_with(&format!("{}/login/handoff?", w.issuer)), "{next}");
    (page, next)
}

fn code(page: &Page) -> Option<String> {
    page.code()
}

both! {
    async fn signs_in_at_the_issuers_host_in_one_commit(db) {
        let mut w = World::start(db).await;
        let mut ada = w.moved().await;
        let rp = w.rp("app").await;
        let (mut home, mut there) = (w.browser(), w.browser_at(OLD));
        let ask = rp.ask();
        let page = home.open(&ask.url()).await;
        let before = w.commits();
        let answer = home.use_passkey_elsewhere(&mut there, &mut ada, &page).await;
        assert_eq!(w.commits() - before, 0, "nothing is written before the browser is back");
        assert!(there.cookie("session").is_none(), "no session at the other host");
        let binding = home.cookie("browser").unwrap().to_owned();
        let back = home.get(answer["next"].as_str().unwrap()).await;
        assert_eq!(w.commits() - before, 1);
        assert_ne!(home.cookie("browser").unwrap(), binding, "what bound it is worth nothing afterwards");
        // The same visit offers a new passkey; without it the request goes on.
        let enrol = home.follow(back).await;
        let later = home.submit(&enrol, "/login/enrol/later", &[]).await;
        let answer = Answer::of(&home.follow(later).await);
        let redeemed = rp.redeem(&w, &ask, &answer.code()).await;
        let tokens = w.accept(&rp, &ask, &answer.code(), &redeemed).await;
        assert_eq!(tokens.claims["acr"], "phr");
        assert_eq!(tokens.claims["iss"], w.issuer);
        let rows = w.audit_rows(&ada, AuditEvent::SignIn).await;
        assert_eq!(rows.len(), 1);
    }

    async fn a_handoff_works_once(db) {
        rule("handoff.once");
        let mut w = World::start(db).await;
        let mut ada = w.moved().await;
        let rp = w.rp("app").await;
        let mut home = w.browser();
        let (_, next) = away(&w, &mut home, &mut ada, &rp).await;
        let mut twin = home.clone();
        assert_eq!(home.get(&next).await.status, 303);
        // Even with the cookie of before, as if it were raced.
        let again = twin.get(&next).await;
        assert_eq!((again.status, code(&again).as_deref()), (409, Some("ceremony_used")));
        assert!(twin.cookie("session").is_none());
        assert_eq!(home.get(&next).await.status, 403, "and this browser has another cookie by now");
        assert_eq!(w.audit_rows(&ada, AuditEvent::SignIn).await.len(), 1);
    }
}

fn refused(page: &Page, why: &str) {
    assert_eq!((page.status, code(page).as_deref()), (403, Some("handoff_refused")), "{why}: {}", page.body);
}

#[tokio::test]
async fn a_handoff_is_refused_in_another_browser() {
    rule("handoff.browser");
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let (_, next) = away(&w, &mut home, &mut ada, &rp).await;
    // Somebody is made to open the link of an attacker who signed in as himself.
    let mut victim = w.browser();
    refused(&victim.get(&next).await, "without a cookie");
    victim.open(&rp.ask().url()).await;
    refused(&victim.get(&next).await, "with a cookie of its own");
    assert!(victim.cookie("session").is_none());
    // At the other host it is no page at all.
    let path = next.strip_prefix(&w.issuer).unwrap();
    assert_eq!(w.browser_at(OLD).get(path).await.location(), Some(next.as_str()));
    assert_eq!(home.get(&next).await.status, 303, "where it began it still counts");
}

#[tokio::test]
async fn a_passkey_used_behind_somebody_elses_link_signs_nobody_in() {
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let rp = w.rp("app").await;
    let mut attacker = w.browser();
    let page = attacker.open(&rp.ask().url()).await;
    // The victim opens the attacker's link, uses a passkey there and is sent home: in their own browser.
    let mut victim = w.browser();
    let answer = victim.use_passkey_elsewhere(&mut w.browser_at(OLD), &mut ada, &page).await;
    refused(&victim.get(answer["next"].as_str().unwrap()).await, "the victim's browser");
    assert!(!attacker.is_signed_in().await && !victim.is_signed_in().await);
}

#[tokio::test]
async fn a_handoff_counts_for_its_request_alone_and_for_a_minute() {
    rule("handoff.request");
    rule("handoff.age");
    let mut w = World::sqlite().await;
    let mut ada = w.moved().await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let (_, next) = away(&w, &mut home, &mut ada, &rp).await;
    let other = home.open(&rp.ask().url()).await.sealed().unwrap();
    let (front, _) = next.split_once("&request=").unwrap();
    refused(&home.get(&format!("{front}&request={other}")).await, "another request");
    refused(&home.get(front).await, "no request");
    for bent in ["/login/handoff", "/login/handoff?handoff=", "/login/handoff?handoff=AAAA"] {
        assert_eq!(home.get(bent).await.status, 400, "{bent}");
    }
    w.clock.advance(61);
    refused(&home.get(&next).await, "61 seconds later");
    assert!(!home.is_signed_in().await);
}

#[tokio::test]
async fn an_errand_is_refused_for_another_request_another_host_and_after_an_hour() {
    let mut w = World::sqlite().await;
    w.moved().await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let page = home.open(&rp.ask().url()).await;
    let link = page.elsewhere(OLD);
    let (front, request) = link.split_once("&request=").unwrap();
    let other = home.open(&rp.ask().url()).await.sealed().unwrap();
    let mut there = w.browser_at(OLD);
    for (address, status) in [
        (link.clone(), 200),
        (format!("{front}&request={other}"), 400),
        (front.to_owned(), 400),
        (link.replace(OLD, NEW), 400),
        (format!("{}?errand={request}&request={request}", front.split_once('?').unwrap().0), 400),
    ] {
        assert_eq!(there.get(&address).await.status, status, "{address}");
    }
    w.clock.advance(3601);
    assert_eq!(there.get(&link).await.status, 400);
}

#[tokio::test]
async fn the_way_is_offered_alike_whether_the_name_exists_or_not() {
    let mut w = World::sqlite().await;
    w.moved().await;
    w.person_with_password("bob", PASSWORD).await;
    let rp = w.rp("app").await;
    let mut lengths = Vec::new();
    for name in ["ada", "bob", "eve"] {
        let mut home = w.browser();
        let page = home.open(&rp.ask().url()).await;
        assert!(!page.elsewhere(OLD).is_empty(), "before anybody was named");
        let page = home.submit(&page, "/login", &[("username", name)]).await;
        let away = w.browser_at(OLD).get(&page.elsewhere(OLD)).await;
        assert_eq!(away.status, 200);
        let begun = w.browser_at(OLD).begin_away(&away).await.value();
        assert_eq!(begun["publicKey"]["allowCredentials"].as_array().map_or(0, Vec::len), 0, "{begun}");
        lengths.push((page.body.len(), page.elsewhere(OLD).len(), away.body.len(), begun.to_string().len()));
    }
    lengths.dedup();
    assert_eq!(lengths.len(), 1, "{lengths:?}");
}

#[tokio::test]
async fn a_realm_with_one_rp_id_offers_no_way() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let page = w.browser().open(&rp.ask().url()).await;
    assert!(page.link_to("data-elsewhere").is_none());
}

/// Somebody with a password and a passkey of the old RP ID, at the page that asks for the passkey.
async fn after_password(w: &mut World, mode: Mode) -> (Person, Browser, Page) {
    w.serve_at(vec![w.party(OLD)]).await;
    w.policy(|policy| policy.mode = mode).await;
    let ada = w.person_with_both("ada", Options::platform()).await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    let sealed = home.open(&rp.ask().url()).await.sealed().unwrap();
    let page = home.sign_in_with_password(&ada, Some(&sealed)).await;
    assert!(page.has("passkey-login") && home.cookie("session").is_none(), "{}", page.body);
    (ada, home, page)
}

#[tokio::test]
async fn a_password_alone_does_not_do_while_a_passkey_works_at_another_host() {
    let mut w = World::sqlite().await;
    let (mut ada, mut home, page) = after_password(&mut w, Mode::PasskeyFirst).await;
    let there = w.browser_at(OLD).get(&page.elsewhere(OLD)).await;
    let begun = w.browser_at(OLD).begin_away(&there).await.value();
    let allowed = begun["publicKey"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 1, "its ids are listed: the password was right");
    let answer = home.use_passkey_elsewhere(&mut w.browser_at(OLD), &mut ada, &page).await;
    home.open(answer["next"].as_str().unwrap()).await;
    assert!(home.is_signed_in().await);
    let session = home.get("/webauthn/session").await.value();
    assert_eq!(session["acr"], "phr");
    let events = &w.audit_rows(&ada, AuditEvent::SignIn).await;
    assert!(events[0].detail.to_string().contains("password_and_passkey"), "{:?}", events[0].detail);
}

#[tokio::test]
async fn a_second_factor_comes_back_to_the_first_one() {
    rule("handoff.factor");
    let mut w = World::sqlite().await;
    let (mut ada, mut home, page) = after_password(&mut w, Mode::PasswordThenPasskey).await;
    let answer = home.use_passkey_elsewhere(&mut w.browser_at(OLD), &mut ada, &page).await;
    let next = answer["next"].as_str().unwrap();
    let mut forgetful = home.clone();
    forgetful.jar.retain(|name, _| !name.ends_with("-login"));
    refused(&forgetful.get(next).await, "the password's proof is gone");
    assert_eq!(home.get(next).await.status, 303);
    assert!(home.is_signed_in().await);
}

#[tokio::test]
async fn the_passkey_must_be_of_the_account_that_proved_the_first_factor() {
    let mut w = World::sqlite().await;
    let (_, _, page) = after_password(&mut w, Mode::PasswordThenPasskey).await;
    w.serve_at(vec![w.party(OLD)]).await;
    let mut eve = w.person("eve").await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let mut there = w.browser_at(OLD);
    let away = there.get(&page.elsewhere(OLD)).await;
    let begun = there.begin_away(&away).await.value();
    let body = there.assertion(&mut eve.keys[0], &begun, away.sealed().as_deref());
    let answer = there.json("/webauthn/authenticate", &body).await;
    assert_eq!(answer.code().as_deref(), Some("credential_not_allowed"));
}

#[tokio::test]
async fn a_session_is_stepped_up_by_a_passkey_of_another_host() {
    let mut w = World::sqlite().await;
    w.serve_at(vec![w.party(OLD)]).await;
    w.policy(|policy| policy.mode = Mode::Optional).await;
    let mut ada = w.person_with_both("ada", Options::platform()).await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let rp = w.rp("app").await;
    let mut home = w.browser();
    home.sign_in_with_password(&ada, None).await;
    let ask = rp.ask().with("claims", r#"{"id_token":{"acr":{"essential":true,"values":["phr"]}}}"#);
    let page = home.open(&ask.url()).await;
    let answer = home.use_passkey_elsewhere(&mut w.browser_at(OLD), &mut ada, &page).await;
    let enrol = home.open(answer["next"].as_str().unwrap()).await;
    let later = home.submit(&enrol, "/login/enrol/later", &[]).await;
    let answer = Answer::of(&home.follow(later).await);
    let redeemed = rp.redeem(&w, &ask, &answer.code()).await;
    assert_eq!(w.accept(&rp, &ask, &answer.code(), &redeemed).await.claims["acr"], "phr");
}

#[tokio::test]
async fn works_without_an_authorization_request_and_on_one_host_with_two_rp_ids() {
    let mut w = World::sqlite().await;
    // The RP ID becomes the parent of the same host.
    let old = idp_core::realm::RelyingParty::new("id.new.localhost", "http", vec![w.host("id.new.localhost")]);
    let new = idp_core::realm::RelyingParty::new(NEW, "http", vec![w.host("id.new.localhost")]);
    w.serve_at(vec![old.clone()]).await;
    let mut ada = w.person("ada").await;
    w.serve_at(vec![new, old]).await;
    let mut browser = w.browser();
    assert_eq!(browser.begin_sign_in().await["publicKey"]["rpId"], NEW);
    let login = browser.get("/login").await;
    let away = browser.get(&login.elsewhere("id.new.localhost")).await;
    let begun = browser.begin_away(&away).await.value();
    assert_eq!(begun["publicKey"]["rpId"], "id.new.localhost");
    let body = browser.assertion(&mut ada.keys[0], &begun, None);
    let answer: Value = browser.json("/webauthn/authenticate", &body).await.value();
    assert_eq!(answer["status"], json!("handoff"));
    let security = browser.open(answer["next"].as_str().unwrap()).await;
    assert!(security.has("passkey-name") && browser.is_signed_in().await, "{}", security.body);
}
