//! `/logout`. OpenID Connect RP-Initiated Logout 1.0.

mod backchannel;
mod ends;
mod frontchannel;
mod hints;
mod refusals;
