//! What the page is given on which a passkey is made in the midst of a sign-in.
//!
//! A template sees it as `page.…`.

use idp_core::interact::EnrolReason;
use idp_core::passkey::enrolment::FirstPasskey;
use idp_core::passkey::policy::PasskeyType;
use idp_core::time::Timestamp;
use serde::Serialize;

use super::{Application, CodeForm, Demands, Person};

/// `GET /login/enrol`.
#[derive(Clone, Debug, Serialize)]
pub struct Enrol {
    pub csrf: String,
    pub request: Option<String>,
    pub application: Option<Application>,
    /// The application demands it, not the realm.
    pub demanded: bool,
    pub demands: Demands,
    pub person: Person,
    pub reason: EnrolWhy,
    /// "Not now" is offered.
    pub voluntary: bool,
    /// Until when it may be put off.
    pub due: Option<Timestamp>,
    pub way: EnrolWay,
    /// Where a mailed code lets them.
    pub code: Option<CodeForm>,
    /// What may be made here.
    pub kinds: Vec<EnrolKind>,
    pub rp_host: String,
    /// "Not you?"
    pub switch_href: String,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolWhy {
    Demanded,
    Moved,
    Nudge,
    Required,
}

impl From<EnrolReason> for EnrolWhy {
    fn from(reason: EnrolReason) -> Self {
        match reason {
            EnrolReason::Demanded => Self::Demanded,
            EnrolReason::Moved => Self::Moved,
            EnrolReason::Nudge => Self::Nudge,
            EnrolReason::Required => Self::Required,
        }
    }
}

/// What lets the person make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolWay {
    /// What they proved in this browser.
    Here,
    /// A code that is mailed to them.
    ByCode,
    /// A link of their administrator.
    ByLink,
}

impl From<FirstPasskey> for EnrolWay {
    fn from(way: FirstPasskey) -> Self {
        match way {
            FirstPasskey::Proved => Self::Here,
            FirstPasskey::ByCode => Self::ByCode,
            FirstPasskey::ByLink => Self::ByLink,
        }
    }
}

/// A kind of passkey, as `kind` of `/webauthn/register/options`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolKind {
    ThisDevice,
    Phone,
    SecurityKey,
}

impl From<PasskeyType> for EnrolKind {
    fn from(kind: PasskeyType) -> Self {
        match kind {
            PasskeyType::Device => Self::ThisDevice,
            PasskeyType::Phone => Self::Phone,
            PasskeyType::SecurityKey => Self::SecurityKey,
        }
    }
}
