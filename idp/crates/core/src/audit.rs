//! The audit trail: what happened, by whom, to what. Written in the commit of the act itself.

use serde_json::{Value, json};

use crate::id::{AccountId, AuditId, ClientId};
use crate::mail::MailTemplate;
use crate::time::Timestamp;

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody signed in, or signing in.
    Account(AccountId),
    /// A client, by its own authentication.
    Client(ClientId),
    /// An operator at the command line.
    Operator,
    /// The product itself, in work that nobody waits for.
    System,
    /// Somebody holding a pass.
    Pass,
    /// Somebody whose name is not an account's.
    Anonymous,
}

impl Actor {
    /// The text of the `actor` column.
    pub fn text(&self) -> String {
        match self {
            Self::Account(id) => format!("account:{id}"),
            Self::Client(id) => format!("client:{id}"),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
            Self::Pass => "pass".to_owned(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}

/// How the events begin that an account is shown. `idp_store::audit` says the same in SQL: change both.
const ACTIVITY: &[&str] = &[
    "sign_in",
    "session.",
    "consent.",
    "device.approved",
    "device.denied",
    "passkey.",
    "pass.",
    "password.",
    "totp.",
    "recovery",
    "account.",
];

macro_rules! events {
    (@mail) => { None };
    (@mail $template:ident) => { Some(MailTemplate::$template) };
    ($($(#[$meta:meta])* $name:ident = $text:literal $(tells $template:ident)?,)*) => {
        /// What happened; the table of all audit events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AuditEvent { $($(#[$meta])* $name,)* }

        impl AuditEvent {
            /// Every event, for documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The text of the `event` column.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The mail by which the account it happened to is told, where it has an address. Changes of how an
            /// account is signed in to tell its owner; what its owner does all day does not.
            pub const fn mail(self) -> Option<MailTemplate> {
                match self { $(Self::$name => events!(@mail $($template)?),)* }
            }

            /// From its text; none for one that a newer program wrote.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }

            /// Whether it is shown to the account it happened to: what changes or opens it, not what applications
            /// do in its name all day.
            pub fn is_activity(self) -> bool {
                ACTIVITY.iter().any(|area| self.text().starts_with(area))
            }
        }
    };
}

events! {
    /// A session began or was stepped up.
    SignIn = "sign_in",
    /// A secret was wrong.
    SignInFailed = "sign_in.failed",
    SessionEnded = "session.ended",
    CodeRedeemed = "code.redeemed",
    /// A code came twice; what it bought was revoked.
    CodeReused = "code.reused",
    /// A code came from the wrong client, with the wrong redirect URI or verifier.
    CodeBurnt = "code.burnt",
    /// A refresh token was used.
    TokenRefreshed = "token.refreshed",
    /// A refresh token came back after its successor was used; its family was revoked.
    RefreshReused = "token.refresh_reused",
    /// A client got a token for itself.
    ClientToken = "token.client",
    TokenRevoked = "token.revoked",
    RequestPushed = "request.pushed",
    DeviceStarted = "device.started",
    DeviceApproved = "device.approved",
    DeviceDenied = "device.denied",
    DeviceRedeemed = "device.redeemed",
    LogoutDelivered = "logout.delivered",
    LogoutUndelivered = "logout.undelivered",
    /// A mail could not be sent, or not in time.
    MailUndelivered = "mail.undelivered",
    ConsentGiven = "consent.given",
    ConsentWithdrawn = "consent.withdrawn",
    PasskeyRegistered = "passkey.registered" tells PasskeyRegistered,
    /// Changes no factor: shown in the account's activity, but nobody is told.
    PasskeyRenamed = "passkey.renamed",
    PasskeyRemoved = "passkey.removed" tells PasskeyRemoved,
    /// A ceremony ran at another host than it was begun for.
    CeremonyRefused = "ceremony.refused",
    /// A signature counter went back: perhaps a copied key.
    PasskeyCloned = "passkey.cloned" tells PasskeyCloned,
    /// A passkey was set aside: its model is not trusted any more.
    PasskeySuspended = "passkey.suspended" tells PasskeySuspended,
    /// New FIDO metadata count from now on.
    MdsAccepted = "mds.accepted",
    /// New FIDO metadata wait for an admin: they would suspend too many passkeys.
    MdsHeld = "mds.held",
    PassIssued = "pass.issued" tells PassIssued,
    AccountCreated = "account.created",
    AccountChanged = "account.changed",
    /// Told to the address before.
    EmailChanged = "account.email_changed" tells EmailChanged,
    /// Switched off, locked, or let in again.
    AccountStateChanged = "account.state_changed" tells AccountState,
    AccountDeleted = "account.deleted" tells AccountDeleted,
    /// A mailed code proved the address.
    EmailVerified = "account.email_verified",
    /// Its owner wants to be asked for the passkey after the password, or not any more.
    SecondFactorChanged = "account.second_factor" tells SecondFactor,
    PasswordSet = "password.set" tells PasswordSet,
    PasswordRemoved = "password.removed" tells PasswordRemoved,
    TotpSet = "totp.set" tells TotpSet,
    TotpRemoved = "totp.removed" tells TotpRemoved,
    RecoveryCodesSet = "recovery_codes.set" tells RecoveryCodesSet,
    RecoveryCodesRemoved = "recovery_codes.removed" tells RecoveryCodesRemoved,
    /// Somebody asked for a recovery; nothing is proved yet.
    RecoveryAsked = "recovery.asked",
    /// A code of a recovery was wrong.
    RecoveryFailed = "recovery.failed",
    /// A recovery was proved and waits; its owner is mailed how to cancel it.
    RecoveryWaits = "recovery.waits",
    /// A recovery opened an enrolment.
    RecoveryOpened = "recovery.opened" tells RecoveryOpened,
    RecoveryCancelled = "recovery.cancelled" tells RecoveryCancelled,
    ClientCreated = "client.created",
    /// A client registered itself.
    ClientRegistered = "client.registered",
    ClientChanged = "client.changed",
    ClientDeleted = "client.deleted",
    GroupCreated = "group.created",
    GroupChanged = "group.changed",
    GroupDeleted = "group.deleted",
    PolicyChanged = "policy.changed",
    RealmCreated = "realm.created",
    RealmChanged = "realm.changed",
    KeyCreated = "key.created",
    /// A key began to sign.
    KeyActivated = "key.activated",
    KeyRetired = "key.retired",
    /// A key was unpublished at once; nothing it signed verifies any more.
    KeyRevoked = "key.revoked",
}

/// One audit row. `detail` is JSON of public facts; never a secret.
#[derive(Clone, Debug)]
pub struct Audit {
    pub id: AuditId,
    pub at: Timestamp,
    pub event: AuditEvent,
    pub actor: Actor,
    pub account_id: Option<AccountId>,
    pub client_id: Option<ClientId>,
    /// The request id that pages and logs show.
    pub request_id: String,
    pub detail: Value,
}

/// What a notice about an act says: the facts of its audit row, and by whom it was done (`self`, `operator`,
/// `system`, `pass`).
pub fn detail_of(audit: &Audit) -> Value {
    let by = match &audit.actor {
        Actor::Account(id) if Some(*id) == audit.account_id => "self",
        Actor::Pass => "pass",
        Actor::System | Actor::Client(_) | Actor::Anonymous => "system",
        // Another account acts as an administrator.
        Actor::Operator | Actor::Account(_) => "operator",
    };
    let mut detail = audit.detail.clone();
    match detail.as_object_mut() {
        Some(fields) => {
            fields.insert("by".to_owned(), by.into());
            detail
        }
        None => json!({ "by": by }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_owner_of_each_change_of_a_factor_and_of_nothing_daily() {
        let told = |event: &&AuditEvent| event.mail().is_some();
        let texts: Vec<_> = AuditEvent::ALL.iter().filter(told).map(|event| event.text()).collect();
        assert_eq!(
            texts,
            [
                "passkey.registered",
                "passkey.removed",
                "passkey.cloned",
                "passkey.suspended",
                "pass.issued",
                "account.email_changed",
                "account.state_changed",
                "account.deleted",
                "account.second_factor",
                "password.set",
                "password.removed",
                "totp.set",
                "totp.removed",
                "recovery_codes.set",
                "recovery_codes.removed",
                "recovery.opened",
                "recovery.cancelled",
            ]
        );
    }
}
