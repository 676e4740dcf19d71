//! Credentials other than passkeys, how an account is recovered, and what failed guesses cost.

pub mod blocklist;
pub mod held;
pub mod normal_form;
pub mod password;
pub mod recovery;
pub mod recovery_code;
pub mod throttle;
pub mod totp;
