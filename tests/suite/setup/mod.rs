//! `/setup`: one-time links.

mod access_pass;
mod first_owner;
