//! `/logout`. OpenID Connect RP-Initiated Logout 1.0.

mod ends;
mod hints;
mod refusals;
