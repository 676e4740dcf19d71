//! What must never stand in a log or in the clear in the database.

use std::fs;

use idp_core::encoding::from_base64url;

use crate::person::{begin, client, enrol, enrolled, finish, is_signed_in, redeem};
use crate::product::{Place, Product, free_port, postgres};

const PASSWORD: &str = "seven grey herons at dawn";

/// Everything secret that came up in a whole life: links, cookies, codes, tokens, secrets, password, key.
fn live_a_life(place: &Place, product: &Product) -> Vec<String> {
    let setup = place.json(&["user", "create", "--owner"])["setup_url"].as_str().unwrap().to_owned();
    let mut browser = product.browser();
    enrol(&mut browser, &setup, "owner");
    let mut key = enrolled(place, &mut browser, "ada");
    let said = place.idp_with(&["user", "create", "bob", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert_eq!(said.code, 0, "{}", said.err);
    let secret = client(place, "web");
    let request = begin(&mut browser, "web", &[]).unwrap();
    let mut secrets: Vec<String> = browser.jar.values().cloned().collect();
    let code = finish(&mut browser, &mut key, &request).unwrap();
    let tokens = redeem(&mut browser, ("web", &secret), &code).unwrap().json();
    secrets.extend(browser.jar.values().cloned());

    let mut other = product.browser();
    let page = other.get("/login").unwrap().body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("username", "bob"), ("password", PASSWORD)];
    other.post_form("/login/password", &fields).unwrap();
    assert!(is_signed_in(&mut other).unwrap(), "bob signs in with a password");
    secrets.extend(other.jar.values().cloned());
    let wrong = [("csrf", csrf.as_str()), ("username", "bob"), ("password", "a wrong password of bob")];
    other.post_form("/login/password", &wrong).unwrap();

    let link = |url: &str| url.split_once("token=").unwrap().1.to_owned();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    secrets.extend([link(&setup), secret, code, request, text("access_token"), text("id_token")]);
    secrets.extend([PASSWORD.to_owned(), "a wrong password of bob".to_owned(), csrf]);
    secrets.extend(fs::read_to_string(place.file("key")));
    secrets
}

/// On PostgreSQL, whose driver logs its statements.
#[test]
fn nothing_secret_stands_in_the_log_even_at_its_finest() {
    let place = Place::serve(Some(&postgres("secrets")));
    let trace = [("IDP_TELEMETRY__LOG_LEVEL", "trace")];
    let mut product = Product::serve_with(&place, free_port(), None, &trace);
    let secrets = live_a_life(&place, &product);
    product.terminate();
    product.wait();
    let log = product.log();
    for expected in ["/webauthn/authenticate", "INSERT INTO sessions", "idp user create --owner"] {
        assert!(log.contains(expected), "no {expected} in a log of {} bytes", log.len());
    }
    assert!(!log.contains("/setup?token="), "the set-up link is for a terminal");
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        let line = line.map(|line| line.chars().take(60).collect::<String>());
        assert_eq!(line, None, "a secret of {} characters is in the log", secret.len());
    }
}

/// Case 27: whoever has the database alone has no cookie, code, link, client secret or private key.
#[test]
fn a_database_dump_alone_cannot_sign_in() {
    let place = Place::serve(None);
    let mut product = Product::serve(&place);
    let secrets = live_a_life(&place, &product);
    product.terminate();
    product.wait();
    let dump: Vec<u8> =
        ["idp.db", "idp.db-wal"].iter().filter_map(|name| fs::read(place.file(name)).ok()).flatten().collect();
    let contains = |needle: &[u8]| dump.windows(needle.len()).any(|window| window == needle);
    assert!(contains(b"ada"), "the dump is of this database");
    for secret in &secrets {
        assert!(!contains(secret.as_bytes()), "a secret of {} characters is in the database", secret.len());
        if let Some(bytes) = from_base64url(secret).filter(|bytes| bytes.len() >= 16) {
            assert!(!contains(&bytes), "the bytes of a secret are in the database");
        }
    }
    // PKCS #8 of an EC and of an RSA key (RFC 5208 §5): their algorithm identifiers.
    let ec = [
        0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
        0x07,
    ];
    let rsa = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04];
    assert!(!contains(&ec) && !contains(&rsa), "a private key is in the clear");

    // With another key-encryption key it does not even start.
    fs::write(place.file("key"), "1d".repeat(16) + &"a7".repeat(16)).unwrap();
    let said = place.idp(&["serve"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("secrets.encryption_key"), "{}", said.err);
}
