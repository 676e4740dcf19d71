//! When a user is asked to agree. OIDC Core §3.1.2.4, RFC 8252 §8.6.

use idp_core::audit::AuditEvent;
use idp_core::client::ConsentMode;
use idp_softkey::Faults;

use crate::both;
use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Page, Person, Rp, World};

async fn asking(w: &World, id: &str) -> Rp {
    w.rp_with(id, |s| s.consent = ConsentMode::Ask).await
}

/// A browser in which the person is signed in.
async fn signed_in(w: &World, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
    browser
}

async fn decide(browser: &mut Browser, page: &Page, decision: &str) -> Answer {
    assert!(page.has("consent-allow") && page.has("consent-deny"), "{}", page.body);
    let page = browser.submit(page, "/consent", &[("decision", decision)]).await;
    assert!(page.location().is_none(), "a POST that leaves the origin goes on by a page");
    Answer::of(&browser.follow(page).await)
}

#[tokio::test]
async fn asked_once_and_remembered() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let ask = rp.ask().with("scope", "openid email");
    let page = browser.open(&ask.url()).await;
    assert!(page.body.contains("ann@example.org"), "{}: the value itself is shown", rule("consent.given"));
    assert!(!page.body.contains("Name of ann@"), "no more than asked");
    let answer = decide(&mut browser, &page, "allow").await;
    assert_eq!(rp.redeem(&w, &ask, &answer.code()).await.status, 200);
    // Again, with less, and in another browser of hers: not asked.
    for ask in [rp.ask().with("scope", "openid email"), rp.ask()] {
        assert!(Answer::of(&browser.open(&ask.url()).await).params.contains_key("code"));
    }
    let mut other = signed_in(&w, &mut ann).await;
    assert!(Answer::of(&other.open(&rp.ask().url()).await).params.contains_key("code"));
    assert_eq!(w.audit_rows(&ann, AuditEvent::ConsentGiven).await.len(), 1);
    // Somebody else is.
    let mut bob = w.person("bob").await;
    let mut browser = signed_in(&w, &mut bob).await;
    assert!(browser.open(&rp.ask().url()).await.has("consent-allow"));
}

#[tokio::test]
async fn saying_no_is_told_to_the_application() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let ask = rp.ask();
    let page = browser.open(&ask.url()).await;
    let answer = decide(&mut browser, &page, "deny").await;
    assert_eq!(answer.error(), "access_denied");
    assert_eq!(answer.params.get("state").map(String::as_str), ask.one("state"));
    assert_eq!(answer.params["iss"], w.issuer);
    assert!(answer.url.starts_with(rp.redirect_uri()) && !answer.params.contains_key("code"));
    assert!(browser.open(&rp.ask().url()).await.has("consent-allow"), "a no is not remembered");
}

#[tokio::test]
async fn a_scope_that_grows_is_asked_again() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    for (scope, asked) in [
        ("openid", true),
        ("openid email", true),
        ("openid email", false),
        ("openid profile", true),
        ("profile email openid", false),
    ] {
        let page = browser.open(&rp.ask().with("scope", scope).url()).await;
        assert_eq!(page.has("consent-allow"), asked, "{scope}: {}", rule("consent.given"));
        if asked {
            decide(&mut browser, &page, "allow").await.code();
        }
    }
}

#[tokio::test]
async fn prompt_consent_asks_in_each_request() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let skipping = w.rp("skip").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    for rp in [&rp, &skipping, &rp, &skipping] {
        let page = browser.open(&rp.ask().with("prompt", "consent").url()).await;
        assert!(page.has("consent-allow"), "{}", rule("consent.asked"));
        decide(&mut browser, &page, "allow").await.code();
    }
    let silent = Answer::of(&browser.open(&rp.ask().with("prompt", "none").url()).await);
    assert!(silent.params.contains_key("code"));
}

#[tokio::test]
async fn nothing_is_asked_silently() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let answer = Answer::of(&browser.open(&rp.ask().with("prompt", "none").url()).await);
    assert_eq!(answer.error(), "consent_required", "{}", rule("consent.given"));
}

#[tokio::test]
async fn an_application_that_anybody_could_pose_as_is_never_skipped() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = signed_in(&w, &mut ann).await;
    let redirects = [
        ("https", "https://native.example/cb", false),
        ("loopback4", "http://127.0.0.1/cb", true),
        ("loopback6", "http://[::1]/cb", true),
        ("scheme", "com.example.app:/cb", true),
    ];
    for (id, uri, asked) in redirects {
        let rp = w.rp_with(id, |s| s.redirect_uris = vec![uri.to_owned()]).await;
        let ask: Ask = rp.ask();
        let page = browser.open(&ask.url()).await;
        assert_eq!(page.has("consent-allow"), asked, "{uri}: {}", page.body);
    }
}

both! {
    async fn parallel_first_consents_get_along(db) {
        let w = World::start(db).await;
        let rp = asking(&w, "app").await;
        let mut ann = w.person("ann").await;
        let mut browser = signed_in(&w, &mut ann).await;
        let mut pages = Vec::new();
        for scope in ["openid", "openid email", "openid profile", "openid"] {
            pages.push(browser.open(&rp.ask().with("scope", scope).url()).await);
        }
        let runs: Vec<_> = pages
            .into_iter()
            .map(|page| {
                let mut tab = browser.clone();
                tokio::spawn(async move { decide(&mut tab, &page, "allow").await.code() })
            })
            .collect();
        for run in runs {
            assert!(!run.await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn not_you_leads_to_the_account_chooser() {
    let w = World::sqlite().await;
    let rp = asking(&w, "app").await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut browser = signed_in(&w, &mut ann).await;
    let page = browser.open(&rp.ask().url()).await;
    let sealed = page.sealed().unwrap();
    let choose = browser.get(&format!("/login/choose?request={sealed}")).await;
    assert!(choose.has("choose-current") && choose.has("choose-other"), "{}", choose.body);
    let next = browser.sign_in_with_passkey(&mut bob, Some(&sealed)).await;
    let page = browser.open(&next).await;
    assert!(page.body.contains("bob"), "{}", page.body);
    let answer = decide(&mut browser, &page, "allow").await;
    assert!(answer.params.contains_key("code"));
    assert!(w.audit_rows(&ann, AuditEvent::ConsentGiven).await.is_empty());
    assert_eq!(w.audit_rows(&bob, AuditEvent::ConsentGiven).await.len(), 1);
}
