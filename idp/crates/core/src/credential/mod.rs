//! Credentials other than passkeys, and what failed guesses cost.

pub mod password;
pub mod throttle;
