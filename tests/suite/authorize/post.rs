//! `POST /authorize`: works like `GET`, whatever cookies come with it. OIDC Core §3.1.2.1.

use reqwest::Method;

use crate::world::{Answer, World};

#[tokio::test]
async fn goes_on_by_303_to_a_get_and_single_sign_on_still_works() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    // A cross-site POST carries no Lax cookie.
    let ask = rp.ask();
    let page = w.browser().post("/authorize", &ask.fields()).await;
    assert_eq!(page.status, 303);
    let next = page.location().unwrap().to_owned();
    assert!(next.starts_with("/authorize/resume?request="), "{next}");
    // With cookies the same: they are not looked at before the GET.
    assert_eq!(browser.post("/authorize", &ask.fields()).await.status, 303);
    let code = Answer::of(&browser.get(&next).await).code();
    assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200);
}

#[tokio::test]
async fn takes_forms_alone_and_of_a_bounded_size() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut browser = w.browser();
    let request = browser.request(Method::POST, "/authorize").header("content-type", "application/json").body("{}");
    assert_eq!(browser.send(request).await.status, 415);
    let page = browser.post("/authorize", &[("client_id", &"x".repeat(70_000))]).await;
    assert_eq!((page.status, page.location()), (413, None));
    // The parameters of the query do not count beside a form.
    let request = browser.request(Method::POST, &rp.ask().url());
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("");
    let page = browser.send(request).await;
    assert_eq!(page.code().as_deref(), Some("client_id_missing"));
}
