//! `/account/security`, and what every page carries.

mod activity;
mod email;
mod headers;
mod lists;
mod profile;
mod security;
