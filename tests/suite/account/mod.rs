//! `/account/security`, and what every page carries.

mod headers;
mod security;
