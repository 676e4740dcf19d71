//! `/authorize` and `/authorize/resume`.

mod accounts;
mod acr;
mod consent;
mod fresh;
mod post;
mod redirects;
mod refusals;
mod scopes;
mod sealed;
mod sign_in;
mod silent;
