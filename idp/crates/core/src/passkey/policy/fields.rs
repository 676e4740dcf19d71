//! How the policy is set, checked and shown: one row a field.
//!
//! Values are JSON in the store and plain words on the command line; a value that cannot be read is refused
//! with the values that can.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{AllowedTypes, CloneResponse, CloneResponses, Enrolment, Mode, PasskeyType, PerType, Policy, Requirement};
use crate::passkey::cose;

/// When a field acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    Registration,
    SignIn,
    Both,
}

impl Acts {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::SignIn => "sign-in",
            Self::Both => "both",
        }
    }
}

/// One field of the policy.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    /// Values that can be set, in words.
    pub values: &'static str,
    pub acts: Acts,
    /// What it decides.
    pub about: &'static str,
    pub(super) list: bool,
}

const fn field(name: &'static str, values: &'static str, acts: Acts, about: &'static str) -> Field {
    Field { name, values, acts, about, list: false }
}

const fn list(name: &'static str, values: &'static str, acts: Acts, about: &'static str) -> Field {
    Field { name, values, acts, about, list: true }
}

const REQUIREMENT: &str =
    "required, preferred or discouraged; or by type: security_key:discouraged,device:required,phone:required";

/// Every field, in the order of the policy.
pub const FIELDS: &[Field] = &[
    field("enabled", "true or false", Acts::Both, "passkeys at all"),
    field("allow_registration", "true or false", Acts::Registration, "new passkeys"),
    field("allow_login", "true or false", Acts::SignIn, "a passkey as the first factor"),
    field("allow_second_factor", "true or false", Acts::SignIn, "a passkey after a password"),
    field(
        "mode",
        "passkey_only, passkey_first, password_then_passkey, passkey_then_second_factor or optional",
        Acts::SignIn,
        "which combinations of factors let in",
    ),
    list(
        "allowed_types",
        "any; or some of security_key, device, phone",
        Acts::Both,
        "kinds of authenticators, as far as the browser tells",
    ),
    field("deny_synced", "true or false", Acts::Both, "refuse passkeys that may leave their device"),
    field("user_verification", REQUIREMENT, Acts::Both, "PIN, fingerprint or face at each use"),
    field("resident_key", REQUIREMENT, Acts::Registration, "passkeys that work without a user name"),
    list("hints", "none; or client-device, hybrid, security-key in order", Acts::Both, "where the browser begins"),
    field(
        "attestation",
        "none, indirect, direct or enterprise",
        Acts::Registration,
        "what the browser is asked to tell of a new passkey's model",
    ),
    list(
        "attestation_trust",
        "none; or mds and certificates in PEM",
        Acts::Both,
        "who must vouch for a passkey's model: FIDO's metadata, own roots",
    ),
    list("aaguid_allow", "any; or AAGUIDs", Acts::Both, "models that are let in"),
    list("aaguid_deny", "none; or AAGUIDs", Acts::Both, "models that are refused"),
    list(
        "mds_refuse_status",
        "none; or some of NOT_FIDO_CERTIFIED, SELF_ASSERTION_SUBMITTED, USER_VERIFICATION_BYPASS, \
         ATTESTATION_KEY_COMPROMISE, USER_KEY_REMOTE_COMPROMISE, USER_KEY_PHYSICAL_COMPROMISE, UPDATE_AVAILABLE, \
         RETIRED, REVOKED",
        Acts::Both,
        "models are refused that FIDO's metadata report so",
    ),
    field(
        "mds_min_certification",
        "none, FIDO_CERTIFIED, FIDO_CERTIFIED_L1, _L1plus, _L2, _L2plus, _L3 or _L3plus",
        Acts::Both,
        "least certification of a model by FIDO's metadata",
    ),
    list("algorithms", "some of -7, -8, -35, -36, -257 in order", Acts::Registration, "COSE algorithms of new keys"),
    field("max_passkeys", "1 to 50", Acts::Registration, "passkeys of one account that are not suspended"),
    field(
        "clone_response",
        "block, step_up or notify; or device_bound:block,synced:notify",
        Acts::SignIn,
        "what follows a signature counter that did not grow",
    ),
    field(
        "enrolment_requires",
        "any, confirmed or access_pass",
        Acts::Registration,
        "what a session must rest on to add the first passkey",
    ),
    field(
        "enrolment",
        "off, nudge:DAYS (asked again after so many) or required:DAYS (of grace)",
        Acts::SignIn,
        "whether people without a passkey are asked to make one",
    ),
    field(
        "automatic_upgrade",
        "true or false",
        Acts::SignIn,
        "a passkey made without a dialogue after a sign-in by password, where the browser can",
    ),
];

/// Why a policy is not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct Problem {
    /// Field it is about.
    pub field: String,
    /// What to change, in a sentence.
    pub text: String,
}

impl Problem {
    /// A problem of a field.
    pub fn new(field: &str, text: impl Into<String>) -> Self {
        Self { field: field.to_owned(), text: text.into() }
    }
}

impl Policy {
    /// Sets one field from words (`security_key,device`, `-7,-257`, `device:required`) or JSON. Only this value
    /// is judged; before saving, [`Policy::check`] judges the whole.
    ///
    /// # Errors
    /// [`Problem`]: no such field, or not one of its values. The policy is unchanged then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let Some(field) = FIELDS.iter().find(|f| f.name == name) else {
            let names: Vec<_> = FIELDS.iter().map(|f| f.name).collect();
            return Err(Problem::new(name, format!("there is no such field; there are {}", names.join(", "))));
        };
        let refused = || Problem::new(name, format!("`{text}` cannot be set; values are {}", field.values));
        let mut fields = self.values();
        fields.insert(name.to_owned(), words(text.trim(), field.list));
        *self = serde_json::from_value(Value::Object(fields)).map_err(|_| refused())?;
        Ok(())
    }

    /// Each field as it is stored.
    pub fn values(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// Each field with its present value and its default as JSON text, in the order of [`FIELDS`].
    pub fn show(&self) -> Vec<(&'static Field, String, String)> {
        let default = Self::default();
        FIELDS.iter().map(|field| (field, self.text(field.name), default.text(field.name))).collect()
    }

    /// A field's value as JSON text; certificates by their fingerprints.
    fn text(&self, name: &str) -> String {
        match name {
            "attestation_trust" => self.attestation_trust.words(),
            _ => self.values().get(name).map(Value::to_string).unwrap_or_default(),
        }
    }

    /// Everything that keeps this policy from being saved: values out of range and combinations that
    /// nobody could satisfy. Empty: it can be saved.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut no = |holds: bool, field: &str, text: &str| {
            if !holds {
                problems.push(Problem::new(field, text));
            }
        };
        no((1..=50).contains(&self.max_passkeys), "max_passkeys", "must be 1 to 50");
        no(!self.algorithms.is_empty(), "algorithms", "must name one or more: nobody could register a passkey");
        no(
            self.algorithms.iter().all(|alg| cose::SUPPORTED.contains(alg)),
            "algorithms",
            "only -7, -8, -35, -36 and -257 can be verified",
        );
        no(distinct(&self.algorithms), "algorithms", "names one twice");
        no(self.allowed_types.iter().next().is_some(), "allowed_types", "must name one or more, or be any");
        no(
            self.hints.iter().all(|hint| self.allowed_types.contains(Some(hint.passkey_type()))),
            "hints",
            "leads to a type that allowed_types refuses",
        );
        no(distinct(&self.hints), "hints", "names one twice");
        no(
            !matches!(self.enrolment, Enrolment::Nudge(0) | Enrolment::Nudge(366..) | Enrolment::Required(366..)),
            "enrolment",
            "days are 1 to 365 for nudge, 0 to 365 for required",
        );
        match self.mode {
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => {
                no(self.enabled, "enabled", "must be true in this mode: nobody could sign in without passkeys");
                no(self.allow_login, "allow_login", "must be true in this mode: nobody could sign in");
            }
            Mode::PasswordThenPasskey => {
                no(self.enabled, "enabled", "must be true in this mode: nobody could sign in without passkeys");
                no(self.allow_second_factor, "allow_second_factor", "must be true in this mode: nobody could sign in");
            }
            Mode::PasskeyFirst | Mode::Optional => {}
        }
        problems.extend(self.check_models());
        problems.extend(self.check_upgrade());
        problems
    }
}

fn distinct<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().all(|(i, item)| !items.iter().skip(i + 1).any(|other| other == item))
}

/// What somebody typed as JSON: JSON itself, `a:b,c:d` as an object, `a,b` as a list, else a word.
pub(super) fn words(text: &str, is_list: bool) -> Value {
    let word = |text: &str| serde_json::from_str(text.trim()).unwrap_or_else(|_| json!(text.trim()));
    match serde_json::from_str(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_) | Value::Bool(_) | Value::String(_))) => value,
        Ok(number) if !is_list => number,
        // But for an address, as some values of acr are.
        _ if text.contains(':') && !text.contains("://") => {
            let pair = |pair: &str| {
                let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
                (key.trim().to_owned(), word(value))
            };
            Value::Object(text.split(',').map(pair).collect())
        }
        _ if is_list && text == "any" => json!("any"),
        _ if is_list && matches!(text, "" | "none") => json!([]),
        _ if is_list => Value::Array(text.split(',').map(word).collect()),
        _ => json!(text),
    }
}

/// `"any"` or a list.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum TypesText {
    Word(String),
    Only(BTreeSet<PasskeyType>),
}

impl From<AllowedTypes> for TypesText {
    fn from(types: AllowedTypes) -> Self {
        match types {
            AllowedTypes::Any => Self::Word("any".to_owned()),
            AllowedTypes::Only(types) => Self::Only(types),
        }
    }
}

impl TryFrom<TypesText> for AllowedTypes {
    type Error = &'static str;
    fn try_from(text: TypesText) -> Result<Self, Self::Error> {
        match text {
            TypesText::Word(word) if word == "any" => Ok(Self::Any),
            TypesText::Word(_) => Err("expected any or a list of types"),
            TypesText::Only(types) => Ok(Self::Only(types)),
        }
    }
}

/// One value, or one for each type; a type left out keeps the strictest.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum PerTypeText {
    All(Requirement),
    Each(EachType),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachType {
    #[serde(default = "required")]
    security_key: Requirement,
    #[serde(default = "required")]
    device: Requirement,
    #[serde(default = "required")]
    phone: Requirement,
}

const fn required() -> Requirement {
    Requirement::Required
}

impl From<PerType> for PerTypeText {
    fn from(PerType { security_key, device, phone }: PerType) -> Self {
        if security_key == device && device == phone {
            Self::All(device)
        } else {
            Self::Each(EachType { security_key, device, phone })
        }
    }
}

impl From<PerTypeText> for PerType {
    fn from(text: PerTypeText) -> Self {
        match text {
            PerTypeText::All(value) => Self::all(value),
            PerTypeText::Each(EachType { security_key, device, phone }) => Self { security_key, device, phone },
        }
    }
}

/// One value, or one for each kind of key; one left out keeps its default.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum CloneText {
    Both(CloneResponse),
    Each(EachKey),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachKey {
    #[serde(default = "block")]
    device_bound: CloneResponse,
    #[serde(default = "notify")]
    synced: CloneResponse,
}

const fn block() -> CloneResponse {
    CloneResponse::Block
}

const fn notify() -> CloneResponse {
    CloneResponse::Notify
}

impl From<CloneResponses> for CloneText {
    fn from(CloneResponses { device_bound, synced }: CloneResponses) -> Self {
        if device_bound == synced { Self::Both(synced) } else { Self::Each(EachKey { device_bound, synced }) }
    }
}

impl From<CloneText> for CloneResponses {
    fn from(text: CloneText) -> Self {
        match text {
            CloneText::Both(value) => Self { device_bound: value, synced: value },
            CloneText::Each(EachKey { device_bound, synced }) => Self { device_bound, synced },
        }
    }
}
