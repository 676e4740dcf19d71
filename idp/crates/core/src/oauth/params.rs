//! Parameters as they arrive: a query string or a form body.
//! RFC 6749 §3.1: none may be sent twice, an empty one counts as omitted, unknown ones are ignored.

use url::form_urlencoded;

/// Most parameters that are read. No honest request comes near; without a limit looking for doubled ones would let
/// anybody spend our time.
const MOST: usize = 100;

/// Parameters that may repeat (RFC 8707 §2).
const REPEATABLE: &[&str] = &["resource"];

/// Parsed parameters. Names and values are decoded; nothing is trusted yet.
#[derive(Clone, Default)]
pub struct RawParams {
    pairs: Vec<(String, String)>,
    doubled: Option<String>,
}

impl std::fmt::Debug for RawParams {
    /// Names alone: among the values are codes, tokens and secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

impl RawParams {
    /// Parses `application/x-www-form-urlencoded` bytes; never fails, a doubled name is remembered. What comes after
    /// the hundredth parameter is not read.
    pub fn parse(encoded: &[u8]) -> Self {
        form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The value of a parameter; `None` when it is absent or empty.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The values of a parameter that may repeat.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The name of a parameter that came twice, if any.
    pub fn doubled(&self) -> Option<&str> {
        self.doubled.as_deref()
    }
}

impl FromIterator<(String, String)> for RawParams {
    /// From decoded pairs, by the same rules and up to the same number.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut params = Self::default();
        for (name, value) in pairs.into_iter().take(MOST) {
            if !REPEATABLE.contains(&&*name) && params.pairs.iter().any(|(n, _)| *n == name) {
                params.doubled.get_or_insert(name);
            } else {
                params.pairs.push((name, value));
            }
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, RawParams};

    #[test]
    fn reads_no_more_than_an_honest_request_has() {
        let many: String = (0..20_000).map(|i| format!("p{i}=1&")).collect();
        let params = RawParams::parse(many.as_bytes());
        assert_eq!(params.pairs.len(), MOST);
        assert_eq!((params.one("p0"), params.one("p100")), (Some("1"), None));
    }

    #[test]
    fn remembers_a_doubled_name_and_lets_resource_repeat() {
        assert_eq!(RawParams::parse(b"a=1&b=&a=2").doubled(), Some("a"));
        assert_eq!(RawParams::parse(b"resource=x&resource=y").doubled(), None);
        assert_eq!(RawParams::parse(b"a=").one("a"), None);
    }
}
