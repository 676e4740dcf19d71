//! `idp realm scope`: scopes of a realm's own and the claims they open. OIDC Core §5.4.

use clap::Subcommand;
use idp_core::oidc::mapping::{ClaimMapping, CustomScope};
use idp_core::realm::Realm;
use serde_json::json;

use super::operator::{Operator, table};
use super::realm_record::save;
use super::{Failure, usage};

#[derive(Subcommand)]
pub enum Action {
    /// The realm's own scopes.
    List,
    /// Make or change a scope.
    Set {
        name: String,
        /// What people read on the consent page.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// A claim it opens: {"claim": NAME, "from": SOURCE, "kind": KIND, "where": [PLACE, …]}. SOURCE is
        /// {"trait": NAME}, {"claim": NAME}, "username", {"groups": {"prefix": TEXT, "values": {GROUP: TEXT}}},
        /// "roles" or {"constant": VALUE}; KIND is string (default), strings, boolean or number; PLACE is userinfo
        /// (default), id_token or access_token. May be repeated; the list replaces the list.
        #[arg(long = "claim", value_name = "JSON", value_parser = mapping)]
        claims: Vec<ClaimMapping>,
        /// Open no claims.
        #[arg(long, conflicts_with = "claims")]
        no_claims: bool,
    },
    /// Delete a scope; clients that ask for it get on without.
    Delete { name: String },
}

fn mapping(text: &str) -> Result<ClaimMapping, String> {
    serde_json::from_str(text).map_err(|problem| problem.to_string())
}

/// Runs it.
///
/// # Errors
/// What the person at the terminal is to change.
pub async fn run(at: &Operator, action: Action) -> Result<(), Failure> {
    let mut realm = Realm::clone(&at.realm);
    let scopes = &mut realm.settings.scopes;
    let place = |scopes: &[CustomScope], name: &str| scopes.iter().position(|scope| scope.name == name);
    match action {
        Action::List => list(at, scopes),
        Action::Set { name, description, claims, no_claims } => {
            let before = place(scopes, &name);
            let mut scope = match before {
                Some(place) => scopes.remove(place),
                None => CustomScope { name: name.clone(), description: String::new(), claims: Vec::new() },
            };
            scope.description = description.unwrap_or(scope.description);
            if !claims.is_empty() || no_claims {
                scope.claims = claims;
            }
            let value = json!(scope);
            scopes.insert(before.unwrap_or(scopes.len()), scope);
            let problems = realm.settings.check();
            if !problems.is_empty() {
                return Err(usage(problems.join("\n     ")));
            }
            save(at, realm, json!({ "scope": name })).await?;
            at.answer(&value, &format!("Set the scope {name}."))
        }
        Action::Delete { name } => {
            let Some(place) = place(scopes, &name) else {
                return Err(format!("there is no scope \"{name}\": idp realm scope list shows them").into());
            };
            scopes.remove(place);
            save(at, realm, json!({ "scope": name, "deleted": true })).await?;
            at.answer(&json!({ "deleted": name }), &format!("Deleted the scope {name}."))
        }
    }
}

fn list(at: &Operator, scopes: &[CustomScope]) -> Result<(), Failure> {
    let row = |scope: &CustomScope| {
        let claims: Vec<_> = scope.claims.iter().map(|mapping| mapping.claim.as_str()).collect();
        vec![scope.name.clone(), scope.description.clone(), claims.join(" ")]
    };
    let rows: Vec<_> = scopes.iter().map(row).collect();
    at.answer(&json!(scopes), &table(&["SCOPE", "DESCRIPTION", "CLAIMS"], &rows))
}
