//! `/account/security`, and what every page carries.

mod activity;
mod counts;
mod email;
mod headers;
mod kinds;
mod lists;
mod profile;
mod security;
