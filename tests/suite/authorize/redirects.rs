//! Redirect URIs are compared byte for byte (cases 1 and 3). RFC 9700 §4.1.3, RFC 8252 §7.3.

use super::refusals::refused_by_a_page;
use crate::world::{Answer, World};

#[tokio::test]
async fn no_trick_of_spelling_passes() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.redirect_uris = vec!["https://rp.example/app/cb?x=1".to_owned()]).await;
    for uri in [
        "https://rp.example/app/cb",
        "https://rp.example/app/cb?x=1&y=2",
        "https://rp.example/app/cb?x=1#f",
        "https://rp.example/app/cb?x=1/",
        "https://rp.example/app/CB?x=1",
        "https://RP.example/app/cb?x=1",
        "HTTPS://rp.example/app/cb?x=1",
        "https://rp.example/app/..;/cb?x=1",
        "https://rp.example/app/../app/cb?x=1",
        "https://rp.example/app/%2e%2e/app/cb?x=1",
        "https://rp.example//app/cb?x=1",
        "https://rp.example:443/app/cb?x=1",
        "https://rp.example./app/cb?x=1",
        "https://rpXexample/app/cb?x=1",
        "https://rp.example@evil.example/app/cb?x=1",
        "https://evil.example\\@rp.example/app/cb?x=1",
        "https://evil.example#@rp.example/app/cb?x=1",
        "https://*.example/app/cb?x=1",
        "*",
        "http://rp.example/app/cb?x=1",
        "//rp.example/app/cb?x=1",
        " https://rp.example/app/cb?x=1",
        "https://rp.example/app/cb?x=1\r\nx: y",
        "JaVaScript:alert(1)",
        "data:text/html,x",
        " javascript:alert(1)",
    ] {
        refused_by_a_page(&mut w.browser(), &rp.ask().with("redirect_uri", uri), "redirect_uri_mismatch").await;
    }
}

#[tokio::test]
async fn only_the_port_of_a_loopback_address_may_differ() {
    let w = World::sqlite().await;
    let uris = ["http://127.0.0.1/cb", "http://[::1]:1/cb", "http://localhost:9/cb", "com.example.app:/cb"];
    let rp = w.rp_with("app", |s| s.redirect_uris = uris.map(str::to_owned).to_vec()).await;
    for uri in ["http://127.0.0.1:4711/cb", "http://[::1]:65535/cb", "http://localhost:9/cb", "com.example.app:/cb"] {
        let page = w.browser().get(&rp.ask().with("redirect_uri", uri).with("prompt", "none").url()).await;
        let answer = Answer::of(&page);
        assert!(answer.url.starts_with(&format!("{uri}?error=login_required")), "{}", answer.url);
    }
    for uri in [
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:4711evil/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:70000/cb",
        "http://127.1/cb",
        "http://0x7f.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.2/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "https://127.0.0.1/cb",
        "http://localhost:10/cb",
        "com.example.app:/cb2",
        "com.example.app://evil/cb",
    ] {
        refused_by_a_page(&mut w.browser(), &rp.ask().with("redirect_uri", uri), "redirect_uri_mismatch").await;
    }
}

#[tokio::test]
async fn the_answer_leaves_the_registered_query_as_it_is() {
    let w = World::sqlite().await;
    for (n, uri, joint) in [
        (1, "https://rp.example/cb", "?"),
        (2, "https://rp.example/cb?a=b%20c+d&e=%C3%BC", "&"),
        (3, "https://rp.example/cb?", ""),
        (4, "https://rp.example/cb?a=b&", ""),
    ] {
        let rp = w.rp_with(&format!("app{n}"), |s| s.redirect_uris = vec![uri.to_owned()]).await;
        let state = "ü&=+% \u{1F511}#?/\\\"<>";
        let ask = rp.ask().with("state", state).with("prompt", "none");
        let answer = Answer::of(&w.browser().get(&ask.url()).await);
        assert!(answer.url.starts_with(&format!("{uri}{joint}error=")), "{}", answer.url);
        assert_eq!(answer.params["state"], state);
        assert!(!answer.url.contains('#') && answer.url.is_ascii(), "{}", answer.url);
    }
}
