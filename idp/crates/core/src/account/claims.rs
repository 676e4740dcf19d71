//! The standard claims that are texts: which there are, how each is read and set, and what it may hold. OIDC Core §5.1.

use url::Url;

use super::{Profile, check_email, check_phone_number};

/// What keeps a text from being a claim.
pub type Judge = fn(&str) -> Option<&'static str>;

/// One standard claim.
#[derive(Debug)]
pub struct TextClaim {
    pub name: &'static str,
    read: fn(&Profile) -> &Option<String>,
    slot: fn(&mut Profile) -> &mut Option<String>,
    judge: Judge,
}

macro_rules! claims {
    ($($name:ident $judge:ident,)*) => {
        &[$(TextClaim {
            name: stringify!($name),
            read: |p| &p.$name,
            slot: |p| &mut p.$name,
            judge: $judge,
        },)*]
    };
}

/// Every standard claim that is a text.
pub const TEXTS: &[TextClaim] = claims! {
    name line,
    given_name line,
    family_name line,
    middle_name line,
    nickname line,
    profile web_address,
    picture web_address,
    website web_address,
    gender line,
    birthdate date,
    zoneinfo tag,
    locale tag,
    email email,
    phone_number phone_number,
};

impl TextClaim {
    /// The claim of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TEXTS.iter().find(|claim| claim.name == name)
    }

    /// Its value.
    pub fn read<'a>(&self, profile: &'a Profile) -> Option<&'a str> {
        (self.read)(profile).as_deref()
    }

    /// Sets it. Another address or number is one that nobody proved to have.
    pub fn set(&self, profile: &mut Profile, value: Option<String>) {
        let slot = (self.slot)(profile);
        if *slot == value {
            return;
        }
        *slot = value;
        match self.name {
            "email" => profile.email_verified = false,
            "phone_number" => profile.phone_number_verified = false,
            _ => {}
        }
    }

    /// What keeps `text` from being its value.
    pub fn problem(&self, text: &str) -> Option<&'static str> {
        (self.judge)(text)
    }
}

/// One line of a person's.
pub fn line(text: &str) -> Option<&'static str> {
    let bad = text.chars().count() > 256 || text.chars().any(char::is_control) || text.trim() != text;
    bad.then_some("write at most 256 characters, no control characters, no blanks at the ends")
}

/// As [`line`], of several lines.
pub fn lines(text: &str) -> Option<&'static str> {
    let bad = text.chars().count() > 256 || text.lines().any(|part| line(part).is_some()) || text.trim() != text;
    bad.then_some("write at most 256 characters, no control characters but line ends, no blanks at the ends")
}

fn phone_number(text: &str) -> Option<&'static str> {
    check_phone_number(text).is_err().then_some("write +, country code and number (RFC 3966 for an extension: ;ext=12)")
}

fn tag(text: &str) -> Option<&'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '+');
    (text.len() > 64 || !text.chars().all(good)).then_some("write letters, digits, - _ / +")
}

/// Pages link to it: never a script.
fn web_address(text: &str) -> Option<&'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    (url.is_none() || line(text).is_some()).then_some("write an http or https URL")
}

fn date(text: &str) -> Option<&'static str> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize, most: u32| {
        part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) && part.parse().is_ok_and(|n: u32| n <= most)
    };
    let good = match parts.as_slice() {
        [year] => number(year, 4, 9999),
        [year, month, day] => {
            number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31) && *month != "00" && *day != "00"
        }
        _ => false,
    };
    (!good).then_some("write YYYY-MM-DD, 0000-MM-DD or YYYY")
}

fn email(text: &str) -> Option<&'static str> {
    check_email(text).is_err().then_some("an e-mail address looks like name@example.org")
}

#[cfg(test)]
mod tests {
    use super::{TEXTS, TextClaim};
    use crate::account::Profile;

    #[test]
    fn another_address_or_number_is_unverified_and_the_same_one_stays_verified() {
        let mut profile = Profile {
            email: Some("ada@example.org".to_owned()),
            email_verified: true,
            phone_number: Some("+41441234567".to_owned()),
            phone_number_verified: true,
            ..Profile::default()
        };
        let set = |profile: &mut Profile, name: &str, value: &str| {
            TextClaim::find(name).unwrap().set(profile, Some(value.to_owned()));
        };
        set(&mut profile, "email", "ada@example.org");
        assert!(profile.email_verified);
        set(&mut profile, "email", "eve@example.org");
        assert!(!profile.email_verified && profile.phone_number_verified);
        set(&mut profile, "phone_number", "+41440000000");
        assert!(!profile.phone_number_verified);
    }

    #[test]
    fn no_claim_takes_a_script_or_a_control_character() {
        for claim in TEXTS {
            assert!(claim.problem("a\u{7}b").is_some(), "{}", claim.name);
        }
        for name in ["profile", "picture", "website"] {
            assert!(TextClaim::find(name).unwrap().problem("javascript:alert(1)").is_some(), "{name}");
        }
    }
}
