//! `idp policy` beyond the realm's own: groups, clients, explain, simulate.

use serde_json::json;

use crate::commands::refused;
use crate::product::{Place, Product};

#[test]
fn a_group_has_a_policy_in_place_of_the_realms() {
    let place = Place::serve(None);
    place.json(&["group", "create", "staff"]);
    place.json(&["group", "create", "guests"]);
    refused(&place.idp(&["policy", "set", "--group", "staff", "mode=passkey_only"]), 2, &["--priority"]);
    refused(&place.idp(&["policy", "set", "--group", "nobody", "--priority", "1"]), 1, &["no group"]);
    place.json(&["policy", "set", "max_passkeys=9"]);
    let set = place.json(&["policy", "set", "--group", "staff", "--priority", "-1", "mode=passkey_only"]);
    assert_eq!((&set["policy"]["mode"], &set["policy"]["max_passkeys"]), (&json!("passkey_only"), &json!(9)));
    refused(&place.idp(&["policy", "set", "--group", "guests", "--priority", "-1"]), 2, &["staff", "--priority"]);
    refused(
        &place.idp(&["policy", "set", "--group", "staff", "allowed_types=security_key", "hints=hybrid", "mode=x"]),
        2,
        &["group staff: mode", "group staff: hints"],
    );
    assert_eq!(place.json(&["policy", "show", "--group", "staff"])["mode"], "passkey_only");
    refused(&place.idp(&["policy", "show", "--group", "guests"]), 1, &["no policy"]);
    assert!(place.idp(&["policy", "show"]).out.contains("staff (-1)"));
    refused(&place.idp(&["group", "delete", "staff"]), 1, &["policy unset --group staff"]);
    refused(&place.idp(&["policy", "unset"]), 2, &["--group"]);
    place.json(&["policy", "unset", "--group", "staff"]);
    refused(&place.idp(&["policy", "unset", "--group", "staff"]), 1, &["no policy"]);
    place.json(&["group", "delete", "staff"]);
}

#[test]
fn a_client_demands_only_what_somebody_could_meet() {
    let place = Place::serve(None);
    place.json(&["client", "create", "app", "--name", "App", "--redirect-uri", "https://app.example/cb", "--public"]);
    let set = place.json(&["policy", "set", "--client", "app", "mode=passkey_only", "allowed_types=security_key"]);
    assert_eq!(set["policy"], json!({ "mode": "passkey_only", "allowed_types": ["security_key"] }));
    assert_eq!(place.json(&["client", "show", "app"])["policy"]["mode"], "passkey_only");
    assert_eq!(place.json(&["policy", "show", "--client", "app"])["mode"], "passkey_only");
    assert!(place.idp(&["policy", "show"]).out.contains("Clients with demands: app"));
    // No realm can be set so that the client is left with demands that nobody could meet.
    for fields in [&["enabled=false"][..], &["allowed_types=phone"]] {
        let all: Vec<_> = ["policy", "set"].iter().chain(fields).copied().collect();
        refused(&place.idp(&all), 2, &["client app"]);
    }
    refused(&place.idp(&["policy", "set", "--client", "app", "minimum_acr=phrh"]), 2, &["minimum_acr", "client app"]);
    refused(&place.idp(&["policy", "set", "--client", "app", "max_passkeys=3"]), 2, &["max_passkeys", "minimum_acr"]);
    refused(&place.idp(&["client", "set", "app", "--policy", "minimum_acr=phrh"]), 2, &["--policy: minimum_acr"]);
    let changed = place.json(&["client", "set", "app", "--policy", "minimum_acr=aal2", "--policy", "allowed_types="]);
    assert_eq!(
        changed["policy"],
        json!({ "mode": "passkey_only", "minimum_acr": "http://idmanagement.gov/ns/assurance/aal/2" })
    );
    let left = place.json(&["policy", "unset", "--client", "app", "minimum_acr"]);
    assert_eq!(left["policy"], json!({ "mode": "passkey_only" }));
    assert_eq!(place.json(&["policy", "unset", "--client", "app"])["policy"], json!({}));
    place.json(&["policy", "set", "allowed_types=phone"]);
    // A group that alone can meet a client stays as long as the client demands it.
    place.json(&["group", "create", "staff"]);
    let keys = "allowed_types=security_key";
    place.json(&["policy", "set", "--group", "staff", "--priority", "1", keys]);
    place.json(&["policy", "set", "--client", "app", keys]);
    refused(&place.idp(&["policy", "unset", "--group", "staff"]), 2, &["client app", "allowed_types"]);
    assert_eq!(place.json(&["policy", "show", "--group", "staff"])["allowed_types"], json!(["security_key"]));
    place.json(&["policy", "unset", "--client", "app"]);
    place.json(&["policy", "unset", "--group", "staff"]);
}

#[test]
fn explains_and_simulates_without_saving_anything() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    for (name, password) in [("pat", true), ("key", false)] {
        let all = ["user", "create", name, if password { "--password-stdin" } else { "--owner" }];
        let made = place.idp_with(&all, "a long enough password\n");
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let pass = place.json(&["access-pass", "create", "key"]);
    crate::person::enrol(&mut product.browser(), pass["url"].as_str().unwrap(), "key");
    place.json(&["group", "create", "staff"]);
    place.json(&["client", "create", "app", "--name", "App", "--redirect-uri", "https://app.example/cb", "--public"]);
    place.json(&["policy", "set", "--client", "app", "minimum_acr=phr"]);

    let explained = place.json(&["policy", "explain", "--user", "key", "--client", "app"]);
    assert_eq!((&explained["reach"], explained["passkeys"][0]["why"].as_array().unwrap().len()), (&json!("in"), 0));
    let text = place.idp(&["policy", "explain", "--user", "pat", "--client", "app"]).out;
    assert!(text.contains("client app") && text.contains("minimum_acr") && text.contains("default"), "{text}");
    refused(&place.idp(&["policy", "explain", "--user", "nobody"]), 1, &["nobody"]);

    let file = place.file("proposed.toml");
    let simulate = |text: &str| {
        std::fs::write(&file, text).unwrap();
        place.idp(&["policy", "simulate", file.to_str().unwrap(), "--json"])
    };
    let found = simulate("[realm]\nmode = \"passkey_only\"\n[groups.staff]\npriority = 3\ndeny_synced = true\n").json();
    assert_eq!(found["locked_out"], json!([{ "username": "pat", "owner": false, "client": null, "certain": true }]));
    assert_eq!((&found["accounts"], &found["refused"]), (&json!(2), &json!(null)));
    let found = simulate(r#"{ "realm": { "enabled": false } }"#);
    refused(&found, 2, &["client app", "minimum_acr"]);
    let found = simulate(r#"{ "realm": { "allowed_types": ["phone"] } }"#).json();
    assert_eq!(found["passkeys"][0]["why"], json!(["type_not_allowed"]));
    assert!(found["refused"].as_str().unwrap().contains("key"), "{found}");
    let found = simulate("[clients.app]\nminimum_acr = \"aal1\"\n").json();
    assert_eq!(found["locked_out"], json!([]));
    for (text, words) in [
        ("[realm", "proposed.toml"),
        ("[realm]\nmode = 3\n", "mode"),
        ("[groups.nobody]\npriority = 1\n", "no group"),
        ("[groups.staff]\nmode = \"optional\"\n", "--priority"),
        ("[clients.nobody]\nmode = \"optional\"\n", "no client"),
        ("[users]\n", "users"),
    ] {
        let said = simulate(text);
        assert_ne!(said.code, 0, "{text}");
        assert!(said.err.contains(words), "{text}: {}", said.err);
    }
    assert_eq!(place.json(&["policy", "show"])["mode"], "passkey_first", "nothing was saved");
    let text = place.idp(&["policy", "simulate", file.to_str().unwrap()]);
    assert_ne!(text.code, 0);
}
