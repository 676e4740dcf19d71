//! Entering a code: however it is typed, not often wrongly, and never by an address alone. RFC 8628 §3.3.1, §5.1, §5.4.

use crate::both;
use crate::rules::rule;
use crate::world::{Page, World};

fn wrong(page: &Page) -> bool {
    page.status == 400 && page.body.contains("This code is not known")
}

#[tokio::test]
async fn a_code_is_taken_however_it_is_typed() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let bare = device.user_code.replace('-', "");
    for text in [
        device.user_code.clone(),
        device.user_code.to_lowercase(),
        bare.clone(),
        format!(" {} {} ", &bare[..4], &bare[4..]),
    ] {
        let page = w.browser().enter(&text).await;
        assert!(page.has("login-submit") && page.body.contains("Sign in to Application tv"), "{text}: {}", page.body);
    }
}

#[tokio::test]
async fn an_address_with_a_code_fills_in_the_field_and_does_no_more() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    let complete = device.begun["verification_uri_complete"].as_str().unwrap();
    let commits = w.commits();
    let page = browser.open(complete).await;
    assert!(page.body.contains(&format!("value=\"{}\"", device.user_code)), "{}", page.body);
    assert!(page.has("device-code") && !page.has("device-allow"), "{}", rule("device.entered"));
    assert_eq!((w.commits(), browser.cookie("device")), (commits, None));
    assert_eq!(device.poll(&w).await.error(), "authorization_pending");
    for text in ["call 0800 123 at once", "<b>", "WDJB-MJH"] {
        let page = browser.get(&format!("/device?{}", crate::world::encode(&[("user_code", text)]))).await;
        assert!(page.body.contains("name=\"user_code\" value=\"\""), "no words of strangers: {}", page.body);
    }
}

#[tokio::test]
async fn unknown_expired_and_used_codes_are_answered_alike() {
    let w = World::sqlite().await;
    let tv = w.tv("tv").await;
    let mut ann = w.person("ann").await;
    let expired = w.begin_device(&tv).await;
    w.clock.advance(600);
    let used = w.allowed_device(&tv, &mut w.browser(), &mut ann).await;
    let mut pages = Vec::new();
    for code in [expired.user_code.as_str(), &used.user_code, "BBBB-BBBB", "aeiou"] {
        let page = w.browser().try_code(code).await;
        assert!(wrong(&page), "{code}: {}", page.body);
        let same = page.body.replace(code, "").split("<code").next().unwrap().to_owned();
        pages.push(
            same.split("name=\"csrf\"")
                .map(|part| part.split_once('>').map_or(part, |(_, rest)| rest).to_owned())
                .collect::<String>(),
        );
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "{}", rule("device.guesses"));
}

both! {
    async fn guesses_from_one_address_stop(db) {
        let w = World::start(db).await;
        let device = w.begin_device(&w.tv("tv").await).await;
        for _ in 0..50 {
            assert!(wrong(&w.browser().try_code("BBBB-BBBB").await));
        }
        let page = w.browser().try_code(&device.user_code).await;
        assert_eq!(page.status, 429, "{}: not even the right one is looked at", rule("device.guesses"));
        assert!(page.has("device-code") && page.header("retry-after").is_some(), "{}", page.body);
        let mut carl = w.person("carl").await;
        assert!(w.browser().sign_in_with_passkey(&mut carl, None).await.starts_with('/'), "sign-in is not touched");
        w.clock.advance(2);
        assert!(w.browser().enter(&device.user_code).await.has("login-submit"));
    }
}

#[tokio::test]
async fn guesses_of_one_account_stop_sooner() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.sign_in_with_passkey(&mut ann, None).await;
    for _ in 0..5 {
        assert!(wrong(&browser.try_code("BBBB-BBBB").await));
    }
    assert_eq!(browser.try_code(&device.user_code).await.status, 429, "{}", rule("device.guesses"));
    // Another browser of hers is the same account; a stranger is not.
    let mut second = w.browser();
    second.sign_in_with_passkey(&mut ann, None).await;
    assert_eq!(second.try_code(&device.user_code).await.status, 429);
    assert!(w.browser().enter(&device.user_code).await.has("login-submit"));
}

#[tokio::test]
async fn a_page_of_another_site_enters_nothing() {
    let w = World::sqlite().await;
    let device = w.begin_device(&w.tv("tv").await).await;
    let mut browser = w.browser();
    browser.get("/device").await;
    let page = browser.post("/device", &[("user_code", &device.user_code)]).await;
    assert_eq!((page.status, page.code().as_deref()), (403, Some("csrf_mismatch")));
    assert_eq!(browser.cookie("device"), None);
}
