//! All SQL of the identity provider, for SQLite and PostgreSQL: one verb a use case, one noun a file.
//!
//! A write is a value: `store.write(RedeemCode { … }).await`. It is guarded by the state its caller saw, is one
//! commit together with its audit row, and answers with an outcome; only a failing database is an error.
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

mod cache;
mod cached;
mod error;
mod generation;
mod metrics;
mod migrate;
mod outbox;
pub mod sql;
mod store;
mod words;
mod write;
mod writer;

pub mod accounts;
pub mod audit;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod devices;
pub mod email_verification;
pub mod grants;
pub mod group_policies;
pub mod groups;
pub mod held;
pub mod keys;
pub mod logout_deliveries;
pub mod mails;
pub mod mds;
pub mod passes;
pub mod passkey_names;
pub mod passkey_removal;
pub mod passkeys;
pub mod passwords;
pub mod pushed_requests;
pub mod realms;
pub mod recoveries;
pub mod recovery_codes;
pub mod refresh_tokens;
pub mod registrations;
pub mod rp_ids;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod sweep;
pub mod throttles;
pub mod totp;
pub mod used_once;

pub use cache::Realms;
pub use error::{Error, Failure, Result};
pub use metrics::Counts;
pub use store::Store;
pub use write::{Options, Write};
