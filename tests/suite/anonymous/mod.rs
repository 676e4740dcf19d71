//! What nobody in particular can cause: starting writes nothing, signing in one commit, redeeming one.

mod commits;
mod starts;
