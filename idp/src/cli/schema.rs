//! `idp realm schema`: which traits users have. JSON Schema 2020-12 or draft-07.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use idp_core::realm::Realm;
use idp_core::user_schema::{Input, Trait, UserSchema};
use serde::Serialize;
use serde_json::{Value, json};

use super::operator::{Operator, plain, table};
use super::realm_record::save;
use super::{Failure, usage};

/// Accounts read at once.
const PAGE: i64 = 500;
/// Users told at most.
const MOST_TOLD: usize = 50;

#[derive(Subcommand)]
pub enum Action {
    /// The traits and what each is; with --json the schema itself.
    Show,
    /// Set the schema; refused while a user does not fit it.
    Set {
        /// A JSON Schema; `-` reads standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Also where users do not fit: they must change what does not before anything else of theirs is changed.
        #[arg(long)]
        anyway: bool,
    },
    /// Which users do not fit the schema of the realm, or another one.
    Check {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Do without: traits are flat and free.
    Remove,
}

/// Runs it.
///
/// # Errors
/// What the person at the terminal is to change.
pub async fn run(at: &Operator, action: Action) -> Result<(), Failure> {
    match action {
        Action::Show => show(at),
        Action::Check { file } => {
            let schema = match file {
                Some(file) => read(&file)?,
                None => at.realm.settings.schema().clone(),
            };
            let (misfits, users) = misfits(at, &schema).await?;
            let text = if misfits.is_empty() {
                format!("All of {users} users fit.")
            } else {
                format!("{} of {users} users do not fit:\n{}", misfits.len(), told(&misfits))
            };
            at.answer(&json!({ "users": users, "misfits": misfits }), &text)
        }
        Action::Set { file, anyway } => set(at, &read(&file)?, anyway).await,
        Action::Remove => {
            let mut realm = Realm::clone(&at.realm);
            realm.settings.user_schema = None;
            save(at, realm, json!({ "fields": ["user_schema"] })).await?;
            at.answer(&json!({ "user_schema": null }), "Removed the schema: traits are flat and free.")
        }
    }
}

fn read(file: &PathBuf) -> Result<UserSchema, Failure> {
    let shown = file.display();
    let mut text = String::new();
    let outcome = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    outcome.map_err(|error| usage(format!("{shown}: cannot be read: {error}")))?;
    let source = serde_json::from_str(&text).map_err(|error| usage(format!("{shown}: is not JSON: {error}")))?;
    UserSchema::new(source).map_err(|problems| usage(format!("{shown}: {}", problems.join("\n     "))))
}

async fn set(at: &Operator, schema: &UserSchema, anyway: bool) -> Result<(), Failure> {
    let (misfits, users) = misfits(at, schema).await?;
    if !misfits.is_empty() && !anyway {
        let count = misfits.len();
        let text = format!("{count} of {users} users do not fit:\n{}", told(&misfits));
        return Err(format!("{text}\nMend them (idp user set), or set the schema all the same: --anyway").into());
    }
    let mut realm = Realm::clone(&at.realm);
    realm.settings.user_schema = Some(schema.clone());
    save(at, realm, json!({ "fields": ["user_schema"] })).await?;
    let count = schema.traits().len();
    let value = json!({ "user_schema": schema.source(), "misfits": misfits });
    at.answer(&value, &format!("Set the schema: {count} traits; {} of {users} users do not fit it.", misfits.len()))
}

fn show(at: &Operator) -> Result<(), Failure> {
    let Some(schema) = &at.realm.settings.user_schema else {
        return at.answer(&Value::Null, "The realm has no schema: traits are flat and free.");
    };
    let row = |part: &Trait| {
        let kind = match &part.input {
            Input::Text => "text".to_owned(),
            Input::Boolean => "true or false".to_owned(),
            Input::Integer => "whole number".to_owned(),
            Input::Number => "number".to_owned(),
            Input::Choice(options) => format!("one of {}", json!(options)),
            Input::None => "no form asks for it".to_owned(),
        };
        let marks = [
            (part.required, "needed"),
            (part.read_only, "read-only"),
            (part.display_name, "passkey display name"),
            (part.verification, "verified by mail"),
            (part.recovery, "recovers by mail"),
        ];
        let marks: Vec<_> = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
        let claim = part.claim.map_or_else(String::new, |claim| claim.name.to_owned());
        vec![part.path.join("."), kind, claim, marks.join(", ")]
    };
    let rows: Vec<_> = schema.traits().iter().map(row).collect();
    at.answer(schema.source(), &table(&["TRAIT", "KIND", "CLAIM", "MARKS"], &rows))
}

/// A user who does not fit.
#[derive(Serialize)]
struct Misfit {
    username: String,
    problems: Vec<String>,
}

/// Users who do not fit, and how many users there are.
async fn misfits(at: &Operator, schema: &UserSchema) -> Result<(Vec<Misfit>, usize), Failure> {
    let (mut misfits, mut users, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = at.app.store.list_accounts(at.realm.id, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok((misfits, users)) };
        after = last.username.clone();
        users += page.len();
        for account in &page {
            if let Err(problems) = schema.fits(&account.profile) {
                let problems = problems.iter().map(ToString::to_string).collect();
                misfits.push(Misfit { username: account.username.clone(), problems });
            }
        }
    }
}

fn told(misfits: &[Misfit]) -> String {
    let line = |misfit: &Misfit| plain(&format!("  {}: {}", misfit.username, misfit.problems.join("; ")));
    let mut lines: Vec<_> = misfits.iter().take(MOST_TOLD).map(line).collect();
    if misfits.len() > MOST_TOLD {
        lines.push(format!("  … and {} more", misfits.len() - MOST_TOLD));
    }
    lines.join("\n")
}
