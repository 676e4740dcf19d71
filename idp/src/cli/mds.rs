//! `idp mds`: FIDO's metadata about models of authenticators.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use idp_core::audit::Actor;
use idp_store::mds::Slot;
use serde_json::{Value, json};

use super::Failure;
use super::operator::{At, Operator, facts, table, time};
use crate::mds::{self, Outcome, Source};

/// FIDO's metadata.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// What counts, what waits and why, and the models of this realm's passkeys.
    Show,
    /// Take a BLOB from a file, as FIDO publishes it.
    Import { file: PathBuf },
    /// Fetch the BLOB now from where the settings say.
    Refresh,
    /// Let the BLOB act that waits: suspend what it reports as unsafe.
    Release,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Show => show(at).await,
            Action::Import { file } => {
                let bytes = std::fs::read(&file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
                told(at, &mds::take(&at.app, bytes, Actor::Operator, false).await?)
            }
            Action::Refresh => told(at, &mds::refresh(&at.app).await?),
            Action::Release => told(at, &mds::release(&at.app).await?),
        })
    }
}

fn told(at: &Operator, outcome: &Outcome) -> Result<(), Failure> {
    let (value, text) = match outcome {
        Outcome::Accepted { number, models, skipped, suspended } => (
            json!({ "outcome": "accepted", "number": number, "models": models, "skipped": skipped, "suspended": suspended }),
            format!(
                "BLOB {number} counts now: {models} models, {skipped} entries not read, {suspended} passkeys suspended."
            ),
        ),
        Outcome::Same { number } => {
            (json!({ "outcome": "same", "number": number }), format!("BLOB {number} counts already."))
        }
        Outcome::Held { number, because } => (
            json!({ "outcome": "held", "number": number, "because": because }),
            format!("BLOB {number} waits: {because}.\nidp mds release lets it act."),
        ),
    };
    at.answer(&value, &text)
}

async fn show(at: &Operator) -> Result<(), Failure> {
    let store = &at.app.store;
    let blobs = store.list_mds_blobs().await?;
    let source = match &at.app.mds.source {
        None => "none: idp mds import FILE".to_owned(),
        Some(Source::Url(url)) => url.clone(),
        Some(Source::File(path)) => path.display().to_string(),
    };
    let mut rows = vec![("source", source.clone())];
    let current = blobs.iter().find(|kept| kept.slot == Slot::Current);
    rows.push((
        "counts",
        match current {
            None => "nothing yet".to_owned(),
            Some(kept) => {
                let late = if kept.next_update < at.app.now() { ", overdue" } else { "" };
                format!("{} since {}; next due {}{late}", kept.number, time(kept.stored), time(kept.next_update))
            }
        },
    ));
    let held = blobs.iter().find(|kept| kept.slot == Slot::Held);
    if let Some(held) = held {
        let because = held.held_because.as_deref().unwrap_or_default();
        rows.push((
            "waits",
            format!("{} since {}: {because}; idp mds release lets it act", held.number, time(held.stored)),
        ));
    }
    let models = models(at).await?;
    let text = format!("{}\n\n{}", facts(&rows), table(&["MODEL", "NAME", "CERTIFIED", "STATUSES"], &models));
    let blob = |kept: &idp_store::mds::Kept| {
        json!({ "number": kept.number, "stored": time(kept.stored), "next_update": time(kept.next_update),
            "because": kept.held_because })
    };
    let names = ["model", "name", "certification", "statuses"];
    let object =
        |row: &Vec<String>| names.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect();
    let models: Vec<Value> = models.iter().map(|row| Value::Object(object(row))).collect();
    let value = json!({ "source": source, "current": current.map(blob), "held": held.map(blob), "models": models });
    at.answer(&value, &text)
}

/// The models of this realm's passkeys, with what is known of them.
async fn models(at: &Operator) -> Result<Vec<Vec<String>>, Failure> {
    let mut rows = Vec::new();
    for alike in at.app.store.list_registered_models(at.realm.id).await? {
        let Some(key) = alike.key() else { continue };
        let entry = at.app.store.find_model(&key).await?;
        let statuses: Vec<_> = alike.model.statuses.iter().map(|status| status.text()).collect();
        let name = idp_core::passkey::provider::provider(&alike.aaguid, entry.as_ref()).map(|provider| provider.name);
        let certification = alike.model.certification.text().to_owned();
        rows.push(vec![key.text(), name.unwrap_or_default(), certification, statuses.join(", ")]);
    }
    rows.sort();
    rows.dedup();
    Ok(rows)
}
