//! `idp serve` and `idp config check` refuse on any doubt, all problems at once, each with what to write instead.

use std::fs;

use crate::product::{ISSUER, Place, free_port, run};

#[test]
fn serve_says_all_problems_at_once_with_their_lines() {
    let place = Place::serve(None);
    let text = "[realm]\nissuer = \"http://id.example.test\"\n[server]\nlissten = \"0.0.0.0:1\"\n\
                [database]\nurl = \"mysql://x\"\n";
    fs::write(&place.at[1], text).unwrap();
    for command in [&["serve"][..], &["config", "check"]] {
        let said = place.idp(command);
        assert_eq!(said.code, 1);
        for expected in [
            ":2)",
            "is not https",
            ISSUER,
            ":4)",
            "server.listen",
            "database.url",
            "secrets.encryption_key",
            "4 problems",
        ] {
            assert!(said.err.contains(expected), "{expected} is missing in: {}", said.err);
        }
    }
    let said = place.idp(&["config", "check", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, document["problems"].as_array().unwrap().len()), (1, 4));
}

#[test]
fn a_good_file_passes_and_its_doubts_are_said() {
    let place = Place::serve(None);
    let said = place.idp(&["config", "check"]);
    assert_eq!((said.code, said.out.trim()), (0, "The settings are good."));
    assert!(!place.file("idp.db").exists(), "a check makes nothing");
    assert_eq!(place.idp(&["migrate"]).code, 0);
    assert!(place.file("idp.db").exists());
    let text = fs::read_to_string(&place.at[1]).unwrap().replace("trusted_proxies = [\"127.0.0.1\"]\n", "");
    fs::write(&place.at[1], text).unwrap();
    let said = place.json(&["config", "check"]);
    assert_eq!(said["warnings"][0]["path"], "server.trusted_proxies");
}

#[test]
fn serve_refuses_a_changed_issuer_naming_the_command_and_starts_after_it() {
    let place = Place::serve(None);
    place.json(&["realm", "show"]);
    let file = &place.at[1];
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, text.replace("id.example.test", "login.example.test")).unwrap();
    let said = place.idp(&["serve"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("idp realm update default --config") && said.err.contains("login.example.test"));

    let said = place.idp(&["realm", "update"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("passkeys made for id.example.test") && said.err.contains("--drop-rp-ids"));
    let said = place.json(&["realm", "update", "--drop-rp-ids"]);
    assert_eq!(said["issuer"], "https://login.example.test");
    let port = free_port();
    let product = crate::product::Product::serve_with(&place, port, None, &[]);
    let mut browser = crate::browser::Browser::new(port, "https://login.example.test");
    let metadata = browser.get("/.well-known/openid-configuration").unwrap().json();
    assert_eq!(metadata["issuer"], "https://login.example.test");
    assert_ne!(product.browser().get("/.well-known/openid-configuration").unwrap().status, 200);
}

#[test]
fn commands_name_the_flag_that_is_wrong() {
    let said = run(&["user", "list"], "");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--config FILE") && said.err.contains("--data DIR"));
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["user", "list", "--data", &folder.path().display().to_string()], "");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("--data") && said.err.contains("idp dev"), "{}", said.err);
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "a refused command makes nothing");
    assert_eq!(run(&["user", "list", "--config", "/nonexistent.toml"], "").code, 1);
    assert_eq!(run(&["user", "fly"], "").code, 2);
    let place = Place::serve(None);
    let said = place.idp(&["user", "list", "--realm", "other"]);
    assert!(said.code == 1 && said.err.contains("--realm") && said.err.contains("idp realm list"), "{}", said.err);
}
