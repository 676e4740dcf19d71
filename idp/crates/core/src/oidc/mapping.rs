//! Scopes of a realm's own and the claims they open: where each value comes from, of which type, in which tokens.
//! OIDC Core §5.1.2 (additional claims) and §5.4, RFC 9068 §2.2.2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::standard::{self, Facts};
use crate::oauth::scope::{self, Scopes};
use crate::user_schema;

/// Claims that say what a token is, who issued it or what was proved. A mapping would forge them.
const RESERVED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "typ",
    "azp",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "c_hash",
    "gid",
    "s_hash",
    "cnf",
    "client_id",
    "scope",
    "act",
    "may_act",
    "events",
    "active",
    "token_type",
    "username",
    "authorization_details",
    "entitlements",
    "sub_jwk",
    "_claim_names",
    "_claim_sources",
];

/// Claims of which another one says that they were verified; only the profile keeps the two together.
const VERIFIED: &[&str] = &["email", "email_verified", "phone_number", "phone_number_verified"];

/// Most scopes of a realm and most claims of a scope: both are read at each token.
const MOST: usize = 64;

/// Where a claim is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    IdToken,
    Userinfo,
    /// In access tokens that are JWTs (RFC 9068 §2.2.2).
    AccessToken,
}

/// The JSON type of a claim. A value of another type is left out: clients may rely on the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    String,
    /// An array of strings.
    Strings,
    Boolean,
    Number,
}

impl Kind {
    fn has(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Strings => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.as_number().is_some_and(|n| Number::as_f64(n).is_some_and(f64::is_finite)),
        }
    }
}

/// Which groups of a user are told, and as what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupSource {
    /// Only groups whose name begins so; empty: all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Only these groups, each as another value; empty: all, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A trait of the user; inside another one by a path such as `name.first`.
    Trait(String),
    /// A standard claim.
    Claim(String),
    /// The user name.
    Username,
    /// Groups of the user: strings.
    Groups(GroupSource),
    /// Roles of the user at the client: strings.
    Roles,
    /// The same for everybody.
    Constant(Value),
}

/// One claim of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimMapping {
    pub claim: String,
    pub from: Source,
    #[serde(default)]
    pub kind: Kind,
    #[serde(rename = "where", default = "at_userinfo")]
    pub places: Vec<Place>,
}

fn at_userinfo() -> Vec<Place> {
    vec![Place::Userinfo]
}

/// A scope of a realm's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomScope {
    pub name: String,
    /// What people read on the consent page.
    pub description: String,
    #[serde(default)]
    pub claims: Vec<ClaimMapping>,
}

impl ClaimMapping {
    /// The value for a user; `None`: there is none of the right type.
    pub fn value(&self, facts: &Facts<'_>) -> Option<Value> {
        let value = match &self.from {
            Source::Trait(name) => of_trait(&facts.account.profile.traits, name)?.clone(),
            Source::Claim(name) => standard::value(name, facts)?,
            Source::Username => facts.account.username.clone().into(),
            Source::Groups(source) => source.of(facts.groups).into(),
            Source::Roles => facts.roles().into(),
            Source::Constant(value) => value.clone(),
        };
        self.kind.has(&value).then_some(value)
    }

    /// Whether the groups of the user must be known.
    pub const fn reads_groups(&self) -> bool {
        matches!(self.from, Source::Groups(_) | Source::Roles)
    }

    /// Everything that keeps it from being saved.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let name = &self.claim;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '#');
        if name.is_empty() || name.len() > 128 || !name.chars().all(good) {
            problems.push(format!("the claim {name:?} must be 1 to 128 letters, digits and _ - . : / #"));
        }
        if RESERVED.contains(&name.as_str()) {
            problems.push(format!("the claim {name} is reserved: it says what a token is"));
        }
        if VERIFIED.contains(&name.as_str()) {
            problems.push(format!("the claim {name} cannot be mapped: it is verified, or says what is"));
        }
        if self.places.is_empty() {
            problems.push(format!("the claim {name} is told nowhere: where is id_token, userinfo, access_token"));
        }
        match &self.from {
            Source::Claim(source) if !standard::is_standard(source) => {
                problems.push(format!("the claim {name} comes from {source}, which is no standard claim"));
            }
            Source::Constant(value) if !self.kind.has(value) => {
                problems.push(format!("the claim {name} has a constant of another type than its kind"));
            }
            Source::Groups(_) | Source::Roles if self.kind != Kind::Strings => {
                problems.push(format!("the claim {name} comes from groups: its kind must be strings"));
            }
            _ => {}
        }
        problems
    }
}

/// A flat name may hold dots itself.
fn of_trait<'a>(traits: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let path = || name.split('.').map(str::to_owned).collect::<Vec<_>>();
    traits.get(name).or_else(|| user_schema::find(traits, &path()))
}

impl GroupSource {
    fn of(&self, groups: &[String]) -> Vec<String> {
        let picked = groups.iter().filter(|group| group.starts_with(&self.prefix));
        if self.values.is_empty() {
            return picked.cloned().collect();
        }
        let mut values: Vec<String> = Vec::new();
        for value in picked.filter_map(|group| self.values.get(group)) {
            // Two groups may mean the same.
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }
}

/// Everything that keeps the scopes of a realm from being saved.
pub fn problems(scopes: &[CustomScope]) -> Vec<String> {
    let mut problems = Vec::new();
    if scopes.len() > MOST || scopes.iter().any(|scope| scope.claims.len() > MOST) {
        problems.push(format!("at most {MOST} scopes, and {MOST} claims each"));
    }
    for (at, scope) in scopes.iter().enumerate() {
        let CustomScope { name, description, claims } = scope;
        let mut wrong = |text: &str| problems.push(format!("{name:?} {text}"));
        if name.len() > 64
            || Scopes::parse(name, &[name]).is_none_or(|parsed| parsed.as_str() != name)
            || name.is_empty()
        {
            wrong("is no scope: write 1 to 64 letters, digits and signs but \" and \\, no blank (RFC 6749 §3.3)");
        }
        if scope::STANDARD.contains(&name.as_str()) {
            wrong("is a standard scope: choose another name");
        }
        if scopes.iter().take(at).any(|other| other.name == *name) {
            wrong("is there twice");
        }
        if description.trim().is_empty()
            || description.chars().count() > 200
            || description.chars().any(char::is_control)
        {
            wrong("needs a description that people shall read, 1 to 200 characters");
        }
        for (at, mapping) in claims.iter().enumerate() {
            let twice = claims.iter().take(at).any(|other| other.claim == mapping.claim);
            mapping.problems().iter().for_each(|problem| wrong(&format!(": {problem}")));
            if twice {
                wrong(&format!(": the claim {} is there twice", mapping.claim));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CustomScope, RESERVED, of_trait, problems};

    fn said(scopes: Value) -> String {
        problems(&serde_json::from_value::<Vec<CustomScope>>(scopes).unwrap()).join("\n")
    }

    fn with(claim: Value) -> Value {
        json!([{ "name": "work", "description": "Work", "claims": [claim] }])
    }

    #[test]
    fn refuses_claims_that_say_what_a_token_is() {
        for claim in RESERVED.iter().chain(&["email_verified", "phone_number"]) {
            assert!(said(with(json!({ "claim": claim, "from": "username" }))).contains(claim), "{claim}");
        }
        assert_eq!(said(with(json!({ "claim": "login", "from": "username" }))), "");
    }

    #[test]
    fn a_trait_is_found_by_its_name_or_its_path() {
        let traits = json!({ "name": { "first": "Ada" }, "level.max": 3 });
        let found = |name: &str| of_trait(traits.as_object().unwrap(), name).cloned();
        assert_eq!((found("name.first"), found("level.max")), (Some("Ada".into()), Some(3.into())));
        assert_eq!((found("name.last"), found("name.first.x")), (None, None));
    }

    #[test]
    fn refuses_what_could_never_be_told() {
        for (claim, word) in [
            (json!({ "claim": "", "from": "username" }), "1 to 128"),
            (json!({ "claim": "a b", "from": "username" }), "1 to 128"),
            (json!({ "claim": "x", "from": "username", "where": [] }), "nowhere"),
            (json!({ "claim": "x", "from": { "claim": "shoe_size" } }), "no standard claim"),
            (json!({ "claim": "x", "from": { "claim": "groups" } }), "no standard claim"),
            (json!({ "claim": "x", "from": { "constant": 7 } }), "another type"),
            (json!({ "claim": "x", "from": { "constant": null }, "kind": "boolean" }), "another type"),
            (json!({ "claim": "x", "from": "roles" }), "must be strings"),
            (json!({ "claim": "x", "from": { "groups": {} }, "kind": "boolean" }), "must be strings"),
        ] {
            let said = said(with(claim.clone()));
            assert!(said.contains(word), "{claim}: {said}");
        }
    }

    #[test]
    fn refuses_scopes_that_are_none_or_not_described() {
        for (name, description, word) in [
            ("", "Work", "no scope"),
            ("a b", "Work", "no scope"),
            ("a\"b", "Work", "no scope"),
            ("ü", "Work", "no scope"),
            ("profile", "Work", "standard"),
            ("work", " ", "description"),
            ("work", "a\nb", "description"),
        ] {
            let said = said(json!([{ "name": name, "description": description }]));
            assert!(said.contains(word), "{name:?}: {said}");
        }
        let work = json!({ "name": "work", "description": "Work" });
        assert!(said(json!([work, work])).contains("twice"));
        let claim = json!({ "claim": "x", "from": "username" });
        assert!(said(json!([{ "name": "work", "description": "Work", "claims": [claim, claim] }])).contains("twice"));
    }
}
