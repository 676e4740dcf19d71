//! Pages of the factors besides passkeys: passwords, authenticator apps, recovery codes, recovery.

use idp_core::time::Timestamp;
use serde::Serialize;

use super::{Application, Person, Removal};
use crate::advice::Advice;

/// `GET /account/password`.
#[derive(Clone, Debug, Serialize)]
pub struct PasswordForm {
    pub csrf: String,
    /// For password managers, which look for it beside the password.
    pub username: String,
    pub is_set: bool,
    /// The policy has a use for one.
    pub settable: bool,
    /// The old one is asked for.
    pub asks_current: bool,
    /// The fewest characters it has.
    pub least: usize,
    /// What it would mean that it is removed.
    pub removal: Removal,
    pub notice: Option<PasswordNotice>,
}

/// Why a form with a new password came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PasswordNotice {
    TooShort,
    /// On the blocklist.
    Common,
    /// One piece over and over, or a straight row.
    Pattern,
    /// Made of the user name, the address or the realm's name.
    Name,
    /// It would do, but is easy to guess; sent again, it is taken.
    Advice {
        advice: Vec<Advice>,
    },
    /// The old password was wrong.
    WrongCurrent,
    Throttled {
        minutes: u32,
    },
    /// Not removed: nothing else lets in.
    LastWayIn,
}

impl PasswordNotice {
    /// Guesses at the old password are throttled for so long.
    pub fn throttled(seconds: i64) -> Self {
        Self::Throttled { minutes: minutes(seconds) }
    }

    /// The status of the answer that carries it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::WrongCurrent => 401,
            Self::Throttled { .. } => 429,
            Self::LastWayIn => 409,
            Self::TooShort | Self::Common | Self::Pattern | Self::Name | Self::Advice { .. } => 422,
        }
    }
}

pub(super) fn minutes(seconds: i64) -> u32 {
    u32::try_from((seconds + 59) / 60).unwrap_or(1)
}

/// Why a form with a code came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CodeNotice {
    /// The code is wrong, over or used; which of them is not said.
    Wrong,
    Throttled {
        minutes: u32,
    },
    /// A recovery takes both codes here.
    NotEnough,
    /// The app was not removed: nothing else lets in.
    LastWayIn,
}

impl CodeNotice {
    /// Guesses are throttled for so long.
    pub fn throttled(seconds: i64) -> Self {
        Self::Throttled { minutes: minutes(seconds) }
    }

    /// The status of the answer that carries it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Wrong => 401,
            Self::Throttled { .. } => 429,
            Self::NotEnough => 422,
            Self::LastWayIn => 409,
        }
    }
}

/// A code that confirms who makes a first passkey: it is sent, then typed in.
#[derive(Clone, Debug, Serialize)]
pub struct CodeForm {
    /// Where it is mailed, masked.
    pub address: String,
    /// It is on its way to this browser.
    pub sent: bool,
    pub notice: Option<CodeNotice>,
}

/// `GET /account/totp`.
#[derive(Clone, Debug, Serialize)]
pub struct TotpForm {
    pub csrf: String,
    pub username: String,
    pub state: TotpState,
    pub notice: Option<CodeNotice>,
}

/// Whether there is an authenticator app.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TotpState {
    /// To be confirmed by its first code.
    New {
        /// The secret, sealed.
        sealed: String,
        /// The secret as people type it.
        text: String,
        qr: QrPath,
    },
    Set {
        since: Timestamp,
        removal: Removal,
    },
}

/// A QR code as an SVG path of unit squares.
#[derive(Clone, Debug, Serialize)]
pub struct QrPath {
    pub path: String,
    /// Squares a side.
    pub width: usize,
}

/// `GET /login/totp`.
#[derive(Clone, Debug, Serialize)]
pub struct TotpLogin {
    pub csrf: String,
    pub request: Option<String>,
    pub application: Option<Application>,
    pub person: Person,
    /// "Continue without" is offered.
    pub voluntary: bool,
    /// A passkey came first.
    pub after_passkey: bool,
    /// The password would do as well.
    pub password_href: Option<String>,
    /// Sign in as somebody else, with the same `request`.
    pub switch_href: String,
    pub notice: Option<CodeNotice>,
}

/// `/account/recovery-codes`.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodes {
    pub csrf: String,
    /// Codes that were not used.
    pub left: i64,
    /// New ones, shown this once.
    pub codes: Vec<String>,
    /// Hours that a recovery by one code waits, where the account is better protected.
    pub wait_h: i64,
}

/// `/login/recovery`.
#[derive(Clone, Debug, Serialize)]
pub struct Recovery {
    pub csrf: String,
    pub step: RecoveryStep,
    pub notice: Option<CodeNotice>,
}

/// How far a recovery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RecoveryStep {
    /// Whose account it is.
    Ask,
    /// The codes that the realm takes, one of them or all.
    Prove { mail: bool, code: bool, all: bool },
    /// It was proved and waits.
    Wait { until: Timestamp },
    /// It waited long enough.
    Ready,
    /// It was cancelled, or used already.
    Over,
    /// Only administrators recover accounts here.
    Off,
}

/// `GET /account/recovery/cancel`: the step before a recovery is cancelled.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCancel {
    pub csrf: String,
    /// The secret of the link.
    pub token: String,
}

/// What an account has besides passkeys: a part of `/account/security`.
#[derive(Clone, Debug, Serialize)]
pub struct Factors {
    /// A password is set.
    pub password: bool,
    /// The policy has a use for one.
    pub passwords: bool,
    /// Since when there is an authenticator app.
    pub totp: Option<Timestamp>,
    /// Recovery codes that were not used; `None`: the realm takes none.
    pub recovery_codes: Option<i64>,
    /// Somebody began a recovery that opens then.
    pub recovery: Option<Timestamp>,
}
