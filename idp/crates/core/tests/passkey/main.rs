//! Passkey ceremonies, the passkey policy and acr, from outside the crate.
//!
//! WebAuthn L3 §7; the W3C's vectors; webauthn-rs-core as the second opinion.

mod acr;
mod arbitrary_bytes;
mod assertion;
mod attestation;
mod cose;
mod differential;
mod enrolment;
mod mds;
mod options;
mod policy;
mod reach;
mod registration;
mod resolve;
mod support;
mod upgrade;
mod vectors;
