//! The schema of a realm's users: which traits there are, what each may hold, which of them are standard claims.
//! JSON Schema 2020-12 and draft-07; marks of our own and those of Ory Kratos' identity schemas.

mod document;
mod form;
mod marks;
mod own;
mod problem;
mod walk;

use std::sync::{Arc, OnceLock};

use jsonschema::{PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::rule::Rule;

pub use document::{find, put};
pub use form::{Field, FieldKind, Shown};
pub use marks::{Input, Trait};
pub use problem::Problem;

/// Largest schema, in bytes of JSON.
const MOST_BYTES: usize = 32 * 1024;
/// Largest compiled pattern, in bytes: patterns run in linear time, but their size may explode.
const MOST_PATTERN: usize = 512 * 1024;

/// The rules of schemas and traits, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "user_schema.bounded",
        spec: "ASVS 5.0 §1.5.2",
        text: "A schema has at most 32 KiB, 64 levels and 20,000 parts when its references are followed.",
    },
    Rule {
        id: "user_schema.local",
        spec: "JSON Schema 2020-12 §8.2.3",
        text: "References stay within the schema (#/…): nothing is fetched.",
    },
    Rule {
        id: "user_schema.claims",
        spec: "OIDC Core §5.1",
        text: "A standard claim comes from one trait, which is a text; a mark stands where it is seen.",
    },
    Rule {
        id: "user_schema.own",
        spec: "ASVS 5.0 §15.3.3",
        text: "People set the traits that the schema names and does not mark readOnly; all others are an administrator's.",
    },
    Rule {
        id: "user_schema.traits",
        spec: "JSON Schema 2020-12 §10",
        text: "Every change of a user fits the schema; what does not is named by the path of the trait.",
    },
];

/// A schema of traits. Compiled at its first use and kept with the realm it came with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserSchema {
    source: Value,
    #[serde(skip)]
    compiled: Arc<OnceLock<Result<Compiled, Vec<String>>>>,
}

struct Compiled {
    validator: Validator,
    /// The traits are below `properties.traits`, as in identity schemas of Ory Kratos.
    wrapped: bool,
    traits: Vec<Trait>,
}

impl std::fmt::Debug for UserSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.source.fmt(f)
    }
}

impl PartialEq for UserSchema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for UserSchema {}

impl UserSchema {
    /// A schema as an operator wrote it.
    ///
    /// # Errors
    /// Everything that keeps it from being used, each a sentence.
    pub fn new(source: Value) -> Result<Self, Vec<String>> {
        let schema = Self { source, compiled: Arc::default() };
        match schema.compiled() {
            Ok(_) => Ok(schema),
            Err(problems) => Err(problems.to_vec()),
        }
    }

    /// What forms ask where a realm has no schema. Other traits are free then (see [`Profile::trait_problems`]).
    ///
    /// [`Profile::trait_problems`]: crate::account::Profile::trait_problems
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<UserSchema> = OnceLock::new();
        STANDARD.get_or_init(|| {
            let email = json!({ "type": "string", "format": "email", "idp": { "verification": "email" } });
            let properties = json!({ "name": { "type": "string" }, "email": email });
            Self { source: json!({ "type": "object", "properties": properties }), compiled: Arc::default() }
        })
    }

    /// Whether it is [`Self::standard`]: traits are flat, and free besides the forms.
    fn is_standard(&self) -> bool {
        std::ptr::eq(self, Self::standard())
    }

    /// As it was written.
    pub const fn source(&self) -> &Value {
        &self.source
    }

    /// Everything that keeps the schema from being used.
    pub fn check(&self) -> Vec<String> {
        self.compiled().err().map(<[String]>::to_vec).unwrap_or_default()
    }

    /// The traits that the schema names, in its order.
    pub fn traits(&self) -> &[Trait] {
        self.compiled().map(|c| c.traits.as_slice()).unwrap_or_default()
    }

    /// The trait that is the e-mail address.
    pub fn email(&self) -> Option<&Trait> {
        self.traits().iter().find(|t| t.claim.is_some_and(|claim| claim.name == "email"))
    }

    /// Whether a mailed code may lead back into an account: always where the realm has no schema, else where the
    /// address is marked for it.
    pub fn recovers_by_email(&self) -> bool {
        self.is_standard() || self.email().is_some_and(|t| t.recovery)
    }

    /// The path that a dotted name stands for. Without a schema names may hold dots themselves.
    pub fn path(&self, name: &str) -> Vec<String> {
        if self.is_standard() { vec![name.to_owned()] } else { name.split('.').map(str::to_owned).collect() }
    }

    fn compiled(&self) -> Result<&Compiled, &[String]> {
        self.compiled.get_or_init(|| compile(&self.source)).as_ref().map_err(Vec::as_slice)
    }

    /// Every way in which traits do not fit.
    fn misfits(&self, traits: &Map<String, Value>) -> Vec<Problem> {
        let compiled = match self.compiled() {
            Ok(compiled) => compiled,
            Err(problems) => return vec![Problem::of_all(&format!("the schema is faulty: {}", problems.join("; ")))],
        };
        let traits = Value::Object(traits.clone());
        let document = if compiled.wrapped { json!({ "traits": traits }) } else { traits };
        let skip = usize::from(compiled.wrapped);
        compiled.validator.iter_errors(&document).flat_map(|error| problem::said(&error, skip)).collect()
    }
}

fn compile(source: &Value) -> Result<Compiled, Vec<String>> {
    if !source.is_object() {
        return Err(vec!["a schema is a JSON object".to_owned()]);
    }
    if source.to_string().len() > MOST_BYTES {
        return Err(vec![format!("a schema has at most {MOST_BYTES} bytes")]);
    }
    walk::check(source).map_err(|problem| vec![problem])?;
    let patterns = PatternOptions::regex().size_limit(MOST_PATTERN).dfa_size_limit(2 * MOST_PATTERN);
    let options = jsonschema::options().offline().with_pattern_options(patterns).should_validate_formats(true);
    let validator = options.build(source).map_err(|error| vec![problem::of_schema(&error)])?;
    let of_traits = source.pointer("/properties/traits").filter(|traits| traits.get("properties").is_some());
    let traits = marks::read(source, of_traits.unwrap_or(source))?;
    Ok(Compiled { validator, wrapped: of_traits.is_some(), traits })
}
