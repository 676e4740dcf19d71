//! `/authorize` and `/authorize/resume`.

mod accounts;
mod acr;
mod consent;
mod fresh;
mod post;
mod redirects;
mod refusals;
mod response_modes;
mod sealed;
mod sign_in;
mod silent;
