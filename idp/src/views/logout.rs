//! Signing out: the pages' contexts. RP-Initiated Logout §3 and §6, Front-Channel Logout §3.

use serde::Serialize;

use super::{Application, Person};

/// RP-initiated logout asks first (OIDC RP-Initiated Logout §2).
#[derive(Clone, Debug, Serialize)]
pub struct LogoutConfirm {
    pub csrf: String,
    /// The sealed logout request.
    pub logout: String,
    pub application: Option<Application>,
    pub person: Person,
}

/// The session is over, or was kept.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedOut {
    /// The person said no: they are still signed in.
    pub kept: bool,
    pub application: Option<Application>,
    /// The application's `post_logout_redirect_uri`, or the way to sign in again.
    pub href: Option<String>,
}

/// Loads the front-channel addresses of clients, then goes on.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutFrames {
    /// Addresses of clients of the session; the page's policy allows their origins alone.
    pub frames: Vec<String>,
    /// Checked by the caller: a registered `post_logout_redirect_uri`, or a path of ours.
    pub href: String,
    pub application: Option<Application>,
}
