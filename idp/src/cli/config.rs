//! `idp config`: checks the settings, prints what can be set.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Failure;
use super::operator::answer;
use crate::settings::{Problem, Settings, config_docs};

/// Check the settings, or print what can be set.
#[derive(Args)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Say everything that is wrong or doubtful; exit code 1 if something is wrong.
    Check {
        /// The settings.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Answer with one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print docs/config.md.
    Docs,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Docs => Ok(answer(false, &Value::Null, &config_docs())?),
            Action::Check { config, json } => match Settings::load(&config, std::env::vars()) {
                Ok(settings) => {
                    let value = json!({ "problems": [], "warnings": values(&settings.warnings) });
                    let lines = settings.warnings.iter().map(|warning| format!("warning: {warning}\n"));
                    let text = lines.chain(["The settings are good.".to_owned()]).collect::<String>();
                    Ok(answer(json, &value, &text)?)
                }
                Err(problems) => {
                    if json {
                        answer(true, &json!({ "problems": values(&problems.0), "warnings": [] }), "")?;
                    }
                    Err(problems.into())
                }
            },
        }
    }
}

fn values(problems: &[Problem]) -> Vec<Value> {
    let value =
        |p: &Problem| json!({ "path": p.path, "where": p.origin.to_string(), "what": p.what, "instead": p.instead });
    problems.iter().map(value).collect()
}
