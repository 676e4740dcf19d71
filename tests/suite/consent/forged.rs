//! Consent forms that were changed on their way, come from elsewhere, or speak in markup.

use idp_core::client::ConsentMode;
use idp_softkey::{Faults, Options};

use crate::world::acts::refused;
use crate::world::{Browser, Page, Person, Rp, World, encode};

struct Stage {
    w: World,
    rp: Rp,
    ann: Person,
    browser: Browser,
    page: Page,
}

/// Ann before the consent page of an application.
async fn stage() -> Stage {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.consent = ConsentMode::Ask).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    let page = browser.open(&rp.ask().url()).await;
    assert!(page.has("consent-allow"));
    Stage { w, rp, ann, browser, page }
}

fn field(page: &Page, name: &str) -> String {
    page.form("/consent").into_iter().find(|(n, _)| n == name).unwrap().1
}

#[tokio::test]
async fn a_request_that_was_changed_is_refused() {
    let mut s = stage().await;
    let (csrf, sealed) = (field(&s.page, "csrf"), field(&s.page, "request"));
    let ceremony = s.browser.begin_sign_in().await["ceremony"].as_str().unwrap().to_owned();
    let mut bad = vec![String::new(), "x".to_owned(), format!("{sealed}A"), sealed[..40].to_owned(), ceremony];
    for at in [0, 10, sealed.len() / 2, sealed.len() - 1] {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(bytes).unwrap());
    }
    for request in &bad {
        for (path, decision) in
            [("/consent", "allow"), ("/consent", "deny"), ("/login/cancel", ""), ("/login/continue", "")]
        {
            let fields = [("csrf", csrf.as_str()), ("request", request), ("decision", decision)];
            let answer = s.browser.post(path, &fields).await;
            assert_eq!(answer.verdict(), refused(400, "request_invalid"), "{path}: {request}");
            assert_eq!(answer.next(), None, "nowhere to go");
        }
        for path in ["/consent", "/authorize/resume", "/login", "/login/second-factor", "/login/choose"] {
            let query = encode(&[("request", request)]);
            let answer = s.browser.get(&format!("{path}?{query}")).await;
            if !(request.is_empty() && path.starts_with("/login") && !path.ends_with("choose")) {
                assert_eq!(answer.verdict(), refused(400, "request_invalid"), "{path}: {request}");
            }
            assert!(answer.location().is_none_or(|l| l.starts_with('/')), "{path}: {request}");
        }
    }
}

#[tokio::test]
async fn parameters_beside_the_sealed_request_change_nothing() {
    let mut s = stage().await;
    let more = [
        ("redirect_uri", "https://evil.example/cb"),
        ("client_id", "other"),
        ("scope", "openid email"),
        ("state", "evil"),
        ("decision", "allow"),
    ];
    let page = s.browser.submit(&s.page, "/consent", &more).await;
    let next = page.next().unwrap();
    assert!(next.starts_with(s.rp.redirect_uri()), "{next}");
    assert!(!page.body.contains("evil"), "{}", page.body);
}

#[tokio::test]
async fn a_redirect_that_is_no_longer_registered_is_refused_even_here() {
    use idp_core::audit::AuditEvent;
    use idp_store::clients::{ClientUpdated, UpdateClient};
    let mut s = stage().await;
    let mut client = s.rp.client.clone();
    let seen = client.updated;
    client.settings.redirect_uris = vec!["https://app.example/new".to_owned()];
    client.updated = s.w.clock.now().plus_s(1);
    let op = UpdateClient { realm: s.w.realm, client, seen, audit: s.w.audit(AuditEvent::ClientChanged) };
    assert_eq!(s.w.app.store.write(op).await.unwrap(), ClientUpdated::Updated);
    for decision in ["allow", "deny"] {
        let answer = s.browser.submit(&s.page, "/consent", &[("decision", decision)]).await;
        assert_eq!((answer.status, answer.next()), (400, None), "{}", answer.body);
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let mut s = stage().await;
    let sealed = field(&s.page, "request");
    for csrf in ["", "x", &"A".repeat(43)] {
        let fields = [("csrf", csrf), ("request", sealed.as_str()), ("decision", "allow")];
        assert_eq!(s.browser.post("/consent", &fields).await.verdict(), refused(403, "csrf_mismatch"));
    }
    let csrf = field(&s.page, "csrf");
    let body = encode(&[("csrf", &csrf), ("request", &sealed), ("decision", "allow")]);
    let request = s.browser.request(reqwest::Method::POST, "/consent").header("origin", "https://evil.example");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(s.browser.send(request).await.verdict(), refused(403, "origin_mismatch"));
    // A decision is one of two words.
    for decision in ["", "ALLOW", "yes"] {
        let answer = s.browser.submit(&s.page, "/consent", &[("decision", decision)]).await;
        assert_eq!(answer.verdict(), refused(400, "decision_missing"), "{decision}");
    }
    assert!(s.browser.open(&s.rp.ask().url()).await.has("consent-allow"), "nothing was agreed to");
}

#[tokio::test]
async fn whoever_is_not_signed_in_agrees_to_nothing() {
    let mut s = stage().await;
    let sealed = field(&s.page, "request");
    let mut stranger = s.w.browser();
    stranger.get("/login").await;
    let csrf = stranger.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let answer = stranger.post("/consent", &[("csrf", &csrf), ("request", &sealed), ("decision", "allow")]).await;
    assert!(answer.next().unwrap().starts_with("/login?"), "{}", answer.body);
    s.w.disable(&s.ann).await;
    let answer = s.browser.submit(&s.page, "/consent", &[("decision", "allow")]).await;
    assert!(answer.next().unwrap().starts_with("/login?"), "{}", answer.body);
}

#[tokio::test]
async fn markup_in_names_is_inert_on_every_page() {
    const MARKUP: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}";
    let w = World::sqlite().await;
    let rp = w
        .rp_with("app", |s| {
            s.consent = ConsentMode::Ask;
            s.name = MARKUP.to_owned();
            s.policy_uri = Some("javascript:alert(3)".to_owned());
            s.tos_uri = Some("data:text/html,x".to_owned());
        })
        .await;
    let mut realm = w.realm().await;
    realm.display_name = MARKUP.to_owned();
    let audit = w.audit(idp_core::audit::AuditEvent::RealmChanged);
    w.app.store.write(idp_store::realms::UpdateRealm { realm, audit }).await.unwrap();
    let mut ann = w.account(MARKUP, Some(crate::world::acts::PASSWORD)).await;
    w.add_passkey(&mut ann, Options::platform()).await;
    w.add_passkey(&mut ann, Options::synced()).await;

    let mut browser = w.browser();
    let mut pages = vec![browser.open(&rp.ask().url()).await];
    let sealed = pages[0].sealed().unwrap();
    pages.push(browser.submit(&pages[0].clone(), "/login", &[("username", MARKUP)]).await);
    pages.push(browser.try_password(MARKUP, "wrong").await);
    let page = browser.try_password(MARKUP, crate::world::acts::PASSWORD).await;
    pages.push(browser.follow(page).await);
    browser.sign_in_with_passkey(&mut ann, Some(&sealed)).await;
    pages.push(browser.open(&rp.ask().url()).await);
    pages.push(browser.get(&format!("/login/choose?request={sealed}")).await);
    let id = idp_core::encoding::base64url(&ann.keys[0].credential_id);
    let security = browser.get("/account/security").await;
    browser.submit(&security, "/account/security/rename", &[("passkey", &id), ("name", MARKUP)]).await;
    pages.push(browser.get(&format!("/account/security?renamed={id}")).await);
    pages.push(browser.get(&format!("/account/security/remove?passkey={id}")).await);
    pages.push(browser.get(&format!("/setup?token={}", w.access_pass(&ann).await)).await);
    pages.push(browser.get("/logout").await);
    pages.push(browser.get(&format!("/authorize?{}", encode(&[("client_id", MARKUP)]))).await);
    pages.push(browser.get(&format!("/{MARKUP}")).await);
    for (at, page) in pages.iter().enumerate() {
        let scripts = page.body.matches("<script").count();
        let own = page.body.matches("<script type=\"module\" src=\"/assets/").count()
            + page.body.matches("<script src=\"/assets/").count();
        assert_eq!(scripts, own, "page {at}: {}", page.body);
        assert!(!page.body.contains("<img src=x") && !page.body.contains("javascript:"), "page {at}: {}", page.body);
        assert!(!page.body.contains("data:text"), "page {at}");
        assert!(!page.body.contains("49<") && !page.body.contains(">49"), "page {at}: no template in a name");
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"), "page {at}");
    }
}
