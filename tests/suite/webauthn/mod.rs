//! `/webauthn/*`: registration and sign-in as JSON.

mod assertion_checks;
pub mod attestation;
mod ceremonies;
mod clones;
mod enrolment;
mod group_policies;
mod mds;
mod policy_fields;
mod refused;
mod registration_checks;
mod sign_in;
mod signals;
mod simulate;
mod vectors;
