//! What the page is given that shows an account to its owner: passkeys, and everything else at a glance.
//!
//! A template sees it as `page.…`.

use idp_core::passkey::enrolment::FirstPasskey;
use idp_core::time::Timestamp;
use serde::Serialize;

use super::{ActivityRow, ApplicationRow, CodeForm, Factors, Person, SessionRow};

/// `GET /account/security`.
#[derive(Clone, Debug, Serialize)]
pub struct Security {
    pub csrf: String,
    pub person: Person,
    pub passkeys: Vec<PasskeyRow>,
    /// The most passkeys an account may have; at this number adding is not offered.
    pub limit: usize,
    pub adding: Adding,
    /// Where a mailed code lets somebody make their first passkey.
    pub code: Option<CodeForm>,
    pub factors: Factors,
    pub rp_host: String,
    pub standing: Standing,
    /// Factors a sign-in can begin with, and those that can be asked on top.
    pub first_factors: usize,
    pub second_factors: usize,
    /// The switch "ask for my passkey too"; none where the policy decides.
    pub ask_passkey: Option<bool>,
    /// The first few of each; each list has a page of its own.
    pub sessions: Vec<SessionRow>,
    pub applications: Vec<ApplicationRow>,
    pub activity: Vec<ActivityRow>,
    pub notice: Option<SecurityNotice>,
}

/// What could still be done for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    None,
    One,
    /// Several, each bound to a device.
    Bound,
    Good,
}

impl From<idp_core::passkey::standing::Standing> for Standing {
    fn from(standing: idp_core::passkey::standing::Standing) -> Self {
        use idp_core::passkey::standing::Standing as Core;
        match standing {
            Core::None => Self::None,
            Core::One => Self::One,
            Core::Bound => Self::Bound,
            Core::Good => Self::Good,
        }
    }
}

/// Whether a passkey can be added on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adding {
    Here,
    /// The first one needs a code that is mailed.
    ByCode,
    /// The first one needs a link from the administrator.
    ByLink,
    /// The policy allows no new passkeys.
    Off,
}

impl From<FirstPasskey> for Adding {
    fn from(way: FirstPasskey) -> Self {
        match way {
            FirstPasskey::Proved => Self::Here,
            FirstPasskey::ByCode => Self::ByCode,
            FirstPasskey::ByLink => Self::ByLink,
        }
    }
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct PasskeyRow {
    /// What the forms and links send back as `passkey`: base64url.
    pub id: String,
    pub name: String,
    pub kind: PasskeyKind,
    /// What keeps it, where its AAGUID tells.
    pub provider: Option<String>,
    /// The theme's icon for what keeps it.
    pub icon: &'static str,
    /// The host whose pages take it, where that is not the one of this page.
    pub host: Option<String>,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
    /// Browser and system of the last use, in words.
    pub last_used_client: Option<String>,
    /// Network of the last use.
    pub last_used_place: Option<String>,
    /// Set aside: it does not sign in until an administrator decides.
    pub suspended: bool,
    /// The session was signed in with it.
    pub current: bool,
    pub removal: Removal,
}

/// Where a passkey lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasskeyKind {
    /// BE=1: a provider copies it to the person's other devices.
    Synced,
    /// BE=0 on a platform authenticator.
    ThisDevice,
    /// BE=0 on a phone or tablet that was reached from another device.
    OnePhone,
    /// BE=0 on a roaming authenticator.
    SecurityKey,
}

/// What it means that a factor goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Removal {
    /// Something else lets in.
    Free,
    /// It is the last way in; a recovery is ready.
    Last {
        by: ReturnBy,
        /// Where a code would be mailed, if it would.
        email: String,
        /// Recovery codes that are left.
        codes: usize,
    },
    /// It is the last way in, and nothing would bring the account back: it stays.
    Kept,
}

/// How somebody without a way in comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnBy {
    Mail,
    Code,
    Either,
    Both,
}

/// What the last act did.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SecurityNotice {
    Added {
        name: String,
    },
    Renamed {
        name: String,
    },
    Removed,
    /// The name was empty or too long.
    BadName,
    /// Refused: it is the last way in.
    LastWayIn,
    /// The passkey is asked for after the password from now on, or not any more.
    Asks {
        on: bool,
    },
    PasswordSet,
    PasswordRemoved,
    TotpSet,
    TotpRemoved,
    RecoveryCancelled,
}

impl SecurityNotice {
    /// The status of the answer that carries it.
    pub const fn status(&self) -> u16 {
        if matches!(self, Self::LastWayIn) { 409 } else { 200 }
    }
}

/// `GET /account/security/remove`: the step before a passkey is removed.
#[derive(Clone, Debug, Serialize)]
pub struct RemovePasskey {
    pub csrf: String,
    pub passkey: PasskeyRow,
}
