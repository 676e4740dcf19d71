//! What each page is given: one struct a page, owned, ready to serialise.
//!
//! The variables of `themes/default/README.md`; a template sees them as `page.…`.

mod account;
mod demands;
mod demo;
mod device;
mod enrol;
mod factors;
mod hosts;
mod people;
mod security;

use idp_core::time::Timestamp;
use serde::Serialize;

pub use account::*;
pub use demands::{Demands, Takes};
pub use demo::{DemoClaims, DemoError, DemoHome, DemoRow};
pub use device::{Device, DeviceConfirm, DeviceNotice};
pub use enrol::{Enrol, EnrolKind, EnrolWay, EnrolWhy};
pub use factors::*;
pub use hosts::{Away, Elsewhere};
pub use people::{EmailCard, Profile, ProfileNotice, SignUp, SignUpStep};
pub use security::*;

/// A link that may stand in an `href` although a stranger chose it: `https` or `http`, nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebUrl(String);

impl WebUrl {
    /// The address, or nothing when it is not a web address (`javascript:`, `data:`, relative, …).
    pub fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        matches!(url.scheme(), "https" | "http").then(|| Self(url.into()))
    }
}

/// The application somebody signs in to.
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    pub name: String,
    /// One or two letters, shown where there is no logo.
    pub initials: String,
    /// Host of its owner, shown so that a name alone convinces nobody.
    pub host: Option<String>,
    /// `policy_uri` (OIDC Registration §2).
    pub policy: Option<WebUrl>,
    /// `tos_uri` (OIDC Registration §2).
    pub terms: Option<WebUrl>,
    /// It registered itself, and no admin has looked at it yet.
    pub unverified: bool,
    /// It runs on another device: this browser has no way back to it.
    pub elsewhere: bool,
}

impl Application {
    /// An application known by its name only.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            initials: initials(name),
            host: None,
            policy: None,
            terms: None,
            unverified: false,
            elsewhere: false,
        }
    }
}

/// The first letters of the first and the last word, upper case; `?` when there is no letter.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let letters: String = words.next().into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

/// A person as the pages name them.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    pub username: String,
    /// Name or e-mail address in a second line, where known.
    pub detail: Option<String>,
    pub initials: String,
}

impl Person {
    /// A person known by user name, and by `detail` where there is one.
    pub fn new(username: &str, detail: Option<&str>) -> Self {
        Self {
            username: username.to_owned(),
            detail: detail.map(str::to_owned),
            initials: initials(detail.unwrap_or(username)),
        }
    }
}

/// `GET /login` and what `POST /login`, `POST /login/password` answer when there is more to ask.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    pub csrf: String,
    /// The sealed authorization request; none when somebody just wants to their account.
    pub request: Option<String>,
    pub application: Option<Application>,
    pub step: LoginStep,
    /// As typed, or the `login_hint`; may be empty in the first step.
    pub username: String,
    /// Passkeys are offered here.
    pub passkey_allowed: bool,
    /// A password field is offered in the second step.
    pub password_allowed: bool,
    /// The person is signed in, but the application wants to see them again (`prompt=login`, `max_age`).
    pub again: bool,
    /// Whoever cannot sign in may recover the account.
    pub recovers: bool,
    /// The RP ID, named where no passkey was found for it.
    pub rp_host: String,
    pub notice: Option<LoginNotice>,
    /// Where passkeys of the realm's other RP IDs work.
    pub elsewhere: Vec<Elsewhere>,
    /// Back to the first step, with the same `request`.
    pub restart_href: String,
    /// Where to make an account, where anybody may.
    pub sign_up_href: Option<String>,
}

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginStep {
    /// Nobody was named yet: passkey, or the user name first.
    Identify,
    /// The user name is known (never whether it exists): passkey, or password.
    Prove,
}

/// Why the last try did not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LoginNotice {
    /// User name and password do not belong together; which of them is wrong is not said.
    WrongPassword,
    /// Too many tries.
    Throttled { minutes: u32 },
    /// The form was older than its seal or its cookie.
    Expired,
    /// The password was right, but this account signs in with a passkey only.
    PasskeyNeeded,
    /// The account was just made; its passkey signs in.
    SignedUp,
}

/// The password was right and a passkey is asked on top, or a session is stepped up.
#[derive(Clone, Debug, Serialize)]
pub struct SecondFactor {
    pub csrf: String,
    pub request: Option<String>,
    pub application: Option<Application>,
    pub demands: Demands,
    pub person: Person,
    pub reason: SecondFactorReason,
    /// "Continue without" is offered: the application would like the passkey and does not insist.
    pub voluntary: bool,
    pub rp_host: String,
    /// Where the person's passkeys of other RP IDs work.
    pub elsewhere: Vec<Elsewhere>,
    /// The code of an authenticator app would do as well.
    pub totp_href: Option<String>,
    /// Sign in as somebody else, with the same `request`.
    pub switch_href: String,
}

/// Why a passkey is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondFactorReason {
    AfterPassword,
    StepUp,
}

/// The account chooser (`prompt=select_account`, "not you?").
#[derive(Clone, Debug, Serialize)]
pub struct Choose {
    pub csrf: String,
    pub request: String,
    pub application: Option<Application>,
    /// Who is signed in.
    pub person: Person,
    /// Sign in as somebody else, with the same `request`.
    pub switch_href: String,
}

/// What an application asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    pub csrf: String,
    pub request: String,
    pub application: Application,
    pub person: Person,
    pub items: Vec<ConsentItem>,
    /// "Not you?": the account chooser, with the same `request`.
    pub switch_href: String,
}

/// One line of a consent page, with the person's own value.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ConsentItem {
    /// Scope `openid`.
    Identity { value: Option<String> },
    /// Scope `profile`.
    Profile { value: Option<String> },
    /// Scope `email`.
    Email { value: Option<String> },
    /// Scope `address`.
    Address { value: Option<String> },
    /// Scope `phone`.
    Phone { value: Option<String> },
    /// Scope `groups`.
    Groups { value: Option<String> },
    /// Scope `roles`.
    Roles { value: Option<String> },
    /// Scope `offline_access`.
    Offline,
    /// A scope of the realm's own; its name is shown where nobody described it.
    Other { scope: String, description: Option<String> },
}

/// `GET /setup`: a set-up link of the first owner, or an access pass of an account.
#[derive(Clone, Debug, Serialize)]
pub struct Setup {
    pub csrf: String,
    /// The secret of the link.
    pub pass: String,
    pub kind: SetupKind,
    /// As proposed or typed; for an access pass the account's.
    pub username: String,
    pub email: String,
    /// A passkey may be made; a recovery does not always lead to one.
    pub passkey_allowed: bool,
    /// A password may be set instead of a passkey (access pass only).
    pub password_allowed: bool,
    /// The fewest characters a password has.
    pub password_min: usize,
    pub rp_host: String,
    /// When the link ends.
    pub expires: Timestamp,
    pub notice: Option<PasswordNotice>,
}

/// `GET /setup` without a link: the code of an access pass is typed in.
#[derive(Clone, Debug, Serialize)]
pub struct SetupCode {}

/// Whose set-up it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetupKind {
    FirstOwner,
    AccessPass,
}

/// Something is done; one button goes on.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub kind: MessageKind,
    pub person: Option<Person>,
    pub href: String,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// A passkey was made in `/setup`; `href` signs in with it.
    PasskeyCreated,
    /// A password was set in `/setup`; `href` signs in with it.
    PasswordSet,
    /// A device may fetch its access; `href` leads to the account.
    DeviceAllowed,
    /// A device was refused.
    DeviceDenied,
    /// A recovery that somebody began was cancelled by the link in the mail.
    RecoveryCancelled,
    /// A recovery that somebody began ended, since its owner signed in; `href` goes on.
    RecoveryStopped,
}

/// A 200 after a POST that goes on to `href`, since `form-action` binds the whole chain of redirects.
#[derive(Clone, Debug, Serialize)]
pub struct GoOn {
    /// Checked by the caller: a registered redirect URI with its answer, or a path of ours.
    pub href: String,
    pub application: Option<Application>,
    /// The browser may make a passkey without a dialogue first.
    pub upgrades: bool,
}

/// An answer that the browser posts to a client by itself (OAuth 2.0 Form Post Response Mode §2).
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// A registered redirect URI.
    pub action: String,
    pub fields: Vec<FormField>,
}

/// One hidden field.
#[derive(Clone, Debug, Serialize)]
pub struct FormField {
    pub name: &'static str,
    pub value: String,
}

impl FormPost {
    /// A form with these fields.
    pub fn new(action: String, fields: Vec<(&'static str, String)>) -> Self {
        Self { action, fields: fields.into_iter().map(|(name, value)| FormField { name, value }).collect() }
    }
}

/// What cannot go back to an application.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    pub kind: ErrorKind,
    /// Machine-readable, as in problem+json.
    pub code: String,
    /// For whoever runs the application: what exactly was wrong. Public.
    pub detail: Option<String>,
    pub application: Option<Application>,
    /// Where the person can go from here.
    pub href: Option<String>,
}

/// What happened, in the person's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The application is not known here.
    UnknownApplication,
    /// The address to return to is not registered.
    RedirectMismatch,
    /// The application's request is malformed.
    BadRequest,
    /// The sealed request is over; `href` goes back to the application where known.
    Expired,
    /// The page's cookie is missing or belongs to another browser.
    Cookies,
    /// The set-up link was used, is over or never was.
    LinkOver,
    /// The code of the device was not entered in this browser; `href` leads to where it can be.
    NotEntered,
    NotFound,
    Forbidden,
    TooMany,
    /// Our fault.
    Internal,
    /// Our fault, soon over.
    Unavailable,
}
