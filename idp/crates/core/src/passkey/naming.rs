//! What a passkey is called in the authenticator: `name` and `displayName`, made from a pattern of the realm.
//! WebAuthn L3 §5.4.1, §5.4.3.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::claims::TextClaim;
use crate::account::{Profile, name_key};
use crate::rule::Rule;
use crate::user_schema::{UserSchema, find};

/// Most characters of a pattern, and of what it makes.
const MOST: usize = 200;

/// The rules of names, for documentation.
pub const RULES: &[Rule] = &[Rule {
    id: "passkey.name.unique",
    spec: "WebAuthn L3 §5.4.3",
    text: "No two users of a realm have one name in their authenticators: asked when a pattern or a user changes.",
}];

/// A text with placeholders: `{{ user.username }}`, `{{ user.CLAIM }}`, `{{ traits.PATH }}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Username,
    Claim(String),
    Trait(Vec<String>),
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.source
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(source: String) -> Result<Self, String> {
        if source.chars().count() > MOST || source.chars().any(char::is_control) {
            return Err(format!("a pattern has at most {MOST} characters, none of them control characters"));
        }
        let mut parts = Vec::new();
        let mut rest = source.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or("a {{ lacks its }}")?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(placeholder(inside.trim())?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err("a pattern without a placeholder would name everybody alike".to_owned());
        }
        Ok(Self { source, parts })
    }
}

fn placeholder(inside: &str) -> Result<Part, String> {
    let unknown = || {
        format!(
            "{{{{ {inside} }}}} is no placeholder: there are user.username, user.email, user.name and the other \
             standard claims that are texts, and traits.NAME"
        )
    };
    match inside.split_once('.').ok_or_else(unknown)? {
        ("user", "username") => Ok(Part::Username),
        ("user", claim) => TextClaim::find(claim).map(|_| Part::Claim(claim.to_owned())).ok_or_else(unknown),
        ("traits", path) if path.split('.').all(|name| !name.is_empty()) => {
            Ok(Part::Trait(path.split('.').map(str::to_owned).collect()))
        }
        _ => Err(unknown()),
    }
}

impl Pattern {
    /// `{{ user.CLAIM }}`.
    pub fn of_claim(claim: &str) -> Self {
        Self { source: format!("{{{{ user.{claim} }}}}"), parts: vec![Part::Claim(claim.to_owned())] }
    }

    /// What it makes of a user; `None` where the user lacks something that it names.
    fn render(&self, username: &str, profile: &Profile, schema: &UserSchema) -> Option<String> {
        let mut text = String::new();
        let mut document = None;
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Username => text.push_str(username),
                Part::Claim(claim) => {
                    text.push_str(TextClaim::find(claim)?.read(profile).filter(|value| !value.is_empty())?);
                }
                Part::Trait(path) => {
                    let document = document.get_or_insert_with(|| schema.document(profile));
                    match find(document, path).or_else(|| document.get(&path.join(".")))? {
                        Value::String(value) if !value.is_empty() => text.push_str(value),
                        Value::Number(value) => text.push_str(&value.to_string()),
                        _ => return None,
                    }
                }
            }
        }
        let text = text.trim();
        (!text.is_empty() && text.chars().count() <= MOST).then(|| text.to_owned())
    }
}

/// How a realm names passkeys.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    pub name: &'a Pattern,
    pub display_name: &'a Pattern,
    pub schema: &'a UserSchema,
}

impl Naming<'_> {
    /// `user.name`: the pattern's, else the user name.
    pub fn name(&self, username: &str, profile: &Profile) -> String {
        self.name.render(username, profile, self.schema).unwrap_or_else(|| username.to_owned())
    }

    /// The form in which names are unique.
    pub fn key(&self, username: &str, profile: &Profile) -> String {
        name_key(&self.name(username, profile))
    }

    /// `user.displayName`: the trait marked for it, else the pattern's, else the user name.
    pub fn display_name(&self, username: &str, profile: &Profile) -> String {
        let marked = || {
            let part = self.schema.traits().iter().find(|part| part.display_name)?;
            let value = find(&self.schema.document(profile), &part.path)?.as_str()?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let made = || self.display_name.render(username, profile, self.schema);
        marked().or_else(made).unwrap_or_else(|| username.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Naming, Pattern};
    use crate::account::Profile;
    use crate::user_schema::UserSchema;

    fn pattern(text: &str) -> Result<Pattern, String> {
        Pattern::try_from(text.to_owned())
    }

    fn named(text: &str, profile: &Profile) -> String {
        let name = pattern(text).unwrap();
        Naming { name: &name, display_name: &name, schema: UserSchema::standard() }.name("ada", profile)
    }

    #[test]
    fn a_pattern_is_filled_in_and_falls_back_to_the_user_name() {
        let profile = Profile {
            email: Some("ada@example.org".to_owned()),
            name: Some("Ada Lovelace".to_owned()),
            traits: json!({ "staff_no": 7, "unit.code": "R2", "on": true }).as_object().unwrap().clone(),
            ..Profile::default()
        };
        for (text, expected) in [
            ("{{ user.email }}", "ada@example.org"),
            ("{{user.username}} ({{ traits.staff_no }})", "ada (7)"),
            ("{{ user.name }} of {{ traits.unit.code }}", "Ada Lovelace of R2"),
            ("{{ user.nickname }}!", "ada"),
            ("{{ traits.on }}", "ada"),
            ("{{ traits.nothing }} {{ user.email }}", "ada"),
        ] {
            assert_eq!(named(text, &profile), expected, "{text}");
        }
        assert_eq!(Pattern::of_claim("email"), pattern("{{ user.email }}").unwrap());
    }

    #[test]
    fn refuses_a_pattern_that_says_nothing_or_cannot_be_read() {
        for (text, word) in [
            ("passkey", "everybody alike"),
            ("", "everybody alike"),
            ("{{ user.email", "lacks"),
            ("{{ user.shoe_size }}", "no placeholder"),
            ("{{ email }}", "no placeholder"),
            ("{{ traits. }}", "no placeholder"),
            ("{{ user.email | upper }}", "no placeholder"),
            ("a\u{7}{{ user.email }}", "control"),
        ] {
            assert!(pattern(text).unwrap_err().contains(word), "{text}");
        }
        assert!(pattern(&format!("{}{{{{ user.email }}}}", "x".repeat(200))).is_err());
    }

    #[test]
    fn the_marked_trait_is_the_display_name() {
        let schema = UserSchema::new(json!({ "type": "object", "properties": {
            "badge": { "type": "string", "idp": { "display_name": true } } } }))
        .unwrap();
        let (name, display_name) = (Pattern::of_claim("email"), Pattern::of_claim("name"));
        let naming = Naming { name: &name, display_name: &display_name, schema: &schema };
        let mut profile = Profile { name: Some("Ada".to_owned()), ..Profile::default() };
        assert_eq!(naming.display_name("ada", &profile), "Ada");
        profile.traits.insert("badge".to_owned(), "A-1".into());
        assert_eq!(naming.display_name("ada", &profile), "A-1");
        assert_eq!(naming.display_name("eve", &Profile::default()), "eve");
    }
}
