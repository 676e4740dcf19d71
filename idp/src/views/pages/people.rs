//! Pages of people who make an account or look after it: sign-up, profile.

use idp_core::user_schema::Field;
use serde::Serialize;

use super::factors::minutes;
use super::{Application, Person};

/// `GET /signup`, and what `POST /signup` answers.
#[derive(Clone, Debug, Serialize)]
pub struct SignUp {
    pub csrf: String,
    /// The sealed authorization request that brought the newcomer here.
    pub request: Option<String>,
    pub application: Option<Application>,
    pub step: SignUpStep,
    /// The form asks for a user name.
    pub asks_username: bool,
    /// As typed.
    pub username: String,
    pub username_problem: Option<String>,
    pub fields: Vec<Field>,
    /// What is wrong with all of it together.
    pub problem: Option<String>,
    /// The traits as JSON, for the ceremony.
    pub traits: String,
    /// Whose passkey it will be.
    pub person: Person,
    pub rp_host: String,
    /// Back to the sign-in page.
    pub login_href: String,
}

/// How far a sign-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignUpStep {
    /// User name and traits are asked.
    Details,
    /// They are good: now the passkey.
    Passkey,
}

/// `/account`.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    pub csrf: String,
    pub person: Person,
    pub fields: Vec<Field>,
    /// At least one of the fields may be changed.
    pub editable: bool,
    /// What is wrong with all of it together.
    pub problem: Option<String>,
    pub email: Option<EmailCard>,
    pub notice: Option<ProfileNotice>,
}

/// The e-mail address of the profile.
#[derive(Clone, Debug, Serialize)]
pub struct EmailCard {
    /// Empty: there is none.
    pub address: String,
    pub verified: bool,
    /// The input to change it, if it may be changed; none without a fresh sign-in.
    pub field: Option<Field>,
    /// It could be changed after signing in again.
    pub sign_in_again: bool,
    /// A code can be mailed there.
    pub can_verify: bool,
    /// A code was mailed: what the form sends back with it.
    pub verification: Option<String>,
}

/// What the last step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProfileNotice {
    Saved,
    /// Something typed does not fit.
    Unfit,
    /// Somebody changed the account at the same time.
    Changed,
    EmailSaved,
    CodeSent,
    WrongCode,
    /// The code is too old, or the address changed since.
    CodeOver,
    Verified,
    /// Too many codes or tries.
    Throttled {
        minutes: u32,
    },
}

impl ProfileNotice {
    /// Codes and addresses are not checked for so many seconds.
    pub fn throttled(seconds: i64) -> Self {
        Self::Throttled { minutes: minutes(seconds) }
    }
}
