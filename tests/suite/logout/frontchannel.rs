//! Clients are told by the browser when it signs out. Front-Channel Logout 1.0.

use crate::both;
use crate::rules::rule;
use crate::world::{Page, Rp, World, encode, query_of};

async fn framed(w: &World, id: &str, path: &str) -> Rp {
    let uri = format!("https://{id}.example/{path}");
    w.rp_with(id, |settings| settings.frontchannel_logout_uri = Some(uri)).await
}

/// Addresses in the frames of a page.
fn frames(page: &Page) -> Vec<String> {
    let sources = page.body.split("<iframe").skip(1).filter_map(|tag| tag.split_once("src=\"")?.1.split_once('"'));
    sources.map(|(src, _)| src.replace("&amp;", "&").replace("&#x2F;", "/")).collect()
}

both! {
    async fn the_page_after_a_logout_frames_the_clients_of_the_session_and_goes_on(db) {
        let w = World::start(db).await;
        let (one, two) = (framed(&w, "one", "out?a=b").await, framed(&w, "two", "out").await);
        let (never, deaf) = (framed(&w, "never", "out").await, w.rp("deaf").await);
        let (mut ann, mut browser) = (w.person("ann").await, w.browser());
        let tokens = w.tokens(&mut browser, &mut ann, &one).await;
        for rp in [&two, &deaf] {
            w.tokens(&mut browser, &mut ann, rp).await;
        }
        let _ = never;
        let fields = [
            ("id_token_hint", tokens.id_token.as_str()),
            ("post_logout_redirect_uri", "https://one.example/bye"),
            ("state", "s"),
        ];
        let page = browser.get(&format!("/logout?{}", encode(&fields))).await;
        let sources = frames(&page);
        assert_eq!(sources.len(), 2, "{} {}", rule("logout.frontchannel.frames"), page.body);
        let about = rule("logout.frontchannel.session");
        assert!(sources[0].starts_with("https://one.example/out?a=b&iss="), "{about}: {sources:?}");
        let query = query_of(&sources[0]);
        assert_eq!((&query["iss"], query["sid"].as_str()), (&w.issuer, tokens.claims["sid"].as_str().unwrap()));
        assert!(sources[1].starts_with("https://two.example/out?iss="), "{about}: {sources:?}");
        assert_eq!(page.next().as_deref(), Some("https://one.example/bye?state=s"));
        assert_eq!(browser.cookie("session"), None);
        let about = rule("logout.frontchannel.policy");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.ends_with("; frame-src https://one.example https://two.example"), "{about}: {policy}");
        assert!(policy.starts_with("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{about}");
        let other = browser.get("/login").await;
        assert!(!other.header("content-security-policy").unwrap().contains("frame-src"), "{about}");
    }
}

#[tokio::test]
async fn without_an_address_to_go_on_to_our_own_page_follows() {
    let w = World::sqlite().await;
    let rp = framed(&w, "one", "out").await;
    let (mut ann, mut browser) = (w.person("ann").await, w.browser());
    w.tokens(&mut browser, &mut ann, &rp).await;
    let asked = browser.get("/logout").await;
    let page = browser.submit(&asked, "/logout/confirm", &[("decision", "yes")]).await;
    assert_eq!(frames(&page).len(), 1);
    let next = page.next().unwrap();
    let page = browser.get(&next).await;
    assert!(page.status == 200 && page.has("logged-out") && frames(&page).is_empty(), "{}", page.body);
}
