//! HTTP: one endpoint a file, one router, one error renderer.

mod account;
pub(crate) mod answer;
mod assets;
mod cookies;
mod cors;
mod device;
mod discovery;
mod exchange;
mod letter;
mod login;
mod new_password;
mod oauth;
mod owners;
mod policy;
mod problem;
mod rate;
mod reply;
mod router;
mod setup;
mod sign_up;
mod user_agent;
mod webauthn;
mod well_known;

pub use account::fresh::RULES as FRESH_RULES;
pub use login::InFlight;
pub use rate::Rates;
pub use router::{ROUTES, app_endpoint};
