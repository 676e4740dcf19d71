//! The standard claims of a user as flags. OIDC Core §5.1.

use clap::Args;
use idp_core::account::{Address, Profile, check_email, check_phone_number};
use url::Url;

use super::{Failure, usage};

/// Standard claims. An empty value removes one.
#[derive(Args)]
pub struct Claims {
    /// Full name.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    given_name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    family_name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    middle_name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    nickname: Option<String>,
    /// Profile page.
    #[arg(long, value_name = "URL")]
    profile: Option<String>,
    #[arg(long, value_name = "URL")]
    picture: Option<String>,
    #[arg(long, value_name = "URL")]
    website: Option<String>,
    #[arg(long, value_name = "TEXT")]
    gender: Option<String>,
    /// YYYY-MM-DD, 0000-MM-DD or YYYY.
    #[arg(long, value_name = "DATE")]
    birthdate: Option<String>,
    /// Time zone such as Europe/Paris.
    #[arg(long, value_name = "ZONE")]
    zoneinfo: Option<String>,
    /// Language such as en-US.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Somebody proved to receive mail there (`=false`: not).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    email_verified: Option<bool>,
    /// With country code, such as +41441234567.
    #[arg(long, value_name = "NUMBER")]
    phone_number: Option<String>,
    /// Somebody proved to answer there (`=false`: not).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    phone_number_verified: Option<bool>,
    /// The whole postal address as on a label, with line ends.
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    #[arg(long, value_name = "TEXT")]
    street_address: Option<String>,
    /// City.
    #[arg(long, value_name = "TEXT")]
    locality: Option<String>,
    /// State, province or canton.
    #[arg(long, value_name = "TEXT")]
    region: Option<String>,
    #[arg(long, value_name = "TEXT")]
    postal_code: Option<String>,
    #[arg(long, value_name = "TEXT")]
    country: Option<String>,
    /// Something else the realm knows: NAME=TEXT, or NAME:=JSON for numbers, true, false and lists of texts. May be
    /// repeated; NAME= removes one.
    #[arg(long = "trait", value_name = "NAME=TEXT")]
    traits: Vec<String>,
}

type Judge = fn(&str) -> Option<&'static str>;

impl Claims {
    /// Whether no flag was given.
    pub fn is_empty(&self) -> bool {
        let texts = [
            &self.name,
            &self.given_name,
            &self.family_name,
            &self.middle_name,
            &self.nickname,
            &self.profile,
            &self.picture,
            &self.website,
            &self.gender,
            &self.birthdate,
            &self.zoneinfo,
            &self.locale,
            &self.email,
            &self.phone_number,
            &self.address,
            &self.street_address,
            &self.locality,
            &self.region,
            &self.postal_code,
            &self.country,
        ];
        let verified = [self.email_verified, self.phone_number_verified];
        self.traits.is_empty() && verified.iter().all(Option::is_none) && texts.iter().all(|text| text.is_none())
    }

    /// Writes the flags into a profile. Another mail address or number counts as unverified unless the flags say
    /// otherwise.
    ///
    /// # Errors
    /// All values that cannot be used, each with its flag.
    pub fn apply(self, profile: &mut Profile) -> Result<(), Failure> {
        let mut problems = Vec::new();
        let changes = |new: &Option<String>, old: &Option<String>| new.is_some() && new != old;
        let moved = changes(&self.email, &profile.email);
        let renumbered = changes(&self.phone_number, &profile.phone_number);
        let place = profile.address.get_or_insert_default();
        let fields: [(&str, Option<String>, &mut Option<String>, Judge); 20] = [
            ("--name", self.name, &mut profile.name, line),
            ("--given-name", self.given_name, &mut profile.given_name, line),
            ("--family-name", self.family_name, &mut profile.family_name, line),
            ("--middle-name", self.middle_name, &mut profile.middle_name, line),
            ("--nickname", self.nickname, &mut profile.nickname, line),
            ("--profile", self.profile, &mut profile.profile, address),
            ("--picture", self.picture, &mut profile.picture, address),
            ("--website", self.website, &mut profile.website, address),
            ("--gender", self.gender, &mut profile.gender, line),
            ("--birthdate", self.birthdate, &mut profile.birthdate, date),
            ("--zoneinfo", self.zoneinfo, &mut profile.zoneinfo, tag),
            ("--locale", self.locale, &mut profile.locale, tag),
            ("--email", self.email, &mut profile.email, email),
            ("--phone-number", self.phone_number, &mut profile.phone_number, phone),
            ("--address", self.address, &mut place.formatted, lines),
            ("--street-address", self.street_address, &mut place.street_address, lines),
            ("--locality", self.locality, &mut place.locality, line),
            ("--region", self.region, &mut place.region, line),
            ("--postal-code", self.postal_code, &mut place.postal_code, line),
            ("--country", self.country, &mut place.country, line),
        ];
        for (flag, value, slot, judge) in fields {
            match value {
                None => {}
                Some(text) if text.is_empty() => *slot = None,
                Some(text) => match judge(&text) {
                    Some(problem) => problems.push(format!("{flag}: {problem}")),
                    None => *slot = Some(text),
                },
            }
        }
        set_traits(&self.traits, profile, &mut problems);
        profile.address = profile.address.take().filter(|place| *place != Address::default());
        profile.phone_number_verified =
            self.phone_number_verified.unwrap_or(profile.phone_number_verified && !renumbered);
        if profile.phone_number_verified && profile.phone_number.is_none() {
            problems.push("--phone-number-verified: there is no number, give --phone-number too".to_owned());
        }
        profile.email_verified = self.email_verified.unwrap_or(profile.email_verified && !moved);
        if profile.email_verified && profile.email.is_none() {
            problems.push("--email-verified: there is no address, give --email too".to_owned());
        }
        if problems.is_empty() { Ok(()) } else { Err(usage(problems.join("\n     "))) }
    }
}

fn line(text: &str) -> Option<&'static str> {
    let bad = text.chars().count() > 256 || text.chars().any(char::is_control) || text.trim() != text;
    bad.then_some("write at most 256 characters, no control characters, no blanks at the ends")
}

fn set_traits(traits: &[String], profile: &mut Profile, problems: &mut Vec<String>) {
    for text in traits {
        let Some((name, value)) = text.split_once('=') else {
            problems.push(format!("--trait: {text:?} is not NAME=TEXT"));
            continue;
        };
        match name.strip_suffix(':').map(|name| (name, serde_json::from_str(value))) {
            Some((name, Ok(value))) => {
                profile.traits.insert(name.to_owned(), value);
            }
            Some((name, Err(_))) => problems.push(format!("--trait: {name}: {value:?} is not JSON")),
            None if value.is_empty() => {
                profile.traits.remove(name);
            }
            None => {
                profile.traits.insert(name.to_owned(), value.into());
            }
        }
    }
    problems.extend(profile.trait_problems().into_iter().map(|problem| format!("--trait: {problem}")));
}

/// As [`line`], of several lines.
fn lines(text: &str) -> Option<&'static str> {
    let bad = text.chars().count() > 256 || text.lines().any(|part| line(part).is_some()) || text.trim() != text;
    bad.then_some("write at most 256 characters, no control characters but line ends, no blanks at the ends")
}

fn phone(text: &str) -> Option<&'static str> {
    check_phone_number(text).is_err().then_some("write +, country code and number (RFC 3966 for an extension: ;ext=12)")
}

fn tag(text: &str) -> Option<&'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '+');
    (text.len() > 64 || !text.chars().all(good)).then_some("write letters, digits, - _ / +")
}

/// Pages link to it: never a script.
fn address(text: &str) -> Option<&'static str> {
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
