//! Whether somebody has to sign in, as whom, and how lately.

use super::{Facts, Step, Visitor, authenticate};

/// Holds for every visitor; the table has it for its rule and for requests without one.
pub fn session(_: &Facts<'_>, _: &Visitor<'_>) -> Option<Step> {
    None
}

pub fn hinted(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let other = facts.request.hinted.as_ref().is_some_and(|hinted| hinted != visitor.subject);
    other.then_some(Step::Login { again: true })
}

pub fn named(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let other = !facts.request.claims.admits_subject(visitor.subject);
    other.then_some(Step::Login { again: true })
}

/// A sign-in within this request is a choice too.
pub fn selected(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    let request = facts.request;
    let chosen = request.selected == Some(visitor.account.id) || signed_in_for(facts, visitor);
    (request.prompt.select_account && !chosen).then_some(Step::Choose)
}

pub fn fresh(facts: &Facts<'_>, visitor: &Visitor<'_>) -> Option<Step> {
    // Without freshness demanded any event will do, and a session always has one.
    authenticate(facts, visitor, false).is_none().then_some(Step::Login { again: true })
}

fn signed_in_for(facts: &Facts<'_>, visitor: &Visitor<'_>) -> bool {
    visitor.session.events.iter().any(|e| e.flow == Some(facts.request.id))
}
