//! Rows of the rule tables; `idp docs specs` prints them.

/// One rule: its stable id, the paragraph it comes from, and what must hold in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub id: &'static str,
    pub spec: &'static str,
    pub text: &'static str,
}
