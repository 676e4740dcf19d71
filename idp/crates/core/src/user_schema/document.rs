//! A user's traits as one document: what is a standard claim lives in the profile, the rest in its traits, each once.
//! OIDC Core §5.1.

use serde_json::{Map, Value};

use super::problem::Problem;
use super::{Trait, UserSchema};
use crate::account::Profile;

/// Largest document of a user's traits, in bytes of JSON.
const MOST_BYTES: usize = 16 * 1024;
/// Levels of a document of traits.
const MOST_LEVELS: usize = 8;

/// The value at a path.
pub fn find<'a>(document: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (name, rest) = path.split_first()?;
    let value = document.get(name)?;
    if rest.is_empty() { Some(value) } else { find(value.as_object()?, rest) }
}

/// Puts a value at a path, or takes away what is there, with objects that are empty then.
pub fn put(document: &mut Map<String, Value>, path: &[String], value: Option<Value>) {
    let Some((name, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        match value {
            Some(value) => document.insert(name.clone(), value),
            None => document.remove(name),
        };
        return;
    }
    if value.is_none() && !document.contains_key(name) {
        return;
    }
    let inner = document.entry(name.clone()).or_insert_with(|| Map::new().into());
    if value.is_some() && !inner.is_object() {
        *inner = Map::new().into();
    }
    if let Value::Object(members) = inner {
        put(members, rest, value);
        if members.is_empty() {
            document.remove(name);
        }
    }
}

impl UserSchema {
    /// The traits of a user as the schema sees them.
    pub fn document(&self, profile: &Profile) -> Map<String, Value> {
        let mut document = profile.traits.clone();
        for (part, claim) in self.claims() {
            put(&mut document, &part.path, claim.read(profile).map(Into::into));
        }
        document
    }

    /// Makes `document` the traits of a user. Standard claims that the schema does not name stay.
    ///
    /// # Errors
    /// Everything that does not fit; the profile is unchanged then.
    pub fn apply(&self, profile: &mut Profile, mut document: Map<String, Value>) -> Result<(), Vec<Problem>> {
        let mut changed = profile.clone();
        let mut problems = self.problems(&document);
        for (part, claim) in self.claims() {
            let value = find(&document, &part.path).and_then(Value::as_str).map(str::to_owned);
            claim.set(&mut changed, value);
            put(&mut document, &part.path, None);
        }
        changed.traits = document;
        if self.is_standard() {
            problems.extend(changed.trait_problems().iter().map(|problem| Problem::of_all(problem)));
        }
        if problems.is_empty() {
            *profile = changed;
            return Ok(());
        }
        Err(problems)
    }

    /// Whether a user fits as they are.
    ///
    /// # Errors
    /// Everything that does not.
    pub fn fits(&self, profile: &Profile) -> Result<(), Vec<Problem>> {
        self.apply(&mut profile.clone(), self.document(profile))
    }

    fn claims(&self) -> impl Iterator<Item = (&Trait, &'static crate::account::claims::TextClaim)> {
        self.traits().iter().filter_map(|part| part.claim.map(|claim| (part, claim)))
    }

    /// Everything wrong with a document, at most one sentence a trait.
    fn problems(&self, document: &Map<String, Value>) -> Vec<Problem> {
        let whole = Value::Object(document.clone());
        if whole.to_string().len() > MOST_BYTES || levels(&whole) > MOST_LEVELS {
            return vec![Problem::of_all("they have at most 16384 bytes and 8 levels")];
        }
        let mut problems = self.misfits(document);
        for (part, claim) in self.claims() {
            // No text: the schema says so.
            let text = find(document, &part.path).and_then(Value::as_str);
            problems.extend(text.and_then(|text| claim.problem(text)).map(|said| Problem::new(&part.path, said)));
        }
        signs(&whole, &mut Vec::new(), &mut problems);
        let mut told: Vec<Problem> = Vec::new();
        for problem in problems {
            if !told.iter().any(|earlier| earlier.path == problem.path) {
                told.push(problem);
            }
        }
        told
    }
}

fn levels(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(levels).max(),
        Value::Object(members) => members.values().map(levels).max(),
        _ => return 0,
    };
    1 + below.unwrap_or(0)
}

/// Texts and names hold no control characters, of which a database refuses one and terminals obey others.
fn signs(value: &Value, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    let bad = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    match value {
        Value::String(text) if bad(text) => {
            problems.push(Problem::new(path, "must not hold control characters but line ends"));
        }
        Value::Array(items) => items.iter().for_each(|item| signs(item, path, problems)),
        Value::Object(members) => {
            for (name, value) in members {
                if name.chars().any(char::is_control) {
                    problems.push(Problem::new(path, "must not have names with control characters"));
                }
                path.push(name.clone());
                signs(value, path, problems);
                path.pop();
            }
        }
        _ => {}
    }
}
