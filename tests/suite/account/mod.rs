//! `/account/security`, and what every page carries.

mod email;
mod headers;
mod profile;
mod security;
