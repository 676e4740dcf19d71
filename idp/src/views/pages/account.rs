//! What the pages are given that show an account to its owner: sessions, applications, activity.
//!
//! A template sees it as `page.…`.

use idp_core::time::Timestamp;
use serde::Serialize;

use super::{Application, ConsentItem};

/// `GET /account/sessions`.
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    pub csrf: String,
    pub sessions: Vec<SessionRow>,
    pub notice: Option<SessionsNotice>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct SessionRow {
    /// What the form sends back as `sid`.
    pub id: String,
    /// Browser and system, in words.
    pub client: Option<String>,
    /// The network it signed in from.
    pub place: Option<String>,
    pub created: Timestamp,
    pub active: Timestamp,
    /// It is this browser.
    pub current: bool,
}

/// What became of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionsNotice {
    Ended,
    OthersEnded,
}

/// `GET /account/applications`.
#[derive(Clone, Debug, Serialize)]
pub struct Applications {
    pub csrf: String,
    pub applications: Vec<ApplicationRow>,
    /// One was revoked just now.
    pub revoked: bool,
}

/// An application and what it gets.
#[derive(Clone, Debug, Serialize)]
pub struct ApplicationRow {
    /// What the form sends back as `client_id`.
    pub id: String,
    pub application: Application,
    pub items: Vec<ConsentItem>,
    /// When it was agreed to; nobody was asked otherwise.
    pub since: Option<Timestamp>,
    /// It has access while nobody is signed in.
    pub offline: bool,
}

/// `GET /account/activity`.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    pub csrf: String,
    pub rows: Vec<ActivityRow>,
    pub older_href: Option<String>,
}

/// Something that happened to the account.
#[derive(Clone, Debug, Serialize)]
pub struct ActivityRow {
    /// The audit event with hyphens: its words are `activity-…`.
    pub kind: String,
    pub at: Timestamp,
    /// The passkey or application it concerns; empty where there is none.
    pub what: String,
    pub client: Option<String>,
    pub place: Option<String>,
    /// An administrator did it.
    pub by_operator: bool,
    /// Where the factor it concerns can be removed.
    pub factor_href: Option<&'static str>,
    /// Whoever did it could sign in: "was this you?" leads somewhere.
    pub doubtful: bool,
}
