//! Each field of the passkey policy lets in what it names and refuses the rest, also after it was tightened.

use std::collections::BTreeSet;

use idp_core::passkey::policy::{DEMANDS, FIELDS, Policy};
use idp_softkey::{Alg, Faults, Options, SoftKey};
use serde_json::json;

use crate::rules::rule;
use crate::world::acts::{PASSWORD, Verdict, key, refused};
use crate::world::{Person, World};

/// What one field does: the policy around it, an authenticator it lets in, and what a stricter value does to another.
#[derive(Clone)]
struct Row {
    field: &'static str,
    /// Its value and code at registration, and the authenticator refused there.
    registration: Option<(&'static str, Options, Verdict)>,
    /// The same at sign-in, for a passkey that was registered before the policy was tightened.
    sign_in: Option<(&'static str, Options, Verdict)>,
    /// A rule of the table it belongs to.
    rule: &'static str,
}

fn unverified(options: Options) -> Options {
    Options { uv: false, ..options }
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            field: "enabled",
            registration: Some(("false", Options::platform(), refused(403, "registration_off"))),
            sign_in: Some(("false", Options::platform(), refused(403, "passkeys_off"))),
            rule: "passkey.policy.enabled",
        },
        Row {
            field: "allow_registration",
            registration: Some(("false", Options::platform(), refused(403, "registration_off"))),
            sign_in: None,
            rule: "passkey.policy.allow_registration",
        },
        Row {
            field: "allow_login",
            registration: None,
            sign_in: Some(("false", Options::platform(), refused(403, "login_disabled"))),
            rule: "passkey.policy.allow_login",
        },
        Row {
            field: "allowed_types",
            registration: Some(("security_key", Options::phone(), refused(403, "type_not_allowed"))),
            sign_in: Some(("security_key,phone", Options::platform(), refused(403, "type_not_allowed"))),
            rule: "passkey.policy.allowed_types",
        },
        Row {
            field: "deny_synced",
            registration: Some(("true", Options::synced(), refused(403, "synced_not_allowed"))),
            sign_in: Some(("true", Options::synced(), refused(403, "synced_not_allowed"))),
            rule: "passkey.policy.deny_synced",
        },
        Row {
            field: "user_verification",
            registration: Some((
                "security_key:required,device:preferred,phone:preferred",
                unverified(Options::security_key()),
                refused(400, "user_not_verified"),
            )),
            sign_in: Some(("required", unverified(Options::platform()), refused(400, "user_not_verified"))),
            rule: "passkey.policy.user_verification",
        },
        Row {
            field: "resident_key",
            registration: Some((
                "required",
                Options { discoverable: false, ..Options::security_key() },
                refused(403, "not_discoverable"),
            )),
            sign_in: None,
            rule: "passkey.policy.resident_key",
        },
    ]
}

/// A policy under which everything registers and signs in.
const LENIENT: &[(&str, &str)] = &[
    ("user_verification", "discouraged"),
    ("resident_key", "discouraged"),
    ("enrolment_requires", "any"),
    ("max_passkeys", "50"),
];

/// Whose policy is tightened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Realm,
    /// Of a group of the person; the realm's stays lenient.
    Group,
}

const BOTH: [Of; 2] = [Of::Realm, Of::Group];

async fn tighten(w: &World, field: &str, value: &str) {
    tighten_of(w, Of::Realm, field, value).await;
}

async fn tighten_of(w: &World, of: Of, field: &str, value: &str) {
    if of == Of::Realm {
        return w.policy(|p| p.set(field, value).unwrap()).await;
    }
    let mut policy = Policy::clone(&w.realm().await.policy);
    policy.set(field, value).unwrap();
    assert_eq!(policy.check(), [], "the policy can be saved");
    w.set_group_policy("staff", 1, policy).await;
}

/// A world where everything registers and signs in, and somebody in a group.
async fn lenient_world(options: Option<Options>) -> (World, Person) {
    let w = World::sqlite().await;
    w.policy_fields(LENIENT).await;
    let ann = match options {
        Some(options) => w.person_with_key("ann", options).await,
        None => w.account("ann", None).await,
    };
    w.join(&ann, &["staff"]).await;
    (w, ann)
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
async fn at_registration() {
    for (row, of) in rows().into_iter().flat_map(|row| BOTH.map(|of| (row.clone(), of))) {
        let Some((value, options, verdict)) = row.registration else { continue };
        let (w, ann) = lenient_world(None).await;
        assert_eq!(register(&w, &ann, key(options.clone())).await.0, 201, "{} lets in", row.field);
        tighten_of(&w, of, row.field, value).await;
        let found = register(&w, &ann, key(options)).await;
        assert_eq!(found, verdict, "{of:?} {} = {value}: {}", row.field, rule(row.rule));
    }
}

#[tokio::test]
async fn at_registration_when_it_was_tightened_between_options_and_answer() {
    for row in rows() {
        let Some((value, options, verdict)) = row.registration else { continue };
        let w = World::sqlite().await;
        let ann = w.account("ann", None).await;
        w.policy_fields(LENIENT).await;
        let mut browser = w.browser();
        let begun = browser.begin_with_pass(&w.access_pass(&ann).await).await.value();
        tighten(&w, row.field, value).await;
        let answer = browser.register(&begun, &mut key(options), &Faults::default()).await;
        // Then the table itself speaks, not the route before it.
        let code = match row.field {
            "enabled" => "passkeys_disabled",
            "allow_registration" => "registration_disabled",
            _ => verdict.1.as_str(),
        };
        assert_eq!(answer.verdict(), refused(verdict.0, code), "{}", row.field);
    }
}

#[tokio::test]
async fn at_sign_in_after_it_was_tightened() {
    for (row, of) in rows().into_iter().flat_map(|row| BOTH.map(|of| (row.clone(), of))) {
        let Some((value, options, verdict)) = row.sign_in else { continue };
        let (w, mut ann) = lenient_world(Some(options)).await;
        assert_eq!(sign_in(&w, &mut ann.keys[0]).await.0, 200, "{} lets in", row.field);
        let mut early = w.browser();
        let begun = early.begin_sign_in().await;
        tighten_of(&w, of, row.field, value).await;
        // The options of strangers are those of everybody: the group's word comes with the answer.
        let late = if row.field == "enabled" { "passkeys_disabled" } else { verdict.1.as_str() };
        let code = if of == Of::Group { late } else { verdict.1.as_str() };
        let found = sign_in(&w, &mut ann.keys[0]).await;
        assert_eq!(found, refused(verdict.0, code), "{of:?} {} = {value}: {}", row.field, rule(row.rule));
        let answer = early.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(verdict.0, late), "{of:?} {} begun before", row.field);
        assert_eq!(early.cookie("session"), None);
    }
}

/// What a client demands: at registration in its name, and of a passkey that was registered before it demanded anything.
#[tokio::test]
async fn as_demands_of_a_client() {
    let mut tried = 0;
    for row in rows().into_iter().filter(|row| DEMANDS.contains(&row.field)) {
        let (Some((value, refused_kind, verdict)), Some((late, late_kind, _))) = (row.registration, row.sign_in) else {
            continue;
        };
        tried += 1;
        let (w, mut ann) = lenient_world(Some(late_kind)).await;
        let rp = w.rp("app").await;
        let answer = w.authorize(&mut w.browser(), &mut ann, &rp.ask()).await;
        assert!(answer.params.contains_key("code"), "{} lets in", row.field);
        let mut spare = w.person_with_key("spare", Options::security_key()).await;
        w.set_demands(&rp, &[(row.field, late)]).await;
        let mut browser = w.browser();
        let page = browser.open(&rp.ask().url()).await;
        let next = browser.sign_in_with_passkey(&mut ann, page.sealed().as_deref()).await;
        let page = browser.open(&next).await;
        assert!(page.next().is_none() && page.sealed().is_some(), "{}: {}", row.field, rule("step_up.policy"));
        // Elsewhere it signs in as before.
        assert_eq!(sign_in(&w, &mut ann.keys[0]).await.0, 200, "{}", row.field);

        w.set_demands(&rp, &[(row.field, value)]).await;
        let mut browser = w.browser();
        let page = browser.open(&rp.ask().url()).await;
        let sealed = page.sealed();
        browser.sign_in_with_passkey(&mut spare, None).await;
        let begun = browser.json("/webauthn/register/options", &json!({ "request": sealed })).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let mut new = key(refused_kind);
        let credential = new.create_with(&begun.value(), &browser.origin, &Faults::default());
        let body = json!({ "ceremony": begun.value()["ceremony"], "credential": credential, "request": sealed });
        let kept = browser.json("/webauthn/register", &body).await;
        assert_eq!(kept.verdict(), verdict, "{} at registration", row.field);
    }
    assert!(tried >= 3, "types, synced passkeys, verification");
}

#[tokio::test]
async fn a_passkey_as_second_factor_can_be_switched_off() {
    let w = World::sqlite().await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut browser = w.browser();
    browser.try_password("ann", PASSWORD).await;
    let begun = browser.json("/webauthn/authenticate/options", &json!({})).await.value();
    w.policy(|p| p.allow_second_factor = false).await;
    let answer = browser.clone().assert_with(&begun, &mut ann.keys[0], &Faults::default()).await;
    let id = rule("passkey.policy.allow_second_factor");
    assert_eq!(answer.verdict(), refused(403, "second_factor_disabled"), "{id}");
    // It still opens the door by itself.
    assert_eq!(sign_in(&w, &mut ann.keys[0]).await.0, 200);
    w.policy(|p| p.allow_second_factor = true).await;
    assert_eq!(browser.assert_with(&begun, &mut ann.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn algorithms_bind_new_keys_only() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    let mut old = key(Options::platform());
    let pass = w.access_pass(&ann).await;
    assert_eq!(w.browser().enrol(&pass, &mut old, &Faults::default()).await.status, 201);
    tighten(&w, "algorithms", "-8").await;
    let id = rule("passkey.policy.algorithms");
    assert_eq!(register(&w, &ann, key(Options::platform())).await, refused(400, "algorithm_not_allowed"), "{id}");
    assert_eq!(register(&w, &ann, SoftKey::new(Alg::Ed25519, Options::platform())).await.0, 201, "{id}");
    assert_eq!(sign_in(&w, &mut old).await.0, 200, "{id}");
}

#[tokio::test]
async fn hints_and_requirements_reach_the_browser() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
    w.policy_fields(&[("hints", "security-key,hybrid"), ("user_verification", "preferred"), ("algorithms", "-257,-7")])
        .await;
    let begun = w.browser().begin_with_pass(&w.access_pass(&ann).await).await.value();
    assert_eq!(begun["publicKey"]["hints"], json!(["security-key", "hybrid"]));
    assert_eq!(begun["publicKey"]["authenticatorSelection"]["userVerification"], "preferred");
    let algs: Vec<_> =
        begun["publicKey"]["pubKeyCredParams"].as_array().unwrap().iter().map(|p| p["alg"].clone()).collect();
    assert_eq!(algs, [json!(-257), json!(-7)]);
    let begun = w.browser().begin_sign_in().await;
    assert_eq!(begun["publicKey"]["hints"], json!(["security-key", "hybrid"]));
    assert_eq!(begun["publicKey"]["userVerification"], "preferred");
}

#[tokio::test]
async fn the_hint_of_each_type_leads_there_in_both_ceremonies_and_a_chosen_kind_comes_first() {
    let w = World::sqlite().await;
    let ann = w.account("ann", None).await;
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

#[test]
fn every_field_is_tried_somewhere() {
    let here: BTreeSet<&str> = rows().iter().map(|r| r.field).collect();
    // Tried by functions of their own: here, in `attestation`, `enrolment`, `clones`, `login::modes`, `login::enrol` and
    // `login::upgrade`.
    let elsewhere = [
        "allow_second_factor",
        "algorithms",
        "hints",
        "max_passkeys",
        "clone_response",
        "enrolment_requires",
        "mode",
        "enrolment",
        "automatic_upgrade",
        "attestation",
        "attestation_trust",
        "aaguid_allow",
        "aaguid_deny",
        "mds_refuse_status",
        "mds_min_certification",
    ];
    for field in FIELDS {
        assert!(here.contains(field.name) || elsewhere.contains(&field.name), "{} is tried nowhere", field.name);
    }
}
