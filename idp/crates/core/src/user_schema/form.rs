//! A schema as a form: one input a trait, and what comes back as a document. HTML §4.10.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::document::{find, put};
use super::problem::Problem;
use super::{Input, Trait, UserSchema};

/// Which kind of input a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    Text,
    Email,
    Tel,
    Url,
    Date,
    Number,
    Checkbox,
    Select,
    /// Shown, not asked: its owner does not set it here.
    Fixed,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    pub id: String,
    /// Name in the form that is posted.
    pub name: String,
    pub title: Option<String>,
    /// The last name of the path, where there is no title.
    pub key: String,
    /// The standard claim it is, which has words of its own.
    pub claim: Option<&'static str>,
    pub description: Option<String>,
    pub kind: FieldKind,
    /// What is there now, as text.
    pub value: String,
    pub checked: bool,
    pub options: Vec<String>,
    pub required: bool,
    /// Characters of a text.
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    /// Of a number.
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub whole: bool,
    /// What browsers may fill in (HTML §4.10.18.7).
    pub autocomplete: &'static str,
    /// Why what was typed does not fit.
    pub problem: Option<String>,
}

/// What a form shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The traits as they are, or as they were typed.
    pub document: &'a Map<String, Value>,
    pub problems: &'a [Problem],
    /// Whether its owner may set what is not read-only.
    pub editable: bool,
}

impl UserSchema {
    /// The inputs of a form. Traits that no input can hold are left out, and read-only ones that have no value.
    pub fn fields(&self, shown: &Shown<'_>) -> Vec<Field> {
        let seen = |part: &&Trait| {
            let fixed = part.read_only || !shown.editable;
            part.input != Input::None && (!fixed || find(shown.document, &part.path).is_some())
        };
        let mut fields: Vec<Field> = self.traits().iter().filter(seen).map(|part| field(part, shown)).collect();
        // `a.b` and `a-b` are two traits.
        for at in 0..fields.len() {
            let (before, rest) = fields.split_at_mut(at);
            if let Some(field) = rest.first_mut().filter(|field| before.iter().any(|earlier| earlier.id == field.id)) {
                field.id.push_str(&format!("-{at}"));
            }
        }
        fields
    }

    /// Writes what a form holds into a document: `read` gives the value of an input by its name. What the form does
    /// not ask for stays.
    pub fn fill<'a>(&self, document: &mut Map<String, Value>, read: impl Fn(&str) -> Option<&'a str>) {
        for part in self.own_traits().filter(|part| part.input != Input::None) {
            let typed = read(&name(part)).map(str::trim).filter(|typed| !typed.is_empty());
            put(document, &part.path, value(part, typed));
        }
    }
}

fn name(part: &Trait) -> String {
    format!("traits.{}", part.path.join("."))
}

/// A number that cannot be read stays a text, so that the schema says what it must be.
fn value(part: &Trait, typed: Option<&str>) -> Option<Value> {
    let Some(typed) = typed else {
        // A box that is not ticked is not sent.
        return (part.input == Input::Boolean && part.required).then_some(Value::Bool(false));
    };
    let number = || typed.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(typed.parse().ok()?));
    Some(match &part.input {
        Input::Boolean => Value::Bool(true),
        Input::Integer | Input::Number => number().map_or_else(|| typed.into(), Value::Number),
        Input::Choice(options) => {
            options.iter().find(|option| text(option) == typed).cloned().unwrap_or_else(|| typed.into())
        }
        Input::Text | Input::None => typed.into(),
    })
}

fn autocomplete(part: &Trait) -> &'static str {
    match part.claim.map(|claim| claim.name) {
        Some("name") => "name",
        Some("given_name") => "given-name",
        Some("middle_name") => "additional-name",
        Some("family_name") => "family-name",
        Some("nickname") => "nickname",
        Some("website") => "url",
        Some("birthdate") => "bday",
        Some("email") => "email",
        Some("phone_number") => "tel",
        Some("locale") => "language",
        _ => "off",
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn field(part: &Trait, shown: &Shown<'_>) -> Field {
    let now = find(shown.document, &part.path);
    let kind = match (&part.input, part.format.as_deref(), part.claim.map(|claim| claim.name)) {
        _ if part.read_only || !shown.editable => FieldKind::Fixed,
        (Input::Boolean, ..) => FieldKind::Checkbox,
        (Input::Integer | Input::Number, ..) => FieldKind::Number,
        (Input::Choice(_), ..) => FieldKind::Select,
        (_, Some("email"), _) | (_, _, Some("email")) => FieldKind::Email,
        (_, Some("tel"), _) | (_, _, Some("phone_number")) => FieldKind::Tel,
        (_, Some("uri"), _) | (_, _, Some("website" | "picture" | "profile")) => FieldKind::Url,
        (_, Some("date"), _) => FieldKind::Date,
        _ => FieldKind::Text,
    };
    let id = name(part).replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    Field {
        id,
        name: name(part),
        title: part.title.clone(),
        key: part.path.last().cloned().unwrap_or_default(),
        claim: part.claim.map(|claim| claim.name),
        description: part.description.clone(),
        kind,
        value: now.map(text).unwrap_or_default(),
        checked: now == Some(&Value::Bool(true)),
        options: match &part.input {
            Input::Choice(options) => options.iter().map(text).collect(),
            _ => Vec::new(),
        },
        required: part.required,
        min_length: part.length.0,
        max_length: part.length.1,
        min: part.range.0,
        max: part.range.1,
        whole: part.input == Input::Integer,
        autocomplete: autocomplete(part),
        problem: shown.problems.iter().find(|problem| problem.path == part.path).map(Problem::sentence),
    }
}
