//! What the policy holds against a passkey: one table of checks, all that fail are reported.
//!
//! The ceremony's own checks (WebAuthn L3 §7.1, §7.2) come before and are not repeated, except for user
//! verification and algorithms, which a later, stricter policy asks again.

use super::trust::Attested;
use super::{CloneResponse, Mode, PasskeyType, Policy, Requirement};
use crate::account::Account;
use crate::passkey::assertion::{Counter, Verified};
use crate::passkey::mds::{Certification, Model};
use crate::passkey::record::{Attestation, Passkey, PasskeyState};
use crate::passkey::registration::Registered;
use crate::realm::relying_party::RelyingParty;
use crate::rule::Rule;

/// What the checks look at; `None`: not known here, the check does not apply.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub kind: Option<PasskeyType>,
    pub backup_eligible: bool,
    pub user_verified: Option<bool>,
    pub discoverable: Option<bool>,
    pub alg: i64,
    pub suspended: bool,
    pub aaguid: &'a [u8; 16],
    pub attested: Attested<'a>,
    pub model: &'a Model,
    /// Passkeys the account has already, of this RP ID, not suspended.
    pub existing: Option<usize>,
    pub sign_in: Option<SignIn>,
    pub counter: Option<Counter>,
}

/// What a passkey is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Alone or first.
    FirstFactor,
    /// After a password.
    SecondFactor,
}

/// One row of [`CHECKS`].
#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub rule: Rule,
    /// Field of the policy it belongs to; also the machine-readable code.
    pub code: &'static str,
    /// Acts at registration.
    pub registration: bool,
    /// Acts at sign-in.
    pub sign_in: bool,
    /// What people are told.
    pub public: &'static str,
    holds: fn(&Policy, &Facts<'_>) -> bool,
}

/// Something the policy holds against a passkey.
#[derive(Clone, Copy, Debug)]
pub struct Violation(&'static Check);

impl Violation {
    /// Machine-readable code; stable.
    pub const fn code(&self) -> &'static str {
        self.0.code
    }
    /// A sentence for people.
    pub const fn public(&self) -> &'static str {
        self.0.public
    }
    /// The rule that does not hold.
    pub const fn rule(&self) -> &'static Rule {
        &self.0.rule
    }
}

/// The code of what suspends a passkey that was registered before.
pub const MODEL_STATUS: &str = "model_status";

/// The table.
pub const CHECKS: &[Check] = &[
    Check {
        rule: rule("passkey.policy.enabled", "passkeys are switched on"),
        code: "passkeys_disabled",
        registration: true,
        sign_in: true,
        public: "Passkeys are switched off here.",
        holds: |policy, _| policy.enabled,
    },
    Check {
        rule: rule("passkey.policy.allow_registration", "new passkeys may be registered"),
        code: "registration_disabled",
        registration: true,
        sign_in: false,
        public: "No new passkeys are accepted here at present.",
        holds: |policy, _| policy.allow_registration,
    },
    Check {
        rule: rule("passkey.policy.allow_login", "a passkey may be the first factor"),
        code: "login_disabled",
        registration: false,
        sign_in: true,
        public: "Signing in with a passkey first is switched off here: please begin with your password.",
        holds: |policy, facts| facts.sign_in != Some(SignIn::FirstFactor) || policy.allow_login,
    },
    Check {
        rule: rule("passkey.policy.allow_second_factor", "a passkey may follow a password"),
        code: "second_factor_disabled",
        registration: false,
        sign_in: true,
        public: "A passkey is not accepted as a second step here.",
        holds: |policy, facts| facts.sign_in != Some(SignIn::SecondFactor) || policy.allow_second_factor,
    },
    Check {
        rule: rule("passkey.policy.state", "the passkey is not suspended"),
        code: "passkey_suspended",
        registration: false,
        sign_in: true,
        public: "This passkey is suspended. Please use another one or ask your administrator.",
        holds: |_, facts| !facts.suspended,
    },
    Check {
        rule: rule("passkey.policy.allowed_types", "the passkey is of an allowed type, as far as its browser tells"),
        code: "type_not_allowed",
        registration: true,
        sign_in: true,
        public: "Authenticators of this type are not accepted here. Please use another one.",
        holds: |policy, facts| policy.allowed_types.contains(facts.kind),
    },
    Check {
        rule: rule("passkey.policy.deny_synced", "where synced passkeys are denied, BE is not set"),
        code: "synced_not_allowed",
        registration: true,
        sign_in: true,
        public: "Passkeys that are synced between devices are not accepted here. Please use a security key.",
        holds: |policy, facts| !policy.deny_synced || !facts.backup_eligible,
    },
    Check {
        rule: rule("passkey.policy.user_verification", "UV is set where it is required for the type"),
        code: "user_not_verified",
        registration: true,
        sign_in: true,
        public: "Please unlock your passkey by PIN, fingerprint or face.",
        holds: |policy, facts| {
            facts.user_verified != Some(false) || policy.user_verification.of(facts.kind) != Requirement::Required
        },
    },
    Check {
        rule: rule(
            "passkey.policy.resident_key",
            "the passkey is discoverable where that is required, unless its browser cannot tell",
        ),
        code: "not_discoverable",
        registration: true,
        sign_in: false,
        public: "This authenticator cannot keep a passkey for signing in without a user name. Please use another one.",
        holds: |policy, facts| {
            facts.discoverable != Some(false) || policy.resident_key.of(facts.kind) != Requirement::Required
        },
    },
    Check {
        rule: rule("passkey.policy.algorithms", "the key's algorithm is listed"),
        code: "algorithm_not_allowed",
        registration: true,
        sign_in: false,
        public: "This authenticator makes keys of a kind that is not accepted here. Please use another one.",
        holds: |policy, facts| policy.algorithms.contains(&facts.alg),
    },
    Check {
        rule: rule(
            "passkey.policy.attestation_trust",
            "where trust is set, the passkey's attestation was verified by a root of the metadata for its model or of the policy",
        ),
        code: "not_attested",
        registration: true,
        sign_in: true,
        public: "Only authenticators whose maker is known are accepted here. Please use another one, and allow the browser to \
                 share its make and model.",
        holds: |policy, facts| policy.attestation_trust.accepts(&facts.attested),
    },
    Check {
        rule: rule(
            "passkey.policy.aaguid_allow",
            "where models are listed, the passkey is of one of them; the zero AAGUID is of none",
        ),
        code: "model_not_allowed",
        registration: true,
        sign_in: true,
        public: "Authenticators of this model are not accepted here. Please use another one.",
        holds: |policy, facts| policy.aaguid_allow.contains(facts.aaguid),
    },
    Check {
        rule: rule("passkey.policy.aaguid_deny", "the passkey is of no model that is denied"),
        code: "model_denied",
        registration: true,
        sign_in: true,
        public: "Authenticators of this model are not accepted here. Please use another one.",
        holds: |policy, facts| !policy.aaguid_deny.contains(facts.aaguid),
    },
    Check {
        rule: rule("passkey.policy.mds_refuse_status", "the metadata report no status of the model that is refused"),
        code: MODEL_STATUS,
        registration: true,
        sign_in: true,
        public: "A security problem is known of authenticators of this model. Please use another one.",
        holds: |policy, facts| policy.mds_refuse_status.accepts(&facts.model.statuses),
    },
    Check {
        rule: rule(
            "passkey.policy.mds_min_certification",
            "where a certification is demanded, the metadata vouch for the passkey and certify its model so far",
        ),
        code: "not_certified",
        registration: true,
        sign_in: true,
        public: "Authenticators of this model are not certified as is required here. Please use another one.",
        holds: |policy, facts| {
            let least = policy.mds_min_certification;
            let vouched = facts.attested.state == Attestation::Verified && facts.attested.vouched;
            least == Certification::None || (vouched && facts.model.certification >= least)
        },
    },
    Check {
        rule: rule("passkey.policy.max_passkeys", "the account has room for another passkey"),
        code: "too_many_passkeys",
        registration: true,
        sign_in: false,
        public: "You have as many passkeys as are allowed. Please remove one first.",
        holds: |policy, facts| facts.existing.is_none_or(|n| n < usize::from(policy.max_passkeys)),
    },
    Check {
        rule: rule(
            "passkey.policy.clone_response",
            "where the response to a clone signal is block, the counter did not go back",
        ),
        code: "clone_suspected",
        registration: false,
        sign_in: true,
        public: "This passkey may have been copied and was suspended for your safety. Please use another one.",
        holds: |policy, facts| {
            facts.counter != Some(Counter::CloneSignal)
                || policy.clone_response.of(facts.backup_eligible) != CloneResponse::Block
        },
    },
];

const fn rule(id: &'static str, text: &'static str) -> Rule {
    Rule { id, spec: "passkey policy", text }
}

fn violations(policy: &Policy, facts: &Facts<'_>, acts: fn(&Check) -> bool) -> Vec<Violation> {
    CHECKS.iter().filter(|check| acts(check) && !(check.holds)(policy, facts)).map(Violation).collect()
}

/// All that the policy holds against a new passkey. `existing`: the account's passkeys of this RP ID that
/// are not suspended.
pub fn judge_registration(policy: &Policy, registered: &Registered, existing: usize) -> Vec<Violation> {
    let facts = Facts {
        kind: registered.passkey_type(),
        backup_eligible: registered.backup_eligible,
        // Nobody was asked; the first sign-in asks.
        user_verified: (!registered.conditional).then_some(registered.user_verified),
        discoverable: registered.discoverable,
        alg: registered.alg,
        suspended: false,
        aaguid: &registered.aaguid,
        attested: Attested {
            state: registered.statement.attestation,
            root: registered.attestation_root.as_ref(),
            vouched: registered.model.vouched,
        },
        model: &registered.model,
        existing: Some(existing),
        sign_in: None,
        counter: None,
    };
    violations(policy, &facts, |check| check.registration)
}

/// All that the policy holds against this sign-in with a passkey.
pub fn judge_sign_in(policy: &Policy, passkey: &Passkey, verified: &Verified, sign_in: SignIn) -> Vec<Violation> {
    let facts = Facts {
        user_verified: Some(verified.user_verified),
        sign_in: Some(sign_in),
        counter: Some(verified.counter),
        ..record_facts(passkey)
    };
    violations(policy, &facts, |check| check.sign_in)
}

/// All that the policy would hold against any sign-in with this passkey: nothing means it is usable.
pub fn judge_record(policy: &Policy, passkey: &Passkey) -> Vec<Violation> {
    violations(policy, &record_facts(passkey), |check| check.sign_in)
}

/// The passkeys of an account that could be used at a host now.
pub fn usable<'a>(passkeys: &'a [Passkey], rp_id: &'a str, policy: &'a Policy) -> impl Iterator<Item = &'a Passkey> {
    passkeys.iter().filter(move |p| p.rp_id == rp_id && judge_record(policy, p).is_empty())
}

/// The passkeys of an account that could be used now at any of these hosts, those of the realm: where they work at another one, the
/// browser is sent there and comes back ([`crate::passkey::handoff`]).
pub fn usable_in<'a>(
    passkeys: &'a [Passkey],
    parties: &'a [RelyingParty],
    policy: &'a Policy,
) -> impl Iterator<Item = &'a Passkey> {
    parties.iter().flat_map(move |party| usable(passkeys, &party.rp_id, policy))
}

/// Whether a usable passkey takes the place of a password that would do without it. One made without a dialogue signs in
/// like any other, but closes no way until it was used: its owner may not know of it, or not have it at hand.
pub fn counts(policy: &Policy, account: &Account, passkey: &Passkey) -> bool {
    let untried = account.preferences.passkey_upgraded == Some(passkey.created) && passkey.last_used.is_none();
    !untried || !matches!(policy.mode, Mode::PasskeyFirst | Mode::Optional)
}

/// Whether an account has a usable passkey that counts.
pub fn has_passkey(passkeys: &[Passkey], parties: &[RelyingParty], (account, policy): (&Account, &Policy)) -> bool {
    usable_in(passkeys, parties, policy).any(|passkey| counts(policy, account, passkey))
}

fn record_facts(passkey: &Passkey) -> Facts<'_> {
    Facts {
        kind: passkey.passkey_type(),
        backup_eligible: passkey.backup_eligible,
        user_verified: None,
        discoverable: passkey.discoverable,
        alg: passkey.alg,
        suspended: passkey.state == PasskeyState::Suspended,
        aaguid: &passkey.aaguid,
        attested: Attested::of(passkey),
        model: &passkey.model,
        existing: None,
        sign_in: None,
        counter: None,
    }
}
