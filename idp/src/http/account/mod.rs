//! The account pages of whoever is signed in.

pub mod fresh;
pub mod security;

use super::exchange::{Exchange, Outcome};

/// `/` and `/account`.
pub async fn home(x: Exchange) -> Outcome {
    x.go("/account/security")
}
