//! What browsers, password managers and phones fetch.

use idp_core::realm::NativeApps;
use serde_json::{Value, json};

use crate::world::hosts::{NEW, OLD};
use crate::world::{Page, World};

const HASH: &str = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5";

fn public(page: &Page) -> Value {
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.header("content-type"), Some("application/json"));
    assert_eq!(page.header("access-control-allow-origin"), Some("*"));
    assert_eq!(page.header("cache-control"), Some("public, max-age=300"));
    assert!(page.headers.get("set-cookie").is_none());
    page.value()
}

#[tokio::test]
async fn each_host_lists_the_origins_related_to_its_own_rp_id() {
    let mut w = World::sqlite().await;
    let mut old = w.party(OLD);
    old.related_origins = vec!["https://login.example.net".to_owned()];
    w.serve_at(vec![w.party(NEW), old]).await;
    let at = async |name| public(&w.browser_at(name).get("/.well-known/webauthn").await);
    assert_eq!(at(OLD).await, json!({ "origins": ["https://login.example.net"] }));
    assert_eq!(at(NEW).await, json!({ "origins": [] }));
}

#[tokio::test]
async fn a_related_host_asks_for_the_passkeys_of_the_shared_rp_id() {
    let mut w = World::sqlite().await;
    let host = w.host("other.localhost");
    let mut shared = idp_core::realm::RelyingParty::new(OLD, "http", vec![w.host(OLD), host.clone()]);
    shared.related_origins = vec![format!("http://{host}")];
    assert_eq!(idp_core::realm::relying_party::problems(std::slice::from_ref(&shared), &host), Vec::<String>::new());
    w.serve_at(vec![shared.clone()]).await;
    let mut ada = w.person("ada").await;
    // The issuer moves, the RP ID stays.
    shared.hosts.reverse();
    w.serve_at(vec![shared]).await;
    let mut browser = w.browser();
    assert_eq!(browser.begin_sign_in().await["publicKey"]["rpId"], OLD);
    browser.sign_in_with_passkey(&mut ada, None).await;
}

#[tokio::test]
async fn says_where_passkeys_are_made_and_managed_and_a_password_is_changed() {
    let mut w = World::sqlite().await;
    w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
    let page = format!("{}/account/security", w.issuer);
    for name in [NEW, OLD] {
        let endpoints = public(&w.browser_at(name).get("/.well-known/passkey-endpoints").await);
        assert_eq!(endpoints, json!({ "enroll": page, "manage": page }));
        let change = w.browser_at(name).get("/.well-known/change-password").await;
        let password = format!("{}/account/password", w.issuer);
        assert_eq!((change.status, change.location()), (302, Some(password.as_str())));
    }
    w.policy(|policy| policy.allow_registration = false).await;
    assert_eq!(public(&w.browser().get("/.well-known/passkey-endpoints").await), json!({ "manage": page }));
    // By this address browsers find out whether a status can be trusted.
    let probe = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";
    assert_eq!(w.browser().get(probe).await.status, 404);
}

#[tokio::test]
async fn names_the_native_applications_of_the_realm() {
    let w = World::sqlite().await;
    let get = async |path: &str| public(&w.browser().get(&format!("/.well-known/{path}")).await);
    assert_eq!(get("assetlinks.json").await, json!([]));
    let apps = json!({
        "android": [{ "package": "org.example.app", "sha256": [HASH] }], "apple": ["ABCDE12345.org.example.app"],
    });
    let apps: NativeApps = serde_json::from_value(apps).unwrap();
    w.set_settings(|settings| settings.native_apps = apps).await;
    let links = get("assetlinks.json").await;
    assert_eq!(links[0]["target"]["sha256_cert_fingerprints"], json!([HASH]));
    assert_eq!(links[0]["target"]["namespace"], "android_app");
    let apple = get("apple-app-site-association").await;
    assert_eq!(apple, json!({ "webcredentials": { "apps": ["ABCDE12345.org.example.app"] } }));
}
