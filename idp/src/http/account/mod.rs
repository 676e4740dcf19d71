//! The account pages of whoever is signed in.

pub mod email;
pub mod fresh;
pub mod profile;
pub mod security;

use super::exchange::{Exchange, Outcome};

/// `/`.
pub async fn home(x: Exchange) -> Outcome {
    x.go("/account/security")
}
