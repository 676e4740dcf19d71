//! `/account/security`, and what every page carries.

mod activity;
mod headers;
mod lists;
mod security;
