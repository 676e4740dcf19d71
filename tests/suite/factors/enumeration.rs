//! What a stranger learns about names: over sign-in, passkey options and recovery the answers, their lengths, password
//! hashes and statements are the same for names that exist and names that do not, also after a restart.

use idp_softkey::Options;
use serde_json::json;

use super::{by_passkey, set_up_totp};
use crate::both;
use crate::world::acts::PASSWORD;
use crate::world::{Browser, Page, World};

/// Names of each kind.
const NAMES: usize = 40;

/// Everything that one answer gives away.
type Seen = (u16, usize, Vec<String>, Vec<(String, usize)>, u64, u64, u64);

async fn csrf(browser: &mut Browser) -> String {
    browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned()
}

/// What was seen of an answer, the name in it apart.
fn seen(w: &World, page: &Page, browser: &Browser, before: (u64, u64, u64)) -> Seen {
    let mut headers: Vec<_> = page.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    let cookies = browser.jar.iter().map(|(name, value)| (name.clone(), value.len())).collect();
    let (statements, commits, hashes) = spent(w);
    let spent = (statements - before.0, commits - before.1, hashes - before.2);
    (page.status, page.body.len(), headers, cookies, spent.0, spent.1, spent.2)
}

fn spent(w: &World) -> (u64, u64, u64) {
    (w.statements(), w.commits(), w.app.passwords.hashes())
}

/// One stranger's visit with a name: sign-in page, password, passkey options, recovery.
async fn visit(w: &World, name: &str) -> Vec<Seen> {
    let mut browser = w.browser();
    browser.get("/login?switch=1").await;
    let token = csrf(&mut browser).await;
    let mut all = Vec::new();
    let posts: [(&str, Vec<(&str, &str)>); 5] = [
        ("/login", vec![("username", name)]),
        ("/login/password", vec![("username", name), ("password", "a wrong password")]),
        ("/login/recovery", vec![("username", name)]),
        ("/login/recovery/prove", vec![("email_code", "12345678"), ("recovery_code", "")]),
        ("/login/recovery/prove", vec![("email_code", "12345678"), ("recovery_code", "0000-0000-0000-0000")]),
    ];
    for (path, mut fields) in posts {
        fields.push(("csrf", &token));
        let before = spent(w);
        let page = browser.post(path, &fields).await;
        all.push(seen(w, &page, &browser, before));
    }
    let before = spent(w);
    let page = browser.get("/login/recovery").await;
    all.push(seen(w, &page, &browser, before));
    let before = spent(w);
    let page = browser.json("/webauthn/authenticate/options", &json!({ "username": name })).await;
    assert_eq!(page.value()["publicKey"]["allowCredentials"], json!([]), "{name}");
    all.push(seen(w, &page, &browser, before));
    all
}

/// Visits with every name, known and unknown ones in turn; one distinct set of answers.
async fn all_alike(w: &World) -> Vec<Seen> {
    let mut first: Option<Vec<Seen>> = None;
    for n in 0..NAMES {
        for kind in ["known", "other"] {
            let name = format!("{kind}{n:02}");
            let mut visited = visit(w, &name).await;
            // On a slow machine a job of the product may do its own statements meanwhile: what a name costs, it costs
            // each time.
            for _ in 0..2 {
                w.clock.advance(3601);
                if first.as_ref().is_none_or(|first| *first == visited) {
                    break;
                }
                visited = visit(w, &name).await;
            }
            match &first {
                None => first = Some(visited),
                Some(first) => {
                    for (at, (one, other)) in first.iter().zip(&visited).enumerate() {
                        assert_eq!(one, other, "{name}, step {at}");
                    }
                }
            }
            // The address cools down, so that a throttle does not make all the same.
            w.clock.advance(3601);
        }
    }
    first.unwrap()
}

both! {
    async fn known_and_unknown_names_are_told_apart_by_nothing(db) {
        let mut w = World::queueing(db).await;
        for n in 0..NAMES {
            // Of every kind: passkey, password, both with an app, locked.
            let name = format!("known{n:02}");
            match n % 4 {
                0 => drop(w.person(&name).await),
                1 => drop(w.person_with_password(&name, PASSWORD).await),
                2 => {
                    let mut person = w.person_with_both(&name, Options::platform()).await;
                    let mut browser = by_passkey(&w, &mut person).await;
                    set_up_totp(&w, &mut browser).await;
                }
                _ => {
                    let person = w.person_with_password(&name, PASSWORD).await;
                    w.disable(&person).await;
                }
            }
        }
        let before = all_alike(&w).await;
        assert_eq!(before.iter().map(|seen| seen.6).collect::<Vec<_>>(), [0, 1, 0, 0, 0, 0, 0], "one hash, of the password");
        w.stop().await;
        let again = w.again_queueing().await;
        again.clock.advance(200 * 3601);
        let after = all_alike(&again).await;
        let plain = |all: Vec<Seen>| -> Vec<_> { all.into_iter().map(|s| (s.0, s.4, s.5, s.6)).collect() };
        assert_eq!(plain(before), plain(after), "and after a restart");
    }
}
