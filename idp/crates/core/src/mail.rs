//! Mails to people: which there are, how long one is worth sending, when a failed one is tried again.
//!
//! NIST SP 800-63B-4 §4.6 (notice of changes to authenticators).

use serde_json::Value;

use crate::id::{AccountId, MailId};
use crate::time::Timestamp;

/// What a mail carries besides words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// Tells that something happened: no secret, nothing to click but the account page.
    Notice,
    /// Carries a code to be typed in.
    Code,
    /// Tells that something is under way, and carries the link that stops it.
    Stop,
}

macro_rules! templates {
    ($($(#[$meta:meta])* $name:ident = $text:literal, $kind:ident;)*) => {
        /// Every mail there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MailTemplate { $($(#[$meta])* $name,)* }

        impl MailTemplate {
            /// All of them: a test renders each.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The text of the `template` column; the words of the mail begin with it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it carries.
            pub const fn kind(self) -> MailKind {
                match self { $(Self::$name => MailKind::$kind,)* }
            }

            /// From its text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

templates! {
    PasskeyRegistered = "passkey-registered", Notice;
    PasskeyRemoved = "passkey-removed", Notice;
    /// A signature counter went back.
    PasskeyCloned = "passkey-cloned", Notice;
    PasskeySuspended = "passkey-suspended", Notice;
    /// To the realm's owners: a passkey of somebody was set aside, its counter went back.
    PasskeyClonedOfUser = "passkey-cloned-of-user", Notice;
    PasswordSet = "password-set", Notice;
    PasswordRemoved = "password-removed", Notice;
    /// An administrator made a link that lets somebody enrol.
    PassIssued = "pass-issued", Notice;
    /// Goes to the address that is about to be replaced.
    EmailChanged = "email-changed", Notice;
    /// Switched off, locked, or let in again; `detail.state` says which.
    AccountState = "account-state", Notice;
    AccountDeleted = "account-deleted", Notice;
    /// The passkey is asked for after the password, or not any more; `detail.state` says which.
    SecondFactor = "second-factor", Notice;
    TotpSet = "totp-set", Notice;
    TotpRemoved = "totp-removed", Notice;
    RecoveryCodesSet = "recovery-codes-set", Notice;
    RecoveryCodesRemoved = "recovery-codes-removed", Notice;
    /// Somebody proved enough to get back in, after a while: their owner may object.
    RecoveryWaits = "recovery-waits", Stop;
    RecoveryOpened = "recovery-opened", Notice;
    RecoveryCancelled = "recovery-cancelled", Notice;
    /// To the realm's owners, where they want to know: somebody gets back in.
    RecoveryOfUser = "recovery-of-user", Notice;
    /// Lets somebody in who has lost every factor.
    RecoveryCode = "recovery-code", Code;
    /// Confirms who makes a first passkey.
    EnrolCode = "enrol-code", Code;
    /// Proves that its reader owns the address.
    AddressCode = "address-code", Code;
}

/// How long a notice is tried, in seconds: two days.
pub const NOTICE_LIFETIME_S: i64 = 2 * 86_400;

/// A mail that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub id: MailId,
    pub account_id: Option<AccountId>,
    /// As somebody typed it, or lower-cased; never checked beyond what an account accepts.
    pub address: String,
    pub template: MailTemplate,
    /// JSON of public facts for the template; never a secret.
    pub detail: Value,
    /// The code or token, sealed for [`crate::seal::Purpose::Mail`].
    pub secret_sealed: Option<Vec<u8>>,
    pub created: Timestamp,
    /// Not sent any more from then on.
    pub expires: Timestamp,
}

/// Mails of which an address that nobody proved to read gets few, and an account sends few to such addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// Notices, and what can be stopped.
    Notices,
    /// Codes that would prove the address.
    Codes,
}

impl Most {
    /// How many within [`MOST_WINDOW_S`].
    pub const fn count(self) -> u8 {
        match self {
            Self::Notices => 3,
            Self::Codes => 6,
        }
    }

    /// What they are counted under.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Notices => "mail.notices",
            Self::Codes => "mail.codes",
        }
    }
}

/// Seconds after which a mail does not count any more: a day.
pub const MOST_WINDOW_S: i64 = 86_400;

/// Member of the facts of a mail whose reader may be a stranger.
const IMPERSONAL: &str = "impersonal";

/// The facts of a mail to an address that nobody proved to read: none that somebody chose as they liked. Names of people
/// and of passkeys may be sentences with an address of their own in them.
pub fn impersonal(detail: &Value) -> Value {
    let kept = ["state", "by", "browser", "place", "ready"].into_iter();
    let kept = kept.filter_map(|name| Some((name.to_owned(), detail.get(name)?.clone())));
    kept.chain([(IMPERSONAL.to_owned(), true.into())]).collect()
}

/// Whether a mail was made [`impersonal`].
pub fn is_impersonal(detail: &Value) -> bool {
    detail.get(IMPERSONAL) == Some(&Value::Bool(true))
}

/// Longest pause between two tries, in seconds.
const LONGEST_PAUSE_S: i64 = 3600;

/// When to try again after `attempts` tries: after 15 s, then twice as long each time, an hour at most, and a random
/// quarter more or less, so that what failed together does not come together. `None`: never, it would be too late.
pub fn next_try(attempts: i64, expires: Timestamp, now: Timestamp, random: u8) -> Option<Timestamp> {
    let pause_ms = (15_i64 << (attempts.clamp(1, 12) - 1)).min(LONGEST_PAUSE_S) * 1000;
    let next = Timestamp::from_ms(now.ms() + pause_ms * (768 + 2 * i64::from(random)) / 1024);
    (next < expires).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_again_less_and_less_often_until_it_is_too_late() {
        let created = Timestamp::from_ms(1_763_600_000_000);
        let expires = created.plus_s(NOTICE_LIFETIME_S);
        let (mut now, mut tries, mut pause) = (created, 1, 0);
        while let Some(next) = next_try(tries, expires, now, 128) {
            assert!(next.ms() - now.ms() >= pause);
            pause = next.ms() - now.ms();
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(next_try(1, expires, created, 128), Some(created.plus_s(15)));
        assert_eq!(pause, 3_600_000);
        assert!((50..60).contains(&tries), "{tries} tries");
        assert_eq!(next_try(1, created.plus_s(10), created, 0), None, "a code is over before the next try");
    }

    #[test]
    fn reads_back_every_template_by_its_text() {
        for template in MailTemplate::ALL {
            assert_eq!(MailTemplate::parse(template.text()), Some(*template));
        }
        assert_eq!(MailTemplate::parse("other"), None);
    }
}
