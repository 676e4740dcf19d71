//! The account pages of whoever is signed in.

pub mod activity;
pub mod applications;
pub mod email;
pub mod fresh;
pub mod password;
pub mod preferences;
pub mod profile;
pub mod recovery;
pub mod recovery_codes;
pub mod removal;
pub mod security;
pub mod sessions;
pub mod totp;

use super::exchange::{Exchange, Outcome};

/// `/`.
pub async fn home(x: Exchange) -> Outcome {
    x.go("/account/security")
}
