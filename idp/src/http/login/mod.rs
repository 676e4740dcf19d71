//! Signing in: the pages between an authorization request and its answer.

pub mod away;
pub mod choose;
pub mod confirm;
pub mod confirmation;
pub mod consent;
pub mod ending;
pub mod enrol;
pub mod finish;
pub mod handoff;
pub mod leave;
pub mod page;
pub mod partial;
pub mod password;
pub mod proved;
pub mod recovery;
pub mod second_factor;
pub mod stand;
pub mod throttle;
pub mod totp;

pub use throttle::InFlight;
