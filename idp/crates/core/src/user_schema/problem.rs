//! What does not fit, in words: the path of the trait and what it must be.

use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// One way in which a user's traits do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Names from the outside in; empty: all of them together.
    pub path: Vec<String>,
    pub text: String,
}

impl Problem {
    /// About all traits together.
    pub fn of_all(text: &str) -> Self {
        Self { path: Vec::new(), text: text.to_owned() }
    }

    /// For people who see the trait beside it.
    pub fn sentence(&self) -> String {
        let mut signs = self.text.chars();
        signs.next().map(|first| first.to_uppercase().chain(signs).chain(['.']).collect()).unwrap_or_default()
    }

    /// About one trait.
    pub fn new(path: &[String], text: impl Into<String>) -> Self {
        Self { path: path.to_vec(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.join(".");
        write!(f, "{}: {}", if name.is_empty() { "traits" } else { &name }, self.text)
    }
}

/// Why a schema cannot be compiled.
pub fn of_schema(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str();
    let text = error.to_string();
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if place.is_empty() { text } else { format!("{place}: {text}") }
}

/// What an error of the validator says about traits; `skip` names of the path are not part of it.
pub fn said(error: &ValidationError<'_>, skip: usize) -> Vec<Problem> {
    let path: Vec<String> = pointer(error.instance_path().as_str()).skip(skip).collect();
    let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![Problem::new(&below(property.as_str().unwrap_or_default()), "is needed")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| Problem::new(&below(name), "is not known")).collect()
        }
        kind => vec![Problem::new(&path, must(kind))],
    }
}

/// The names of a JSON pointer (RFC 6901 §4).
fn pointer(text: &str) -> impl Iterator<Item = String> {
    text.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// What a value must be.
fn must(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as K;
    match kind {
        K::Type { kind } => format!("must be {}", types(kind)),
        K::Format { format } => format!("must be {}", of_format(format)),
        K::Pattern { pattern } => format!("must have the form {pattern}"),
        K::MinLength { limit: 1 } | K::MinItems { limit: 1 } => "must not be empty".to_owned(),
        K::MinLength { limit } => format!("must have at least {limit} characters"),
        K::MaxLength { limit } => format!("must have at most {limit} characters"),
        K::MinItems { limit } => format!("must have at least {limit} entries"),
        K::MaxItems { limit } => format!("must have at most {limit} entries"),
        K::Minimum { limit } => format!("must be at least {limit}"),
        K::Maximum { limit } => format!("must be at most {limit}"),
        K::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        K::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        K::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        K::Constant { expected_value } => format!("must be {}", shown(expected_value)),
        K::Enum { options } => {
            let options: Vec<_> = options.as_array().into_iter().flatten().map(shown).collect();
            format!("must be one of {}", options.join(", "))
        }
        K::UniqueItems => "must not have an entry twice".to_owned(),
        K::AnyOf { .. } | K::OneOfNotValid { .. } => "fits none of the forms that are allowed".to_owned(),
        K::FalseSchema => "is not allowed".to_owned(),
        other => format!("does not fit: {}", other.keyword()),
    }
}

fn types(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    match kind {
        TypeKind::Single(one) => word(one.as_str()).to_owned(),
        TypeKind::Multiple(set) => set.iter().map(|one| word(one.as_str())).collect::<Vec<_>>().join(" or "),
    }
}

fn of_format(format: &str) -> String {
    match format {
        "email" | "idn-email" => "an e-mail address".to_owned(),
        "uri" | "iri" => "a web address".to_owned(),
        "date" => "a date, YYYY-MM-DD".to_owned(),
        "date-time" => "a time as in RFC 3339".to_owned(),
        other => format!("of the format {other}"),
    }
}

/// A value of the schema, for people.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
