//! What a new password must be like. NIST SP 800-63B-4 §3.1.1.2: length and a blocklist count, composition rules do not.

use super::blocklist::Blocklist;
use super::normal_form::normalise;
use crate::passkey::policy::{Combination, Holds, Policy};
use crate::realm::RealmSettings;
use crate::rule::Rule;

/// Fewest characters of a password that is the only way in.
pub const LEAST_ALONE: usize = 15;

/// Fewest characters of a password where the policy asks for another factor besides, always.
pub const LEAST_BESIDES: usize = 8;

/// Longest password in bytes as typed; longer ones are refused, never cut.
pub const MOST_BYTES: usize = 1024;

/// The rules of a new password, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "password.length",
        spec: "NIST SP 800-63B-4 §3.1.1.2",
        text: "At least `password_min_length` characters, and 15 wherever the policy lets a password in alone; at most 1024 bytes, none cut.",
    },
    Rule {
        id: "password.blocklist",
        spec: "NIST SP 800-63B-4 §3.1.1.2",
        text: "Not on the blocklist, no repeat of one piece, no straight run of digits or letters.",
    },
    Rule {
        id: "password.names",
        spec: "NIST SP 800-63B-4 §3.1.1.2",
        text: "Not the user name, the e-mail address or the realm's name, nor these with digits and signs.",
    },
    Rule {
        id: "password.normalised",
        spec: "NIST SP 800-63B-4 §3.1.1.2",
        text: "Compared in the normal form NFC (UAX #15), so that two keyboards type one password.",
    },
];

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("a password has at least {least} characters here")]
    Short { least: usize },
    #[error("a password has at most 1024 bytes")]
    Long,
    #[error("a password must not be made of your user name, e-mail address or this service's name")]
    Name,
    #[error("a password must not repeat one piece or follow a straight row")]
    Pattern,
    #[error("this password is on lists that attackers try first")]
    Common,
}

/// What a new password is held against.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules<'a> {
    /// Fewest characters; see [`least`].
    pub least: usize,
    /// User name, e-mail address, the realm's name; in any case, empty ones count for nothing.
    pub names: &'a [&'a str],
    pub blocklist: &'a Blocklist,
}

/// The fewest characters of a new password under a policy: the realm's setting, but 15 wherever it may stand alone.
pub fn least(settings: &RealmSettings, policy: &Policy) -> usize {
    // Whatever else the account has now: it may go.
    let holds = |passkey| Holds { passkey, password: true, totp: false, asks_passkey: false, grace: false };
    let alone = [false, true].into_iter().any(|passkey| policy.accepts(Combination::PasswordAlone, holds(passkey)));
    settings.password_min_length.max(if alone { LEAST_ALONE } else { LEAST_BESIDES })
}

/// Checks a new password.
///
/// # Errors
/// [`WeakPassword`] says what to change.
pub fn check_new(password: &str, rules: &PasswordRules<'_>) -> Result<(), WeakPassword> {
    if password.len() > MOST_BYTES {
        return Err(WeakPassword::Long);
    }
    let password = normalise(password);
    if password.chars().count() < rules.least {
        return Err(WeakPassword::Short { least: rules.least });
    }
    let lower: Vec<char> = password.to_lowercase().chars().collect();
    if is_made_of(&lower, rules.names) {
        return Err(WeakPassword::Name);
    }
    if repeats(&lower) || is_row(&lower) {
        return Err(WeakPassword::Pattern);
    }
    if rules.blocklist.holds(&password) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// Whether nothing but digits and signs is left when the names are taken out.
fn is_made_of(lower: &[char], names: &[&str]) -> bool {
    let text: String = lower.iter().collect();
    let local = names.iter().filter_map(|name| name.split_once('@').map(|(local, _)| local));
    let mut names: Vec<String> = names.iter().copied().chain(local).map(str::to_lowercase).collect();
    // The address before what stands before its @, or half of it would be left.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let rest =
        names.iter().filter(|name| name.chars().count() >= 3).fold(text.clone(), |rest, name| rest.replace(name, ""));
    rest != text && !rest.chars().any(char::is_alphabetic)
}

/// Whether it is one piece over and over: a third of it at most.
fn repeats(lower: &[char]) -> bool {
    (1..=lower.len() / 3).any(|piece| lower.iter().zip(lower.iter().skip(piece)).all(|(a, b)| a == b))
}

/// Whether each digit or letter is the one after the last, or the one before: `123456789012345`, `zyxwv`.
fn is_row(lower: &[char]) -> bool {
    let follows = |a: char, b: char| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0') || (a, b) == ('z', 'a');
    let pairs = || lower.iter().zip(lower.iter().skip(1));
    lower.len() > 1 && (pairs().all(|(a, b)| follows(*a, *b)) || pairs().all(|(a, b)| follows(*b, *a)))
}

#[cfg(test)]
mod tests {
    use super::{Blocklist, PasswordRules, WeakPassword, check_new, least, normalise};
    use crate::passkey::policy::{Mode, Policy};
    use crate::realm::RealmSettings;

    fn check(password: &str) -> Result<(), WeakPassword> {
        let names = &["Ada.Lovelace", "ada.lovelace@example.test", "", "Northwind"];
        check_new(password, &PasswordRules { least: 15, names, blocklist: &Blocklist::default() })
    }

    #[test]
    fn asks_for_length_and_nothing_of_composition() {
        for good in ["correct horse battery", "aaaaaaaaaaaaaab", "               x               ", "ääääääääääääääö"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("fourteen chars"), Err(WeakPassword::Short { least: 15 }), "password.length");
        assert_eq!(check(&"x".repeat(1025)), Err(WeakPassword::Long), "password.length");
        assert_eq!(check(&format!("{}y", "x".repeat(1023))), Ok(()));
        // A code point counts once, however it was typed.
        assert_eq!(check(&"u\u{308}a".repeat(7)), Err(WeakPassword::Short { least: 15 }), "password.normalised");
    }

    #[test]
    fn refuses_what_everybody_tries_first() {
        for common in ["thisismypassword", "ThisIsMyPassword123", "correct horse battery staple"] {
            assert_eq!(check(common), Err(WeakPassword::Common), "password.blocklist: {common}");
        }
        for pattern in ["ääääääääääääääää", "abcabcabcabcabcabc", "12345678901234567890", "zyxwvutsrqponmlkj"]
        {
            assert_eq!(check(pattern), Err(WeakPassword::Pattern), "password.blocklist: {pattern}");
        }
        for name in ["ada.lovelace@EXAMPLE.test", "Ada.Lovelace1815!", "2026Northwind2026!", "northwindada.lovelace"] {
            assert_eq!(check(name), Err(WeakPassword::Name), "password.names: {name}");
        }
        assert_eq!(check("northwind blows cold"), Ok(()), "a name among other words is none");
    }

    #[test]
    fn is_longer_where_it_may_stand_alone() {
        let settings = |n| RealmSettings { password_min_length: n, ..RealmSettings::default() };
        let policy = |mode| Policy { mode, ..Policy::default() };
        for (mode, expected) in [
            (Mode::PasskeyFirst, [15, 15, 20]),
            (Mode::Optional, [15, 15, 20]),
            (Mode::PasswordThenPasskey, [8, 12, 20]),
            (Mode::PasskeyThenSecondFactor, [8, 12, 20]),
        ] {
            assert_eq!([8, 12, 20].map(|n| least(&settings(n), &policy(mode))), expected, "password.length: {mode:?}");
        }
    }

    #[test]
    fn one_password_has_one_form() {
        assert_eq!(normalise("u\u{308}ber"), "\u{fc}ber", "password.normalised");
        assert_eq!(normalise("ﬁ ２"), "ﬁ ２", "no compatibility forms: they would make passwords shorter");
    }
}
