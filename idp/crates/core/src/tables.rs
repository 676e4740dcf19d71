//! All tables of rules in one list: what `docs/specs.md` prints and what must have a test.

use crate::rule::Rule;
use crate::{account, credential, oauth, oidc, passkey, sign_up, user_schema};

/// Every table of plain rules under its title, for documentation and for the test that each rule has a test.
pub const TABLES: &[(&str, &[Rule])] = &[
    ("Pushed authorization requests", oauth::authorize::par::RULES),
    ("Request objects", oauth::authorize::jar::RULES),
    ("Resource servers", oauth::resource::RULES),
    ("Client authentication", oauth::client_auth::RULES),
    ("Client assertions", oauth::client_auth::assertion::RULES),
    ("DPoP proof", oauth::dpop::RULES),
    ("Token endpoint", oauth::grants::RULES),
    ("Authorization code grant", oauth::grants::code::RULES),
    ("Refresh token grant", oauth::grants::refresh::RULES),
    ("Client credentials grant", oauth::grants::client_credentials::RULES),
    ("Device authorization", oauth::device::RULES),
    ("Device code grant", oauth::grants::device::RULES),
    ("Introspection", oauth::introspect::RULES),
    ("Revocation", oauth::revoke::RULES),
    ("Access tokens at our own endpoints", oauth::access_token::RULES),
    ("Client registration", oauth::registration::RULES),
    ("Handoff between hosts", passkey::handoff::RULES),
    ("Logout", oidc::logout::RULES),
    ("Back-channel logout", oidc::backchannel::RULES),
    ("Front-channel logout", oidc::frontchannel::RULES),
    ("Passwords", credential::password::RULES),
    ("Authenticator apps (TOTP)", credential::totp::RULES),
    ("Recovery", credential::recovery::RULES),
    ("User schema", user_schema::RULES),
    ("Sign-up", sign_up::RULES),
    ("Verification of e-mail addresses", account::verification::RULES),
    ("First passkeys", passkey::enrolment::RULES),
    ("Names of passkeys", passkey::naming::RULES),
];
