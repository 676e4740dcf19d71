//! `idp policy simulate FILE`: whom other policies would hit. Nothing is saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use idp_core::passkey::simulate::{Affected, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::proposal::Proposal;
use crate::cli::operator::{Operator, table, with};
use crate::cli::{Failure, client, usage};

/// Rows shown to people; machines get all.
const MOST_ROWS: usize = 100;

/// What the file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Proposed {
    realm: Map<String, Value>,
    groups: BTreeMap<String, Map<String, Value>>,
    clients: BTreeMap<String, Map<String, Value>>,
}

/// Runs it.
///
/// # Errors
/// A file that cannot be read, or says what could not be saved.
pub async fn run(at: &Operator, file: &Path) -> Result<(), Failure> {
    let proposed = read(file)?;
    let mut proposal = Proposal::new(at).await?;
    if !proposed.realm.is_empty() {
        proposal.set_realm(&fields(proposed.realm));
    }
    for (group, mut policy) in proposed.groups {
        let priority = match policy.remove("priority").map(|value| (value.as_i64(), value)) {
            Some((None, value)) => return Err(usage(format!("groups.{group}.priority: {value} is not a number"))),
            Some((number, _)) => number,
            None => None,
        };
        proposal.set_group(at, &group, priority, &fields(policy)).await?;
    }
    for (id, demands) in proposed.clients {
        proposal.set_client(client::find(at, &id).await?, &fields(demands));
    }
    proposal.refuse()?;
    let outcome = proposal.judge(at).await?;
    let refused = proposal.refuse_lock_out(at, &outcome).err().map(|failure| failure.to_string());
    let value = with(serde_json::to_value(&outcome)?, "refused", json!(refused));
    at.answer(&value, &text(&outcome, refused.as_deref()))
}

/// Reads TOML, or JSON where the file begins with a brace.
fn read(file: &Path) -> Result<Proposed, Failure> {
    let refuse = |what: String| usage(format!("FILE: {}: {what}", file.display()));
    let text = fs::read_to_string(file).map_err(|e| refuse(e.to_string()))?;
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|e| refuse(e.to_string())),
        false => toml::from_str(&text).map_err(|e| refuse(e.to_string())),
    }
}

/// Fields as the command line takes them: a text is words, anything else JSON.
fn fields(values: Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn text(outcome: &Outcome, refused: Option<&str>) -> String {
    let mut out = format!("{} active accounts, nothing saved.\n", outcome.accounts);
    let who = |who: &Affected| {
        let owner = if who.owner { "owner" } else { "" };
        let place = who.client.as_ref().map_or_else(|| "everywhere".to_owned(), ToString::to_string);
        let sure = if who.certain { "" } else { "perhaps" };
        vec![who.username.clone(), owner.to_owned(), place, sure.to_owned()]
    };
    let mut part = |title: &str, headings: &[&str], rows: Vec<Vec<String>>| {
        out.push_str(&format!("\n{title}: {}\n", rows.len()));
        let shown = rows.get(..MOST_ROWS.min(rows.len())).unwrap_or_default();
        if !shown.is_empty() {
            out.push_str(&table(headings, shown));
            out.push('\n');
        }
        if rows.len() > MOST_ROWS {
            out.push_str(&format!("… and {} more: --json names all\n", rows.len() - MOST_ROWS));
        }
    };
    let headings = ["USER", "", "WHERE", ""];
    part("Locked out", &headings, outcome.locked_out.iter().map(who).collect());
    part("Must make a passkey first", &headings, outcome.must_enrol.iter().map(who).collect());
    let stopped = outcome.passkeys.iter().map(|stopped| {
        let mut row = who(&stopped.of);
        row.extend([stopped.passkey.clone(), stopped.why.join(", ")]);
        row
    });
    part("Passkeys that stop working", &["USER", "", "WHERE", "", "PASSKEY", "WHY"], stopped.collect());
    if let Some(refused) = refused {
        out.push_str(&format!("\nIt would be refused: {refused}\n"));
    }
    out
}
