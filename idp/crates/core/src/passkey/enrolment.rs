//! What somebody must show before they make their first passkey: else a phished password would buy a sign-in that
//! cannot be phished.
//!
//! passkey policy (`enrolment_requires`). Pages, the nudge and `idp policy explain` all ask here.

use super::policy::{EnrolmentRequires, Policy};
use crate::account::Account;
use crate::credential::totp::SETTLED_S;
use crate::rule::Rule;
use crate::session::{AuthEvent, Method};
use crate::time::Timestamp;

/// The rules of a first passkey, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "enrol.confirmed",
        spec: "passkey policy",
        text: "A first passkey takes what `enrolment_requires` names: any sign-in; a second factor, a mailed code or an access pass; an access pass alone.",
    },
    Rule {
        id: "enrol.code",
        spec: "NIST SP 800-63B-4 §3.1.3.1",
        text: "A code mailed to the verified address, settled as for recovery, good once for 10 minutes, in the browser and for the account that asked, allows a first passkey for 10 more; not where the account has an authenticator app.",
    },
];

/// What lets somebody make their first passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPasskey {
    /// What they proved is enough.
    Proved,
    /// A code mailed to their address, on top of it.
    ByCode,
    /// A link of their administrator.
    ByLink,
}

/// What lets an account make its first passkey now on top of the factors that were proved. `mails`: mails are sent here.
pub fn first_passkey(
    policy: &Policy,
    account: &Account,
    events: &[AuthEvent],
    (mails, now): (bool, Timestamp),
) -> FirstPasskey {
    let profile = &account.profile;
    // An address that a password alone has put there may be the mailbox of whoever phished it.
    let settled = profile.email_settled.is_none_or(|at| now >= at);
    let readable = mails && profile.email_verified && profile.email.is_some() && settled;
    match policy.enrolment_requires {
        EnrolmentRequires::Any => FirstPasskey::Proved,
        EnrolmentRequires::Confirmed if has_two_factors(account, events) => FirstPasskey::Proved,
        // An authenticator app is stronger than a mailbox: whoever has one is asked for it.
        EnrolmentRequires::Confirmed if readable && account.totp.is_none() && !events.is_empty() => {
            FirstPasskey::ByCode
        }
        EnrolmentRequires::Confirmed | EnrolmentRequires::AccessPass => FirstPasskey::ByLink,
    }
}

/// Whether more than one factor was proved. An authenticator app counts a day after it was set up: whoever has phished a
/// password must not buy a passkey by way of an app of their own before the owner read the mail about it.
pub fn has_two_factors(account: &Account, events: &[AuthEvent]) -> bool {
    let counts = |event: &&AuthEvent, is: fn(&Method) -> bool| {
        let settled = account.totp.is_some_and(|since| event.at.ms_since(since) >= SETTLED_S * 1000);
        is(&event.method) && (event.method != Method::Totp || settled)
    };
    let has = |is: fn(&Method) -> bool| usize::from(events.iter().any(|e| counts(&e, is)));
    has(|m| *m == Method::Password) + has(|m| matches!(m, Method::Passkey(_))) + has(|m| *m == Method::Totp) > 1
}
