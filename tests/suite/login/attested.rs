//! Applications that take attested security keys alone: whoever has none is told so, makes one and gets in.

use idp_core::passkey::policy::Policy;
use idp_softkey::{Attestation, Faults, Maker, Options, SoftKey};
use serde_json::json;

use crate::webauthn::attestation::{MODEL, attested, publish, world};
use crate::world::acts::{Verdict, key, refused};
use crate::world::{Ask, Browser, Db, Page, Person, Rp, Tokens, World};

/// A realm that asks for attestation, an application with demands, somebody with a synced passkey, and a maker.
async fn stage(demands: &[(&str, &str)]) -> (World, Rp, Person, Maker) {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
    w.policy(|p: &mut Policy| p.set("attestation", "direct").unwrap()).await;
    let rp = w.rp("vault").await;
    w.set_demands(&rp, demands).await;
    let ann = w.person_with_key("ann", Options::synced()).await;
    (w, rp, ann, maker)
}

/// Signs in with the synced passkey for a request; the page that follows.
async fn led(browser: &mut Browser, ann: &mut Person, ask: &Ask) -> Page {
    let page = browser.open(&ask.url()).await;
    let next = browser.sign_in_with_passkey(ann, page.sealed().as_deref()).await;
    let page = browser.open(&next).await;
    assert!(page.has("passkey-create") && !page.has("enrol-later"), "{}", page.body);
    page
}

/// Makes a passkey on the page, as the button for security keys does.
async fn make(browser: &mut Browser, page: &Page, key: &mut SoftKey) -> Page {
    let request = page.sealed();
    let body = json!({ "kind": "security-key", "request": request });
    let begun = browser.json("/webauthn/register/options", &body).await.value();
    assert_eq!(begun["publicKey"]["attestation"], "direct");
    let credential = key.create_with(&begun, &browser.origin, &Faults::default());
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    browser.json("/webauthn/register", &body).await
}

/// Signs in with what was just made; the page that follows.
async fn use_it(browser: &mut Browser, made: &Page, key: &mut SoftKey) -> Page {
    assert_eq!(made.status, 201, "{}", made.body);
    let page = browser.open(made.value()["next"].as_str().unwrap()).await;
    assert!(page.has("passkey-login"), "{}", page.body);
    let answer = browser.use_passkey(key, page.sealed().as_deref()).await;
    assert_eq!(answer.stand(), "complete");
    browser.open(answer.value()["next"].as_str().unwrap()).await
}

async fn tokens(w: &World, rp: &Rp, ask: &Ask, page: &Page) -> Tokens {
    let code = crate::world::Answer::of(page).code();
    let answer = rp.redeem(w, ask, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    w.accept(rp, ask, &code, &answer).await
}

fn unattested(maker: &Maker) -> [(Options, Verdict); 3] {
    let claims = |attestation| Options { attestation, ..attested(maker) };
    let no = refused(403, "not_attested");
    [
        (claims(Attestation::None), no.clone()),
        (claims(Attestation::PackedSelf), no.clone()),
        (attested(&Maker::new("Somebody")), no),
    ]
}

#[tokio::test]
async fn whoever_has_a_synced_passkey_makes_an_attested_key_and_gets_in() {
    let demands = [("attestation_trust", "mds"), ("allowed_types", "security_key")];
    let (w, rp, mut ann, maker) = stage(&demands).await;
    let (mut browser, ask) = (w.browser(), rp.ask());
    let page = led(&mut browser, &mut ann, &ask).await;
    assert!(page.body.contains("Application vault asks for a passkey of a kind that you do not have"), "{}", page.body);
    assert!(page.body.contains("Application vault only takes security keys."), "{}", page.body);
    assert!(page.body.contains("only takes passkeys whose make is proved"), "{}", page.body);
    assert!(page.body.contains("data-kind=\"security-key\"") && !page.body.contains("data-kind=\"phone\""));
    for (options, verdict) in unattested(&maker) {
        assert_eq!(make(&mut browser, &page, &mut key(options)).await.verdict(), verdict);
    }
    let elsewhere = Options { attachment: Some("platform".to_owned()), ..attested(&maker) };
    assert_eq!(make(&mut browser, &page, &mut key(elsewhere)).await.verdict(), refused(403, "type_not_allowed"));
    let mut genuine = key(attested(&maker));
    let made = make(&mut browser, &page, &mut genuine).await;
    let page = use_it(&mut browser, &made, &mut genuine).await;
    let tokens = tokens(&w, &rp, &ask, &page).await;
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    // The next time it is asked for at once, and does.
    let page = led_again(&w, &mut ann, &rp).await;
    assert!(page.has("passkey-login") && page.body.contains("only takes security keys"), "{}", page.body);
}

/// In a new browser: the passkey that does not do first, and what is asked then.
async fn led_again(w: &World, ann: &mut Person, rp: &Rp) -> Page {
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    let next = browser.sign_in_with_passkey(ann, page.sealed().as_deref()).await;
    browser.open(&next).await
}

#[tokio::test]
async fn a_least_acr_that_needs_hardware_is_reached_by_an_attested_key() {
    let (w, rp, mut ann, maker) = stage(&[("minimum_acr", "phrh")]).await;
    let (mut browser, ask) = (w.browser(), rp.ask());
    let page = led(&mut browser, &mut ann, &ask).await;
    assert!(page.body.contains("only takes passkeys whose make is proved"), "{}", page.body);
    assert!(page.body.contains("takes no passkeys that are synced"), "{}", page.body);
    // One that proves nothing is a good passkey elsewhere, but here it is asked for another one.
    let mut plain = key(Options::security_key());
    let made = make(&mut browser, &page, &mut plain).await;
    let next = browser.open(made.value()["next"].as_str().unwrap()).await;
    assert!(next.has("passkey-create"), "{}", next.body);
    let mut genuine = key(attested(&maker));
    let made = make(&mut browser, &next, &mut genuine).await;
    let page = use_it(&mut browser, &made, &mut genuine).await;
    assert_eq!(tokens(&w, &rp, &ask, &page).await.claims["acr"], "phrh");
}
