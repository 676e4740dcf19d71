//! Passwords that attackers try first. NIST SP 800-63B-4 §3.1.1.2: a new password is compared with a blocklist, whole.

use std::collections::HashSet;

use super::normal_form::normalise;

/// A small list built in: what leaks hold most often, of 8 characters and more.
const BUILT_IN: &str = include_str!("common-passwords.txt");

/// Passwords nobody may choose; compared in lower case.
#[derive(Clone)]
pub struct Blocklist(HashSet<Box<str>>);

impl Default for Blocklist {
    fn default() -> Self {
        Self(lines(BUILT_IN).collect())
    }
}

impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocklist({})", self.0.len())
    }
}

impl Blocklist {
    /// The built-in list and the lines of `text`: one password a line; empty lines and `#` comments count for nothing.
    pub fn with(text: &str) -> Self {
        let mut list = Self::default();
        list.0.extend(lines(text));
        list
    }

    /// Whether a password is on the list, in whatever case.
    pub fn holds(&self, password: &str) -> bool {
        self.0.contains(key(password).as_str())
    }
}

fn lines(text: &str) -> impl Iterator<Item = Box<str>> {
    let entries = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("# "));
    entries.map(|line| key(line).into_boxed_str())
}

fn key(password: &str) -> String {
    normalise(password).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::Blocklist;

    #[test]
    fn holds_its_lines_in_any_case_and_form() {
        let list = Blocklist::with("# a comment\n\nHunter2Hunter2!!\r\n#hashtag-password\nu\u{308}ber alles\n");
        for held in ["hunter2hunter2!!", "HUNTER2HUNTER2!!", "#hashtag-password", "\u{fc}ber alles", "password1234"] {
            assert!(list.holds(held), "{held}");
        }
        for other in ["", "# a comment", "hunter2hunter2!", "correct horse battery"] {
            assert!(!list.holds(other), "{other}");
        }
    }
}
