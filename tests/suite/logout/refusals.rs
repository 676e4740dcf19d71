//! Logout requests that lead to a page of ours and nowhere else. RP-Initiated Logout §2 and §3.

use idp_core::client::ClientState;

use crate::rules::rule;
use crate::world::{World, encode};

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let other = w.rp("other").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
    let theirs = other.client.settings.post_logout_redirect_uris[0].clone();
    type Case<'a> = (&'static str, &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (
            "logout.redirect_uri",
            &[("post_logout_redirect_uri", "https://app.example/bye/")],
            "post_logout_redirect_uri_mismatch",
        ),
        (
            "logout.redirect_uri",
            &[("post_logout_redirect_uri", "https://app.example/bye?x")],
            "post_logout_redirect_uri_mismatch",
        ),
        (
            "logout.redirect_uri",
            &[("post_logout_redirect_uri", "https://evil.example/")],
            "post_logout_redirect_uri_mismatch",
        ),
        (
            "logout.redirect_uri",
            &[("post_logout_redirect_uri", "https://app.example/cb")],
            "post_logout_redirect_uri_mismatch",
        ),
        (
            "logout.redirect_uri",
            &[("post_logout_redirect_uri", "javascript:alert(1)")],
            "post_logout_redirect_uri_mismatch",
        ),
        ("logout.redirect_uri", &[("post_logout_redirect_uri", &theirs)], "post_logout_redirect_uri_mismatch"),
        ("logout.client", &[("client_id", "other")], "client_mismatch"),
        ("logout.client", &[("client_id", "other"), ("post_logout_redirect_uri", &theirs)], "client_mismatch"),
        ("logout.client", &[("client_id", "no such\nclient")], "client_mismatch"),
        ("logout.params", &[("client_id", "app"), ("client_id", "app")], "parameter_twice"),
        ("logout.params", &[("state", "a"), ("state", "b")], "parameter_twice"),
    ];
    for (id, fields, code) in cases {
        let mut with_hint = vec![("id_token_hint", tokens.id_token.as_str())];
        with_hint.extend_from_slice(fields);
        for page in
            [browser.get(&format!("/logout?{}", encode(&with_hint))).await, browser.post("/logout", &with_hint).await]
        {
            assert_eq!((page.status, page.next()), (400, None), "{}: {fields:?}", rule(id));
            assert_eq!(page.code().as_deref(), Some(*code), "{}: {fields:?}", rule(id));
        }
    }
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200, "nothing ended");
}

#[tokio::test]
async fn an_address_without_a_client_is_refused() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let bye = ("post_logout_redirect_uri", "https://app.example/bye");
    for fields in [&[bye][..], &[bye, ("client_id", "nobody")]] {
        let page = w.browser().get(&format!("/logout?{}", encode(fields))).await;
        assert_eq!((page.status, page.next()), (400, None), "{}", rule("logout.redirect_uri"));
        assert_eq!(page.code().as_deref(), Some("client_id_missing"));
    }
    // With a client and nobody signed in there is nothing to ask.
    let page = w.browser().get(&format!("/logout?{}", encode(&[bye, ("client_id", "app")]))).await;
    assert_eq!(page.location(), Some(bye.1));
    w.set_client_state(&rp, ClientState::Disabled).await;
    let page = w.browser().get(&format!("/logout?{}", encode(&[bye, ("client_id", "app")]))).await;
    assert!(page.status < 500);
}
