//! Factors besides passkeys at the command line: what an operator takes away, and the passwords that settings forbid.

use std::fs;

use idp::system::system_clock;
use idp_core::credential::totp::TotpSecret;
use serde_json::json;

use crate::browser::Browser;
use crate::commands::refused;
use crate::person::{enrolled, sign_in};
use crate::product::{Place, Product};

/// Names a blocklist in the settings.
fn with_blocklist(file: &str) -> Place {
    let place = Place::serve(None);
    let settings = fs::read_to_string(&place.at[1]).unwrap();
    fs::write(&place.at[1], format!("{settings}[passwords]\nblocklist = \"{file}\"\n")).unwrap();
    place
}

#[test]
fn a_phrase_of_the_blocklist_is_nobodys_password() {
    let place = with_blocklist("phrases.txt");
    fs::write(place.file("phrases.txt"), "seven grey herons at dawn\n").unwrap();
    place.json(&["user", "create", "ada"]);
    let set = |password: &str| place.idp_with(&["user", "password", "ada", "--stdin"], password);
    for phrase in ["seven grey herons at dawn\n", "Seven Grey Herons At Dawn\n"] {
        refused(&set(phrase), 2, &["--stdin", "on lists that attackers try first"]);
    }
    assert_eq!(set("seven grey herons at dusk\n").code, 0);
    let made = place.idp_with(&["user", "create", "bob", "--password-stdin"], "seven grey herons at dawn\n");
    refused(&made, 2, &["--password-stdin"]);
}

#[test]
fn a_blocklist_that_is_not_there_is_refused_at_start() {
    let place = with_blocklist("nowhere.txt");
    for command in [&["serve"][..], &["config", "check"], &["user", "list"]] {
        let said = place.idp(command);
        refused(&said, 1, &["passwords.blocklist", "nowhere.txt cannot be read: No such file", "one password a line"]);
    }
}

/// Text between two marks of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}")).1.split(after).next().unwrap()
}

fn csrf(page: &str) -> &str {
    between(page, "name=\"csrf\" value=\"", "\"")
}

/// Sets up an authenticator app by the page.
fn set_up_app(browser: &mut Browser) {
    let page = browser.get("/account/totp").unwrap().body;
    let digit = |c: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
    let text = between(&page, "id=\"totp-secret\">", "<").replace(' ', "");
    let mut bits = text.chars().flat_map(|c| (0..5).rev().map(move |bit| digit(c) >> bit & 1));
    let bytes =
        std::array::from_fn(|_| (0..8).fold(0, |byte, _| byte << 1 | u8::try_from(bits.next().unwrap()).unwrap()));
    let code = TotpSecret::new(bytes).code(system_clock()());
    let sealed = between(&page, "name=\"secret\" value=\"", "\"");
    let set =
        browser.post_form("/account/totp", &[("csrf", csrf(&page)), ("secret", sealed), ("code", &code)]).unwrap();
    assert!(set.status < 400, "{} {}", set.status, set.body);
}

#[test]
fn an_operator_removes_an_app_and_recovery_codes() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    let mut browser = product.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    sign_in(&mut browser, &mut key, None).unwrap();
    set_up_app(&mut browser);
    let page = browser.get("/account/recovery-codes").unwrap().body;
    assert_eq!(browser.post_form("/account/recovery-codes", &[("csrf", csrf(&page))]).unwrap().status, 200);
    for (command, field, left, none) in [
        ("totp", "has_totp", json!(false), "has no authenticator app"),
        ("recovery-codes", "recovery_codes", json!(0), "has no recovery codes"),
    ] {
        let removed = place.json(&["user", command, "remove", "ada"]);
        assert_eq!((&removed["username"], &removed[field]), (&json!("ada"), &left));
        refused(&place.idp(&["user", command, "remove", "ada"]), 1, &[none]);
        refused(&place.idp(&["user", command, "remove", "nobody"]), 1, &["idp user list"]);
    }
    let rows = place.json(&["audit", "list", "--user", "ada", "--limit", "2"]);
    let events: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["event"], &row["actor"])).collect();
    let expected = ["recovery_codes.removed", "totp.removed"].map(|event| (json!(event), json!("operator")));
    assert_eq!(events, expected.iter().map(|(event, actor)| (event, actor)).collect::<Vec<_>>());
    assert!(sign_in(&mut browser, &mut key, None).is_ok(), "the passkey is as it was");
}
