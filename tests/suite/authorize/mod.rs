//! `/authorize` and `/authorize/resume`.

mod accounts;
mod acr;
mod binding;
mod claims;
mod consent;
mod defaults;
mod fresh;
mod groups;
mod post;
mod redirects;
mod refusals;
mod response_modes;
mod scopes;
mod sealed;
mod sign_in;
mod silent;
