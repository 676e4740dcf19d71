//! The rules of the identity provider: pure, synchronous functions without I/O.
//!
//! Nothing here reads a clock, draws randomness, opens a file or speaks HTTP or SQL:
//! time and random bytes are arguments, facts come in as values, outcomes go out as values.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::todo,
        clippy::dbg_macro
    )
)]

pub mod account;
pub mod acr;
pub mod audit;
pub mod client;
pub mod credential;
pub mod encoding;
pub mod grant;
pub mod id;
pub mod interact;
pub mod jose;
pub mod mail;
pub mod oauth;
pub mod oidc;
pub mod pass;
pub mod passkey;
pub mod place;
pub mod realm;
pub mod rule;
pub mod seal;
pub mod secret;
pub mod session;
pub mod sign_up;
pub mod tables;
pub mod time;
pub mod user_schema;
