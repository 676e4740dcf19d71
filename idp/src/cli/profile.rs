//! The standard claims of a user as flags. OIDC Core §5.1.

use clap::Args;
use idp_core::account::claims::{Judge, TextClaim, line, lines};
use idp_core::account::{Address, Profile};
use idp_core::user_schema::{UserSchema, put};

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
    /// Something else the realm knows: NAME=TEXT, or NAME:=JSON for numbers, true, false and lists. Where the realm
    /// has a schema, NAME is a path such as name.first. May be repeated; NAME= removes one.
    #[arg(long = "trait", value_name = "NAME=TEXT")]
    traits: Vec<String>,
}

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
    /// otherwise. The whole must fit the schema of the realm.
    ///
    /// # Errors
    /// All values that cannot be used, each with its flag or the path of its trait.
    pub fn apply(self, profile: &mut Profile, schema: &UserSchema) -> Result<(), Failure> {
        let mut problems = Vec::new();
        let texts = [
            ("name", self.name),
            ("given_name", self.given_name),
            ("family_name", self.family_name),
            ("middle_name", self.middle_name),
            ("nickname", self.nickname),
            ("profile", self.profile),
            ("picture", self.picture),
            ("website", self.website),
            ("gender", self.gender),
            ("birthdate", self.birthdate),
            ("zoneinfo", self.zoneinfo),
            ("locale", self.locale),
            ("email", self.email),
            ("phone_number", self.phone_number),
        ];
        for (name, value) in texts {
            let Some((claim, text)) = TextClaim::find(name).zip(value) else { continue };
            match claim.problem(&text).filter(|_| !text.is_empty()) {
                Some(problem) => problems.push(format!("--{}: {problem}", name.replace('_', "-"))),
                None => claim.set(profile, Some(text).filter(|text| !text.is_empty())),
            }
        }
        let mut place = profile.address.take().unwrap_or_default();
        let parts: [(&str, Option<String>, &mut Option<String>, Judge); 6] = [
            ("--address", self.address, &mut place.formatted, lines),
            ("--street-address", self.street_address, &mut place.street_address, lines),
            ("--locality", self.locality, &mut place.locality, line),
            ("--region", self.region, &mut place.region, line),
            ("--postal-code", self.postal_code, &mut place.postal_code, line),
            ("--country", self.country, &mut place.country, line),
        ];
        for (flag, value, slot, judge) in parts {
            match value.map(|text| (judge(&text).filter(|_| !text.is_empty()), text)) {
                None => {}
                Some((Some(problem), _)) => problems.push(format!("{flag}: {problem}")),
                Some((None, text)) => *slot = Some(text).filter(|text| !text.is_empty()),
            }
        }
        profile.address = Some(place).filter(|place| *place != Address::default());
        set_traits(&self.traits, profile, schema, &mut problems);
        profile.phone_number_verified = self.phone_number_verified.unwrap_or(profile.phone_number_verified);
        if profile.phone_number_verified && profile.phone_number.is_none() {
            problems.push("--phone-number-verified: there is no number, give --phone-number too".to_owned());
        }
        profile.email_verified = self.email_verified.unwrap_or(profile.email_verified);
        if profile.email_verified && profile.email.is_none() {
            problems.push("--email-verified: there is no address, give --email too".to_owned());
        }
        if problems.is_empty() { Ok(()) } else { Err(usage(problems.join("\n     "))) }
    }
}

fn set_traits(traits: &[String], profile: &mut Profile, schema: &UserSchema, problems: &mut Vec<String>) {
    let mut document = schema.document(profile);
    for text in traits {
        let Some((name, value)) = text.split_once('=') else {
            problems.push(format!("--trait: {text:?} is not NAME=TEXT"));
            continue;
        };
        match name.strip_suffix(':').map(|name| (name, serde_json::from_str(value))) {
            Some((name, Ok(value))) => put(&mut document, &schema.path(name), Some(value)),
            Some((name, Err(_))) => problems.push(format!("--trait: {name}: {value:?} is not JSON")),
            None => put(&mut document, &schema.path(name), Some(value.into()).filter(|_| !value.is_empty())),
        }
    }
    let misfits = schema.apply(profile, document).err().unwrap_or_default();
    problems.extend(misfits.iter().map(|problem| format!("--trait: {problem}")));
}
