//! What every administrative command has in common: where the database is, which realm, how to answer, the audit row.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use idp_core::account::{Account, meant};
use idp_core::audit::{Audit, AuditEvent};
use idp_core::credential::blocklist::Blocklist;
use idp_core::realm::Realm;
use idp_core::secret::Secret;
use idp_store::{Options, Store};
use serde_json::Value;

use super::{Failure, runtime, serve, usage};
use crate::app::App;
use crate::settings::Settings;
use crate::start::{self, Plan};
use crate::system::{system_clock, system_random};
use crate::{listen, mds, outbound, views};

/// Where a command acts. Global: it may stand before or after the subcommand.
#[derive(Args)]
pub struct At {
    /// The settings of `idp serve`.
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "data")]
    pub config: Option<PathBuf>,
    /// The data directory of `idp dev`.
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The realm; by default the one of the settings, else the first.
    #[arg(long, value_name = "NAME", global = true)]
    pub realm: Option<String>,
    /// Answer with one JSON document.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Somebody at the command line, acting on one realm.
pub struct Operator {
    pub app: Arc<App>,
    pub realm: Arc<Realm>,
    pub json: bool,
}

impl At {
    /// Opens the database and the realm, and runs `act` on them.
    ///
    /// # Errors
    /// What `act` fails with; settings, a database or a realm that cannot be had.
    pub fn act(self, act: impl AsyncFnOnce(&Operator) -> Result<(), Failure>) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let operator = self.open().await?;
            let outcome = act(&operator).await;
            operator.app.store.close().await;
            outcome
        })
    }

    async fn open(self) -> Result<Operator, Failure> {
        let (app, settings) = match (&self.config, &self.data) {
            (Some(file), _) => {
                let settings = Settings::load(file, std::env::vars())?;
                let app = serve::open(&settings, &listen::Options::default(), true).await?;
                (app, Some(settings))
            }
            (None, Some(data)) => (open_data(data, true).await?, None),
            (None, None) => {
                return Err(usage("name the database: --config FILE (of idp serve) or --data DIR (of idp dev)"));
            }
        };
        let realm = match (&self.realm, &settings) {
            (Some(name), _) => app.store.find_realm(name).await?,
            (None, Some(settings)) => app.store.find_realm(&settings.realm.name).await?,
            (None, None) => app.store.list_realms().await?.into_iter().next(),
        };
        let realm = match (realm, &settings, &self.realm) {
            (Some(realm), _, _) => Arc::new(realm),
            // Before the first start: what `serve` would make.
            (None, Some(settings), named) if named.as_ref().is_none_or(|name| *name == settings.realm.name) => {
                start::ensure_realm(&app, serve::realm_plan(settings, false)).await?
            }
            (None, _, Some(name)) => {
                return Err(format!("--realm: there is no realm \"{name}\": idp realm list shows them").into());
            }
            (None, _, None) => return Err("the database has no realm yet: start idp dev on it once".into()),
        };
        Ok(Operator { app, realm, json: self.json })
    }
}

/// The database and key of `idp dev`; a command makes neither.
///
/// # Errors
/// What is missing there, or a schema that is to be migrated and may not.
pub async fn open_data(data: &Path, migrate: bool) -> Result<Arc<App>, Failure> {
    let (database, key) = (data.join("idp.db"), data.join("key"));
    if !database.exists() {
        return Err(format!(
            "--data: {} has no idp.db: start idp dev --data {0} once, or name its directory",
            data.display()
        )
        .into());
    }
    let key: [u8; 32] = fs::read(&key)
        .map_err(|error| format!("--data: {} cannot be read: {error}", key.display()))?
        .try_into()
        .map_err(|_| format!("--data: {} is not a key of 32 bytes: restore it", key.display()))?;
    // `idp dev` sends what is queued here, now or at its next start.
    let options = Options { migrate, mails: true, ..Options::default() };
    let store = Store::open(&format!("sqlite:{}", database.display()), &options).await?;
    let plan = Plan {
        store,
        keys: (Secret::new(key), None),
        theme_dir: None,
        outbound: outbound::Options::default(),
        blocklist: Blocklist::default(),
        mds: mds::Options::default(),
        mail: None,
        clock: system_clock(),
        random: system_random(),
    };
    Ok(start::build(plan, Arc::default())?)
}

impl Operator {
    /// The audit row of an act.
    pub fn audit(&self, event: AuditEvent, detail: Value) -> Audit {
        start::audit(&self.app, event, detail)
    }

    /// The audit row of an act on an account.
    pub fn audit_of(&self, event: AuditEvent, account: &Account, detail: Value) -> Audit {
        Audit { account_id: Some(account.id), ..self.audit(event, detail) }
    }

    /// The account of a user name or e-mail address.
    ///
    /// # Errors
    /// When there is none.
    pub async fn account(&self, name: &str) -> Result<Account, Failure> {
        let store = &self.app.store;
        let by_name = store.find_account_by_username(self.realm.id, name).await?;
        let by_email = store.find_account_by_email(self.realm.id, name).await?;
        meant(by_name, by_email).ok_or_else(|| format!("there is no user \"{name}\": idp user list shows them").into())
    }

    /// Answers: `value` for machines, else `text` for people.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn answer(&self, value: &Value, text: &str) -> Result<(), Failure> {
        Ok(answer(self.json, value, text)?)
    }
}

/// Prints one JSON document, or text.
///
/// # Errors
/// When standard output is closed.
pub fn answer(json: bool, value: &Value, text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{value}")?;
    } else {
        writeln!(out, "{}", text.trim_end_matches('\n'))?;
    }
    out.flush()
}

/// Columns under headings. What others typed cannot move the cursor: control characters become `?`.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let head = headings.iter().map(|h| (*h).to_owned()).collect();
    let all: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(|row| row.iter().map(|c| plain(c)).collect())).collect();
    let width =
        |column: usize| all.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `name  value` lines, for one thing.
pub fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, value)| format!("{name:<width$}  {}", plain(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Text of others for a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// RFC 3339, UTC.
pub fn time(at: idp_core::time::Timestamp) -> String {
    views::times::iso(at.ms())
}

/// `KEY=VALUE`, for clap.
///
/// # Errors
/// When there is no `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// A word as serde writes it: `active`, `client_secret_basic`.
pub fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A JSON object with one more member.
pub fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
    object
}
