//! `/login`: password, second factor, what it all amounts to in the tokens.

mod claims;
mod demands;
mod enrol;
mod enrol_code;
mod hardening;
mod modes;
mod password;
mod secrets;
mod throttle;
