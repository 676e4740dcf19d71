//! Scopes: RFC 6749 §3.3; the claims behind them: OIDC Core §5.4.

use oxide_auth::primitives::scope::Scope;
use serde::{Deserialize, Serialize};

/// The scopes that mean something here; others are dropped from a request, as RFC 6749 §3.3 allows.
pub const SUPPORTED: &[&str] = &["openid", "profile", "email", "offline_access"];

/// Granted scopes, in the order of [`SUPPORTED`], space-separated. Always holds `openid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(String);

impl Scopes {
    /// Reads a `scope` parameter and keeps what is supported. `None` when the text breaks the
    /// grammar of RFC 6749 §3.3.
    pub fn parse(text: &str) -> Option<Self> {
        let asked: Scope = text.parse().ok()?;
        // The parser keeps a set; the order of the table makes our answers repeatable.
        let known = |s: &&str| asked.iter().any(|asked| asked == *s);
        Some(Self(SUPPORTED.iter().copied().filter(known).collect::<Vec<_>>().join(" ")))
    }

    /// From the text this type was stored as.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Space-separated text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|s| !s.is_empty())
    }

    /// Whether a scope is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|s| s == scope)
    }

    /// Those of these that `text` names.
    #[must_use]
    pub fn only(&self, text: &str) -> Self {
        let named = |scope: &&str| text.split(' ').any(|s| s == *scope);
        Self(self.iter().filter(named).collect::<Vec<_>>().join(" "))
    }

    /// Whether all of `other` are among these.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|s| self.contains(s))
    }

    /// These and `other` together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let all = SUPPORTED.iter().copied().filter(|s| self.contains(s) || other.contains(s));
        Self(all.collect::<Vec<_>>().join(" "))
    }
}
