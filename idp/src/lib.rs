//! The identity provider as a library: what the binary runs and the suite starts in-process.
//!
//! Settings, listener, telemetry and HTTP around the pure rules of `idp-core` and the storage of `idp-store`.
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

pub mod advice;
pub mod app;
pub mod cli;
pub mod client_keys;
pub mod demo;
pub mod doctor;
pub mod event;
pub mod health;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod listen;
pub mod log_line;
pub mod mail;
pub mod mds;
pub mod metrics;
pub mod outbound;
pub mod password;
pub mod settings;
pub mod start;
pub mod system;
pub mod telemetry;
pub mod views;
