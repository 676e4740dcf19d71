//! Modes: which combination of factors lets in.
//!
//! A mode names a set of accepted combinations; the rest of its row says what to ask for instead.

use super::{Mode, Policy};

/// Factors that were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Combination {
    PasskeyAlone,
    PasswordAlone,
    PasswordAndPasskey,
}

impl Combination {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PasskeyAlone, Self::PasswordAlone, Self::PasswordAndPasskey];
}

/// What a combination of verified factors leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    In,
    /// This way is closed, and nothing the person could add now opens it.
    Refused,
    AskPasskey,
    AskPassword,
    /// A passkey is needed and there is none: make one.
    Enrol,
}

impl Policy {
    /// The verdict on a combination. `has_usable_passkey`: the account has an active passkey of this RP ID
    /// against which [`super::judge_record`] has nothing.
    pub fn verdict(&self, combination: Combination, has_usable_passkey: bool) -> Verdict {
        match combination {
            Combination::PasskeyAlone => self.passkey_alone(),
            Combination::PasswordAlone => self.password_alone(has_usable_passkey),
            Combination::PasswordAndPasskey => self.password_and_passkey(),
        }
    }

    fn passkey_alone(&self) -> Verdict {
        match self.mode {
            _ if !self.enabled || !self.allow_login => Verdict::Refused,
            Mode::PasskeyOnly | Mode::PasskeyFirst | Mode::Optional => Verdict::In,
            Mode::PasswordThenPasskey => Verdict::Refused,
            Mode::PasskeyThenSecondFactor => Verdict::AskPassword,
        }
    }

    fn password_alone(&self, has_usable_passkey: bool) -> Verdict {
        // A passkey that the policy accepts neither alone nor after a password must not lock its owner out.
        let usable = has_usable_passkey && self.enabled && (self.allow_login || self.allow_second_factor);
        match self.mode {
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => Verdict::Refused,
            Mode::PasskeyFirst if usable => Verdict::AskPasskey,
            Mode::PasskeyFirst | Mode::Optional => Verdict::In,
            Mode::PasswordThenPasskey if usable => Verdict::AskPasskey,
            Mode::PasswordThenPasskey => Verdict::Enrol,
        }
    }

    fn password_and_passkey(&self) -> Verdict {
        // Asked first, the passkey is a first factor; asked second, a second one.
        let accepted = match self.mode {
            Mode::PasskeyOnly | Mode::PasskeyThenSecondFactor => self.allow_login,
            Mode::PasswordThenPasskey => self.allow_second_factor,
            Mode::PasskeyFirst => self.allow_login || self.allow_second_factor,
            // The password alone would do.
            Mode::Optional => return Verdict::In,
        };
        if self.enabled && accepted { Verdict::In } else { Verdict::Refused }
    }

    /// Whether a combination lets in, for [`crate::acr::choose`].
    pub fn accepts(&self, combination: Combination, has_usable_passkey: bool) -> bool {
        self.verdict(combination, has_usable_passkey) == Verdict::In
    }
}
