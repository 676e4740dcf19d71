//! Which traits people set themselves: those that the schema names and does not keep for administrators, by a list of
//! what is allowed. ASVS 5.0 §15.3.3 (mass assignment), JSON Schema 2020-12 validation §9.4 (`readOnly`).

use jsonschema::PatternOptions;
use serde_json::{Map, Value, json};

use super::document::put;
use super::problem::Problem;
use super::walk::target;
use super::{MOST_PATTERN, Trait, UserSchema};

/// Most parts told of a document that holds what it must not.
const MOST_TOLD: usize = 20;

impl UserSchema {
    /// The traits that their owner sets.
    pub(super) fn own_traits(&self) -> impl Iterator<Item = &Trait> {
        self.traits().iter().filter(|part| !part.read_only)
    }

    /// What of `document` somebody may say of themselves, copied into an empty one, and what was left over. Nothing is
    /// copied that the schema does not name: mappings make claims of any trait, named or not.
    pub fn own(&self, document: &Map<String, Value>) -> (Map<String, Value>, Vec<Problem>) {
        let mut sorted = Sorted { schema: self, own: Map::new(), problems: Vec::new() };
        sorted.object(document, &mut Vec::new());
        sorted.problems.truncate(MOST_TOLD);
        (sorted.own, sorted.problems)
    }
}

struct Sorted<'a> {
    schema: &'a UserSchema,
    own: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Sorted<'_> {
    fn object(&mut self, members: &Map<String, Value>, path: &mut Vec<String>) {
        for (name, value) in members {
            path.push(name.clone());
            self.value(value, path);
            path.pop();
        }
    }

    fn value(&mut self, value: &Value, path: &mut Vec<String>) {
        let below = |part: &Trait| part.path.len() > path.len() && part.path.starts_with(path);
        let here = self.schema.own_traits().any(|part| part.path == *path);
        match value {
            Value::Object(members) if self.schema.traits().iter().any(below) => self.object(members, path),
            value if here && is_plain(value) => put(&mut self.own, path, Some(value.clone())),
            // Parts of it that the schema does not name would be copied with it.
            _ if here => {
                self.problems.push(Problem::new(path, "must be a text, a number, true, false or a list of these"))
            }
            _ if self.schema.own_traits().any(below) => self.problems.push(Problem::new(path, "must be an object")),
            _ => self.problems.push(Problem::new(path, "is set by an administrator")),
        }
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// Whether some part of the schema that may stand for the value at `path` says `readOnly`: one is enough, wherever it
/// is (JSON Schema 2020-12 validation §9.4).
pub fn is_read_only(root: &Value, part: &Value, path: &[String]) -> bool {
    let Some((name, rest)) = path.split_first() else { return mentions_read_only(root, part) };
    if part.get("readOnly") == Some(&Value::Bool(true)) {
        return true;
    }
    let reference = part.get("$ref").and_then(Value::as_str).and_then(|reference| target(root, reference));
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| part.get(key)?.as_array()).flatten();
    let branches = ["if", "then", "else"].into_iter().filter_map(|key| part.get(key));
    let dependent = ["dependentSchemas", "dependencies"].into_iter();
    let dependent = dependent.filter_map(|key| part.get(key)?.as_object()).flat_map(Map::values);
    let mut here = reference.into_iter().chain(lists).chain(branches).chain(dependent);
    if here.any(|part| is_read_only(root, part, path)) {
        return true;
    }
    let below = |part: &Value| is_read_only(root, part, rest);
    let named = part.get("properties").and_then(|all| all.get(name));
    let patterns = part.get("patternProperties").and_then(Value::as_object);
    let hits = |(pattern, part): (&String, &Value)| below(part) && matches(pattern, name);
    if named.is_some_and(below) || patterns.is_some_and(|all| all.iter().any(hits)) {
        return true;
    }
    let mut others = ["additionalProperties", "unevaluatedProperties"].into_iter().filter_map(|key| part.get(key));
    let is_other = named.is_none() && !patterns.is_some_and(|all| all.keys().any(|pattern| matches(pattern, name)));
    others.any(below) && is_other
}

/// Whether a part says `readOnly` anywhere, or what it refers to.
fn mentions_read_only(root: &Value, part: &Value) -> bool {
    match part {
        Value::Array(items) => items.iter().any(|item| mentions_read_only(root, item)),
        Value::Object(members) => members.iter().any(|(name, value)| match (name.as_str(), value) {
            ("readOnly", Value::Bool(is)) => *is,
            ("$ref", Value::String(to)) => target(root, to).is_some_and(|part| mentions_read_only(root, part)),
            (_, value) => mentions_read_only(root, value),
        }),
        _ => false,
    }
}

/// Whether a name is one of a pattern's; of one that cannot be read, it is.
fn matches(pattern: &str, name: &str) -> bool {
    let options = PatternOptions::regex().size_limit(MOST_PATTERN).dfa_size_limit(2 * MOST_PATTERN);
    let options = jsonschema::options().offline().with_pattern_options(options);
    options.build(&json!({ "pattern": pattern })).map_or(true, |validator| validator.is_valid(&name.into()))
}
