//! Scopes: RFC 6749 §3.3; the claims behind them: OIDC Core §5.4.

use oxide_auth::primitives::scope::Scope;
use serde::{Deserialize, Serialize};

use crate::client::{ClientSettings, GrantType};

/// Grants that outlive the session (OIDC Core §11).
pub const OFFLINE: &str = "offline_access";

/// The scopes every realm has.
pub const STANDARD: &[&str] = &["openid", "profile", "email", "address", "phone", OFFLINE];

/// The scopes a client may ask for, in the order in which answers name them.
pub fn known(client: &ClientSettings) -> Vec<&str> {
    let set = |scope: &&str| client.scopes.as_ref().is_none_or(|set| set.iter().any(|s| s == scope));
    // Ignored without a refresh token to use it with (OIDC Core §11).
    let of_use = |scope: &&str| *scope != OFFLINE || client.grant_types.contains(&GrantType::RefreshToken);
    STANDARD.iter().copied().filter(set).filter(of_use).collect()
}

/// Granted scopes, in the order of [`known`], space-separated.
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
        Some(Self(known.iter().copied().filter(asked).collect::<Vec<_>>().join(" ")))
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

    /// These and `other` together: standard ones first.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let standard = STANDARD.iter().copied().filter(|s| self.contains(s) || other.contains(s));
        let custom = |scope: &&str| !STANDARD.contains(scope);
        let added = other.iter().filter(|s| !self.contains(s)).filter(custom);
        Self(standard.chain(self.iter().filter(custom)).chain(added).collect::<Vec<_>>().join(" "))
    }
}
