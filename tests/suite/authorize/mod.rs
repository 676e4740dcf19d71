//! `/authorize` and `/authorize/resume`.

mod accounts;
mod acr;
mod binding;
pub mod claims;
mod consent;
mod defaults;
mod fresh;
mod groups;
mod post;
mod redirects;
pub mod refusals;
mod request_objects;
mod response_modes;
mod scopes;
mod sealed;
mod sign_in;
mod silent;
