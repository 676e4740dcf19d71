//! What a check needs, or why it is left out: a fault is told once, by the check it belongs to.

use idp_core::realm::Realm;

use super::Finding;
use super::facts::{Facts, Inside, Outside};
use crate::outbound::probe::Answer;

/// What the database says.
pub(super) fn inside(facts: &Facts) -> Result<&Inside, Finding> {
    match &facts.database {
        Some(Ok(inside)) => Ok(inside),
        Some(Err(_)) => Err(Finding::skip("the database is to be mended first")),
        None => Err(Finding::skip("no database was named: --config FILE or --data DIR")),
    }
}

pub(super) fn realm_of(facts: &Facts) -> Result<&Realm, Finding> {
    inside(facts)?.realm.as_ref().ok_or_else(|| Finding::skip("the realm is to be made first"))
}

pub(super) fn outside(facts: &Facts) -> Result<&Outside, Finding> {
    facts.outside.as_ref().ok_or_else(|| Finding::skip("no address is known: --url URL"))
}

pub(super) fn answer(answer: &Result<Answer, String>) -> Result<&Answer, Finding> {
    answer.as_ref().map_err(|_| Finding::skip("there was no answer"))
}

/// A check whose needs are met, or whose reason to be left out is the finding.
pub(super) fn found(finding: Result<Finding, Finding>) -> Finding {
    finding.unwrap_or_else(|skipped| skipped)
}
