//! The passkey policy: what a realm asks of the passkeys people sign in with.

use serde::{Deserialize, Serialize};

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

/// The policy of a realm. A stored policy that lacks a field has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    pub mode: Mode,
}

impl Default for Policy {
    fn default() -> Self {
        Self { mode: Mode::PasskeyFirst }
    }
}
