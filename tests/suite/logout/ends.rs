//! What a logout ends: the session, its cookie, and what it granted.

use crate::both;
use crate::rules::rule;
use crate::world::{Browser, Person, Rp, Tokens, World, encode, query_of};

struct Stage {
    w: World,
    rp: Rp,
    ann: Person,
    browser: Browser,
    tokens: Tokens,
}

async fn stage(db: crate::world::Db) -> Stage {
    let w = World::start(db).await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
    Stage { w, rp, ann, browser, tokens }
}

impl Stage {
    async fn is_signed_in(&mut self) -> bool {
        let ask = self.rp.ask().with("prompt", "none");
        let code = crate::world::Answer::of(&self.browser.get(&ask.url()).await).params.contains_key("code");
        let userinfo = self.w.userinfo(&self.tokens.access_token).await.status == 200;
        assert_eq!(code, userinfo, "session and tokens end together");
        code
    }

    fn hinted(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut fields = vec![("id_token_hint".to_owned(), self.tokens.id_token.clone())];
        fields.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        fields
    }
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

both! {
    async fn a_hint_for_the_session_at_hand_ends_it_without_a_question(db) {
        for post in [false, true] {
            let mut s = stage(db).await;
            let state = "st ate&=+ü";
            let fields = s.hinted(&[("post_logout_redirect_uri", "https://app.example/bye"), ("state", state)]);
            let fields = borrowed(&fields);
            let page = if post {
                // A cross-site POST carries no cookie: it goes on by 303 to a GET of ours.
                let page = s.w.browser().post("/logout", &fields).await;
                assert_eq!(page.status, 303);
                s.browser.get(page.location().unwrap()).await
            } else {
                s.browser.get(&format!("/logout?{}", encode(&fields))).await
            };
            assert_eq!(page.status, 303, "{}", page.body);
            let next = page.location().unwrap();
            assert!(next.starts_with("https://app.example/bye?state="), "{next}");
            assert_eq!(query_of(next)["state"], state);
            assert_eq!(s.browser.cookie("session"), None);
            assert!(!s.is_signed_in().await);
        }
    }

    async fn without_a_hint_the_user_is_asked_and_may_stay(db) {
        let mut s = stage(db).await;
        let page = s.browser.get("/logout?client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye").await;
        assert!(page.status == 200 && page.has("logout-confirm"), "{}", rule("logout.confirm"));
        assert!(page.body.contains("Application app") && s.is_signed_in().await);
        let kept = s.browser.submit(&page, "/logout/confirm", &[("decision", "no")]).await;
        assert_eq!((kept.status, kept.next()), (200, None));
        assert!(s.is_signed_in().await, "{}", rule("logout.confirm"));
        let gone = s.browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await;
        assert_eq!(gone.next().as_deref(), Some("https://app.example/bye"));
        assert!(!s.is_signed_in().await);
        // The user's own sign-out, by now without a session, asks nothing.
        let page = s.browser.get("/logout").await;
        assert!(page.status == 200 && !page.has("logout-confirm"));
    }

    async fn the_old_cookie_is_worth_nothing_afterwards(db) {
        let mut s = stage(db).await;
        let thief = s.browser.clone();
        let fields = s.hinted(&[]);
        let page = s.browser.get(&format!("/logout?{}", encode(&borrowed(&fields)))).await;
        assert_eq!((page.status, page.location()), (200, None));
        s.browser = thief;
        assert!(!s.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_logout_ends_one_session_alone() {
    let mut s = stage(crate::world::Db::Sqlite).await;
    let mut other = s.w.browser();
    let elsewhere = s.w.tokens(&mut other, &mut s.ann, &s.rp).await;
    let fields = s.hinted(&[]);
    s.browser.get(&format!("/logout?{}", encode(&borrowed(&fields)))).await;
    assert!(!s.is_signed_in().await);
    assert_eq!(s.w.userinfo(&elsewhere.access_token).await.status, 200);
}

#[tokio::test]
async fn the_answer_to_the_question_needs_the_browsers_token_and_an_honest_form() {
    let mut s = stage(crate::world::Db::Sqlite).await;
    let page = s.browser.get("/logout").await;
    let form = page.form("/logout/confirm");
    let value = |name: &str| form.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let (csrf, logout) = (value("csrf"), value("logout"));
    for (csrf, logout, status) in [("", logout.as_str(), 403), ("x", &logout, 403), (&csrf, "x", 400), (&csrf, "", 400)]
    {
        let fields = [("csrf", csrf), ("logout", logout), ("decision", "yes")];
        assert_eq!(s.browser.post("/logout/confirm", &fields).await.status, status);
    }
    let fields = [("csrf", csrf.as_str()), ("logout", &logout), ("decision", "yes")];
    assert_eq!(s.w.browser().post("/logout/confirm", &fields).await.status, 403, "another browser");
    assert_eq!(s.browser.post("/logout/confirm", &fields[..2]).await.status, 400, "no decision");
    assert!(s.is_signed_in().await);
}

#[tokio::test]
async fn a_question_left_open_for_an_hour_is_asked_anew() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let fields = [("client_id", rp.id()), ("post_logout_redirect_uri", "https://app.example/bye")];
    let page = w.browser().post("/logout", &fields).await;
    let sealed = page.location().unwrap().to_owned();
    w.clock.advance(3601);
    let page = w.browser().get(&sealed).await;
    assert_eq!((page.status, page.code().as_deref()), (400, Some("logout_invalid")));
}
