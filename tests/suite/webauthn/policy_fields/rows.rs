//! The table of the policy's fields that judge a passkey: what each lets in, what it refuses, and how.

use idp_softkey::{Alg, Attestation, Maker, Options};

use super::super::attestation::{MODEL, MODEL_TEXT, attested};
use crate::world::acts::{Verdict, refused};

/// A model that the metadata certify less than [`MODEL`].
pub const LESSER: [u8; 16] = [8; 16];

/// One field with one tight value.
#[derive(Clone)]
pub struct Row {
    pub field: &'static str,
    pub value: String,
    /// What the policy has besides, before it is tightened too.
    pub around: Vec<(&'static str, String)>,
    /// Let in wherever the field acts; `None`: nothing is.
    pub fits: Option<(Alg, Options)>,
    pub refused: Options,
    /// How it is refused where it acts.
    pub registration: Option<Verdict>,
    pub sign_in: Option<Verdict>,
    /// The rule of the table it belongs to.
    pub rule: &'static str,
}

impl Row {
    /// Row of a field that acts at registration and at sign-in.
    fn both(field: &'static str, value: &str, (fits, refused): (&Options, &Options), verdict: Verdict) -> Self {
        Self {
            field,
            value: value.to_owned(),
            around: Vec::new(),
            fits: Some((Alg::Es256, fits.clone())),
            refused: refused.clone(),
            registration: Some(verdict.clone()),
            sign_in: Some(verdict),
            rule: rule_of(field),
        }
    }

    fn at_registration(self) -> Self {
        Self { sign_in: None, ..self }
    }

    fn at_sign_in(self) -> Self {
        Self { registration: None, ..self }
    }

    /// Row of a field that says no to all.
    fn nothing_fits(self) -> Self {
        Self { fits: None, ..self }
    }

    fn with(self, name: &'static str, value: &str) -> Self {
        Self { around: vec![(name, value.to_owned())], ..self }
    }

    pub fn what(&self) -> String {
        format!("{} = {}: {}", self.field, self.value, crate::rules::rule(self.rule))
    }
}

/// Most rules are called as their field is.
fn rule_of(field: &'static str) -> &'static str {
    let id = format!("passkey.policy.{field}");
    idp_core::passkey::policy::CHECKS.iter().map(|check| check.rule.id).find(|rule| *rule == id).expect("a rule")
}

/// Every row. The metadata name models of `maker`; nobody knows `other` unless the policy names its root.
pub fn rows(maker: &Maker, other: &Maker) -> Vec<Row> {
    [switches(), kinds(), models(maker, other)].concat()
}

fn switches() -> Vec<Row> {
    let any = Options::platform();
    let off = |field, code| Row::both(field, "false", (&any, &any), refused(403, code)).nothing_fits();
    vec![
        off("enabled", "passkeys_disabled"),
        off("allow_registration", "registration_disabled").at_registration(),
        off("allow_login", "login_disabled").at_sign_in(),
    ]
}

fn kinds() -> Vec<Row> {
    let (key, device, phone) = (Options::security_key(), Options::platform(), Options::phone());
    let unverified = |options: &Options| Options { uv: false, ..options.clone() };
    let stays = Options { discoverable: false, ..key.clone() };
    let of_type = refused(403, "type_not_allowed");
    let unseen = refused(400, "user_not_verified");
    let keys_verify = "security_key:required,device:preferred,phone:preferred";
    vec![
        Row::both("allowed_types", "security_key", (&key, &phone), of_type.clone()),
        Row::both("allowed_types", "security_key,phone", (&phone, &device), of_type.clone()),
        Row::both("allowed_types", "device", (&device, &key), of_type),
        Row::both("deny_synced", "true", (&device, &Options::synced()), refused(403, "synced_not_allowed")),
        Row::both("user_verification", "required", (&device, &unverified(&device)), unseen.clone()),
        Row::both("user_verification", keys_verify, (&unverified(&device), &unverified(&key)), unseen),
        Row::both("resident_key", "required", (&key, &stays), refused(403, "not_discoverable")).at_registration(),
        Row {
            fits: Some((Alg::Ed25519, device.clone())),
            ..Row::both("algorithms", "-8", (&device, &device), refused(400, "algorithm_not_allowed")).at_registration()
        },
    ]
}

fn models(maker: &Maker, other: &Maker) -> Vec<Row> {
    let genuine = attested(maker);
    let claimed = Options { attestation: Attestation::PackedSelf, ..genuine.clone() };
    let lesser = Options { aaguid: LESSER, ..genuine.clone() };
    let unknown = Options { aaguid: [9; 16], ..Options::platform() };
    let nobodys = Options::platform();
    let trust = |value: &str, stranger: &Options| {
        Row::both("attestation_trust", value, (&genuine, stranger), refused(403, "not_attested"))
    };
    let allow = |fits: &Options, stranger: &Options| {
        Row::both("aaguid_allow", MODEL_TEXT, (fits, stranger), refused(403, "model_not_allowed"))
    };
    let status = refused(403, "model_status");
    let certified = |value: &str| {
        let row = Row::both("mds_min_certification", value, (&genuine, &lesser), refused(403, "not_certified"));
        row.with("attestation_trust", "mds")
    };
    vec![
        trust("mds", &claimed),
        trust("mds", &Options::synced()),
        // An own root is one of the policy when its passkeys are made, or nobody could know them.
        trust(&maker.pem(), &attested(other)).with("attestation_trust", &format!("{}{}", maker.pem(), other.pem())),
        allow(&claimed, &unknown),
        allow(&genuine, &nobodys),
        Row::both("aaguid_deny", MODEL_TEXT, (&unknown, &genuine), refused(403, "model_denied")),
        Row::both("mds_refuse_status", "UPDATE_AVAILABLE", (&lesser, &genuine), status),
        certified("FIDO_CERTIFIED_L1"),
        certified("FIDO_CERTIFIED_L2"),
    ]
}

/// What the metadata say: [`MODEL`] is certified at level 2 and has an update waiting, [`LESSER`] is just certified.
pub fn entries(maker: &Maker) -> Vec<serde_json::Value> {
    vec![maker.entry(MODEL, &["UPDATE_AVAILABLE", "FIDO_CERTIFIED_L2"]), maker.entry(LESSER, &["FIDO_CERTIFIED"])]
}
