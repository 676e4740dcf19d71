//! Modes: which combination of factors lets in.
//!
//! A mode names a set of accepted combinations; the rest of its row says what to ask for instead.

use serde::Serialize;

use super::{Mode, Policy};

/// Factors that were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    PasskeyAlone,
    PasswordAlone,
    PasswordAndPasskey,
    PasswordAndTotp,
    PasskeyAndTotp,
}

impl Combination {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PasskeyAlone,
        Self::PasswordAlone,
        Self::PasswordAndPasskey,
        Self::PasswordAndTotp,
        Self::PasskeyAndTotp,
    ];

    /// The combination of verified factors; a one-time password alone is none, it only ever comes second.
    pub const fn of(password: bool, passkey: bool, totp: bool) -> Option<Self> {
        Some(match (password, passkey, totp) {
            (true, true, _) => Self::PasswordAndPasskey,
            (true, false, true) => Self::PasswordAndTotp,
            (true, false, false) => Self::PasswordAlone,
            (false, true, true) => Self::PasskeyAndTotp,
            (false, true, false) => Self::PasskeyAlone,
            (false, false, _) => return None,
        })
    }
}

/// What an account has to sign in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// An active passkey of this RP ID against which [`super::judge_record`] has nothing.
    pub passkey: bool,
    pub password: bool,
    pub totp: bool,
    /// Its owner wants to be asked for the passkey after the password, where the policy would not.
    pub asks_passkey: bool,
    /// A passkey is required, but may still be put off.
    pub grace: bool,
}

impl Holds {
    /// The combinations that these factors make.
    pub fn combinations(self) -> impl Iterator<Item = Combination> {
        Combination::ALL.into_iter().filter(move |combination| match combination {
            Combination::PasskeyAlone => self.passkey,
            Combination::PasswordAlone => self.password,
            Combination::PasswordAndPasskey => self.password && self.passkey,
            Combination::PasswordAndTotp => self.password && self.totp,
            Combination::PasskeyAndTotp => self.passkey && self.totp,
        })
    }
}

/// What a combination of verified factors leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    In,
    /// This way is closed, and nothing the person could add now opens it.
    Refused,
    AskPasskey,
    AskPassword,
    AskTotp,
    /// A passkey is needed and there is none: make one.
    Enrol,
}

impl Policy {
    /// The verdict on a combination for an account that holds these factors.
    pub fn verdict(&self, combination: Combination, holds: Holds) -> Verdict {
        self.verdict_in(self.mode, combination, holds)
    }

    /// The verdict if the mode were this one: a client may restrict it.
    pub(super) fn verdict_in(&self, mode: Mode, combination: Combination, holds: Holds) -> Verdict {
        match combination {
            Combination::PasskeyAlone => self.passkey_alone(mode, holds),
            Combination::PasswordAlone => self.password_alone(mode, holds),
            Combination::PasswordAndPasskey => self.password_and_passkey(mode),
            Combination::PasswordAndTotp => self.password_and_totp(mode, holds),
            Combination::PasskeyAndTotp => self.passkey_and_totp(mode),
        }
    }

    fn passkey_alone(&self, mode: Mode, holds: Holds) -> Verdict {
        match mode {
            _ if !self.enabled || !self.allow_login => Verdict::Refused,
            Mode::PasskeyOnly | Mode::PasskeyFirst | Mode::Optional => Verdict::In,
            Mode::PasswordThenPasskey => Verdict::Refused,
            Mode::PasskeyThenSecondFactor if holds.totp => Verdict::AskTotp,
            Mode::PasskeyThenSecondFactor if holds.password => Verdict::AskPassword,
            Mode::PasskeyThenSecondFactor => Verdict::Refused,
        }
    }

    fn password_alone(&self, mode: Mode, holds: Holds) -> Verdict {
        let usable = self.takes_passkeys(holds);
        match mode {
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => Verdict::Refused,
            Mode::PasskeyFirst if usable => Verdict::AskPasskey,
            Mode::PasswordThenPasskey if usable => Verdict::AskPasskey,
            Mode::PasswordThenPasskey if holds.grace => Verdict::In,
            Mode::PasswordThenPasskey => Verdict::Enrol,
            Mode::Optional if usable && holds.asks_passkey => Verdict::AskPasskey,
            // Whoever set up a second factor means to be asked for it.
            Mode::PasskeyFirst | Mode::Optional if holds.totp => Verdict::AskTotp,
            Mode::PasskeyFirst | Mode::Optional => Verdict::In,
        }
    }

    fn password_and_passkey(&self, mode: Mode) -> Verdict {
        // Asked first, the passkey is a first factor; asked second, a second one.
        let accepted = match mode {
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => self.allow_login,
            Mode::PasswordThenPasskey => self.allow_second_factor,
            Mode::PasskeyFirst => self.allow_login || self.allow_second_factor,
            // The password alone would do.
            Mode::Optional => return Verdict::In,
        };
        if self.enabled && accepted { Verdict::In } else { Verdict::Refused }
    }

    fn password_and_totp(&self, mode: Mode, holds: Holds) -> Verdict {
        match mode {
            Mode::PasskeyFirst | Mode::Optional => Verdict::In,
            Mode::PasswordThenPasskey if self.takes_passkeys(holds) => Verdict::AskPasskey,
            Mode::PasswordThenPasskey if holds.grace => Verdict::In,
            Mode::PasswordThenPasskey => Verdict::Enrol,
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => Verdict::Refused,
        }
    }

    fn passkey_and_totp(&self, mode: Mode) -> Verdict {
        match mode {
            _ if !self.enabled || !self.allow_login => Verdict::Refused,
            Mode::PasswordThenPasskey => Verdict::Refused,
            Mode::PasskeyOnly | Mode::PasskeyFirst | Mode::PasskeyThenSecondFactor | Mode::Optional => Verdict::In,
        }
    }

    /// A passkey that the policy accepts neither alone nor after a password must not lock its owner out.
    const fn takes_passkeys(&self, holds: Holds) -> bool {
        holds.passkey && self.enabled && (self.allow_login || self.allow_second_factor)
    }

    /// Whether a combination lets in, for [`crate::acr::choose`].
    pub fn accepts(&self, combination: Combination, holds: Holds) -> bool {
        self.verdict(combination, holds) == Verdict::In
    }
}
