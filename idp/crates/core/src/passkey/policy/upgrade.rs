//! Automatic upgrade: whether a policy lets a passkey be made without a dialogue after a sign-in by password.
//!
//! WebAuthn L3 §5.1.3 (conditional mediation). Nobody proves to be there, and what is made is a synced passkey of the
//! device that nobody attests: a policy that asks for more would refuse each of them.

use super::{Enrolment, EnrolmentRequires, Mode, PasskeyType, Policy, Problem};

/// Days for which nothing is made after a passkey was put off, where the nudge names none; and for which a browser that
/// made none is left alone.
pub const REST_DAYS: u16 = 14;

/// One thing an upgrade rests on: the field that says so, and what to change where it does not.
struct Condition {
    field: &'static str,
    text: &'static str,
    holds: fn(&Policy) -> bool,
}

/// The table.
const CONDITIONS: &[Condition] = &[
    Condition {
        field: "enabled",
        text: "must be true with automatic_upgrade: it makes passkeys",
        holds: |policy| policy.enabled,
    },
    Condition {
        field: "allow_registration",
        text: "must be true with automatic_upgrade: it makes passkeys",
        holds: |policy| policy.allow_registration,
    },
    Condition {
        field: "mode",
        text: "must be passkey_first or optional with automatic_upgrade: elsewhere a password alone signs nobody in",
        holds: |policy| matches!(policy.mode, Mode::PasskeyFirst | Mode::Optional),
    },
    Condition {
        field: "enrolment_requires",
        text: "must be any with automatic_upgrade: a password alone makes the passkey, also a password that was phished",
        holds: |policy| policy.enrolment_requires == EnrolmentRequires::Any,
    },
    Condition {
        field: "deny_synced",
        text: "must be false with automatic_upgrade: what is made without a dialogue is synced",
        holds: |policy| !policy.deny_synced,
    },
    Condition {
        field: "allowed_types",
        text: "must contain device with automatic_upgrade: what is made without a dialogue is kept by the device",
        holds: |policy| policy.allowed_types.contains(Some(PasskeyType::Device)),
    },
    Condition {
        field: "attestation_trust",
        text: "must be none with automatic_upgrade: nobody vouches for what is made without a dialogue",
        holds: |policy| policy.attestation_trust.is_any(),
    },
];

impl Policy {
    /// Whether passkeys may be made without a dialogue. Asked of a policy met by the demands of a client as well, which
    /// may keep it from happening.
    pub fn upgrades(&self) -> bool {
        self.automatic_upgrade && CONDITIONS.iter().all(|condition| (condition.holds)(self))
    }

    /// Days for which somebody who put a passkey off is left alone.
    pub const fn upgrade_rests_days(&self) -> u16 {
        match self.enrolment {
            Enrolment::Nudge(days) => days,
            Enrolment::Off | Enrolment::Required(_) => REST_DAYS,
        }
    }

    /// What keeps a policy with `automatic_upgrade` from ever acting.
    pub(super) fn check_upgrade(&self) -> impl Iterator<Item = Problem> {
        let broken = CONDITIONS.iter().filter(|condition| self.automatic_upgrade && !(condition.holds)(self));
        broken.map(|condition| Problem::new(condition.field, condition.text))
    }
}
