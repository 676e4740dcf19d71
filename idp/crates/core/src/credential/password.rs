//! What a new password must be like. NIST SP 800-63B-4 §3.1.1.2: length counts, composition rules do not.

/// Fewest characters of a password that is the only way in.
pub const LEAST_CHARACTERS: usize = 15;

/// Longest password in bytes; longer ones are refused, never cut.
pub const MOST_BYTES: usize = 1024;

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("a password has at least 15 characters")]
    Short,
    #[error("a password has at most 1024 bytes")]
    Long,
    #[error("a password must not be your user name or e-mail address")]
    Name,
    #[error("a password must not repeat one character")]
    Repeated,
}

/// Checks a new password. `names` are the user name and address, in any case.
///
/// # Errors
/// [`WeakPassword`] says what to change.
pub fn check_new(password: &str, names: &[&str]) -> Result<(), WeakPassword> {
    if password.len() > MOST_BYTES {
        return Err(WeakPassword::Long);
    }
    if password.chars().count() < LEAST_CHARACTERS {
        return Err(WeakPassword::Short);
    }
    let lower = password.to_lowercase();
    if names.iter().any(|n| n.to_lowercase() == lower) {
        return Err(WeakPassword::Name);
    }
    let mut characters = password.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) {
        return Err(WeakPassword::Repeated);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{WeakPassword, check_new};

    #[test]
    fn asks_for_length_and_nothing_of_composition() {
        assert_eq!(check_new("correct horse battery", &[]), Ok(()));
        assert_eq!(check_new("aaaaaaaaaaaaaab", &[]), Ok(()));
        assert_eq!(check_new("fourteen chars", &[]), Err(WeakPassword::Short));
        assert_eq!(check_new(&"x".repeat(1025), &[]), Err(WeakPassword::Long));
        assert_eq!(check_new("ada@example.test", &["Ada@Example.Test"]), Err(WeakPassword::Name));
        assert_eq!(check_new("ääääääääääääääää", &[]), Err(WeakPassword::Repeated));
    }
}
