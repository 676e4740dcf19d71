//! `/login` and `/login/password` as forms: what is refused, and what a stranger learns from the answers.

use std::time::{Duration, Instant};

use idp_core::audit::AuditEvent;
use idp_softkey::Options;

use crate::world::acts::{PASSWORD, refused};
use crate::world::{World, encode};

#[tokio::test]
async fn a_right_password_signs_in() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    for name in ["carl", "CARL", " carl ", "carl@example.org"] {
        let mut browser = w.browser();
        let page = browser.try_password(name, PASSWORD).await;
        assert_eq!((page.status, page.next().as_deref()), (200, Some("/account/security")), "{name}");
        assert!(page.location().is_none(), "a page goes on, not a redirect after a POST");
        assert!(browser.is_signed_in().await);
    }
    assert_eq!(w.audit_rows(&carl, AuditEvent::SignIn).await.len(), 4);
}

#[tokio::test]
async fn a_wrong_password_says_no_more_than_that() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    for wrong in ["wrong", "", "correct horse batterY", "correct horse battery ", &"ü".repeat(512)] {
        let mut browser = w.browser();
        let page = browser.try_password("carl", wrong).await;
        // Throttled guesses are not looked at: the clock passes.
        w.clock.advance(60);
        assert_eq!(page.status, 401, "{wrong}");
        assert!(page.has("password") && !page.body.contains(PASSWORD));
        assert_eq!(browser.cookie("session"), None);
    }
    assert_eq!(w.audit_rows(&carl, AuditEvent::SignInFailed).await.len(), 5);
}

#[tokio::test]
async fn unknown_names_cost_and_look_the_same() {
    let w = World::sqlite().await;
    for n in 0..20 {
        let name = format!("known{n:02}");
        if n % 2 == 0 {
            w.person_with_password(&name, PASSWORD).await;
        } else {
            w.person(&name).await;
        }
    }
    let mut seen = Vec::new();
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..20 {
        for (at, kind) in ["known", "other"].into_iter().enumerate() {
            let mut browser = w.browser();
            browser.get("/login").await;
            let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
            let fields = [("csrf", csrf.as_str()), ("username", &format!("{kind}{n:02}")), ("password", "wrong")];
            let (statements, begun) = (w.statements(), Instant::now());
            let page = browser.post("/login/password", &fields).await;
            times[at].push(begun.elapsed());
            let mut headers: Vec<_> = page.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            let cookies: Vec<_> = browser.jar.iter().map(|(n, v)| (n.clone(), v.len())).collect();
            // The address bucket is a row that the first guess makes.
            let words = page.body.replace("known", "other");
            seen.push((page.status, words.len(), headers, cookies, w.statements() - statements));
        }
    }
    let first = seen[0].clone();
    assert!(seen.iter().all(|one| *one == first), "{seen:#?}");
    // One password hash each: without it the answer would come in a fraction of the time.
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let [known, other] = &mut times;
    let (known, other) = (median(known), median(other));
    assert!(known < other * 3 && other < known * 3, "known {known:?}, unknown {other:?}");
}

#[tokio::test]
async fn a_password_is_bounded_and_never_cut() {
    let w = World::sqlite().await;
    let long = "x".repeat(1024);
    w.person_with_password("carl", &long).await;
    let mut browser = w.browser();
    let page = browser.try_password("carl", &format!("{long}x")).await;
    assert_eq!(page.verdict(), refused(400, "password_too_long"));
    let page = browser.try_password("carl", &"y".repeat(10 << 20)).await;
    assert_eq!(page.verdict(), refused(413, "body_too_large"));
    assert_eq!(browser.try_password("carl", &long[1..]).await.status, 401);
    assert_eq!(browser.try_password("carl", &long).await.status, 200);
}

#[tokio::test]
async fn forms_of_other_sites_and_browsers_are_refused() {
    let w = World::sqlite().await;
    w.person_with_password("carl", PASSWORD).await;
    let mut other = w.browser();
    other.get("/login").await;
    let foreign = other.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    for path in ["/login", "/login/password"] {
        let mut browser = w.browser();
        browser.get("/login").await;
        for token in ["", "x", &foreign] {
            let page = browser.post(path, &[("csrf", token), ("username", "carl"), ("password", PASSWORD)]).await;
            assert_eq!(page.verdict(), refused(403, "csrf_mismatch"), "{path}");
        }
        let page = w.browser().post(path, &[("csrf", &foreign), ("username", "carl"), ("password", PASSWORD)]).await;
        assert_eq!(page.verdict(), refused(403, "csrf_mismatch"), "{path} without a cookie");
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        let body = encode(&[("csrf", &csrf), ("username", "carl"), ("password", PASSWORD)]);
        let request = browser.request(reqwest::Method::POST, path).header("origin", "https://evil.example");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.clone());
        assert_eq!(browser.send(request).await.verdict(), refused(403, "origin_mismatch"), "{path}");
        let request = browser.request(reqwest::Method::POST, path).header("content-type", "text/plain").body(body);
        assert_eq!(browser.send(request).await.verdict(), refused(415, "content_type"), "{path}");
        assert_eq!(browser.cookie("session"), None);
    }
}

#[tokio::test]
async fn a_disabled_account_stays_out() {
    let w = World::sqlite().await;
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.disable(&carl).await;
    let mut browser = w.browser();
    assert_eq!(browser.try_password("carl", PASSWORD).await.verdict(), refused(403, "account_disabled"));
    assert_eq!(browser.cookie("session"), None);
    // To somebody who does not know the password it is like any other.
    assert_eq!(browser.try_password("carl", "wrong").await.status, 401);
}

#[tokio::test]
async fn a_password_that_changed_meanwhile_is_worth_nothing_at_the_second_factor() {
    use idp_store::passwords::{PasswordSet, UsePassForPassword};
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    let pass = w.access_pass(&ann).await;
    let hash = idp_core::secret::Secret::new("a new password, long".to_owned());
    let hash = w.app.passwords.hash(hash, w.app.random()).await.unwrap();
    let op = UsePassForPassword {
        realm: w.realm,
        account: ann.id,
        pass: idp_core::secret::sha256(pass.as_bytes()),
        hash,
        now: w.clock.now(),
        audit: w.audit(AuditEvent::PasswordSet),
    };
    assert_eq!(w.app.store.write(op).await.unwrap(), PasswordSet::Done);
    let next = browser.sign_in_with_passkey(&mut ann, None).await;
    assert_eq!(next, "/account/security");
    let claims = w.claims(&mut browser, &rp).await;
    assert!(!claims["amr"].to_string().contains("pwd"), "{claims}");
}
