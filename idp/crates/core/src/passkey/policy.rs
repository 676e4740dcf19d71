//! The passkey policy: what a realm asks of the passkeys people sign in with.
//!
//! WebAuthn L3 §5.4 for what browsers are asked; NIST SP 800-63B-4 §3.1.6 and §3.2.2 for what is judged.
//! `fields` and `demands` say how it is set and shown, `combination` which factors let in, `judge` what a passkey may
//! lack, `trust` whose word about models of authenticators counts, `upgrade` when a passkey may be made without a dialogue,
//! `resolve` whose policy counts.

mod combination;
mod demands;
mod fields;
mod judge;
mod resolve;
pub mod trust;
mod upgrade;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use combination::{Combination, Holds, Verdict};
pub use demands::{DEMANDS, MINIMUM_ACR};
pub use fields::{Acts, FIELDS, Field, Problem};
pub use judge::{
    CHECKS, Check, Facts, MODEL_STATUS, SignIn, Violation, counts, has_passkey, judge_record, judge_registration,
    judge_sign_in, usable, usable_in,
};
pub use resolve::{ClientPolicy, Effective, GroupPolicy, of_strangers, resolve};
pub use trust::{AaguidAllow, AaguidDeny, Conveyance, RefusedStatuses, Trust};
pub use upgrade::REST_DAYS;

use super::cose;
use super::mds::Certification;
use crate::account::Preferences;
use crate::time::Timestamp;

/// Which combinations of factors let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    PasskeyOnly,
    PasskeyFirst,
    PasswordThenPasskey,
    PasskeyThenSecondFactor,
    Optional,
}

/// A kind of authenticator, judged from transports and attachment, which nobody signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyType {
    /// Plugged in or held against: usb, nfc, ble, smart-card.
    SecurityKey,
    /// Built into the device that is used, or kept by its password manager.
    Device,
    /// On a phone nearby, by a QR code: hybrid.
    Phone,
}

impl PasskeyType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SecurityKey, Self::Device, Self::Phone];

    /// The browser's hint for it (WebAuthn L3 §5.8.7).
    pub const fn hint(self) -> Hint {
        match self {
            Self::SecurityKey => Hint::SecurityKey,
            Self::Device => Hint::ClientDevice,
            Self::Phone => Hint::Hybrid,
        }
    }
}

/// The type of a passkey. A platform passkey may also be reached as `hybrid` from other devices, and a phone
/// reports `internal` beside `hybrid`: so attachment first, then the transport that only this type has.
/// `None`: the browser said nothing.
pub fn passkey_type(transports: &[String], attachment: Option<&str>) -> Option<PasskeyType> {
    let has = |names: &[&str]| transports.iter().any(|t| names.contains(&t.as_str()));
    if attachment == Some("platform") {
        Some(PasskeyType::Device)
    } else if has(&["usb", "nfc", "smart-card"]) {
        Some(PasskeyType::SecurityKey)
    } else if has(&["hybrid", "cable"]) {
        // Chromium names `ble` too, by which the two devices find each other.
        Some(PasskeyType::Phone)
    } else if has(&["ble"]) {
        Some(PasskeyType::SecurityKey)
    } else if has(&["internal"]) {
        Some(PasskeyType::Device)
    } else {
        None
    }
}

/// Which types may be registered and used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "fields::TypesText", try_from = "fields::TypesText")]
pub enum AllowedTypes {
    Any,
    Only(BTreeSet<PasskeyType>),
}

impl AllowedTypes {
    /// Whether a passkey of this type is allowed; one of unknown type is not where types are restricted.
    pub fn contains(&self, kind: Option<PasskeyType>) -> bool {
        match self {
            Self::Any => true,
            Self::Only(types) => kind.is_some_and(|kind| types.contains(&kind)),
        }
    }

    /// Only what both allow.
    pub fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, restricted) | (restricted, Self::Any) => restricted.clone(),
            (Self::Only(one), Self::Only(other)) => Self::Only(one & other),
        }
    }

    /// What either allows.
    pub fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::Only(one), Self::Only(other)) => Self::Only(one | other),
        }
    }

    /// The allowed types.
    pub fn iter(&self) -> impl Iterator<Item = PasskeyType> + '_ {
        PasskeyType::ALL.into_iter().filter(|kind| self.contains(Some(*kind)))
    }
}

/// How strongly something is asked for (WebAuthn L3 §5.4.6, §5.8.6); weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requirement {
    Discouraged,
    Preferred,
    Required,
}

/// A requirement for each type of passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "fields::PerTypeText", from = "fields::PerTypeText")]
pub struct PerType {
    pub security_key: Requirement,
    pub device: Requirement,
    pub phone: Requirement,
}

impl PerType {
    /// One value for all.
    pub const fn all(value: Requirement) -> Self {
        Self { security_key: value, device: value, phone: value }
    }

    /// The stricter of both for each type.
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            security_key: self.security_key.max(other.security_key),
            device: self.device.max(other.device),
            phone: self.phone.max(other.phone),
        }
    }

    /// What to ask for each type where either may count: `preferred` locks nobody out.
    pub fn either(&self, other: &Self) -> Self {
        let either = |one, other| if one == other { one } else { Requirement::Preferred };
        Self {
            security_key: either(self.security_key, other.security_key),
            device: either(self.device, other.device),
            phone: either(self.phone, other.phone),
        }
    }

    /// The value for one type; for an unknown type the strictest.
    pub fn of(&self, kind: Option<PasskeyType>) -> Requirement {
        match kind {
            Some(PasskeyType::SecurityKey) => self.security_key,
            Some(PasskeyType::Device) => self.device,
            Some(PasskeyType::Phone) => self.phone,
            None => self.security_key.max(self.device).max(self.phone),
        }
    }

    /// What to ask the browser for when any of `types` may answer: their common value; where they differ,
    /// `preferred` locks nobody out and the answer is judged by its type.
    pub fn ask(&self, types: &[PasskeyType]) -> Requirement {
        self.ask_each(types.iter().copied().map(Some))
    }

    /// The same for types of which some may be unknown.
    pub fn ask_each(&self, types: impl IntoIterator<Item = Option<PasskeyType>>) -> Requirement {
        let mut values = types.into_iter().map(|kind| self.of(kind));
        let first = values.next().unwrap_or(Requirement::Required);
        if values.all(|value| value == first) { first } else { Requirement::Preferred }
    }
}

/// Where the browser's dialog should begin (WebAuthn L3 §5.8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
    ClientDevice,
    Hybrid,
    SecurityKey,
}

impl Hint {
    /// The type it leads to.
    pub const fn passkey_type(self) -> PasskeyType {
        match self {
            Self::ClientDevice => PasskeyType::Device,
            Self::Hybrid => PasskeyType::Phone,
            Self::SecurityKey => PasskeyType::SecurityKey,
        }
    }
}

/// What follows a signature counter that did not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloneResponse {
    /// Refused, the passkey suspended, owner and admin told.
    Block,
    /// The passkey alone is not enough this time.
    StepUp,
    /// Let in, owner told.
    Notify,
}

/// The response for keys that stay in their device, and for synced ones, whose counters may well disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "fields::CloneText", from = "fields::CloneText")]
pub struct CloneResponses {
    /// BE=0.
    pub device_bound: CloneResponse,
    /// BE=1.
    pub synced: CloneResponse,
}

impl CloneResponses {
    /// The response for a passkey with this BE flag.
    pub const fn of(&self, backup_eligible: bool) -> CloneResponse {
        if backup_eligible { self.synced } else { self.device_bound }
    }
}

/// What a session must rest on to add the account's first passkey; else a phished password would buy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentRequires {
    Any,
    /// A second factor, an access pass, or a code mailed to a verified address.
    Confirmed,
    AccessPass,
}

/// Whether people who sign in without a passkey are asked to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    Off,
    /// Offered; who puts it off is asked again after so many days.
    Nudge(u16),
    /// Required from so many days on after it was first put off: the grace period.
    Required(u16),
}

impl Enrolment {
    /// Until when a required passkey may be put off: the grace period runs from when it first was, or from now.
    pub fn due(self, preferences: &Preferences, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Off | Self::Nudge(_) => None,
            Self::Required(days) => {
                let first = preferences.passkey_first_asked.unwrap_or(now);
                Some(first.plus_s(i64::from(days) * 86_400))
            }
        }
    }

    /// Whether a required passkey may still be put off.
    pub fn in_grace(self, preferences: &Preferences, now: Timestamp) -> bool {
        self.due(preferences, now).is_some_and(|due| now < due)
    }
}

/// The policy of a realm. A stored policy that lacks a field has its default; an unknown field is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Passkeys at all.
    pub enabled: bool,
    pub allow_registration: bool,
    /// As the first factor.
    pub allow_login: bool,
    /// After a password.
    pub allow_second_factor: bool,
    pub mode: Mode,
    pub allowed_types: AllowedTypes,
    /// Refuse passkeys that may leave their device (BE=1).
    pub deny_synced: bool,
    pub user_verification: PerType,
    pub resident_key: PerType,
    /// In order of preference.
    pub hints: Vec<Hint>,
    pub attestation: Conveyance,
    pub attestation_trust: Trust,
    pub aaguid_allow: AaguidAllow,
    pub aaguid_deny: AaguidDeny,
    pub mds_refuse_status: RefusedStatuses,
    pub mds_min_certification: Certification,
    /// COSE algorithms in order of preference.
    pub algorithms: Vec<i64>,
    /// Most passkeys of one account under one RP ID, 1 to 50; suspended ones do not count.
    pub max_passkeys: u8,
    pub clone_response: CloneResponses,
    pub enrolment_requires: EnrolmentRequires,
    pub enrolment: Enrolment,
    /// After a sign-in by password a passkey is made without a dialogue, where the browser can.
    pub automatic_upgrade: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            allow_registration: true,
            allow_login: true,
            allow_second_factor: true,
            mode: Mode::PasskeyFirst,
            allowed_types: AllowedTypes::Any,
            deny_synced: false,
            user_verification: PerType::all(Requirement::Required),
            resident_key: PerType::all(Requirement::Required),
            hints: Vec::new(),
            attestation: Conveyance::None,
            attestation_trust: Trust::Any,
            aaguid_allow: AaguidAllow::Any,
            aaguid_deny: AaguidDeny::default(),
            mds_refuse_status: RefusedStatuses::default(),
            mds_min_certification: Certification::None,
            // What authenticators offer; browsers warn where ES256 or RS256 is missing.
            algorithms: vec![cose::ES256, cose::EDDSA, cose::RS256],
            max_passkeys: 5,
            clone_response: CloneResponses { device_bound: CloneResponse::Block, synced: CloneResponse::Notify },
            enrolment_requires: EnrolmentRequires::Confirmed,
            enrolment: Enrolment::Nudge(14),
            automatic_upgrade: false,
        }
    }
}
