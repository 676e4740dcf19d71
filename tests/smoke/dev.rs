//! `idp dev`: first start, set-up link, restart, taken port, addresses it refuses.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::person::{begin, client, enrol, is_signed_in, parameter, sign_in, whole_sign_in};
use crate::product::{Place, Product, command, free_port, run};

#[test]
fn sets_up_an_owner_once_and_keeps_them_over_a_restart() {
    let place = Place::dev();
    let ports = (free_port(), free_port());
    let mut product = Product::dev(&place, ports);
    let link = product.ready["setup_url"].as_str().expect("a link").to_owned();
    let mut browser = product.browser();
    let mut key = enrol(&mut browser, &link, "ada");
    assert_eq!(browser.get(&link).unwrap().status, 403, "the link works once");
    let secret = client(&place, "web");
    whole_sign_in(&mut browser, &mut key, ("web", &secret)).unwrap();
    let jwks = browser.get("/.well-known/jwks.json").unwrap().body;

    product.terminate();
    assert!(product.wait().success());
    let product = Product::dev(&place, ports);
    assert!(product.ready["setup_url"].is_null(), "{}", product.ready);
    assert!(is_signed_in(&mut browser).unwrap(), "sessions outlive a restart");
    let mut other = product.browser();
    let tokens = whole_sign_in(&mut other, &mut key, ("web", &secret)).unwrap();
    let claims = crate::person::claims(&tokens);
    assert_eq!((claims["acr"].as_str(), claims["preferred_username"].as_str()), (Some("phr"), None), "{claims}");
    assert_eq!(claims["amr"], serde_json::json!(["swk", "pop", "user", "mfa"]));
    assert_eq!(other.get("/.well-known/jwks.json").unwrap().body, jwks);
}

#[test]
fn lets_the_owner_into_the_demo_application() {
    let place = Place::dev();
    let product = Product::dev(&place, (free_port(), free_port()));
    let mut browser = product.browser();
    let mut key = enrol(&mut browser, product.ready["setup_url"].as_str().unwrap(), "ada");
    let demo_url = product.ready["demo_url"].as_str().unwrap().to_owned();
    let port = demo_url.rsplit(':').next().unwrap().parse().unwrap();
    let mut demo = crate::browser::Browser::new(port, &demo_url);
    assert!(demo.get("/").unwrap().body.contains("href=\"/sign-in\""));
    let start = demo.get("/sign-in").unwrap();
    let to_login = browser.get(start.location()).unwrap();
    let request = parameter(to_login.location(), "request").expect("a sealed request");
    let next = sign_in(&mut browser, &mut key, Some(&request)).unwrap();
    let to_consent = browser.get(&next).unwrap();
    let page = browser.get(to_consent.location()).unwrap();
    let hidden = |name: &str| {
        let at = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a field");
        at.split('"').next().unwrap().to_owned()
    };
    let (csrf, sealed) = (hidden("csrf"), hidden("request"));
    let fields = [("csrf", csrf.as_str()), ("request", sealed.as_str()), ("decision", "allow")];
    let go_on = browser.post_form("/consent", &fields).unwrap().body;
    let back = go_on.split("id=\"go-on\" href=\"").nth(1).expect("a page that goes on").split('"').next().unwrap();
    let mut shown = demo.get(&back.replace("&amp;", "&")).unwrap();
    if shown.status != 200 {
        shown = demo.get(shown.location()).unwrap();
    }
    assert!(shown.status == 200 && shown.body.contains("phr"), "{} {}", shown.status, shown.body);
}

#[test]
fn ends_the_set_up_link_after_a_day() {
    let place = Place::dev();
    let ports = (free_port(), free_port());
    let mut product = Product::dev(&place, ports);
    let link = product.ready["setup_url"].as_str().unwrap().to_owned();
    assert_eq!(product.browser().get(&link).unwrap().status, 200);
    product.kill();
    let later = Product::dev_at(&place, ports, Some("+25h"));
    assert_eq!(later.browser().get(&link).unwrap().status, 403);
    let fresh = later.ready["setup_url"].as_str().expect("another link").to_owned();
    assert_eq!(later.browser().get(&fresh).unwrap().status, 200);
}

#[test]
fn says_that_a_port_is_taken_and_refuses_other_addresses_than_loopback() {
    let place = Place::dev();
    let product = Product::dev(&place, (free_port(), free_port()));
    let other = Place::dev();
    let listen = format!("127.0.0.1:{}", product.port);
    let said = other.idp(&["dev", "--json", "--listen", &listen, "--demo-listen", "127.0.0.1:0"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains(&format!("cannot listen on {listen}")) && said.err.contains("in use"), "{}", said.err);

    for address in ["0.0.0.0:0", "192.0.2.1:8080"] {
        let said = run(&["dev", "--listen", address], "");
        assert_eq!(said.code, 1);
        assert!(said.err.contains("loopback") && said.err.contains("idp serve"), "{}", said.err);
    }
    assert_eq!(run(&["dev", "--listen", "8080"], "").code, 2);
}

#[test]
fn a_flow_begun_before_a_kill_finishes_after_the_restart() {
    let place = Place::dev();
    let ports = (free_port(), free_port());
    let mut product = Product::dev(&place, ports);
    let mut browser = product.browser();
    let mut key = enrol(&mut browser, product.ready["setup_url"].as_str().unwrap(), "ada");
    let secret = client(&place, "web");
    let request = begin(&mut browser, "web", &[]).unwrap();
    let begun = browser
        .post_json("/webauthn/authenticate/options", &serde_json::json!({ "request": request }), "")
        .unwrap()
        .json();
    product.kill();
    let _product = Product::dev(&place, ports);
    let credential = key.get(&begun["publicKey"], &browser.origin);
    let body = serde_json::json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    let done = browser.post_json("/webauthn/authenticate", &body, begun["csrf"].as_str().unwrap()).unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
    let answer = browser.get(done.json()["next"].as_str().unwrap()).unwrap();
    let code = crate::person::code(&answer).unwrap();
    assert_eq!(crate::person::redeem(&mut browser, ("web", &secret), &code).unwrap().status, 200);
}

#[test]
fn says_where_to_go_on_and_what_to_try_when_a_passkey_acts_up() {
    let place = Place::dev();
    let mut dev = command(None);
    dev.args(["dev", "--listen=127.0.0.1:0", "--demo-listen=127.0.0.1:0", &place.at[0], &place.at[1]]);
    let mut child = dev.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    // The last sentence tells how to stop.
    for line in lines {
        said.push_str(&line);
        if line.contains("Ctrl-C") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for words in ["/setup?token=", "demo application", "If a passkey acts up, try a private window."] {
        assert!(said.contains(words), "{words} is missing in: {said}");
    }
}
