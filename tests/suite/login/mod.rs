//! `/login`: password, second factor, what it all amounts to in the tokens.

mod attested;
mod claims;
mod demands;
mod enrol;
mod enrol_code;
mod hardening;
mod mode_pairs;
pub mod modes;
mod password;
mod secrets;
mod throttle;
pub mod upgrade;
