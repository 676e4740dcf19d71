//! `idp realm rp` and `idp rp-id`: hosts, and the change of an RP ID, at the command line.

use serde_json::json;

use crate::person::enrolled;
use crate::product::{Place, Product, Said};

fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{} {}", said.out, said.err);
    for word in words {
        assert!(said.err.contains(word), "{word} is missing in: {}", said.err);
    }
}

#[test]
fn relying_parties_are_added_changed_and_removed() {
    let place = Place::serve(None);
    assert_eq!(place.json(&["realm", "rp", "list"])[0]["rp_id"], "id.example.test");
    refused(&place.idp(&["realm", "rp", "add", "co.uk", "--host", "id.example.co.uk"]), 2, &["public suffix"]);
    refused(&place.idp(&["realm", "rp", "add", "10.0.0.1"]), 2, &["IP address"]);
    refused(&place.idp(&["realm", "rp", "add", "id.example.test"]), 2, &["there already"]);
    refused(&place.idp(&["realm", "rp", "add", "a.test", "--host", "b.test"]), 2, &["neither the host", "related"]);
    refused(&place.idp(&["realm", "rp", "add", "a.test", "--origin", "http://a.test"]), 2, &["https origin"]);
    refused(&place.idp(&["realm", "rp", "add", "a.test", "--origin", "android:apk-key-hash:x"]), 2, &["43 characters"]);

    let parent = place.idp(&["realm", "rp", "add", "example.org", "--host", "id.example.org"]);
    assert!(
        parent.code == 0 && parent.out.contains("every host under \"example.org\""),
        "{} {}",
        parent.out,
        parent.err
    );
    assert!(parent.out.contains("relying_parties = ["), "what settings must say: {}", parent.out);
    let flags = ["--host", "id.example.org", "--host", "b.test", "--related-origin", "https://b.test"];
    let set = place.json(&[["realm", "rp", "set", "example.org"].as_slice(), &flags].concat());
    assert_eq!(set["relying_parties"][1]["origins"], json!(["https://id.example.org", "https://b.test"]));
    assert_eq!(set["relying_parties"][1]["related_origins"], json!(["https://b.test"]));

    let apps = r#"native_apps={"android":[],"apple":["ABCDE12345.org.example.app"]}"#;
    assert_eq!(place.idp(&["realm", "set", apps]).code, 0);
    refused(&place.idp(&["realm", "set", r#"native_apps={"apple":["x"]}"#]), 2, &["native_apps"]);

    // Settings that name no relying parties leave them to the database.
    let product = Product::serve(&place);
    let association = product.browser().get("/.well-known/apple-app-site-association").unwrap();
    assert!(association.body.contains("ABCDE12345.org.example.app"), "{}", association.body);
    place.json(&["realm", "rp", "remove", "example.org"]);
    refused(&place.idp(&["realm", "rp", "remove", "example.org"]), 1, &["idp realm rp list"]);
    refused(&place.idp(&["realm", "rp", "remove", "id.example.test"]), 2, &["issuer's host"]);
}

#[test]
fn an_rp_id_is_planned_started_followed_and_finished() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    enrolled(&place, &mut product.browser(), "ada");
    refused(&place.idp(&["realm", "rp", "remove", "id.example.test"]), 1, &["1 passkeys of 1 users", "rp-id plan"]);

    refused(&place.idp(&["rp-id", "plan", "id.example.test"]), 2, &["already"]);
    refused(&place.idp(&["rp-id", "plan", "com"]), 2, &["public suffix"]);
    refused(&place.idp(&["rp-id", "finish"]), 1, &["no old RP ID"]);
    // A parent of the host: the issuer stays.
    let near = place.json(&["rp-id", "plan", "example.test"]);
    assert_eq!(near["issuer"]["changes"], false);
    let plan = place.json(&["rp-id", "plan", "example.net", "--host", "login.example.net"]);
    assert_eq!((&plan["issuer"]["after"], &plan["users"]["left"]), (&json!("https://login.example.net"), &json!(1)));
    assert_eq!((&plan["users"]["passkey_alone"], &plan["passkeys"]["from"]), (&json!(1), &json!(1)));
    let text = place.idp(&["rp-id", "plan", "example.net", "--host", "login.example.net"]).out;
    for word in ["becomes example.net", "`iss` in their tokens becomes", "idp rp-id finish", "--related-origin"] {
        assert!(text.contains(word), "{word} is missing in: {text}");
    }
    assert_eq!(place.json(&["rp-id", "status"]).as_array().unwrap().len(), 1, "a plan saves nothing");

    let started = place.json(&["rp-id", "start", "example.net", "--host", "login.example.net"]);
    assert_eq!(started["relying_parties"][1]["rp_id"], "id.example.test");
    assert_eq!(place.json(&["realm", "show"])["issuer"], "https://login.example.net");
    let status = place.json(&["rp-id", "status"]);
    assert_eq!((&status[0]["state"], &status[1]["state"]), (&json!("current"), &json!("old")));
    assert_eq!(status[1]["moving"]["left"], 1);
    // The settings still name the old issuer: a restart would say so.
    refused(&place.idp(&["rp-id", "finish"]), 1, &["ada", "1 of them no password", "--leave-behind"]);
    refused(&place.idp(&["rp-id", "finish", "other.test"]), 2, &["no old RP ID"]);
    assert_eq!(place.json(&["rp-id", "finish", "--leave-behind"])["left_behind"], 1);
    let status = place.json(&["rp-id", "status"]);
    assert_eq!(status[1]["state"], "not served");
    assert_eq!(place.idp(&["realm", "rp", "add", "id.example.test"]).code, 0, "nothing was deleted");
}
