//! What is wrong with an installation, and what to do: checks over facts that were gathered before.
//!
//! `facts` looks, here and from outside; `table` lists what is judged. Nothing is changed by either.

pub mod facts;
mod installation;
mod needs;
mod policies;
mod table;
mod web;

use serde::Serialize;

pub use facts::Facts;
pub use table::CHECKS;

/// One check.
pub struct Check {
    /// Stable; what scripts look for.
    pub id: &'static str,
    /// What holds where it is good.
    pub about: &'static str,
    judge: fn(&Facts) -> Finding,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// Works, but look at it.
    Warn,
    /// Somebody cannot sign in, or soon cannot.
    Fail,
    /// There was nothing to look at.
    Skip,
}

impl State {
    /// One word.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// What a check found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub state: State,
    pub found: String,
    /// Empty where nothing is to be done.
    pub advice: String,
}

impl Finding {
    fn ok(found: impl Into<String>) -> Self {
        Self { state: State::Ok, found: found.into(), advice: String::new() }
    }
    fn warn(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warn, found: found.into(), advice: advice.into() }
    }
    fn fail(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Fail, found: found.into(), advice: advice.into() }
    }
    fn skip(why: impl Into<String>) -> Self {
        Self { state: State::Skip, found: why.into(), advice: String::new() }
    }
}

/// Every check, in the order of the table.
pub fn examine(facts: &Facts) -> Vec<(&'static Check, Finding)> {
    CHECKS.iter().map(|check| (check, (check.judge)(facts))).collect()
}
