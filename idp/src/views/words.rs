//! The words of a theme: `locales/*.ftl`, one Fluent bundle a language.
//!
//! Fluent syntax 1.0. A missing word is an error: a page with a hole in it never leaves the tests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use super::ViewError;

const FALLBACK: &str = "en";

/// The words of all languages of a theme.
pub struct Words {
    bundles: BTreeMap<String, FluentBundle<FluentResource>>,
    /// Which keys a test has seen in use.
    #[cfg(test)]
    pub seen: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words").field("languages", &self.bundles.keys()).finish()
    }
}

impl Words {
    /// Reads `locales/LANG.ftl` among the files of a theme.
    ///
    /// # Errors
    /// A file that does not parse, defines a word twice or is not named after a language; no English.
    pub fn new(files: &BTreeMap<String, Cow<'static, [u8]>>) -> Result<Self, ViewError> {
        let mut bundles = BTreeMap::new();
        for (path, bytes) in files {
            let Some(lang) = path.strip_prefix("locales/").and_then(|name| name.strip_suffix(".ftl")) else { continue };
            bundles.insert(lang.to_owned(), bundle(path, lang, bytes)?);
        }
        if !bundles.contains_key(FALLBACK) {
            return Err(ViewError::Words { file: "locales/en.ftl".into(), fault: "is missing".into() });
        }
        Ok(Self {
            bundles,
            #[cfg(test)]
            seen: Default::default(),
        })
    }

    /// The language to write into `<html lang>`: the one asked for, or English.
    pub fn lang<'a>(&self, asked: &'a str) -> &'a str {
        if self.bundles.contains_key(asked) { asked } else { FALLBACK }
    }

    /// The word `key` in `lang`, with its arguments filled in as plain text.
    ///
    /// # Errors
    /// An unknown key, or an argument the word names and the caller did not give.
    pub fn say<'a>(
        &self,
        lang: &str,
        key: &str,
        args: impl Iterator<Item = (&'a str, &'a tera::Value)>,
    ) -> Result<String, String> {
        let missing = || format!("no word for `{key}`");
        let bundle = self.bundles.get(lang).or_else(|| self.bundles.get(FALLBACK)).ok_or_else(missing)?;
        let pattern = bundle.get_message(key).and_then(|message| message.value()).ok_or_else(missing)?;
        let mut given = FluentArgs::new();
        for (name, value) in args {
            let value = match value.as_i64() {
                Some(number) if value.is_number() => FluentValue::from(number),
                _ => FluentValue::from(
                    value.as_str().ok_or_else(|| format!("`{key}`: `{name}` has no value"))?.to_owned(),
                ),
            };
            given.set(name.to_owned(), value);
        }
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&given), &mut faults).into_owned();
        #[cfg(test)]
        self.seen.lock().unwrap().insert(key.to_owned());
        match faults.first() {
            None => Ok(text),
            Some(fault) => Err(format!("`{key}`: {fault}")),
        }
    }
}

fn bundle(path: &str, lang: &str, bytes: &[u8]) -> Result<FluentBundle<FluentResource>, ViewError> {
    let fault = |fault: String| ViewError::Words { file: path.to_owned(), fault };
    let text = String::from_utf8(bytes.to_vec()).map_err(|e| fault(e.to_string()))?;
    let resource = FluentResource::try_new(text).map_err(|(_, e)| fault(format!("{e:?}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![lang.parse().map_err(|_| fault("not a language".into()))?]);
    // The marks would stand in attributes and be copied with user names.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).map_err(|e| fault(format!("{e:?}")))?;
    Ok(bundle)
}
