//! Which hosts are answered, and that no header of a request gets into an answer (case 16).

use reqwest::Method;

use crate::world::{Answer, World};

#[tokio::test]
async fn says_421_at_a_foreign_host_and_nothing_about_ours() {
    let w = World::sqlite().await;
    let port = w.issuer.rsplit(':').next().unwrap();
    for host in [
        "evil.example",
        "localhost",
        "localhost.evil.example",
        &format!("127.0.0.1:{port}"),
        &format!("localhost.:{port}"),
    ] {
        for path in ["/.well-known/openid-configuration", "/authorize", "/token", "/no-such-page"] {
            let mut browser = w.browser();
            let request = browser.request(Method::GET, path).header("host", host);
            let page = browser.send(request).await;
            assert_eq!(page.status, 421, "{host}{path}");
            assert!(!page.body.contains("localhost") && page.location().is_none(), "{}", page.body);
        }
    }
}

#[tokio::test]
async fn forwarded_headers_change_nothing() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let plain = w.browser().get("/.well-known/openid-configuration").await.body;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-server", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
    ] {
        let mut browser = w.browser();
        browser.headers.insert(name, value.parse().unwrap());
        assert_eq!(browser.get("/.well-known/openid-configuration").await.body, plain, "{name}");
        let denied = Answer::of(&browser.get(&rp.ask().with("prompt", "none").url()).await);
        assert_eq!(denied.params["iss"], w.issuer, "{name}");
        let login = browser.get(&rp.ask().url()).await;
        assert!(login.location().unwrap().starts_with("/login?"), "{name}");
        assert!(!login.headers.get_all("set-cookie").iter().any(|c| c.to_str().unwrap().contains("Secure")), "{name}");
    }
}
