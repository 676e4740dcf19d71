//! The FIDO Metadata Service: what is known of models of authenticators.
//!
//! FIDO Metadata Service v3.1. `blob` reads what FIDO publishes, `model` is what is kept of it.

pub mod blob;
pub mod model;

pub use model::{Certification, Entry, Model, ModelKey, Status};
