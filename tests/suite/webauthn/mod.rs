//! `/webauthn/*`: registration and sign-in as JSON.

mod assertion_checks;
mod ceremonies;
mod clones;
mod enrolment;
mod policy_fields;
mod refused;
mod registration_checks;
mod sign_in;
mod signals;
