//! Pages of a realm with several RP IDs: a passkey used at another host, and a new one made at this.

use serde::Serialize;

use super::{Application, Person};

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

/// `GET /login/enrol`.
#[derive(Clone, Debug, Serialize)]
pub struct Enrol {
    pub csrf: String,
    pub request: Option<String>,
    pub person: Person,
    /// The person came in by a passkey of a former RP ID.
    pub moved: bool,
    /// "Not now" is offered.
    pub voluntary: bool,
    pub rp_host: String,
    pub home_host: String,
    /// Where to go when the passkey is made.
    pub next_href: String,
}
