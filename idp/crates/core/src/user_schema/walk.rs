//! Bounds of a schema before it is compiled: its references stay within it, and following them ends.
//! JSON Schema 2020-12 §8.2.

use serde_json::Value;

/// Levels, references followed.
const MOST_LEVELS: usize = 64;
/// Parts, references followed: what is shared twice at each of many levels would double the work each time.
const MOST_PARTS: usize = 20_000;

/// Checks a schema.
///
/// # Errors
/// The first thing that is wrong, in a sentence.
pub fn check(schema: &Value) -> Result<(), String> {
    Walk { root: schema, parts: 0 }.visit(schema, 0)
}

/// What a local reference points at.
pub fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(&percent_decoded(reference.strip_prefix('#')?)?)
}

/// A URI fragment as a JSON pointer (RFC 6901 §6).
fn percent_decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        bytes.push(if byte == b'%' {
            u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

struct Walk<'a> {
    root: &'a Value,
    parts: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, part: &'a Value, level: usize) -> Result<(), String> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(format!("it has more than {MOST_PARTS} parts when its references are followed"));
        }
        if level > MOST_LEVELS {
            return Err(format!("it has more than {MOST_LEVELS} levels, or a $ref leads back to itself"));
        }
        match part {
            Value::Array(items) => items.iter().try_for_each(|item| self.visit(item, level + 1)),
            Value::Object(members) => {
                members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
                    ("$dynamicRef" | "$recursiveRef", Value::String(_)) => Err(format!("{name} is not supported")),
                    // Another base would make "#/…" mean something else below it.
                    ("$id" | "id", Value::String(_)) if level > 0 => Err(format!("{name} stands at the top alone")),
                    ("$ref", Value::String(reference)) => {
                        let local = reference.starts_with("#/").then(|| target(self.root, reference)).flatten();
                        let text = "is not followed: write #/… of something in this schema; nothing is fetched";
                        self.visit(local.ok_or_else(|| format!("$ref {reference:?} {text}"))?, level + 1)
                    }
                    (_, value) => self.visit(value, level + 1),
                })
            }
            _ => Ok(()),
        }
    }
}
