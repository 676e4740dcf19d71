//! What lets somebody make their first passkey.

use idp_core::account::{Account, AccountState, Profile, Role};
use idp_core::credential::totp::SETTLED_S;
use idp_core::id::EventId;
use idp_core::passkey::enrolment::{FirstPasskey, first_passkey};
use idp_core::passkey::policy::{EnrolmentRequires, Policy};
use idp_core::session::{AuthEvent, Method};
use idp_core::time::Timestamp;

use crate::support::*;

/// Somebody with a verified address.
fn somebody(totp: Option<Timestamp>) -> Account {
    let profile = Profile { email: Some("ann@example.org".to_owned()), email_verified: true, ..Profile::default() };
    Account {
        id: account(),
        username: "ann".to_owned(),
        profile,
        user_handle: HANDLE.to_vec(),
        role: Role::User,
        state: AccountState::Active,
        password_hash: None,
        password_version: 0,
        preferences: Default::default(),
        totp,
        recovery: None,
        created: NOW,
        updated: NOW,
    }
}

fn events(methods: &[Method]) -> Vec<AuthEvent> {
    methods.iter().map(|m| AuthEvent::new(EventId::from_bytes([0; 16]), NOW, None, m.clone())).collect()
}

fn asks(account: &Account, methods: &[Method], mails: bool) -> FirstPasskey {
    first_passkey(&Policy::default(), account, &events(methods), (mails, NOW))
}

#[test]
fn a_first_passkey_takes_what_the_policy_names() {
    use FirstPasskey::{ByCode, ByLink, Proved};
    let policy = |enrolment_requires| Policy { enrolment_requires, ..Policy::default() };
    let (alone, both) = ([Method::Password], [Method::Password, Method::Totp]);
    let settled = somebody(Some(NOW.plus_s(-SETTLED_S)));
    for (requires, by_password, by_both) in [
        (EnrolmentRequires::Any, Proved, Proved),
        (EnrolmentRequires::Confirmed, ByCode, Proved),
        (EnrolmentRequires::AccessPass, ByLink, ByLink),
    ] {
        let of = |account, methods: &[Method]| first_passkey(&policy(requires), account, &events(methods), (true, NOW));
        let found = (of(&somebody(None), &alone), of(&settled, &both));
        assert_eq!(found, (by_password, by_both), "enrol.confirmed: {requires:?}");
    }
}

#[test]
fn a_code_takes_a_password_a_verified_address_and_mails() {
    let ann = somebody(None);
    assert_eq!(asks(&ann, &[Method::Password], true), FirstPasskey::ByCode, "enrol.code");
    assert_eq!(asks(&ann, &[Method::Password], false), FirstPasskey::ByLink, "no mails are sent");
    assert_eq!(asks(&ann, &[], true), FirstPasskey::ByLink, "nothing was proved");
    let mut unproved = ann.clone();
    unproved.profile.email_verified = false;
    assert_eq!(asks(&unproved, &[Method::Password], true), FirstPasskey::ByLink);
    let mut changed = ann.clone();
    changed.profile.email_settled = Some(NOW.plus_s(1));
    assert_eq!(asks(&changed, &[Method::Password], true), FirstPasskey::ByLink, "a phisher's own mailbox");
    changed.profile.email_settled = Some(NOW);
    assert_eq!(asks(&changed, &[Method::Password], true), FirstPasskey::ByCode);
    let mut nowhere = ann;
    nowhere.profile.email = None;
    assert_eq!(asks(&nowhere, &[Method::Password], true), FirstPasskey::ByLink);
}

#[test]
fn a_code_replaces_no_authenticator_app() {
    let settled = somebody(Some(NOW.plus_s(-SETTLED_S)));
    assert_eq!(asks(&settled, &[Method::Password], true), FirstPasskey::ByLink);
    let young = somebody(Some(NOW.plus_s(1 - SETTLED_S)));
    assert_eq!(asks(&young, &[Method::Password, Method::Totp], true), FirstPasskey::ByLink, "a phisher's own app");
}
