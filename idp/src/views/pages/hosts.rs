//! Pages of a realm with several RP IDs: a passkey used at another host.

use serde::Serialize;

use super::Application;

/// A link to where passkeys of another RP ID work.
#[derive(Clone, Debug, Serialize)]
pub struct Elsewhere {
    /// The RP ID.
    pub rp_host: String,
    pub href: String,
}

/// `GET /login/away`.
#[derive(Clone, Debug, Serialize)]
pub struct Away {
    pub request: Option<String>,
    /// What the script sends along.
    pub errand: String,
    pub application: Option<Application>,
    /// The RP ID whose passkey is asked for.
    pub rp_host: String,
    /// The issuer's host, to which the sign-in goes back.
    pub home_host: String,
    pub back_href: String,
}
