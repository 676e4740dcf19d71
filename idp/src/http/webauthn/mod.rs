//! The passkey ceremonies as JSON. WebAuthn L3 §7; every call is bound to the browser's cookie and to our origins.

pub mod authenticate;
pub mod authenticate_options;
mod owner;
pub mod register;
pub mod register_options;
pub mod session;
pub mod signals;
mod state;
mod wrong_host;
