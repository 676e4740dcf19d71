//! The mode of an application meets that of the realm: only what both accept lets in, for all pairs of modes.

use idp_core::credential::totp::TotpSecret;
use idp_core::passkey::policy::{Mode, Policy};
use idp_softkey::{Faults, Options};
use serde_json::json;

use crate::factors::{by_password, set_up_totp};
use crate::world::acts::{PASSWORD, refused};
use crate::world::{Browser, Page, Person, Rp, World};

/// The columns of the table of modes for somebody with a passkey: it alone; the password alone; both; the password and
/// a one-time password. Written from the table in words, not from the code.
type Accepts = [bool; 4];

const TABLE: [(Mode, Accepts); 5] = [
    (Mode::PasskeyOnly, [true, false, true, false]),
    (Mode::PasskeyFirst, [true, false, true, true]),
    (Mode::PasswordThenPasskey, [false, false, true, false]),
    (Mode::PasskeyThenSecondFactor, [false, false, true, false]),
    (Mode::Optional, [true, true, true, true]),
];

/// Somebody with a password and a passkey, and somebody with an authenticator app too.
struct Stage {
    w: World,
    ann: Person,
    bob: Person,
    app: TotpSecret,
}

async fn stage() -> Stage {
    let w = World::sqlite().await;
    let mut bob = w.person_with_password("bob", PASSWORD).await;
    let app = set_up_totp(&w, &mut by_password(&w, &bob).await).await;
    w.add_passkey(&mut bob, Options::platform()).await;
    let ann = w.person_with_both("ann", Options::platform()).await;
    Stage { w, ann, bob, app }
}

/// Whether a page leads to the application with a code.
fn done(page: &Page) -> bool {
    page.next().is_some_and(|next| next.contains("code="))
}

/// Uses the passkey for the request on a page; what follows.
async fn passkey(browser: &mut Browser, page: &Page, person: &mut Person) -> Page {
    let request = page.sealed();
    let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": request })).await.value();
    let credential = person.keys[0].get_with(&begun, &browser.origin, &Faults::default());
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    let answer = browser.json("/webauthn/authenticate", &body).await;
    if answer.status != 200 {
        assert_eq!(answer.verdict(), refused(403, "policy_refused"));
        return answer;
    }
    browser.open(answer.value()["next"].as_str().unwrap()).await
}

/// What each combination leads to at an application: whether there is a code.
async fn found(s: &mut Stage, rp: &Rp) -> Accepts {
    let (mut browser, url) = (s.w.browser(), rp.ask().url());
    let start = browser.open(&url).await;
    let mut other = browser.clone();
    let passkey_alone = done(&passkey(&mut browser, &start, &mut s.ann).await);

    let after_password = other.type_password(&start, &s.ann).await;
    let password_alone = done(&after_password);
    // In the order that the pages ask for, also where the password was refused before.
    let mut page = if after_password.status == 200 { after_password } else { start };
    if !password_alone {
        page = passkey(&mut other, &page, &mut s.ann).await;
    }
    if !done(&page) {
        page = other.type_password(&page, &s.ann).await;
    }
    let both = done(&page);

    let mut browser = s.w.browser();
    let page = browser.open(&url).await;
    let page = browser.type_password(&page, &s.bob).await;
    assert!(!done(&page), "whoever has an app is asked for more than the password");
    let page = browser.type_code(&page, &s.app.code(s.w.clock.now())).await;
    [passkey_alone, password_alone, both, page.is_some_and(|page| done(&page))]
}

#[tokio::test]
async fn only_what_both_accept_lets_in() {
    let mut s = stage().await;
    for (realm, by_realm) in TABLE {
        for (client, by_client) in TABLE {
            s.w.clock.advance(60);
            s.w.set_policy(Policy { mode: realm, ..Policy::default() }).await;
            let name = |mode: Mode| serde_json::to_value(mode).unwrap().as_str().unwrap().to_owned();
            let rp = s.w.rp(&format!("{}-{}", name(realm), name(client)).replace('_', "-")).await;
            s.w.set_demands(&rp, &[("mode", &name(client))]).await;
            let expected: Vec<bool> = by_realm.iter().zip(by_client).map(|(one, other)| *one && other).collect();
            assert_eq!(found(&mut s, &rp).await.to_vec(), expected, "{realm:?} and {client:?}");
        }
    }
}
