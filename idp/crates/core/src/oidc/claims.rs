//! Claims about a person: the scope that opens each, and the tokens that tell it. OIDC Core §5.4 and §5.5.

use serde_json::{Map, Value};

use super::mapping::{ClaimMapping, Place};
use super::standard::{CLAIMS, Facts, Read};
use crate::client::ClientSettings;
use crate::oauth::authorize::claims::{ClaimRequest, ClaimsRequest};
use crate::oauth::scope::{self, Scopes};
use crate::realm::RealmSettings;

/// Claims of the ID token besides those of [`CLAIMS`].
const ID_TOKEN: &[&str] = &["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

/// A claim and the scope that opens it.
struct Row<'a> {
    scope: &'a str,
    name: &'a str,
    from: From<'a>,
}

enum From<'a> {
    /// Told at userinfo.
    Standard(Read),
    Mapped(&'a ClaimMapping),
}

impl Row<'_> {
    fn is_at(&self, place: Place) -> bool {
        match self.from {
            From::Standard(_) => place == Place::Userinfo,
            From::Mapped(mapping) => mapping.places.contains(&place),
        }
    }

    fn read(&self, facts: &Facts<'_>) -> Option<Value> {
        match self.from {
            From::Standard(read) => read(facts),
            From::Mapped(mapping) => mapping.value(facts),
        }
    }

    fn reads_groups(&self) -> bool {
        match self.from {
            From::Standard(_) => matches!(self.scope, scope::GROUPS | scope::ROLES),
            From::Mapped(mapping) => mapping.reads_groups(),
        }
    }
}

/// Every claim that can be had in a realm. Of two rows with one name the first that is open wins.
fn rows(realm: &RealmSettings) -> impl Iterator<Item = Row<'_>> {
    let standard = CLAIMS.iter().map(|(scope, name, read)| Row { scope, name, from: From::Standard(*read) });
    let custom = realm.scopes.iter().flat_map(|scope| {
        scope.claims.iter().map(|mapping| Row { scope: &scope.name, name: &mapping.claim, from: From::Mapped(mapping) })
    });
    standard.chain(custom)
}

/// The row by which a claim is had when it is asked for by name: the first whose scope is among `known`.
fn opener<'a>(realm: &'a RealmSettings, known: &[&str], name: &str) -> Option<Row<'a>> {
    rows(realm).find(|row| row.name == name && known.contains(&row.scope))
}

/// The claims that one token, or userinfo, is to tell.
pub struct Wanted<'a>(Vec<Row<'a>>);

impl<'a> Wanted<'a> {
    /// Those that `scopes` open at `place`, and those asked for there by name (`claims`, OIDC Core §5.5) that the
    /// client could have asked for by scope. That the user agreed to the latter was seen to before the grant.
    pub fn new(
        realm: &'a RealmSettings,
        client: &ClientSettings,
        scopes: &Scopes,
        claims: &ClaimsRequest,
        place: Place,
    ) -> Self {
        let known = realm.scopes_for(client);
        let asked: &[ClaimRequest] = match place {
            Place::IdToken => &claims.id_token,
            Place::Userinfo => &claims.userinfo,
            Place::AccessToken => &[],
        };
        let by_name = |row: &Row<'_>| {
            asked.iter().any(|claim| claim.name == row.name)
                && opener(realm, &known, row.name).is_some_and(|first| first.scope == row.scope)
        };
        let wanted = rows(realm).filter(|row| scopes.contains(row.scope) && row.is_at(place) || by_name(row));
        Self(wanted.collect())
    }

    /// Whether nothing about the user need be loaded.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the groups of the user must be loaded.
    pub fn reads_groups(&self) -> bool {
        self.0.iter().any(Row::reads_groups)
    }

    /// The claims; what the user has no value for is left out.
    pub fn read(&self, facts: &Facts<'_>) -> Map<String, Value> {
        let mut claims = Map::new();
        for row in &self.0 {
            if !claims.contains_key(row.name)
                && let Some(value) = row.read(facts)
            {
                claims.insert(row.name.to_owned(), value);
            }
        }
        claims
    }
}

/// Adds what a token tells about the user to what it says of itself, which is nobody else's to say.
pub fn add(token: &mut Map<String, Value>, person: Map<String, Value>) {
    for (name, value) in person {
        token.entry(name).or_insert(value);
    }
}

/// What the user is asked to agree to: `scopes`, and for each claim asked for by name the first scope that opens it.
#[must_use]
pub fn consent_scopes(
    realm: &RealmSettings,
    client: &ClientSettings,
    scopes: &Scopes,
    claims: &ClaimsRequest,
) -> Scopes {
    let known = realm.scopes_for(client);
    let asked = claims.id_token.iter().chain(&claims.userinfo);
    let named: Vec<&str> = asked.filter_map(|claim| opener(realm, &known, &claim.name)).map(|row| row.scope).collect();
    scopes.union(&Scopes::of(known.into_iter().filter(|scope| named.contains(scope))))
}

/// Every claim that can be had, for discovery.
pub fn supported(realm: &RealmSettings) -> Vec<&str> {
    let mut names: Vec<&str> = ID_TOKEN.to_vec();
    for row in rows(realm) {
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    names
}
