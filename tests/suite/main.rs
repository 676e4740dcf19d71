//! The product in-process behind a real port, with injected clock and random source; the tests speak HTTP to it.
//!
//! Folders mirror the URLs. `world` is the stage: [`world::World`] (the running product), [`world::Browser`],
//! [`world::Person`] (account with software passkeys or a password) and [`world::Rp`] (a relying party).

mod rules;
mod world;

mod account;
mod anonymous;
mod authorize;
mod conformance;
mod consent;
mod device;
mod discovery;
mod factors;
mod hosts;
mod introspect;
mod login;
mod logout;
mod mail;
mod matrix;
mod outbound;
mod par;
mod registration;
mod revoke;
mod setup;
mod sign_up;
mod token;
mod userinfo;
mod webauthn;
