//! What an account can sign in and recover with: the facts behind "the last way in" and the counts that pages show.

use crate::account::Account;
use crate::interact::usable;
use crate::passkey::policy::{Combination, Policy};
use crate::passkey::record::Passkey;

/// The factors an account holds at one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Passkeys that the policy accepts here.
    pub passkeys: usize,
    pub password: bool,
    pub totp: bool,
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
    /// Counts what an account has.
    pub fn of(
        account: &Account,
        passkeys: &[Passkey],
        totp: bool,
        codes: usize,
        (rp_id, policy): (&str, &Policy),
    ) -> Self {
        Self {
            passkeys: usable(passkeys, rp_id, policy).count(),
            password: account.password_hash.is_some(),
            totp,
            recovery_codes: codes,
            verified_email: account.profile.email_verified && account.profile.email.is_some(),
        }
    }

    /// Whether these factors still let in under a policy.
    pub fn let_in(&self, policy: &Policy) -> bool {
        self.combinations().any(|combination| policy.accepts(combination, self.passkeys > 0))
    }

    /// Factors that can be the first one of a sign-in under a policy.
    pub fn first_factors(&self, policy: &Policy) -> usize {
        let passkeys = if policy.enabled && policy.allow_login { self.passkeys } else { 0 };
        passkeys + usize::from(self.password)
    }

    /// Factors that can be asked on top of another one under a policy.
    pub fn second_factors(&self, policy: &Policy) -> usize {
        let passkeys = if policy.enabled && policy.allow_second_factor { self.passkeys } else { 0 };
        passkeys + usize::from(self.totp)
    }

    /// The most that the account's own factors prove.
    pub fn strength(&self) -> Strength {
        if self.passkeys > 0 || (self.password && self.totp) { Strength::Two } else { Strength::One }
    }

    fn combinations(&self) -> impl Iterator<Item = Combination> {
        let passkey = self.passkeys > 0;
        [
            (Combination::PasskeyAlone, passkey),
            (Combination::PasswordAlone, self.password),
            (Combination::PasswordAndPasskey, self.password && passkey),
        ]
        .into_iter()
        .filter_map(|(combination, held)| held.then_some(combination))
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Strength};
    use crate::passkey::policy::{Mode, Policy};

    #[test]
    fn what_lets_in_depends_on_the_mode() {
        let policy = |mode| Policy { mode, ..Policy::default() };
        let passkey = Held { passkeys: 1, ..Held::default() };
        let password = Held { password: true, ..Held::default() };
        let both = Held { passkeys: 1, ..password };
        for (mode, expected) in [
            (Mode::PasskeyOnly, [true, false, true]),
            (Mode::PasskeyFirst, [true, true, true]),
            (Mode::PasswordThenPasskey, [false, false, true]),
            (Mode::PasskeyThenSecondFactor, [false, false, true]),
            (Mode::Optional, [true, true, true]),
        ] {
            assert_eq!([passkey, password, both].map(|h| h.let_in(&policy(mode))), expected, "{mode:?}");
        }
        assert!(!Held::default().let_in(&Policy::default()));
    }

    #[test]
    fn first_and_second_factors_are_counted_apart() {
        let held = Held { passkeys: 2, password: true, totp: true, ..Held::default() };
        let policy = Policy::default();
        assert_eq!((held.first_factors(&policy), held.second_factors(&policy)), (3, 3));
        let policy = Policy { allow_login: false, ..Policy::default() };
        assert_eq!((held.first_factors(&policy), held.second_factors(&policy)), (1, 3));
    }

    #[test]
    fn a_passkey_is_as_strong_as_two_factors() {
        let of = |passkeys, password, totp| Held { passkeys, password, totp, ..Held::default() }.strength();
        assert_eq!(of(1, false, false), Strength::Two);
        assert_eq!(of(0, true, true), Strength::Two);
        assert_eq!(of(0, true, false), Strength::One);
        assert_eq!(of(0, false, true), Strength::One);
    }
}
