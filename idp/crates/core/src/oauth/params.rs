//! Parameters as they arrive: a query string or a form body.
//! RFC 6749 §3.1: none may be sent twice, an empty one counts as omitted, unknown ones are ignored.

use url::form_urlencoded;

/// Parameters that may repeat (RFC 8707 §2).
const REPEATABLE: &[&str] = &["resource"];

/// Parsed parameters. Names and values are decoded; nothing is trusted yet.
#[derive(Clone, Debug, Default)]
pub struct RawParams {
    pairs: Vec<(String, String)>,
    doubled: Option<String>,
}

impl RawParams {
    /// Parses `application/x-www-form-urlencoded` bytes; never fails, a doubled name is remembered.
    pub fn parse(encoded: &[u8]) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            if !REPEATABLE.contains(&&*name) && params.pairs.iter().any(|(n, _)| *n == name) {
                params.doubled.get_or_insert_with(|| name.clone().into_owned());
            } else {
                params.pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        params
    }

    /// The value of a parameter; `None` when it is absent or empty.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The name of a parameter that came twice, if any.
    pub fn doubled(&self) -> Option<&str> {
        self.doubled.as_deref()
    }
}
