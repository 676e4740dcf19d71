//! A client that only some groups may use (`allowed_groups`).

use idp_core::audit::AuditEvent;
use idp_core::client::ConsentMode;
use idp_store::groups::{AddMember, CreateGroup, Group, Membership};

use crate::rules::rule;
use crate::world::{Answer, Person, World};

async fn put_into(w: &World, group: &str, person: &Person) {
    let (realm, name, created) = (w.realm, group.to_owned(), w.clock.now());
    let group = Group { name: name.clone(), display_name: name.clone(), created };
    assert!(w.app.store.write(CreateGroup { realm, group, audit: w.audit(AuditEvent::GroupCreated) }).await.unwrap());
    let op = AddMember { realm, group: name, account: person.id, audit: w.audit(AuditEvent::GroupChanged) };
    assert_eq!(w.app.store.write(op).await.unwrap(), Membership::Done);
}

#[tokio::test]
async fn whoever_is_outside_is_refused_once_and_told_to_the_client() {
    let w = World::sqlite().await;
    let rp = w
        .rp_with("app", |s| (s.allowed_groups, s.consent) = (vec!["staff".into(), "it".into()], ConsentMode::Ask))
        .await;
    let mut ann = w.person("ann").await;
    put_into(&w, "guests", &ann).await;
    let mut browser = w.browser();
    // Before signing in nobody is refused.
    let page = browser.open(&rp.ask().url()).await;
    assert!(page.has("login-submit"), "{}", page.body);
    let silent = rp.ask().with("prompt", "none");
    assert_eq!(Answer::of(&browser.get(&silent.url()).await).error(), "login_required");
    let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
    let sealed = page.sealed().unwrap();
    let pages = [next, format!("/login?request={sealed}"), format!("/consent?request={sealed}"), rp.ask().url()];
    for path in pages.into_iter().chain([silent.url(), format!("/login/second-factor?request={sealed}")]) {
        let answer = Answer::of(&browser.open(&path).await);
        assert_eq!(answer.error(), "access_denied", "{}: {path}", rule("client.groups"));
        assert_eq!(answer.params.get("code"), None);
    }
    // Another account can still be chosen where the request wants that.
    let page = browser.open(&rp.ask().with("prompt", "select_account").url()).await;
    assert_eq!((page.status, page.next()), (200, None));
    put_into(&w, "it", &ann).await;
    assert!(browser.open(&rp.ask().url()).await.has("consent-allow"));
    assert_eq!(Answer::of(&browser.get(&silent.url()).await).error(), "consent_required");
}
