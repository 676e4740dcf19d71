//! The words of the `state`, `kind`, `role` and `alg` columns: one closed set each, one text per value.

use idp_core::account::{AccountState, Role};
use idp_core::client::{ClientState, SigningAlg};
use idp_core::grant::GrantState;
use idp_core::oauth::device::DeviceState;
use idp_core::pass::PassKind;
use idp_core::passkey::record::{Attestation, PasskeyState};

use idp_core::jose::keyset::KeyState;

use crate::mds::Slot;

/// A value kept as a word in a TEXT column.
pub(crate) trait Word: Sized {
    fn word(self) -> &'static str;
    fn from_word(text: &str) -> Option<Self>;
}

macro_rules! words {
    ($($type:ident { $($name:ident = $text:literal),* $(,)? })*) => {$(
        impl Word for $type {
            fn word(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
            fn from_word(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    )*};
}

words! {
    Role { User = "user", Owner = "owner" }
    AccountState { Active = "active", Disabled = "disabled", Locked = "locked" }
    ClientState { Active = "active", Disabled = "disabled" }
    GrantState { Live = "live", Revoked = "revoked", Burnt = "burnt" }
    DeviceState { Waiting = "waiting", Approved = "approved", Denied = "denied", Used = "used" }
    PassKind { Setup = "setup", Access = "access", Registration = "registration", Registrations = "registrations" }
    Attestation { None = "none", SelfSigned = "self", Unverified = "unverified", Verified = "verified" }
    PasskeyState { Active = "active", Suspended = "suspended" }
    SigningAlg { RS256 = "RS256", ES256 = "ES256", EdDSA = "EdDSA", PS256 = "PS256" }
    Slot { Current = "current", Held = "held" }
    KeyState { Active = "active", Next = "next", Retired = "retired", Revoked = "revoked" }
}
