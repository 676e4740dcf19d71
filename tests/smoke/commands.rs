//! Every administrative command on a database of its own, with what it refuses.

use serde_json::{Value, json};

use crate::person::enrolled;
use crate::product::{Place, Product, Said};

/// A command that failed as it should.
pub fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{} {}", said.out, said.err);
    assert!(said.out.is_empty(), "{}", said.out);
    for word in words {
        assert!(said.err.contains(word), "{word} is missing in: {}", said.err);
    }
}

/// Events of the audit trail, newest first.
fn events(place: &Place) -> Vec<String> {
    let rows = place.json(&["audit", "list"]);
    let rows = rows.as_array().unwrap();
    assert!(rows.iter().all(|row| row["actor"] == "operator"));
    rows.iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn users_are_made_shown_changed_and_deleted() {
    let place = Place::serve(None);
    let made =
        place.json(&["user", "create", "ada", "--email", "ada@example.test", "--email-verified", "--name", "Ada"]);
    assert_eq!((&made["claims"]["email_verified"], &made["role"]), (&json!(true), &json!("user")));
    refused(&place.idp(&["user", "create", "ADA"]), 1, &["NAME", "already"]);
    refused(&place.idp(&["user", "create", "bob", "--email", "ADA@example.test"]), 1, &["--email"]);
    refused(
        &place.idp(&["user", "create", "bob", "--email", "nobody", "--website", "javascript:1", "--birthdate", "1"]),
        2,
        &["--email", "--website", "--birthdate"],
    );
    refused(&place.idp(&["user", "create", " bob"]), 2, &["NAME"]);
    refused(&place.idp(&["user", "create", "cy@a.test", "--email", "cy@b.test"]), 2, &["--email cy@a.test"]);
    place.json(&["user", "create", "cy@a.test", "--email", "cy@a.test"]);
    let moved = place.json(&["user", "set", "cy@a.test", "--email", "cy@b.test"]);
    assert_eq!(moved["username"], "cy@b.test", "the name that is the address goes along");
    refused(&place.idp(&["user", "set", "cy@b.test", "--email", ""]), 1, &["known by the address"]);
    place.json(&["user", "delete", "cy@b.test"]);
    refused(&place.idp(&["user", "create", "bob", "--email-verified"]), 2, &["--email-verified"]);
    refused(&place.idp(&["user", "show", "nobody"]), 1, &["nobody", "idp user list"]);

    let place_flags = [
        "user",
        "set",
        "ada",
        "--phone-number",
        "+41 44 123 45 67",
        "--phone-number-verified",
        "--address",
        "1 Main Street\n8000 Town",
        "--street-address",
        "1 Main Street",
        "--locality",
        "Town",
        "--region",
        "ZH",
        "--postal-code",
        "8000",
        "--country",
        "CH",
    ];
    let address = json!({ "formatted": "1 Main Street\n8000 Town", "street_address": "1 Main Street",
        "locality": "Town", "region": "ZH", "postal_code": "8000", "country": "CH" });
    let set = place.json(&place_flags);
    assert_eq!((&set["claims"]["phone_number_verified"], &set["claims"]["address"]), (&json!(true), &address));
    refused(&place.idp(&["user", "set", "ada", "--phone-number", "044", "--locality", " x"]), 2, &["--phone", "--loc"]);
    let remove = ["--address", "--street-address", "--locality", "--region", "--postal-code", "--country"];
    let mut remove: Vec<_> = remove.iter().flat_map(|flag| [*flag, ""]).collect();
    remove.extend(["--phone-number", ""]);
    place.json(&[&["user", "set", "ada"][..], &remove].concat());

    let set = place.json(&["user", "set", "ada@example.test", "--email", "ada@other.test", "--name", ""]);
    assert_eq!(set["claims"], json!({ "email": "ada@other.test" }), "another address is not verified");
    refused(&place.idp(&["user", "set", "ada"]), 2, &["nothing to change"]);
    assert_eq!(place.json(&["user", "list"])[0]["username"], "ada");
    assert!(place.idp(&["user", "list"]).out.contains("ada@other.test"));

    place.json(&["user", "lock", "ada"]);
    refused(&place.idp(&["user", "enable", "ada"]), 1, &["idp user unlock"]);
    refused(&place.idp(&["access-pass", "create", "ada"]), 1, &["unlock"]);
    place.json(&["user", "unlock", "ada"]);
    place.json(&["user", "disable", "ada"]);
    assert_eq!(place.json(&["user", "show", "ada"])["state"], "disabled");
    place.json(&["user", "enable", "ada"]);
    refused(&place.idp(&["user", "enable", "ada"]), 1, &["active already"]);
    assert_eq!(place.json(&["user", "sessions", "end", "ada"])["ended"], 0);
    place.json(&["user", "delete", "ada"]);
    refused(&place.idp(&["user", "delete", "ada"]), 1, &["no user"]);
    let changed = "account.state_changed";
    let expected = ["account.deleted", changed, changed, changed, changed];
    assert_eq!(events(&place)[..5], expected);
}

#[test]
fn owners_get_a_link_and_the_last_one_stays() {
    let place = Place::serve(None);
    let setup = place.json(&["user", "create", "--owner"]);
    assert!(setup["setup_url"].as_str().unwrap().starts_with("https://id.example.test/setup?token="));
    let owner = place.json(&["user", "create", "ada", "--owner"]);
    assert!(owner["access_pass"]["url"].as_str().unwrap().contains("/setup?token="));
    refused(&place.idp(&["user", "create", "--owner"]), 2, &["has an owner"]);
    refused(&place.idp(&["user", "create"]), 2, &["NAME"]);
    for change in
        [&["user", "disable", "ada"][..], &["user", "delete", "ada"], &["user", "set", "ada", "--role", "user"]]
    {
        refused(&place.idp(change), 1, &["last active owner"]);
    }
    let text = place.idp(&["access-pass", "create", "ada", "--lifetime", "30d"]).out;
    assert!(text.contains("/setup?token=") && text.contains('█'), "a link and a QR code: {text}");
    for lifetime in ["5m", "31d", "1w", "-1d"] {
        refused(&place.idp(&["access-pass", "create", "ada", &format!("--lifetime={lifetime}")]), 2, &["--lifetime"]);
    }
}

#[test]
fn passwords_come_from_standard_input_and_are_judged() {
    let place = Place::serve(None);
    let set = |name: &str, input: &str| place.idp_with(&["user", "password", name, "--stdin"], input);
    place.json(&["user", "create", "ada"]);
    refused(&set("ada", "too short\n"), 2, &["--stdin", "15 characters"]);
    refused(&set("ada", ""), 2, &["--stdin", "nothing"]);
    refused(&place.idp(&["user", "password", "ada"]), 2, &["--stdin"]);
    assert_eq!(set("ada", "a long enough password\n").code, 0);
    refused(&place.idp(&["user", "password", "ada", "--remove"]), 1, &["access-pass"]);
    let made = place.idp_with(&["user", "create", "bob", "--password-stdin", "--json"], "another long password").json();
    assert_eq!(made["has_password"], true);
    let product = Product::serve(&place);
    enrolled(&place, &mut product.browser(), "eve");
    assert_eq!(set("eve", "a long enough password\n").code, 0);
    assert_eq!(place.json(&["user", "password", "eve", "--remove"])["has_password"], false);
}

#[test]
fn clients_are_registered_changed_and_deleted() {
    let place = Place::serve(None);
    let create = ["client", "create", "web", "--name", "Web", "--redirect-uri", "https://web.example.test/cb"];
    let made = place.json(&create);
    assert_eq!(
        (made["auth_method"].as_str(), made["id_token_alg"].as_str()),
        (Some("client_secret_basic"), Some("ES256"))
    );
    let secret = made["client_secret"].as_str().unwrap();
    assert!(!place.idp(&["client", "show", "web", "--json"]).out.contains(secret), "a secret is shown once");
    refused(&place.idp(&create), 1, &["already"]);
    refused(
        &place.idp(&[
            "client",
            "create",
            "x",
            "--redirect-uri",
            "JaVaScript:1",
            "--redirect-uri",
            "https://*.example.test/",
            "--web-origin",
            "https://web.example.test/",
            "--logo-uri",
            "data:,",
            "--name",
            "",
        ]),
        2,
        &["--name", "JaVaScript", "https://*", "write \"https://web.example.test\"", "--logo-uri"],
    );
    refused(&place.idp(&["client", "create", "a b", "--name", "x"]), 2, &["ID"]);
    refused(&place.idp(&["client", "create", "x", "--public", "--secret-post"]), 2, &["--public"]);
    let spa = place.json(&[
        "client",
        "create",
        "--generate",
        "--public",
        "--name",
        "App",
        "--redirect-uri",
        "http://127.0.0.1/cb",
        "--consent",
        "skip",
        "--alg",
        "RS256",
        "--web-origin",
        "https://app.example.test",
    ]);
    assert!(spa["client_secret"].is_null() && spa["client_id"].as_str().unwrap().len() == 22, "{spa}");
    let id = spa["client_id"].as_str().unwrap();
    refused(&place.idp(&["client", "secret", id]), 1, &["has no secret", "--secret-basic"]);
    let set = place.json(&["client", "set", id, "--secret-post", "--logo-uri", "https://app.example.test/logo.png"]);
    assert!(set["client_secret"].is_string() && set["logo_uri"].is_string() && set["consent"] == "skip");
    refused(&place.idp(&["client", "set", "web"]), 2, &["nothing to change"]);

    let fresh = place.json(&["client", "secret", "web"]);
    assert_ne!(fresh["client_secret"].as_str().unwrap(), secret);
    assert_eq!(place.json(&["client", "disable", "web"])["state"], "disabled");
    refused(&place.idp(&["client", "disable", "web"]), 1, &["already"]);
    place.json(&["client", "enable", "web"]);
    assert_eq!(place.json(&["client", "list"]).as_array().unwrap().len(), 2);
    place.json(&["client", "delete", "web"]);
    refused(&place.idp(&["client", "show", "web"]), 1, &["idp client list"]);
    assert_eq!(events(&place)[..2], ["client.deleted", "client.changed"]);
}

#[test]
fn groups_have_members() {
    let place = Place::serve(None);
    place.json(&["group", "create", "dev", "--display-name", "Developers"]);
    refused(&place.idp(&["group", "create", "dev"]), 1, &["already"]);
    refused(&place.idp(&["group", "create", "a group"]), 2, &["NAME"]);
    place.json(&["user", "create", "ada"]);
    refused(&place.idp(&["group", "add", "dev", "ada", "nobody"]), 1, &["nobody"]);
    assert_eq!(place.json(&["group", "members", "dev"]), json!([]), "nothing is done by halves");
    assert_eq!(place.json(&["group", "add", "dev", "ada"])["changed"], json!(["ada"]));
    assert_eq!(place.json(&["group", "add", "dev", "ada"])["changed"], json!([]));
    assert_eq!(place.json(&["user", "show", "ada"])["groups"], json!(["dev"]));
    assert_eq!(place.json(&["group", "remove", "dev", "ada"])["changed"], json!(["ada"]));
    assert_eq!(place.json(&["group", "list"])[0]["display_name"], "Developers");
    place.json(&["group", "delete", "dev"]);
    refused(&place.idp(&["group", "members", "dev"]), 1, &["idp group list"]);
}

#[test]
fn the_realm_has_settings_within_bounds() {
    let place = Place::serve(None);
    assert_eq!(place.json(&["realm", "list"])[0]["issuer"], "https://id.example.test");
    let set =
        place.json(&["realm", "set", "session_lifetime_s=28800", "session_idle_s=3600", "display_name=Example Ltd"]);
    assert_eq!((&set["settings"]["session_idle_s"], &set["display_name"]), (&json!(3600), &json!("Example Ltd")));
    refused(
        &place.idp(&["realm", "set", "session_lifetime_s=1", "acr_order=gold", "display_name=", "colour=red"]),
        2,
        &["session_lifetime_s", "300 to 86400", "acr_order", "display_name", "colour", "brand_color"],
    );
    refused(&place.idp(&["realm", "set", "session_lifetime_s"]), 2, &["KEY=VALUE"]);
    assert!(place.idp(&["realm", "show"]).out.contains("Example Ltd"));
    let data = Place::dev();
    refused(&data.idp(&["realm", "update"]), 2, &["--config"]);
}

#[test]
fn the_policy_is_set_as_a_whole_or_not_at_all() {
    let place = Place::serve(None);
    let set = place.json(&["policy", "set", "user_verification=preferred", "allowed_types=security_key,device"]);
    assert_eq!(set["policy"]["allowed_types"], json!(["security_key", "device"]));
    refused(
        &place.idp(&["policy", "set", "max_passkeys=9", "mode=any", "algorithms=-999", "colour=red"]),
        2,
        &["mode", "passkey_only", "algorithms", "colour"],
    );
    refused(&place.idp(&["policy", "set", "mode=passkey_only", "enabled=false"]), 2, &["enabled", "nobody could"]);
    refused(&place.idp(&["policy", "set", "max_passkeys=3", "max_passkeys=4"]), 2, &["twice"]);
    let shown = place.json(&["policy", "show"]);
    assert_eq!((&shown["max_passkeys"], &shown["user_verification"]), (&json!(5), &json!("preferred")));
    assert!(place.idp(&["policy", "show"]).out.contains("user_verification"));
}

#[test]
fn no_policy_locks_all_owners_out() {
    let place = Place::serve(None);
    let made = place.idp_with(&["user", "create", "pat", "--owner", "--password-stdin"], "a long enough password\n");
    assert_eq!(made.code, 0, "{}", made.err);
    refused(&place.idp(&["policy", "set", "mode=passkey_only"]), 1, &["pat", "could no longer sign in"]);
    let product = Product::serve(&place);
    place.json(&["user", "create", "key", "--owner"]);
    let pass = place.json(&["access-pass", "create", "key"]);
    // What is typed in place of the link.
    assert!(pass["url"].as_str().unwrap().ends_with(&format!("/setup?token={}", pass["code"].as_str().unwrap())));
    crate::person::enrol(&mut product.browser(), pass["url"].as_str().unwrap(), "key");
    let set: Value = place.json(&["policy", "set", "mode=passkey_only"]);
    assert_eq!(set["owners_locked_out"], json!(["pat"]), "one owner is left");
    place.json(&["policy", "set", "mode=passkey_first"]);
    refused(&place.idp(&["policy", "set", "enabled=false"]), 1, &["enabled", "key"]);
}

#[test]
fn keys_are_published_before_they_sign() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    let kids = |state: &str| -> Vec<String> {
        let keys = place.json(&["key", "list"]);
        let named = keys.as_array().unwrap().iter().filter(|key| key["state"] == state);
        named.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let first = kids("active");
    assert_eq!(first.len(), 4);
    refused(&place.idp(&["key", "rotate"]), 1, &["idp key create"]);
    place.json(&["key", "create", "--alg", "ES256"]);
    refused(&place.idp(&["key", "create", "--alg", "ES256"]), 1, &["already"]);
    let next = kids("next").pop().unwrap();
    let published = || product.browser().get("/.well-known/jwks.json").unwrap().body;
    let begun = std::time::Instant::now();
    while !published().contains(&next) {
        assert!(begun.elapsed().as_secs_f32() < 1.0, "a command takes effect within a second");
    }
    refused(&place.idp(&["key", "rotate", "--alg", "ES256"]), 1, &["too new", "--now"]);
    place.json(&["key", "rotate", "--alg", "ES256", "--now"]);
    assert!(kids("active").contains(&next) && kids("retired").len() == 1);
    assert!(first.iter().all(|kid| published().contains(kid)), "a retired key still verifies");
    refused(&place.idp(&["key", "retire", &next]), 1, &["signs"]);
    refused(&place.idp(&["key", "retire", "none"]), 1, &["idp key list"]);
    place.json(&["key", "create", "--alg", "RS256"]);
    let other = kids("next").pop().unwrap();
    assert_eq!(place.json(&["key", "retire", &other])["retired"], json!(other));
    assert_eq!(place.json(&["key", "revoke", &next])["revoked"], json!(next));
    assert_eq!(kids("active").len(), 4, "another signs in its place");
    refused(&place.idp(&["key", "revoke", &next]), 1, &["idp key list"]);
}

#[test]
fn the_audit_trail_can_be_filtered() {
    let place = Place::serve(None);
    place.json(&["user", "create", "ada"]);
    place.json(&["user", "create", "bob"]);
    place.json(&["user", "lock", "ada"]);
    let of = |arguments: &[&str]| {
        let rows = place.json(&[&["audit", "list"], arguments].concat());
        rows.as_array().unwrap().clone()
    };
    assert_eq!(of(&["--user", "ada"]).len(), 2);
    assert_eq!(of(&["--event", "account.created"]).len(), 2);
    let newest = of(&["--limit", "1"]);
    assert_eq!((newest.len(), newest[0]["detail"]["state"].as_str()), (1, Some("locked")));
    let older = of(&["--before", newest[0]["id"].as_str().unwrap(), "--limit", "1"]);
    assert_eq!(older[0]["detail"]["username"], "bob");
    refused(&place.idp(&["audit", "list", "--event", "x"]), 2, &["--event", "account.created"]);
}

#[test]
fn generated_documents_are_the_ones_in_the_folder() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
    for (command, file) in
        [(["config", "docs"], "config"), (["docs", "specs"], "specs"), (["docs", "errors"], "errors")]
    {
        let printed = crate::product::run(&command, "").out;
        let kept = std::fs::read_to_string(format!("{docs}/{file}.md")).unwrap();
        assert!(printed == kept, "docs/{file}.md is not what `idp {}` prints", command.join(" "));
    }
}

#[test]
fn scopes_traits_and_roles_are_set_and_judged() {
    let place = Place::serve(None);
    let set = ["realm", "scope", "set", "work", "--description", "Where you work", "--claim"];
    let claim = r#"{"claim":"department","from":{"trait":"department"}}"#;
    let made =
        place.json(&[&set[..], &[claim, "--claim", r#"{"claim":"teams","from":"roles","kind":"strings"}"#]].concat());
    assert_eq!(made["claims"][0]["where"], json!(["userinfo"]));
    for (claim, word) in [
        ("{}", "claim"),
        (r#"{"claim":"x","from":"elsewhere"}"#, "elsewhere"),
        (r#"{"claim":"sub","from":"username"}"#, "reserved"),
        (r#"{"claim":"x","from":{"claim":"shoe_size"}}"#, "shoe_size"),
    ] {
        refused(&place.idp(&[&set[..], &[claim]].concat()), 2, &[word]);
    }
    refused(&place.idp(&["realm", "scope", "set", "profile", "--description", "x"]), 2, &["standard"]);
    refused(&place.idp(&["realm", "scope", "set", "other"]), 2, &["description"]);
    refused(&place.idp(&["realm", "scope", "delete", "other"]), 1, &["idp realm scope list"]);
    let listed = place.json(&["realm", "scope", "list"]);
    assert_eq!(listed, json!([made]), "what was refused changed nothing");
    // The JSON form goes round.
    place.json(&["realm", "set", &format!("scopes={listed}")]);
    let changed = place.json(&["realm", "scope", "set", "work", "--description", "Work"]);
    assert_eq!(changed["claims"], made["claims"], "what is not named stays");
    assert!(place.idp(&["realm", "scope", "list"]).out.contains("department teams"));
    place.json(&["realm", "scope", "delete", "work"]);

    let flags = ["user", "create", "ada", "--trait", "department=Sales", "--trait", "level:=7", "--trait", "x=1"];
    let made = place.json(&flags);
    assert_eq!(made["claims"]["traits"], json!({ "department": "Sales", "level": 7, "x": "1" }));
    let set = place.json(&["user", "set", "ada", "--trait", "x=", "--trait", r#"tongues:=["de"]"#]);
    assert_eq!(set["claims"]["traits"], json!({ "department": "Sales", "level": 7, "tongues": ["de"] }));
    for wrong in ["level", "level:=seven", "Level=7", "level:={}"] {
        refused(&place.idp(&["user", "set", "ada", "--trait", wrong]), 2, &["--trait"]);
    }

    let create = ["client", "create", "web", "--name", "Web", "--redirect-uri", "https://web.example.test/cb"];
    let made = place.json(&[&create[..], &["--role", "admin=staff", "--scope", "openid", "--scope", "work"]].concat());
    assert_eq!(made["roles"], json!([{ "role": "admin", "group": "staff" }]));
    assert_eq!(made["scopes"], json!(["openid", "work"]));
    refused(&place.idp(&["client", "set", "web", "--role", "admin", "--scope", "a b"]), 2, &["--role", "--scope"]);
    let set = place.json(&["client", "set", "web", "--role", "", "--scope", ""]);
    assert_eq!((&set["roles"], set.get("scopes")), (&json!([]), None));
}
