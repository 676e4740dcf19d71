//! What an account can sign in and recover with: the facts behind "the last way in" and the counts that pages show.

use crate::account::Account;
use crate::credential::totp::SETTLED_S;
use crate::passkey::policy::{Combination, Holds, Policy, counts};
use crate::passkey::record::Passkey;
use crate::time::Timestamp;

/// The factors an account holds, at one host or at any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Passkeys that the policy accepts there, and whose owner knows of them.
    pub passkeys: usize,
    /// There is a passkey at all, of whatever host, state or kind: what protects the account against those who recover
    /// it must not depend on where they ask or on what an admin has tightened since.
    pub has_passkey: bool,
    pub password: bool,
    /// Since when there is an authenticator app.
    pub totp: Option<Timestamp>,
    /// Recovery codes not used yet.
    pub recovery_codes: usize,
    /// An e-mail address that somebody proved to read.
    pub verified_email: bool,
}

/// How much it takes to pass for somebody: one factor, or two (NIST SP 800-63B-4 §2.1, §2.2). A passkey counts as two,
/// however it was used: nothing that can be phished replaces it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    One,
    Two,
}

impl Held {
    /// Counts what an account has; of its passkeys those that are [`usable`](crate::passkey::policy::usable) at a host, or at
    /// [any](crate::passkey::policy::usable_in).
    pub fn of<'a>(
        account: &Account,
        passkeys: &[Passkey],
        (usable, policy): (impl Iterator<Item = &'a Passkey>, &Policy),
        codes: i64,
    ) -> Self {
        Self {
            passkeys: usable.filter(|passkey| counts(policy, account, passkey)).count(),
            has_passkey: !passkeys.is_empty(),
            password: account.password_hash.is_some(),
            totp: account.totp,
            recovery_codes: usize::try_from(codes).unwrap_or(0),
            verified_email: account.profile.email_verified && account.profile.email.is_some(),
        }
    }

    /// Whether these factors still let in under a policy.
    pub fn let_in(&self, policy: &Policy) -> bool {
        let (passkeys, password, totp) = (self.passkeys, self.password, self.totp.is_some());
        let holds = Holds { passkey: passkeys > 0, password, totp, asks_passkey: false, grace: false };
        let held = |c: &Combination| match c {
            Combination::PasskeyAlone => holds.passkey,
            Combination::PasswordAlone => password,
            Combination::PasswordAndPasskey => password && holds.passkey,
            Combination::PasswordAndTotp => password && totp,
            Combination::PasskeyAndTotp => holds.passkey && totp,
        };
        Combination::ALL.iter().filter(|c| held(c)).any(|c| policy.accepts(*c, holds))
    }

    /// Factors that can be the first one of a sign-in under a policy.
    pub fn first_factors(&self, policy: &Policy) -> usize {
        let passkeys = if policy.enabled && policy.allow_login { self.passkeys } else { 0 };
        passkeys + usize::from(self.password)
    }

    /// Factors that can be asked on top of another one under a policy.
    pub fn second_factors(&self, policy: &Policy) -> usize {
        let passkeys = if policy.enabled && policy.allow_second_factor { self.passkeys } else { 0 };
        passkeys + usize::from(self.totp.is_some())
    }

    /// The most that the account's own factors prove. An app counts a day after it was set up: whoever has phished the
    /// password could else slow its owner's recovery down.
    pub fn strength(&self, now: Timestamp) -> Strength {
        let settled = self.totp.is_some_and(|since| now.ms_since(since) >= SETTLED_S * 1000);
        if self.has_passkey || (self.password && settled) { Strength::Two } else { Strength::One }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Strength};
    use crate::credential::totp::SETTLED_S;
    use crate::passkey::policy::{Mode, Policy};
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    #[test]
    fn what_lets_in_depends_on_the_mode() {
        let policy = |mode| Policy { mode, ..Policy::default() };
        let passkey = Held { passkeys: 1, ..Held::default() };
        let password = Held { password: true, ..Held::default() };
        let both = Held { passkeys: 1, ..password };
        let [key_and_code, word_and_code] = [passkey, password].map(|held| Held { totp: Some(NOW), ..held });
        for (mode, expected) in [
            (Mode::PasskeyOnly, [true, false, true, true, false]),
            (Mode::PasskeyFirst, [true, true, true, true, true]),
            (Mode::PasswordThenPasskey, [false, false, true, false, false]),
            (Mode::PasskeyThenSecondFactor, [false, false, true, true, false]),
            (Mode::Optional, [true, true, true, true, true]),
        ] {
            let held = [passkey, password, both, key_and_code, word_and_code];
            assert_eq!(held.map(|h| h.let_in(&policy(mode))), expected, "{mode:?}");
        }
        assert!(!Held::default().let_in(&Policy::default()));
    }

    #[test]
    fn first_and_second_factors_are_counted_apart() {
        let held = Held { passkeys: 2, password: true, totp: Some(NOW), ..Held::default() };
        let policy = Policy::default();
        assert_eq!((held.first_factors(&policy), held.second_factors(&policy)), (3, 3));
        let policy = Policy { allow_login: false, ..Policy::default() };
        assert_eq!((held.first_factors(&policy), held.second_factors(&policy)), (1, 3));
    }

    #[test]
    fn a_passkey_is_as_strong_as_two_factors() {
        let of = |has_passkey, password, totp| Held { has_passkey, password, totp, ..Held::default() }.strength(NOW);
        let old = Some(NOW.plus_s(-SETTLED_S));
        assert_eq!(of(true, false, None), Strength::Two);
        assert_eq!(of(false, true, old), Strength::Two);
        assert_eq!(of(false, true, Some(NOW.plus_s(1 - SETTLED_S))), Strength::One);
        assert_eq!(of(false, true, None), Strength::One);
        assert_eq!(of(false, false, old), Strength::One);
    }
}
