//! Scopes: RFC 6749 §3.3; the claims behind them: OIDC Core §5.4.

use oxide_auth::primitives::scope::Scope;
use serde::{Deserialize, Serialize};

/// Grants that outlive the session (OIDC Core §11).
pub const OFFLINE: &str = "offline_access";

/// Groups of the user.
pub const GROUPS: &str = "groups";

/// What the user is at the client.
pub const ROLES: &str = "roles";

/// The scopes every realm has.
pub const STANDARD: &[&str] = &["openid", "profile", "email", "address", "phone", GROUPS, ROLES, OFFLINE];

/// Granted scopes, in the order of the realm's scopes, space-separated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(String);

impl Scopes {
    /// Reads a `scope` parameter and keeps what is in `known`; others are dropped, as RFC 6749 §3.3 allows. `None`
    /// when the text breaks the grammar.
    pub fn parse(text: &str, known: &[&str]) -> Option<Self> {
        let asked: Scope = text.parse().ok()?;
        // The parser keeps a set; the order of the table makes our answers repeatable.
        let asked = |scope: &&str| asked.iter().any(|asked| asked == *scope);
        Some(Self::of(known.iter().copied().filter(asked)))
    }

    /// These scopes.
    pub fn of<'a>(scopes: impl Iterator<Item = &'a str>) -> Self {
        Self(scopes.collect::<Vec<_>>().join(" "))
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
        Self::of(self.iter().filter(named))
    }

    /// Whether all of `other` are among these.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|s| self.contains(s))
    }

    /// These and `other` together: standard ones first.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let standard = STANDARD.iter().copied().filter(|s| self.contains(s) || other.contains(s));
        let custom = |scope: &&str| !STANDARD.contains(scope);
        let added = other.iter().filter(|s| !self.contains(s)).filter(custom);
        Self::of(standard.chain(self.iter().filter(custom)).chain(added))
    }
}
