//! What a stranger learns about names: over sign-in, passkey options and recovery the answers, their lengths, password
//! hashes and statements are the same for names that exist and names that do not, also after a restart.

use std::time::Instant;

use idp_core::passkey::policy::{Mode, Policy};
use idp_core::realm::RelyingParty;
use idp_softkey::Options;
use serde_json::json;

use super::{by_passkey, set_up_totp};
use crate::both;
use crate::world::acts::PASSWORD;
use crate::world::hosts::OLD;
use crate::world::{Browser, Db, Page, World};

/// Names of each kind.
const NAMES: usize = 40;

/// Everything that one answer gives away.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    length: usize,
    headers: Vec<String>,
    /// Name and length.
    cookies: Vec<(String, usize)>,
    hashes: u64,
    statements: u64,
    commits: u64,
}

async fn csrf(browser: &mut Browser) -> String {
    browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned()
}

/// What was seen of an answer, the name in it apart.
fn seen(w: &World, page: &Page, browser: &Browser, before: (u64, u64, u64)) -> Seen {
    let mut headers: Vec<_> = page.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    let cookies = browser.jar.iter().map(|(name, value)| (name.clone(), value.len())).collect();
    let (statements, commits, hashes) = spent(w);
    Seen {
        status: page.status,
        length: page.body.len(),
        headers,
        cookies,
        hashes: hashes - before.2,
        statements: statements - before.0,
        commits: commits - before.1,
    }
}

fn spent(w: &World) -> (u64, u64, u64) {
    (w.statements(), w.commits(), w.app.passwords.hashes())
}

/// One stranger's visit with a name: sign-in page, password, recovery, passkey options, password as JSON.
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
    // Name and address cool down; so that no throttle makes all the same.
    w.clock.advance(3601);
    let before = spent(w);
    let page = browser.json("/login/password", &json!({ "username": name, "password": "a wrong password" })).await;
    assert_eq!(page.status, 401, "{}", page.body);
    all.push(seen(w, &page, &browser, before));
    w.clock.advance(3601);
    all
}

/// Visits each name once, known and unknown ones in turn; the one set of answers they get. What a name costs at its
/// first visit alone would show, too: only a job of the product, once a minute, may do statements of its own meanwhile.
async fn all_alike(w: &World, names: usize, form: fn(&str) -> String) -> Vec<Seen> {
    let begun = Instant::now();
    let mut visits = Vec::new();
    for n in 0..names {
        for kind in ["known", "other"] {
            let name = form(&format!("{kind}{n:02}"));
            visits.push((visit(w, &name).await, name));
        }
    }
    let of = |seen: &Vec<Seen>| visits.iter().filter(|(other, _)| other == seen).count();
    let common = visits.iter().map(|(seen, _)| seen).max_by_key(|seen| of(seen)).unwrap();
    let (mut jobs, minutes) = (0, begun.elapsed().as_secs() / 60);
    for (seen, name) in visits.iter().filter(|(seen, _)| seen != common) {
        for (at, (one, other)) in common.iter().zip(seen).enumerate() {
            let one = Seen { statements: other.statements, commits: other.commits, ..one.clone() };
            assert_eq!(one, *other, "{name}, step {at}");
        }
        jobs += 1;
        assert!(jobs <= 1 + minutes, "{jobs} names are told apart, {name} for one:\n{common:#?}\n{seen:#?}");
    }
    common.clone()
}

/// Somebody of each kind: passkey, password, both with an app, closed.
async fn people(w: &World, names: usize) {
    for n in 0..names {
        let name = format!("known{n:02}");
        match n % 4 {
            0 => drop(w.person(&name).await),
            1 => drop(w.person_with_password(&name, PASSWORD).await),
            2 => {
                let mut person = w.person_with_both(&name, Options::platform()).await;
                let mut browser = by_passkey(w, &mut person).await;
                set_up_totp(w, &mut browser).await;
            }
            _ => {
                let person = w.person_with_password(&name, PASSWORD).await;
                w.disable(&person).await;
            }
        }
    }
}

both! {
    async fn known_and_unknown_names_are_told_apart_by_nothing(db) {
        let mut w = World::queueing(db).await;
        people(&w, NAMES).await;
        let before = all_alike(&w, NAMES, str::to_owned).await;
        let hashes: Vec<_> = before.iter().map(|seen| seen.hashes).collect();
        assert_eq!(hashes, [0, 1, 0, 0, 0, 0, 0, 1], "one hash for a password");
        w.stop().await;
        let again = w.again_queueing().await;
        again.clock.advance(400 * 3601);
        let after = all_alike(&again, NAMES, str::to_owned).await;
        let plain = |all: Vec<Seen>| -> Vec<_> {
            all.into_iter().map(|s| (s.status, s.hashes, s.statements, s.commits)).collect()
        };
        assert_eq!(plain(before), plain(after), "and after a restart");
    }
}

#[tokio::test]
async fn neither_are_addresses() {
    let w = World::queueing(Db::Sqlite).await;
    people(&w, NAMES / 2).await;
    all_alike(&w, NAMES / 2, |name| format!("{name}@example.org")).await;
}

#[tokio::test]
async fn nor_where_groups_have_policies_of_their_own_and_the_realm_a_second_rp_id() {
    let mut w = World::queueing(Db::Sqlite).await;
    let (issuer, old) = (RelyingParty::alone(&w.issuer), w.party(OLD));
    w.serve_at(vec![old.clone()]).await;
    for n in 0..NAMES / 4 {
        let person = w.person(&format!("known{n:02}")).await;
        w.join(&person, &[["staff", "guests"][n % 2]]).await;
    }
    w.serve_at(vec![issuer, old]).await;
    for n in NAMES / 4..NAMES / 2 {
        let person = w.person_with_both(&format!("known{n:02}"), Options::platform()).await;
        w.join(&person, &[["staff", "guests"][n % 2]]).await;
    }
    w.set_group_policy("staff", 10, Policy { mode: Mode::PasskeyOnly, ..Policy::default() }).await;
    w.set_group_policy("guests", 20, Policy { mode: Mode::PasswordThenPasskey, ..Policy::default() }).await;
    all_alike(&w, NAMES / 2, str::to_owned).await;
}
