//! Recovery: what opens the way back to an account whose factors are lost, and when.
//! NIST SP 800-63B-4 §4.2: one code recovers what one factor protects, two codes got in different ways what two protect.

use serde::{Deserialize, Serialize};

use super::held::{Held, Strength};
use crate::account::AccountState;
use crate::realm::RealmSettings;
use crate::rule::Rule;
use crate::time::Timestamp;

/// Life of the access pass that a recovery opens, in seconds.
pub const PASS_LIFETIME_S: i64 = 900;

/// How long a recovery that waited can be finished, in seconds.
pub const READY_LIFETIME_S: i64 = 7 * 24 * 3600;

/// The rules, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "recovery.methods",
        spec: "NIST SP 800-63B-4 §4.2.2",
        text: "Only what `recovery` names recovers an account, and all of it.",
    },
    Rule {
        id: "recovery.waits",
        spec: "NIST SP 800-63B-4 §4.2.2",
        text: "Weaker proof than the account's strongest factor opens it only after `recovery_wait_h` hours, in which its owner is told and can cancel.",
    },
    Rule {
        id: "recovery.settled",
        spec: "NIST SP 800-63B-4 §4.2.2",
        text: "A code or an address that was got on a password alone opens it a day after that at the earliest.",
    },
    Rule {
        id: "recovery.state",
        spec: "NIST SP 800-63B-4 §4.4",
        text: "An account that an admin disabled or locked is never recovered.",
    },
    Rule {
        id: "recovery.verified",
        spec: "NIST SP 800-63B-4 §4.2.1.2",
        text: "Codes are mailed to a verified address alone.",
    },
    Rule {
        id: "recovery.once",
        spec: "NIST SP 800-63B-4 §4.2.1",
        text: "Each code works once; a mailed one for 10 minutes, in the browser that asked for it, for 5 tries.",
    },
    Rule {
        id: "recovery.enrols",
        spec: "NIST SP 800-63B-4 §4.2",
        text: "A recovery signs nobody in: it opens an enrolment in the browser that proved it.",
    },
];

/// What may recover an account: a realm setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Nothing: admins issue access passes.
    Off,
    /// A code mailed to the verified address.
    EmailCode,
    /// One of the codes that the person kept.
    RecoveryCode,
    /// Either of them; both together wait for nothing.
    #[default]
    Either,
    /// Both of them.
    Both,
}

impl Recovery {
    /// Whether a mailed code is taken.
    pub const fn mails(self) -> bool {
        matches!(self, Self::EmailCode | Self::Either | Self::Both)
    }

    /// Whether a kept code is taken.
    pub const fn takes_codes(self) -> bool {
        matches!(self, Self::RecoveryCode | Self::Either | Self::Both)
    }
}

/// What somebody who wants an account back has proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub email_code: bool,
    pub recovery_code: bool,
    /// From when all of it counts without waiting.
    pub settled: Option<Timestamp>,
    /// Some of it was got on a password alone: two such codes prove no more than that password did.
    pub weak: bool,
}

impl Proof {
    const fn strength(self) -> Strength {
        if self.email_code && self.recovery_code && !self.weak { Strength::Two } else { Strength::One }
    }

    /// In words of the audit log.
    pub const fn text(self) -> &'static str {
        match (self.email_code, self.recovery_code) {
            (true, true) => "both",
            (true, false) => "email_code",
            (false, _) => "recovery_code",
        }
    }
}

/// What a proof comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// An enrolment opens.
    Open,
    /// It opens at this time, unless the owner says no before.
    Wait(Timestamp),
    /// The realm asks for more, or for something else.
    NotEnough,
    /// Only an admin can help.
    Refused,
}

/// What recovers the accounts of a realm: nothing by mail where none is sent, or no address is for that.
pub fn effective(settings: &RealmSettings, mails: bool) -> Recovery {
    match settings.recovery {
        recovery if mails && settings.schema().recovers_by_email() => recovery,
        Recovery::Off | Recovery::EmailCode | Recovery::Both => Recovery::Off,
        Recovery::RecoveryCode | Recovery::Either => Recovery::RecoveryCode,
    }
}

/// Decides what a proof opens, where accounts are recovered by `recovery` and weaker proof waits `wait_h` hours; with 0
/// nothing waits.
pub fn decide(
    (recovery, wait_h): (Recovery, i64),
    state: AccountState,
    held: &Held,
    proof: Proof,
    now: Timestamp,
) -> Decision {
    let enough = match recovery {
        Recovery::Off => false,
        Recovery::EmailCode => proof.email_code,
        Recovery::RecoveryCode => proof.recovery_code,
        Recovery::Either => proof.email_code || proof.recovery_code,
        Recovery::Both => proof.email_code && proof.recovery_code,
    };
    if !enough {
        return Decision::NotEnough;
    }
    if state != AccountState::Active {
        return Decision::Refused;
    }
    let weaker = proof.strength() < held.strength(now);
    let waits = weaker.then(|| now.plus_s(wait_h * 3600)).max(proof.settled);
    match waits.filter(|at| wait_h > 0 && *at > now) {
        Some(at) => Decision::Wait(at),
        None => Decision::Open,
    }
}

/// Whether an account can be recovered with what it holds, so that its last factor may be let go.
pub fn is_ready(recovery: Recovery, held: &Held) -> bool {
    let (mail, codes) = ready(recovery, held);
    match recovery {
        Recovery::Off => false,
        Recovery::EmailCode => mail,
        Recovery::RecoveryCode => codes,
        Recovery::Either => mail || codes,
        Recovery::Both => mail && codes,
    }
}

/// What of the proofs that a realm takes an account could bring: a mailed code, a kept one.
pub fn ready(recovery: Recovery, held: &Held) -> (bool, bool) {
    (recovery.mails() && held.verified_email, recovery.takes_codes() && held.recovery_codes > 0)
}

#[cfg(test)]
mod tests {
    use super::{Decision, Held, Proof, Recovery, decide, effective, is_ready};
    use crate::account::AccountState;
    use crate::credential::totp::SETTLED_S;
    use crate::realm::RealmSettings;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);
    const MAIL: Proof = Proof { email_code: true, recovery_code: false, settled: None, weak: false };
    const CODE: Proof = Proof { email_code: false, recovery_code: true, settled: None, weak: false };
    const BOTH: Proof = Proof { email_code: true, recovery_code: true, settled: None, weak: false };

    fn decision(recovery: Recovery, held: Held, proof: Proof) -> Decision {
        decide((recovery, 24), AccountState::Active, &held, proof, NOW)
    }

    #[test]
    fn only_what_the_realm_names_recovers() {
        use Decision::{NotEnough, Open};
        for (recovery, expected) in [
            (Recovery::Off, [NotEnough, NotEnough, NotEnough]),
            (Recovery::EmailCode, [Open, NotEnough, Open]),
            (Recovery::RecoveryCode, [NotEnough, Open, Open]),
            (Recovery::Either, [Open, Open, Open]),
            (Recovery::Both, [NotEnough, NotEnough, Open]),
        ] {
            let of = |proof| decision(recovery, Held::default(), proof);
            assert_eq!([MAIL, CODE, BOTH].map(of), expected, "recovery.methods: {recovery:?}");
            assert_eq!(of(Proof::default()), NotEnough);
        }
    }

    #[test]
    fn weaker_proof_than_the_strongest_factor_waits() {
        // Of whatever host and kind: it need not be one that signs in here.
        let passkey = Held { has_passkey: true, ..Held::default() };
        let two = Held { password: true, totp: Some(NOW.plus_s(-SETTLED_S)), ..Held::default() };
        let wait = Decision::Wait(NOW.plus_s(86_400));
        for held in [passkey, two] {
            let of = |proof| decision(Recovery::Either, held, proof);
            assert_eq!([MAIL, CODE, BOTH].map(of), [wait, wait, Decision::Open], "recovery.waits");
        }
        let password = Held { password: true, ..Held::default() };
        assert_eq!(decision(Recovery::Either, password, MAIL), Decision::Open);
        assert_eq!(decide((Recovery::Either, 0), AccountState::Active, &passkey, MAIL, NOW), Decision::Open);
    }

    #[test]
    fn an_app_of_today_makes_no_recovery_slower_and_what_a_password_bought_none_quicker() {
        let fresh = Held { password: true, totp: Some(NOW), ..Held::default() };
        assert_eq!(decision(Recovery::Either, fresh, MAIL), Decision::Open);
        let passkey = Held { has_passkey: true, ..Held::default() };
        let weak = Proof { weak: true, ..BOTH };
        assert_eq!(decision(Recovery::Either, passkey, weak), Decision::Wait(NOW.plus_s(86_400)));
    }

    #[test]
    fn what_a_password_alone_bought_waits_a_day() {
        let of = |held, proof: Proof, settled: i64, wait_h| {
            let proof = Proof { settled: Some(NOW.plus_s(settled)), ..proof };
            decide((Recovery::Either, wait_h), AccountState::Active, &held, proof, NOW)
        };
        let password = Held { password: true, ..Held::default() };
        let passkey = Held { has_passkey: true, ..Held::default() };
        let wait = |seconds| Decision::Wait(NOW.plus_s(seconds));
        for proof in [MAIL, CODE, BOTH] {
            assert_eq!(of(password, proof, 50_000, 1), wait(50_000), "recovery.settled");
            assert_eq!(of(password, proof, 0, 1), Decision::Open);
            assert_eq!(of(password, proof, 50_000, 0), Decision::Open);
        }
        assert_eq!(of(passkey, CODE, 50_000, 24), wait(86_400));
        assert_eq!(of(passkey, CODE, 86_401, 24), wait(86_401));
    }

    #[test]
    fn nothing_is_recovered_by_mail_where_none_is_sent() {
        use Recovery::{Both, Either, EmailCode, Off, RecoveryCode};
        let schema = serde_json::json!({ "type": "object", "properties": { "email": { "type": "string" } } });
        let unmarked =
            RealmSettings { user_schema: Some(serde_json::from_value(schema).unwrap()), ..Default::default() };
        for (recovery, without) in
            [(Off, Off), (EmailCode, Off), (RecoveryCode, RecoveryCode), (Either, RecoveryCode), (Both, Off)]
        {
            let of =
                |settings: &RealmSettings, mails| effective(&RealmSettings { recovery, ..settings.clone() }, mails);
            assert_eq!(of(&RealmSettings::default(), true), recovery);
            assert_eq!(of(&RealmSettings::default(), false), without);
            assert_eq!(of(&unmarked, true), without);
        }
    }

    #[test]
    fn what_an_admin_closed_stays_closed() {
        for state in [AccountState::Disabled, AccountState::Locked] {
            let decided = decide((Recovery::Either, 24), state, &Held::default(), BOTH, NOW);
            assert_eq!(decided, Decision::Refused, "recovery.state");
        }
    }

    #[test]
    fn is_ready_when_everything_asked_for_is_there() {
        let of = |recovery, verified_email, recovery_codes| {
            is_ready(recovery, &Held { verified_email, recovery_codes, ..Held::default() })
        };
        assert!(!of(Recovery::Off, true, 10) && !of(Recovery::Both, true, 0) && of(Recovery::Both, true, 1));
        assert!(
            of(Recovery::Either, false, 1) && of(Recovery::EmailCode, true, 0) && !of(Recovery::RecoveryCode, true, 0)
        );
    }
}
