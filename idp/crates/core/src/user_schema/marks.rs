//! The traits that a schema names, and its marks: which claim a trait is, where it is shown, what it is good for.
//! Our keyword is `idp`; Ory Kratos' is `ory.sh/kratos`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::own::is_read_only;
use super::walk::target;
use crate::account::claims::TextClaim;

/// What a form asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Text,
    Boolean,
    Integer,
    Number,
    /// One of these texts or numbers.
    Choice(Vec<Value>),
    /// Nothing that a form could ask: a list, or a mixture.
    None,
}

/// A trait that the schema names.
#[derive(Clone, Debug)]
pub struct Trait {
    /// Names from the outside in.
    pub path: Vec<String>,
    /// What people read; none: its name.
    pub title: Option<String>,
    pub description: Option<String>,
    pub input: Input,
    /// `email`, `uri`, `date`, …
    pub format: Option<String>,
    /// Characters of a text.
    pub length: (Option<u64>, Option<u64>),
    /// Of a number.
    pub range: (Option<f64>, Option<f64>),
    pub required: bool,
    /// Its owner sees it, an operator sets it.
    pub read_only: bool,
    /// It is this standard claim.
    pub claim: Option<&'static TextClaim>,
    /// It names the account in authenticators.
    pub display_name: bool,
    /// A mailed code proves it.
    pub verification: bool,
    /// A mailed code leads back into the account.
    pub recovery: bool,
    /// Forms ask in this order, those alike by name: JSON objects have none.
    order: i64,
}

/// Our keyword.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Mark {
    claim: Option<String>,
    display_name: bool,
    verification: Option<Via>,
    recovery: Option<Via>,
    order: i64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Via {
    Email,
}

/// Kratos' keyword. Its other members (identifiers of methods we sign in otherwise by) change nothing here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct KratosMark {
    credentials: KratosCredentials,
    verification: Option<KratosVia>,
    recovery: Option<KratosVia>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KratosCredentials {
    passkey: KratosPasskey,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KratosPasskey {
    display_name: bool,
}

#[derive(Deserialize)]
struct KratosVia {
    via: Via,
}

const OURS: &str = "idp";
const KRATOS: &str = "ory.sh/kratos";

/// Reads the traits of `traits`, a part of the schema `root`.
///
/// # Errors
/// Marks that cannot be read, stand where they are not seen, or claim the same.
pub fn read(root: &Value, traits: &Value) -> Result<Vec<Trait>, Vec<String>> {
    let above: &[&str] = if std::ptr::eq(root, traits) { &[] } else { &["traits"] };
    let mut reader = Reader { root, above, found: Vec::new(), marked: Vec::new(), problems: Vec::new() };
    reader.object(traits, &[], true);
    let Reader { mut found, marked, mut problems, .. } = reader;
    for (at, one) in found.iter().enumerate() {
        let other =
            |claim: &TextClaim| found.iter().skip(at + 1).find(|t| t.claim.is_some_and(|c| c.name == claim.name));
        if let Some(claim) = one.claim
            && let Some(other) = other(claim)
        {
            let (a, b) = (one.path.join("."), other.path.join("."));
            problems.push(format!("{a} and {b} are both the claim {}: an account has one", claim.name));
        }
    }
    if found.iter().filter(|t| t.display_name).count() > 1 {
        problems.push("more than one trait is marked display_name".to_owned());
    }
    if count_marks(root) > marked.len() {
        problems.push("a mark stands where it is not seen: marks belong to properties of the traits".to_owned());
    }
    found.sort_by_key(|part| part.order);
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Objects that bear a mark.
fn count_marks(part: &Value) -> usize {
    match part {
        Value::Array(items) => items.iter().map(count_marks).sum(),
        Value::Object(members) => usize::from(is_marked(members)) + members.values().map(count_marks).sum::<usize>(),
        _ => 0,
    }
}

/// A trait that is named as our keyword is has a type; marks have none.
fn is_marked(members: &Map<String, Value>) -> bool {
    [OURS, KRATOS].iter().any(|keyword| members.get(*keyword).is_some_and(|mark| mark.get("type").is_none()))
}

struct Reader<'a> {
    root: &'a Value,
    /// Where in the root the traits are.
    above: &'static [&'static str],
    found: Vec<Trait>,
    /// Objects whose marks were seen, each once.
    marked: Vec<&'a Value>,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A part with what it refers to; what stands beside a reference goes first.
    fn layers(&self, part: &'a Value) -> Vec<&'a Value> {
        let mut layers = vec![part];
        // `walk` has made sure that this ends.
        while let Some(next) = layers.last().and_then(|p| p.get("$ref")).and_then(Value::as_str) {
            let Some(next) = target(self.root, next) else { break };
            layers.push(next);
        }
        layers
    }

    fn object(&mut self, part: &'a Value, path: &[String], required: bool) {
        let layers = self.layers(part);
        let needed = |name: &str| {
            let lists = layers.iter().filter_map(|layer| layer.get("required")?.as_array());
            lists.flatten().any(|one| one.as_str() == Some(name))
        };
        let all: Vec<_> = layers.iter().filter_map(|layer| layer.get("properties")?.as_object()).flatten().collect();
        for (name, property) in all {
            let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            let layers = self.layers(property);
            let required = required && needed(name);
            if first(&layers, "properties").is_some() {
                self.object(property, &path, required);
                continue;
            }
            self.leaf(&layers, path, required);
        }
    }

    fn leaf(&mut self, layers: &[&'a Value], path: Vec<String>, required: bool) {
        let named = path.join(".");
        let mark = match self.mark(layers) {
            Ok(mark) => mark,
            Err(problem) => {
                self.problems.push(format!("{named}: {problem}"));
                Mark::default()
            }
        };
        let text = |key: &str| first(layers, key).and_then(Value::as_str).map(str::to_owned);
        let input = input(layers);
        let is_text = first(layers, "type").and_then(Value::as_str) == Some("string");
        // The name says it where no mark does: `email` at the top is the address.
        let by_name = Some(named.as_str()).filter(|_| is_text).and_then(TextClaim::find);
        let by_mail = mark.verification.or(mark.recovery).map(|Via::Email| "email");
        let claim = match mark.claim.as_deref().or(by_mail) {
            None => by_name,
            Some(name) => match TextClaim::find(name) {
                Some(claim) if is_text => Some(claim),
                Some(_) => {
                    self.problems.push(format!("{named}: the claim {name} is a text: write \"type\": \"string\""));
                    None
                }
                None => {
                    self.problems.push(format!("{named}: {name} is no standard claim that is a text"));
                    None
                }
            },
        };
        if by_mail.is_some() && claim.is_some_and(|claim| claim.name != "email") {
            self.problems.push(format!("{named}: only an e-mail address is verified by mail"));
        }
        let number = |key: &str| first(layers, key).and_then(Value::as_f64);
        let count = |key: &str| first(layers, key).and_then(Value::as_u64);
        let place: Vec<String> = self.above.iter().map(|name| (*name).to_owned()).chain(path.iter().cloned()).collect();
        self.found.push(Trait {
            read_only: is_read_only(self.root, self.root, &place),
            title: text("title"),
            description: text("description"),
            format: text("format"),
            length: (count("minLength"), count("maxLength")),
            range: (number("minimum"), number("maximum")),
            display_name: mark.display_name,
            verification: mark.verification.is_some(),
            recovery: mark.recovery.is_some(),
            order: mark.order,
            path,
            input,
            required,
            claim,
        });
    }

    /// The marks of a trait, both keywords as one.
    fn mark(&mut self, layers: &[&'a Value]) -> Result<Mark, String> {
        for layer in layers {
            if layer.as_object().is_some_and(is_marked) && !self.marked.iter().any(|seen| std::ptr::eq(*seen, *layer)) {
                self.marked.push(layer);
            }
        }
        let mut mark = match first(layers, OURS) {
            Some(ours) => Mark::deserialize(ours).map_err(|problem| format!("\"idp\": {problem}"))?,
            None => Mark::default(),
        };
        if let Some(theirs) = first(layers, KRATOS) {
            let theirs = KratosMark::deserialize(theirs).map_err(|problem| format!("\"{KRATOS}\": {problem}"))?;
            mark.display_name |= theirs.credentials.passkey.display_name;
            mark.verification = mark.verification.or(theirs.verification.map(|v| v.via));
            mark.recovery = mark.recovery.or(theirs.recovery.map(|v| v.via));
        }
        Ok(mark)
    }
}

/// The value of a keyword in the first layer that has it.
fn first<'a>(layers: &[&'a Value], key: &str) -> Option<&'a Value> {
    layers.iter().find_map(|layer| layer.get(key))
}

fn input(layers: &[&Value]) -> Input {
    let plain = |value: &Value| value.is_string() || value.is_number();
    if let Some(options) = first(layers, "enum").and_then(Value::as_array) {
        return if options.iter().all(plain) { Input::Choice(options.clone()) } else { Input::None };
    }
    match first(layers, "type").and_then(Value::as_str) {
        Some("string") => Input::Text,
        Some("boolean") => Input::Boolean,
        Some("integer") => Input::Integer,
        Some("number") => Input::Number,
        _ => Input::None,
    }
}
