//! Simulation says of each person at each application what then happens when the policy is applied: compared over HTTP.

use std::pin::Pin;

use idp_core::credential::totp::TotpSecret;
use idp_core::passkey::policy::{ClientPolicy, GroupPolicy, Mode, Policy};
use idp_core::passkey::simulate::{Affected, Change, Demands, Outcome};
use idp_core::realm::Realm;
use idp_softkey::{Faults, Maker, Options};
use serde_json::json;

use super::attestation::{MODEL, MODEL_TEXT, attested, publish, world};
use crate::factors::{by_password, set_up_totp};
use crate::world::acts::{PASSWORD, STAFF};
use crate::world::hosts::{NEW, OLD};
use crate::world::{Browser, Db, Page, Person, Rp, World};

/// A policy under which everybody gets in.
const LENIENT: &[(&str, &str)] = &[
    ("user_verification", "discouraged"),
    ("resident_key", "discouraged"),
    ("enrolment_requires", "any"),
    ("attestation", "direct"),
];

type Fields = &'static [(&'static str, &'static str)];

/// What the realm's policy becomes, and what the application `vault` demands from then on.
const CASES: &[(Fields, Fields)] = &[
    (&[("mode", "passkey_only")], &[("allowed_types", "security_key")]),
    (&[("mode", "password_then_passkey")], &[("deny_synced", "true")]),
    (&[("mode", "password_then_passkey"), ("enrolment_requires", "access_pass")], &[("minimum_acr", "phrh")]),
    (&[("mode", "passkey_then_second_factor")], &[("minimum_acr", "aal2")]),
    (&[("allowed_types", "security_key")], &[("attestation_trust", "mds")]),
    (&[("deny_synced", "true"), ("mode", "passkey_only")], &[("minimum_acr", "phr")]),
    (
        &[("user_verification", "security_key:required,device:discouraged,phone:discouraged")],
        &[("mode", "passkey_then_second_factor")],
    ),
    (&[("allow_login", "false")], &[("mode", "password_then_passkey")]),
    (&[("allow_second_factor", "false"), ("mode", "passkey_only")], &[]),
    (&[("enabled", "false")], &[]),
    (&[("enrolment", "required:0")], &[("user_verification", "required")]),
    (&[("enrolment", "required:0"), ("enrolment_requires", "confirmed")], &[("aaguid_allow", MODEL_TEXT)]),
    (&[("enrolment", "required:5")], &[("mode", "passkey_only")]),
    (&[("attestation_trust", "mds")], &[("mds_min_certification", "FIDO_CERTIFIED_L1")]),
    (&[("mds_refuse_status", "UPDATE_AVAILABLE")], &[("minimum_acr", "https://refeds.org/profile/mfa")]),
];

/// Somebody with what they have.
struct Somebody {
    person: Person,
    app: Option<TotpSecret>,
    /// The passkey is of the host that was before.
    moved: bool,
}

async fn everybody(w: &mut World, maker: &Maker) -> Vec<Somebody> {
    let unverified = Options { uv: false, ..Options::security_key() };
    w.serve_at(vec![w.party(OLD)]).await;
    let mut all = Vec::new();
    let host = |name: &str| name == "moved";
    for (name, password, app, keys) in [
        ("moved", false, false, vec![Options::platform()]),
        ("word", true, false, vec![]),
        ("app", true, true, vec![]),
        ("app-cloud", true, true, vec![Options::synced()]),
        ("key", false, false, vec![Options::security_key()]),
        ("model", false, false, vec![attested(maker)]),
        ("model-word", true, false, vec![attested(maker)]),
        ("phone", true, false, vec![Options::phone()]),
        ("u2f", false, false, vec![unverified.clone()]),
        ("spare", false, false, vec![Options::synced(), unverified]),
        (STAFF, true, false, vec![Options::synced()]),
    ] {
        let mut person = w.account(name, password.then_some(PASSWORD)).await;
        let app = match app {
            true => Some(set_up_totp(w, &mut by_password(w, &person).await).await),
            false => None,
        };
        for options in keys {
            w.add_passkey(&mut person, options).await;
        }
        if host(name) {
            w.serve_at(vec![w.party(NEW), w.party(OLD)]).await;
        }
        all.push(Somebody { person, app, moved: host(name) });
    }
    // The apps are old enough to confirm who makes a first passkey.
    w.clock.advance(2 * 86_400);
    w.join(&all.last().unwrap().person, &[STAFF]).await;
    all
}

/// How far somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    Out,
    /// To a page where a passkey is made.
    Enrols,
    In,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Factor {
    Passkey(usize),
    Password,
    Code,
}

/// Gives a factor for the request on a page, if it is taken; what follows.
async fn give(w: &World, who: &mut Somebody, (browser, page): (&mut Browser, &Page), factor: Factor) -> Option<Page> {
    let answer = match factor {
        Factor::Password => {
            let answer = browser.type_password(page, &who.person).await;
            return (answer.status < 400).then_some(answer);
        }
        Factor::Code => {
            let code = who.app.as_ref()?.code(w.clock.now());
            let answer = browser.type_code(page, &code).await?;
            // The next one is another code.
            w.clock.advance(31);
            return (answer.status < 400).then_some(answer);
        }
        Factor::Passkey(at) if who.moved => {
            let link = page.link_to(&format!("data-elsewhere=\"{OLD}\""))?;
            let mut there = w.browser_at(OLD);
            let away = there.get(&link).await;
            let begun = there.begin_away(&away).await;
            let begun = (begun.status == 200).then(|| begun.value())?;
            let body = there.assertion(&mut who.person.keys[at], &begun, away.sealed().as_deref());
            there.json("/webauthn/authenticate", &body).await
        }
        Factor::Passkey(at) => {
            let request = page.sealed();
            let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": request })).await;
            let begun = (begun.status == 200).then(|| begun.value())?;
            let credential = who.person.keys[at].get_with(&begun, &browser.origin, &Faults::default());
            let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
            browser.json("/webauthn/authenticate", &body).await
        }
    };
    let next = (answer.status == 200).then(|| answer.value()["next"].as_str().unwrap().to_owned())?;
    Some(browser.open(&next).await)
}

/// The furthest that somebody comes from a page, by the factors that were not given yet, in whatever order.
fn furthest<'a>(
    w: &'a World,
    who: &'a mut Somebody,
    (mut browser, page): (Browser, Page),
    left: Vec<Factor>,
) -> Pin<Box<dyn Future<Output = Came> + 'a>> {
    Box::pin(async move {
        if let Some(next) = page.next() {
            return if next.contains("code=") { Came::In } else { Came::Out };
        }
        if page.has("enrol-later") {
            let page = browser.submit(&page, "/login/enrol/later", &[]).await;
            let page = browser.follow(page).await;
            return furthest(w, who, (browser, page), left).await;
        }
        let mut best = Came::Out;
        if page.has("passkey-create") {
            let body = json!({ "request": page.sealed() });
            assert_eq!(browser.clone().json("/webauthn/register/options", &body).await.status, 200, "{}", page.body);
            best = Came::Enrols;
        }
        for factor in &left {
            let mut browser = browser.clone();
            if let Some(page) = give(w, who, (&mut browser, &page), *factor).await {
                let left = left.iter().copied().filter(|other| other != factor).collect();
                best = best.max(furthest(w, who, (browser, page), left).await);
            }
            if best == Came::In {
                break;
            }
        }
        best
    })
}

async fn comes(w: &World, who: &mut Somebody, rp: &Rp) -> Came {
    let mut left: Vec<Factor> = (0..who.person.keys.len()).map(Factor::Passkey).collect();
    left.extend(who.person.password.is_some().then_some(Factor::Password));
    left.extend(who.app.is_some().then_some(Factor::Code));
    let mut browser = w.browser();
    let page = browser.open(&rp.ask().url()).await;
    furthest(w, who, (browser, page), left).await
}

/// Simulates, as the command does: by pages.
async fn simulate(w: &World, next: &Realm, vault: &Rp, demands: &ClientPolicy) -> Outcome {
    let now = w.realm().await;
    let clients = [Demands { client: &vault.client, next: demands.clone() }];
    let change = Change { now: &now, next, clients: &clients, at: w.clock.now() };
    let (mut outcome, mut after) = (Outcome::default(), None);
    loop {
        let page = w.app.store.list_holders(w.realm, after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { return outcome };
        after = Some(last.account.id);
        page.iter().for_each(|holder| outcome.judge(change, holder));
    }
}

/// What a simulation says of somebody, at the application with demands or at any other. What happens everywhere is not
/// said again of the application.
fn said(outcome: &Outcome, who: &Somebody, vault: bool) -> Came {
    let named = |of: &[Affected], everywhere| {
        of.iter().any(|one| one.username == who.person.username && one.client.is_none() == everywhere)
    };
    let at = |everywhere| match () {
        () if named(&outcome.locked_out, everywhere) => Came::Out,
        () if named(&outcome.must_enrol, everywhere) => Came::Enrols,
        () => Came::In,
    };
    if vault { at(true).min(at(false)) } else { at(true) }
}

/// The realm as a case makes it: its policy, and a stricter one of a group where passkeys sign in.
fn changed(before: &Realm, fields: Fields) -> Realm {
    let mut policy = Policy::clone(&before.policy);
    fields.iter().for_each(|(name, value)| policy.set(name, value).unwrap());
    assert_eq!(policy.check(), [], "{fields:?}");
    let mut next = before.clone();
    if policy.enabled && policy.allow_login {
        let strict = Policy { deny_synced: true, mode: Mode::PasskeyOnly, ..policy.clone() };
        next.group_policies = vec![GroupPolicy { group: STAFF.to_owned(), priority: 1, policy: strict.into() }];
    }
    next.policy = policy.into();
    next
}

#[tokio::test]
async fn says_of_everybody_what_then_happens() {
    let maker = Maker::new("Maker");
    let mut w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &["UPDATE_AVAILABLE", "FIDO_CERTIFIED_L1"])]).await;
    w.policy_fields(LENIENT).await;
    let mut all = everybody(&mut w, &maker).await;
    let (wiki, vault) = (w.rp("wiki").await, w.rp("vault").await);
    for who in &mut all {
        let found = (comes(&w, who, &wiki).await, comes(&w, who, &vault).await);
        assert_eq!(found, (Came::In, Came::In), "{} before", who.person.username);
    }
    let before = w.realm().await;
    let mut seen = [0; 3];
    for (fields, demanded) in CASES {
        let next = changed(&before, fields);
        let mut demands = ClientPolicy::default();
        demanded.iter().for_each(|(name, value)| demands.set(name, value).unwrap());
        let outcome = simulate(&w, &next, &vault, &demands).await;
        assert_eq!(outcome.accounts, all.len());
        // What only the next use can tell is said to be uncertain: these keys never verified anybody.
        let doubtful: Vec<_> = outcome.locked_out.iter().filter(|who| !who.certain).map(|who| &*who.username).collect();
        assert!(doubtful.iter().all(|name| ["u2f", "spare"].contains(name)), "{fields:?}: {doubtful:?}");

        w.set_policy(Policy::clone(&next.policy)).await;
        for of in &next.group_policies {
            w.set_group_policy(&of.group, of.priority, Policy::clone(&of.policy)).await;
        }
        w.set_demands(&vault, demanded).await;
        for who in &mut all {
            for (rp, at_vault) in [(&wiki, false), (&vault, true)] {
                let found = comes(&w, who, rp).await;
                let name = &who.person.username;
                assert_eq!(said(&outcome, who, at_vault), found, "{name} at {}: {fields:?} {demanded:?}", rp.id());
                seen[found as usize] += 1;
            }
        }
        w.set_demands(&vault, &[]).await;
        w.policy_fields(LENIENT).await;
        for of in &next.group_policies {
            w.unset_group_policy(&of.group).await;
        }
        // Throttles forget.
        w.clock.advance(3600);
    }
    assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
}
