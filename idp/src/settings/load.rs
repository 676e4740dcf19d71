//! Reads settings from the file and the environment against the table, gathering all problems.
//!
//! TOML 1.0; the environment wins over the file; secrets may lie in files of their own.

use super::problem::{Origin, Problem, Problems};
use super::table::{Fallback, Row, TABLE, env_name, find};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value as found, before its form is known to be right.
#[derive(Clone, Debug)]
pub struct Found {
    pub value: Value,
    pub origin: Origin,
}

/// The shapes the table's kinds need.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text or a number.
    Text(String),
    /// An array of texts.
    List(Vec<String>),
    /// An array of tables of texts and lists.
    Tables(Vec<BTreeMap<String, Self>>),
    /// Anything else, by its name in TOML.
    Other(&'static str),
}

impl Value {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => Self::Text(number.to_string()),
            DeValue::Array(array) => Self::of_array(array),
            other => Self::Other(other.type_str()),
        }
    }

    fn of_array(array: &toml::de::DeArray<'_>) -> Self {
        let items: Vec<&DeValue<'_>> = array.iter().map(Spanned::get_ref).collect();
        let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        let tables = || -> Option<Vec<BTreeMap<String, Self>>> {
            let table = |table: &DeTable<'_>| {
                table.iter().map(|(key, value)| (key.get_ref().to_string(), Self::of(value.get_ref()))).collect()
            };
            items.iter().map(|item| item.as_table().map(table)).collect()
        };
        texts.map(Self::List).or_else(|| tables().map(Self::Tables)).unwrap_or(Self::Other("mixed array"))
    }
}

/// Reads values by path and gathers what is wrong with them.
pub struct Reader {
    found: BTreeMap<&'static str, Found>,
    pub problems: Vec<Problem>,
}

impl Reader {
    /// Gathers the values of file and environment; unknown keys become problems.
    pub fn new(file: &Path, env: impl Iterator<Item = (String, String)>) -> Self {
        let mut reader = Self { found: BTreeMap::new(), problems: Vec::new() };
        match std::fs::read_to_string(file) {
            Ok(text) => reader.read_toml(file, &text),
            Err(error) => reader.report("", Origin::Nowhere, format!("{} cannot be read: {error}", file.display()), ""),
        }
        reader.read_env(env);
        reader
    }

    fn read_toml(&mut self, file: &Path, text: &str) {
        let at = |offset: usize| {
            let before = text.get(..offset).unwrap_or(text);
            Origin::File { file: file.to_owned(), line: before.matches('\n').count() + 1 }
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let origin = at(error.span().map_or(0, |span| span.start));
            self.report("", origin, format!("not TOML: {}", error.message()), "");
        }
        for (section, content) in root.get_ref() {
            let origin = at(section.span().start);
            let section = section.get_ref();
            let Some(keys) = content.get_ref().as_table() else {
                self.unknown(section, origin);
                continue;
            };
            if !TABLE.iter().any(|row| row.path.split_once('.').is_some_and(|(s, _)| s == section)) {
                self.unknown(section, origin);
                continue;
            }
            for (key, value) in keys {
                let path = format!("{section}.{}", key.get_ref());
                self.put(&path, Value::of(value.get_ref()), at(key.span().start), file.parent());
            }
        }
    }

    fn read_env(&mut self, env: impl Iterator<Item = (String, String)>) {
        let mut names: Vec<_> = env.filter(|(name, _)| name.starts_with("IDP_") && name.contains("__")).collect();
        names.sort();
        let mut seen: BTreeMap<&'static str, String> = BTreeMap::new();
        for (name, text) in names {
            let path = name.trim_start_matches("IDP_").to_lowercase().replace("__", ".");
            let origin = Origin::Environment(name.clone());
            let path_of = path.strip_suffix("_file").unwrap_or(&path);
            if let Some(earlier) = find(&path).or_else(|| find(path_of)).and_then(|row| seen.insert(row.path, name)) {
                self.report(path_of, origin, format!("{earlier} sets it too"), "set one of the two");
                continue;
            }
            let tables = format!("it = {text}");
            let value = match toml::de::DeTable::parse(&tables) {
                Ok(table) if text.starts_with('[') => {
                    table.get_ref().get("it").map_or(Value::Other("nothing"), |it| Value::of(it.get_ref()))
                }
                _ => Value::Text(text),
            };
            // The environment wins: what the file said is not looked at.
            if let Some(row) = find(path_of) {
                self.found.remove(row.path);
            }
            self.put(&path, value, origin, None);
        }
    }

    /// Keeps a value under its row; `…_file` of a secret is read now. Relative files are beside the settings file.
    fn put(&mut self, path: &str, value: Value, origin: Origin, beside: Option<&Path>) {
        let (row, value) = match (find(path), path.strip_suffix("_file").and_then(find), value) {
            (Some(row), _, value) => (row, value),
            (None, Some(row), Value::Text(file)) if row.secret => {
                let file = beside.map_or_else(|| PathBuf::from(&file), |folder| folder.join(&file));
                match std::fs::read_to_string(&file) {
                    Ok(text) => (row, Value::Text(text.trim_end_matches(['\r', '\n']).to_owned())),
                    Err(error) => {
                        let what = format!("{} cannot be read: {error}", file.display());
                        // So that it is not reported as missing as well.
                        self.found
                            .insert(row.path, Found { value: Value::Other("unreadable file"), origin: origin.clone() });
                        return self.report(path, origin, what, "name a file this process may read");
                    }
                }
            }
            _ => return self.unknown(path, origin),
        };
        if self.found.contains_key(row.path) {
            let what = format!("{} is set twice", row.path);
            return self.report(path, origin, what, "keep one of the two");
        }
        self.found.insert(row.path, Found { value, origin });
    }

    fn unknown(&mut self, path: &str, origin: Origin) {
        let near = TABLE
            .iter()
            .flat_map(|row| [Some(row.path.to_owned()), row.secret.then(|| format!("{}_file", row.path))])
            .flatten()
            .map(|known| (distance(path, &known), known))
            .min();
        let instead = match (near, &origin) {
            (Some((1..=3, known)), Origin::Environment(_)) => format!("did you mean {}?", env_name(&known)),
            (Some((1..=3, known)), _) => format!("did you mean `{known}`?"),
            _ => "`idp config docs` lists all settings".into(),
        };
        self.report(path, origin, "there is no such setting".into(), &instead);
    }

    /// Notes a problem.
    pub fn report(&mut self, path: &str, origin: Origin, what: String, instead: &str) {
        self.problems.push(Problem { path: path.to_owned(), origin, what, instead: instead.to_owned() });
    }

    /// Where the value of a path came from.
    pub fn origin(&self, path: &str) -> Origin {
        self.found.get(path).map_or(Origin::Nowhere, |found| found.origin.clone())
    }

    /// The value of a path, else its default, else nothing: reported when it is required.
    pub fn raw(&mut self, path: &'static str) -> Option<Value> {
        if let Some(found) = self.found.get(path) {
            return Some(found.value.clone());
        }
        match find(path)?.default {
            Fallback::Value(text) => Some(Value::Text(text.to_owned())),
            Fallback::Unset(_) => None,
            Fallback::Required => {
                let kind = find(path)?.kind;
                let (_, key) = path.split_once('.').unwrap_or(("", path));
                let how = if find(path)?.secret { format!(", or {}_FILE", env_name(path)) } else { String::new() };
                let instead = format!(
                    "write `{key} = …` with {}, for example {} (or set {}{how})",
                    kind.form(),
                    kind.example(),
                    env_name(path)
                );
                self.report(path, Origin::Nowhere, "is required".into(), &instead);
                None
            }
        }
    }

    /// A text setting through `parse`; what it refuses is reported with the table's form and example.
    pub fn text<T>(&mut self, path: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.raw(path)?;
        let parsed = match &value {
            Value::Text(text) => parse(text),
            _ => None,
        };
        if parsed.is_none() {
            self.refuse(path, &value);
        }
        parsed
    }

    /// A list of texts, each through `parse`; as one text separated by commas.
    pub fn list<T>(&mut self, path: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let value = self.raw(path)?;
        let items: Vec<&str> = match &value {
            Value::Text(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            Value::List(items) => items.iter().map(String::as_str).collect(),
            _ => {
                self.refuse(path, &value);
                return None;
            }
        };
        let parsed: Option<Vec<T>> = items.into_iter().map(parse).collect();
        if parsed.is_none() {
            self.refuse(path, &value);
        }
        parsed
    }

    fn refuse(&mut self, path: &'static str, value: &Value) {
        let Some(Row { kind, secret, .. }) = find(path) else { return };
        let shown = match value {
            Value::Other("unreadable file") => return, // said already
            _ if *secret => "the value (not shown)".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => format!("{items:?}"),
            Value::Tables(_) => "an array of tables".to_owned(),
            Value::Other(name) => format!("this {name}"),
        };
        let instead = format!("write {}, for example {}", kind.form(), kind.example());
        self.report(path, self.origin(path), format!("{shown} is not {}", kind.form()), &instead);
    }

    /// The outcome: `settings` if nothing was wrong.
    pub fn finish<T>(self, settings: Option<T>) -> Result<T, Problems> {
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(Problems(self.problems)),
        }
    }
}

/// Levenshtein distance, for "did you mean".
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, &above) in b.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
