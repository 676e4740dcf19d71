//! Models of authenticators: what is certified, vouched for, kept and claimed of them. The fields of the policy that
//! judge them are rows of `policy_fields`.

use idp::mds::{Options as MdsOptions, take};
use idp_core::audit::Actor;
use idp_core::passkey::mds::blob::Signer;
use idp_core::passkey::policy::{ClientPolicy, Trust};
use idp_core::passkey::record::Attestation as Proved;
use idp_softkey::{Attestation, Faults, Maker, Options};
use serde_json::Value;

use crate::rules::rule;
use crate::world::acts::{Verdict, key, refused};
use crate::world::{Db, Person, World};

pub const MODEL: [u8; 16] = *b"a known model :)";
pub const MODEL_TEXT: &str = "61206b6e-6f77-6e20-6d6f-64656c203a29";

/// A security key of a model that its maker attests.
pub fn attested(maker: &Maker) -> Options {
    Options { attestation: Attestation::Packed(maker.clone()), aaguid: MODEL, ..Options::security_key() }
}

/// The product, with metadata signed by `maker`; none are there yet.
pub async fn world(db: Db, maker: &Maker, hold_percent: u32) -> World {
    let signer = Signer::own(vec![maker.root().to_vec()]);
    World::start_with(db, MdsOptions { source: None, signer, hold_percent }).await
}

/// Metadata of which these are the entries count from now on.
pub async fn publish(w: &World, maker: &Maker, number: i64, entries: &[Value]) -> idp::mds::Outcome {
    let blob = maker.blob(number, "2030-01-31", entries);
    take(&w.app, blob.into_bytes(), Actor::Operator, false).await.unwrap()
}

/// What became of a registration by a pass.
pub async fn register(w: &World, person: &Person, options: Options) -> Verdict {
    let pass = w.access_pass(person).await;
    w.browser().enrol(&pass, &mut key(options), &Faults::default()).await.verdict()
}

async fn sign_in(w: &World, person: &mut Person) -> Verdict {
    w.browser().try_passkey(&mut person.keys[0], &Faults::default()).await.verdict()
}

const LENIENT: &[(&str, &str)] = &[
    ("attestation", "direct"),
    ("resident_key", "discouraged"),
    ("user_verification", "discouraged"),
    ("max_passkeys", "50"),
];

#[tokio::test]
async fn certifications_are_demanded_by_level() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &["FIDO_CERTIFIED_L1"])]).await;
    w.policy_fields(&[&[("attestation_trust", "mds")], LENIENT].concat()).await;
    let mut ann = w.person_with_key("ann", attested(&maker)).await;
    let id = rule("passkey.policy.mds_min_certification");
    for (level, lets_in) in [("FIDO_CERTIFIED", true), ("FIDO_CERTIFIED_L1", true), ("FIDO_CERTIFIED_L2", false)] {
        w.policy(|p| p.set("mds_min_certification", level).unwrap()).await;
        let (registered, signed_in) = if lets_in {
            (refused(201, ""), refused(200, ""))
        } else {
            (refused(403, "not_certified"), refused(403, "not_certified"))
        };
        assert_eq!(register(&w, &ann, attested(&maker)).await, registered, "{level}: {id}");
        assert_eq!(sign_in(&w, &mut ann).await, signed_in, "{level}: {id}");
    }
}

#[tokio::test]
async fn an_application_may_take_only_what_the_metadata_vouch_for() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
    w.policy_fields(LENIENT).await;
    let trust: Trust = serde_json::from_value(serde_json::json!(["mds"])).unwrap();
    let strict =
        w.rp_with("vault", |s| s.policy = ClientPolicy { attestation_trust: Some(trust), ..Default::default() }).await;
    let open = w.rp("wiki").await;
    let mut ann = w.person_with_key("ann", attested(&maker)).await;
    let mut bob = w.person_with_key("bob", Options::synced()).await;
    let mut browser = w.browser();
    assert!(!w.tokens(&mut browser, &mut ann, &strict).await.access_token.is_empty());
    let mut browser = w.browser();
    assert!(!w.tokens(&mut browser, &mut bob, &open).await.access_token.is_empty());
    // What signed in at one application does not do at the other, and no page loops.
    let ask = strict.ask().with("prompt", "none");
    let page = browser.get(&ask.url()).await;
    assert!(!crate::world::Answer::of(&page).error().is_empty(), "{}", page.body);
}

#[tokio::test]
async fn the_record_tells_who_vouched() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
    w.policy_fields(LENIENT).await;
    for (name, options, proved) in [
        ("a", Options::platform(), Proved::None),
        ("b", Options { attestation: Attestation::PackedSelf, ..attested(&maker) }, Proved::SelfSigned),
        ("c", attested(&Maker::new("Somebody")), Proved::Unverified),
        ("d", attested(&maker), Proved::Verified),
    ] {
        let person = w.person_with_key(name, options).await;
        let kept = w.passkey(&person, 0).await;
        assert_eq!((kept.attestation, kept.attestation_root.is_some()), (proved, proved == Proved::Verified));
        assert_eq!(kept.name, if name == "a" { "This device" } else { "Soft Key" }, "the name its maker gave it");
    }
}

#[tokio::test]
async fn an_attested_key_in_hardware_yields_phrh_and_no_other_does() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    let mut soft = maker.entry([8; 16], &[]);
    soft["metadataStatement"]["keyProtection"] = serde_json::json!(["software"]);
    publish(&w, &maker, 1, &[maker.entry(MODEL, &[]), soft]).await;
    w.policy_fields(LENIENT).await;
    w.set_settings(|s| s.hwk_requires_attestation = true).await;
    let rp = w.rp("app").await;
    let genuine = attested(&maker);
    for (name, options, acr, amr) in [
        ("hard", genuine.clone(), "phrh", "hwk pop user mfa"),
        ("soft", Options { aaguid: [8; 16], ..genuine.clone() }, "phr", "hwk pop user mfa"),
        ("synced", Options { be: true, bs: true, ..genuine.clone() }, "phr", "swk pop user mfa"),
        ("self", Options { attestation: Attestation::PackedSelf, ..genuine.clone() }, "phr", "pop user mfa"),
        ("none", Options { attestation: Attestation::None, ..genuine.clone() }, "phr", "pop user mfa"),
    ] {
        let mut person = w.person_with_key(name, options).await;
        let claims = w.tokens(&mut w.browser(), &mut person, &rp).await.claims;
        let found: Vec<_> = claims["amr"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        assert_eq!((claims["acr"].as_str(), found.join(" ")), (Some(acr), amr.to_owned()), "{name}");
        // aal3 goes the same way: asked for, it is given or it is not.
        let mut browser = w.browser();
        let ask = rp.ask().with("acr_values", "aal3");
        let answer = w.authorize(&mut browser, &mut person, &ask).await;
        let tokens = rp.redeem(&w, &ask, &answer.code()).await;
        let claims = w.accept(&rp, &ask, &answer.code(), &tokens).await.claims;
        assert_eq!(claims["acr"] == "aal3", name == "hard", "{name}: {claims}");
    }
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert!(metadata["acr_values_supported"].as_array().unwrap().contains(&"phrh".into()));
    w.policy(|p| p.set("attestation", "none").unwrap()).await;
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    assert!(!metadata["acr_values_supported"].as_array().unwrap().contains(&"phrh".into()));
}

#[tokio::test]
async fn wrong_statements_of_every_format_are_refused_with_a_reason() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    w.policy_fields(LENIENT).await;
    let ann = w.account("ann", None).await;
    for fmt in ["none", "packed", "tpm", "android-key", "apple", "fido-u2f"] {
        for options in [Options { attestation: Attestation::PackedSelf, ..attested(&maker) }, attested(&maker)] {
            let broken = fmt == "packed";
            let faults = Faults { fmt: Some(fmt.to_owned()), break_signature: broken, ..Faults::default() };
            let pass = w.access_pass(&ann).await;
            let answer = w.browser().enrol(&pass, &mut key(options), &faults).await;
            assert_eq!(
                answer.verdict(),
                refused(400, "attestation"),
                "{fmt}: {}",
                rule("webauthn.registration.attestation")
            );
        }
    }
}
