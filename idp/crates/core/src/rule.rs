//! One row of a table of rules: what must hold, under a stable id.
//!
//! The tables are code and documentation at once: `docs/specs.md` is printed from them.

/// Something that must hold, and the paragraph that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable id such as `webauthn.assertion.origin`.
    pub id: &'static str,
    /// The paragraph, for instance `WebAuthn L3 §7.2 step 12`.
    pub spec: &'static str,
    /// What must hold, in a sentence.
    pub text: &'static str,
}
