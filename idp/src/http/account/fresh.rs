//! A change of factors needs a sign-in not older than five minutes, as strong as the account's strongest factor.

use idp_core::account::Account;
use idp_core::credential::totp::SETTLED_S;
use idp_core::passkey::enrolment::{FirstPasskey, first_passkey, has_two_factors};
use idp_core::passkey::policy::{self, Policy};
use idp_core::passkey::record::Passkey;
use idp_core::rule::Rule;
use idp_core::session::{AuthEvent, Method};
use idp_core::time::Timestamp;

use crate::http::exchange::{Exchange, Visitor};
use crate::http::login::confirmation::Confirmation;
use crate::http::problem::Problem;

/// How old a sign-in may be, in seconds.
const FRESH_S: i64 = 300;

/// The rules of this page, for documentation.
pub const RULES: &[Rule] = &[Rule {
    id: "account.fresh",
    spec: "ASVS 5.0 §7.5.1",
    text: "Factors are changed only within 5 minutes of a sign-in as strong as the account's strongest factor.",
}];

/// Checks the session.
///
/// # Errors
/// 403 with where to sign in again.
pub fn require(x: &Exchange, visitor: &Visitor, passkeys: &[Passkey]) -> Result<(), Problem> {
    let has_passkey = has_passkey(x, visitor, passkeys);
    let young = |is: fn(&Method) -> bool| visitor.session.events.iter().any(|e| is(&e.method) && is_young(x, e));
    let secrets =
        young(|m| *m == Method::Password) && (visitor.account.totp.is_none() || young(|m| *m == Method::Totp));
    if young(|m| matches!(m, Method::Passkey(_))) || (secrets && !has_passkey) {
        return Ok(());
    }
    Err(Problem::Request {
        status: 403,
        code: "sign_in_again",
        detail: "sign in again before you change how you sign in".to_owned(),
        next: Some("/login?again=1".to_owned()),
    })
}

/// Whether some passkey that counts signs in to the realm, at one of its hosts.
pub fn has_passkey(x: &Exchange, visitor: &Visitor, passkeys: &[Passkey]) -> bool {
    policy::has_passkey(passkeys, &x.realm.relying_parties, (&visitor.account, &visitor.policy))
}

/// Checks that this session may remove a passkey. One that signs in nowhere now still slows down whoever recovers the
/// account, so that a password alone does not remove it.
///
/// # Errors
/// 403 with what helps.
pub fn require_to_remove(x: &Exchange, visitor: &Visitor, passkey: &Passkey) -> Result<(), Problem> {
    let works = policy::usable_in(std::slice::from_ref(passkey), &x.realm.relying_parties, &visitor.policy);
    let young: Vec<AuthEvent> = visitor.session.events.iter().filter(|event| is_young(x, event)).cloned().collect();
    let by_passkey = young.iter().any(|event| matches!(event.method, Method::Passkey(_)));
    if works.count() > 0 || by_passkey || has_two_factors(&visitor.account, &young) {
        return Ok(());
    }
    let text =
        "sign in with another passkey to remove this one, or ask your administrator: a password alone is not enough";
    Err(Problem::api(403, "passkey_protected", text))
}

/// Whether something happened lately enough to change factors on it.
pub fn is_young(x: &Exchange, event: &AuthEvent) -> bool {
    x.now.ms_since(event.at) <= FRESH_S * 1000
}

/// Checks that a session may make a passkey now: by the same, or for the first one by a mailed code, which is as young
/// and was sent on the strength of such a sign-in.
///
/// # Errors
/// 403 with where to sign in again.
pub fn require_to_enrol(x: &Exchange, visitor: &Visitor, passkeys: &[Passkey]) -> Result<(), Problem> {
    if !has_passkey(x, visitor, passkeys) && Confirmation::is_done(x, &visitor.account) {
        return Ok(());
    }
    require(x, visitor, passkeys)
}

/// What lets an account make a passkey on what was proved in this browser. A further one takes no more than that.
pub fn enrol_way(
    x: &Exchange,
    (account, policy): (&Account, &Policy),
    events: &[AuthEvent],
    passkeys: &[Passkey],
) -> FirstPasskey {
    if policy::has_passkey(passkeys, &x.realm.relying_parties, (account, policy)) {
        return FirstPasskey::Proved;
    }
    match first_passkey(policy, account, events, (x.app.store.queues_mail(), x.now)) {
        // One that is set aside or refused by now protects the account as before: a mailbox comes round it no sooner
        // here than by a recovery.
        FirstPasskey::ByCode if !passkeys.is_empty() => FirstPasskey::ByLink,
        FirstPasskey::ByCode if Confirmation::is_done(x, account) => FirstPasskey::Proved,
        way => way,
    }
}

/// From when what is prepared in this session recovers the account without waiting: a day later where a password alone
/// was proved, so that whoever has phished it buys nothing before the owner read the mail about it.
pub fn settles(x: &Exchange, visitor: &Visitor) -> Timestamp {
    let events = &visitor.session.events;
    let by_passkey = events.iter().any(|event| matches!(event.method, Method::Passkey(_)));
    if by_passkey || has_two_factors(&visitor.account, events) { x.now } else { x.now.plus_s(SETTLED_S) }
}

/// The refusal of whoever cannot confirm here that a first passkey is theirs.
pub fn needs_link() -> Problem {
    let text = "your first passkey needs a link from your administrator: ask for an access pass";
    Problem::api(403, "access_pass_required", text)
}
