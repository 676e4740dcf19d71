//! Each field of the passkey policy lets in what it names and refuses the rest, whoever's policy it is: the realm's, a
//! group's, the demands of a client. `rows` has the fields that judge a passkey, `own` those that no row can say.

mod own;
mod rows;

use std::collections::BTreeSet;

use idp_core::passkey::policy::{DEMANDS, FIELDS, MINIMUM_ACR};
use idp_softkey::{Alg, Faults, Maker, SoftKey};
use serde_json::json;

use super::attestation::{publish, world};
use crate::rules::rule;
use crate::world::acts::{Of, STAFF, Verdict, key, refused};
use crate::world::{Answer, Browser, Db, Page, Person, World, number};
use own::OWN;
use rows::{Row, entries, rows};

/// A policy under which everything registers and signs in.
const LENIENT: &[(&str, &str)] = &[
    ("attestation", "direct"),
    ("user_verification", "discouraged"),
    ("resident_key", "discouraged"),
    ("enrolment_requires", "any"),
    ("max_passkeys", "50"),
];

/// Every row, and a world whose metadata know the models of one maker.
async fn stage() -> (World, Vec<Row>) {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &entries(&maker)).await;
    (w, rows(&maker, &Maker::new("Other")))
}

/// From here on everything registers and signs in, until the row's field is tightened.
async fn lenient(w: &World, row: &Row) {
    if !w.realm().await.group_policies.is_empty() {
        w.unset_group_policy(STAFF).await;
    }
    w.policy_fields(LENIENT).await;
    w.policy(|p| row.around.iter().for_each(|(name, value)| p.set(name, value).unwrap())).await;
}

fn ok(status: u16) -> Verdict {
    refused(status, "")
}

/// Registers by a pass; what became of it.
async fn register(w: &World, person: &Person, mut key: SoftKey) -> Verdict {
    let mut browser = w.browser();
    let begun = browser.begin_with_pass(&w.access_pass(person).await).await;
    if begun.status != 200 {
        return begun.verdict();
    }
    browser.register(&begun.value(), &mut key, &Faults::default()).await.verdict()
}

async fn sign_in(w: &World, key: &mut SoftKey) -> Verdict {
    let mut browser = w.browser();
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await;
    if begun.status != 200 {
        return begun.verdict();
    }
    browser.assert_with(&begun.value(), key, &Faults::default()).await.verdict()
}

#[tokio::test]
async fn at_registration_also_when_it_was_tightened_between_options_and_answer() {
    let (w, rows) = stage().await;
    for (row, of) in rows.iter().flat_map(|row| Of::BOTH.map(|of| (row, of))) {
        let Some(verdict) = row.registration.clone() else { continue };
        let what = format!("{of:?} {}", row.what());
        lenient(&w, row).await;
        let ann = w.account(&format!("ann-{}", number()), None).await;
        w.join(&ann, &[STAFF]).await;
        assert_eq!(register(&w, &ann, key(row.refused.clone())).await, ok(201), "{what}");
        let mut early = w.browser();
        let begun = early.begin_with_pass(&w.access_pass(&ann).await).await.value();
        w.policy_of(of, |p| p.set(row.field, &row.value).unwrap()).await;
        // Where all registration is off, the options say so.
        let said = if row.fits.is_none() { refused(403, "registration_off") } else { verdict.clone() };
        assert_eq!(register(&w, &ann, key(row.refused.clone())).await, said, "{what}");
        let late = early.register(&begun, &mut key(row.refused.clone()), &Faults::default()).await;
        assert_eq!(late.verdict(), verdict, "{what}, begun before");
        if let Some((alg, fits)) = row.fits.clone() {
            assert_eq!(register(&w, &ann, SoftKey::new(alg, fits)).await, ok(201), "{what}");
        }
    }
}

#[tokio::test]
async fn at_sign_in_of_passkeys_registered_before_also_when_it_was_tightened_between_options_and_answer() {
    let (w, rows) = stage().await;
    for (row, of) in rows.iter().flat_map(|row| Of::BOTH.map(|of| (row, of))) {
        let Some(verdict) = row.sign_in.clone() else { continue };
        let what = format!("{of:?} {}", row.what());
        lenient(&w, row).await;
        let mut ann = w.person_with_key(&format!("ann-{}", number()), row.refused.clone()).await;
        if let Some((_, fits)) = row.fits.clone() {
            w.add_passkey(&mut ann, fits).await;
        }
        w.join(&ann, &[STAFF]).await;
        assert_eq!(sign_in(&w, &mut ann.keys[0]).await, ok(200), "{what}");
        let mut early = w.browser();
        let begun = early.begin_sign_in().await;
        w.policy_of(of, |p| p.set(row.field, &row.value).unwrap()).await;
        // The options of strangers are those of everybody: a group's word comes with the answer.
        let off = row.field == "enabled" && of == Of::Realm;
        let said = if off { refused(403, "passkeys_off") } else { verdict.clone() };
        assert_eq!(sign_in(&w, &mut ann.keys[0]).await, said, "{what}");
        let late = early.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
        assert_eq!(late.verdict(), verdict, "{what}, begun before");
        assert_eq!(early.cookie("session"), None);
        if row.fits.is_some() {
            assert_eq!(sign_in(&w, &mut ann.keys[1]).await, ok(200), "{what}");
        }
    }
}

/// Registers in the name of the application whose request is on a page.
async fn register_for(browser: &mut Browser, page: &Page, key: &mut SoftKey) -> Page {
    let request = page.sealed();
    let begun = browser.json("/webauthn/register/options", &json!({ "request": request })).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let credential = key.create_with(&begun.value(), &browser.origin, &Faults::default());
    let body = json!({ "ceremony": begun.value()["ceremony"], "credential": credential, "request": request });
    browser.json("/webauthn/register", &body).await
}

/// What a client demands, of passkeys registered before it did and of those made in its name. Whoever has none that it
/// takes is led to making one, and gets in with it.
#[tokio::test]
async fn as_demands_of_a_client() {
    let (w, rows) = stage().await;
    for row in rows.iter().filter(|row| DEMANDS.contains(&row.field)) {
        let what = row.what();
        lenient(&w, row).await;
        let rp = w.rp(&format!("app-{}", number())).await;
        let (_, fits) = row.fits.clone().unwrap();
        let mut ann = w.person_with_key(&format!("ann-{}", number()), row.refused.clone()).await;
        let mut bob = w.person_with_key(&format!("bob-{}", number()), fits.clone()).await;
        let answer = w.authorize(&mut w.browser(), &mut ann, &rp.ask()).await;
        assert!(answer.params.contains_key("code"), "{what}");
        w.set_demands(&rp, &[(row.field, &row.value)]).await;
        let answer = w.authorize(&mut w.browser(), &mut bob, &rp.ask()).await;
        assert!(answer.params.contains_key("code"), "{what}");

        let mut browser = w.browser();
        let ask = rp.ask();
        let page = browser.open(&ask.url()).await;
        let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
        let page = browser.open(&next).await;
        assert!(page.next().is_none() && page.sealed().is_some(), "{what}: {}", rule("step_up.policy"));
        // Elsewhere it signs in as before.
        assert_eq!(sign_in(&w, &mut ann.keys[0]).await, ok(200), "{what}");
        let made = register_for(&mut browser, &page, &mut key(row.refused.clone())).await;
        assert_eq!(made.verdict(), row.registration.clone().unwrap(), "{what}");
        let mut new = SoftKey::new(Alg::Es256, fits);
        let made = register_for(&mut browser, &page, &mut new).await;
        assert_eq!(made.verdict(), ok(201), "{what}");
        let page = browser.open(made.value()["next"].as_str().unwrap()).await;
        let answer = browser.use_passkey(&mut new, page.sealed().as_deref()).await;
        assert_eq!(answer.stand(), "complete", "{what}");
        let code = Answer::of(&browser.open(answer.value()["next"].as_str().unwrap()).await).code();
        assert_eq!(rp.redeem(&w, &ask, &code).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn as_their_own_functions_say() {
    for ((_, tried), of) in OWN.iter().flat_map(|own| Of::BOTH.map(|of| (own, of))) {
        tried(of).await;
    }
}

#[tokio::test]
async fn algorithms_bind_new_keys_only() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    w.policy(|p| p.set("algorithms", "-8").unwrap()).await;
    assert_eq!(sign_in(&w, &mut ann.keys[0]).await, ok(200));
}

#[tokio::test]
async fn the_hint_of_each_type_leads_there_in_both_ceremonies_and_a_chosen_kind_comes_first() {
    let w = World::sqlite().await;
    let ann = w.account(&format!("ann-{}", number()), None).await;
    let pass = w.access_pass(&ann).await;
    for (hint, kind, other, attachment) in [
        ("client-device", "this-device", "phone", "platform"),
        ("hybrid", "phone", "security-key", "cross-platform"),
        ("security-key", "security-key", "this-device", "cross-platform"),
    ] {
        w.policy_fields(&[("hints", hint)]).await;
        assert_eq!(w.browser().begin_sign_in().await["publicKey"]["hints"], json!([hint]));
        assert_eq!(w.browser().begin_with_pass(&pass).await.value()["publicKey"]["hints"], json!([hint]));
        let begin = async |kind: &str| {
            let body = json!({ "pass": pass, "kind": kind });
            w.browser().json("/webauthn/register/options", &body).await.value()["publicKey"].take()
        };
        let chosen = begin(kind).await;
        assert_eq!(chosen["hints"], json!([hint]));
        assert_eq!(chosen["authenticatorSelection"]["authenticatorAttachment"], attachment);
        assert_ne!(begin(other).await["hints"], json!([hint]), "what the person chose counts");
    }
}

/// The tables above are what is run: a field that is in none of them is tried nowhere.
#[test]
fn every_field_is_tried() {
    let maker = Maker::new("Maker");
    let of_rows = rows(&maker, &maker);
    let in_rows: BTreeSet<&str> = of_rows.iter().map(|row| row.field).collect();
    let tried: BTreeSet<&str> = in_rows.iter().copied().chain(OWN.iter().map(|(field, _)| *field)).collect();
    assert_eq!(tried, FIELDS.iter().map(|field| field.name).collect());
    // `mode` and `minimum_acr` of a client: `login::demands`.
    let of_clients = DEMANDS.iter().filter(|name| !in_rows.contains(**name)).copied();
    assert_eq!(of_clients.collect::<Vec<_>>(), ["mode", MINIMUM_ACR]);
}
