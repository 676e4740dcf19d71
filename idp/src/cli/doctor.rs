//! `idp doctor`: what is wrong, and what to do. Changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use url::Url;

use super::operator::{answer, open_data};
use super::{Failure, runtime, serve, usage};
use crate::app::App;
use crate::doctor::facts::{self, Facts, NoDatabase};
use crate::doctor::{State, examine};
use crate::settings::Settings;
use crate::start::StartError;
use crate::system::system_clock;
use crate::{listen, outbound};

/// Look for what is wrong, here and as browsers see it; exit code 1 if something is.
#[derive(Args)]
pub struct Doctor {
    /// The settings of `idp serve`.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// The data directory of `idp dev`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The realm; by default the one of the settings, else the first.
    #[arg(long, value_name = "NAME")]
    realm: Option<String>,
    /// Where to ask; by default the issuer. Alone, it needs no access to settings and database.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// Certificate authorities in PEM besides those of the system and of `outbound.ca_file`.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Answer with one JSON document.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs it.
    ///
    /// # Errors
    /// When a check failed; arguments that name nothing to look at.
    pub fn run(self) -> Result<(), Failure> {
        if self.config.is_none() && self.data.is_none() && self.url.is_none() {
            return Err(usage("name what to look at: --config FILE, --data DIR or --url URL"));
        }
        let facts = runtime()?.block_on(self.look())?;
        self.report(&facts)
    }

    async fn look(&self) -> Result<Facts, Failure> {
        let now = system_clock()();
        let settings = self.config.as_ref().map(|file| Settings::load(file, std::env::vars()));
        let good = settings.as_ref().and_then(|settings| settings.as_ref().ok());
        let app = match (good, &self.data) {
            (Some(settings), _) => Some(open(settings).await),
            (None, Some(data)) => {
                Some(open_data(data, false).await.map_err(|error| NoDatabase::Unreachable(error.to_string())))
            }
            (None, None) => None,
        };
        let realm = self.realm.as_deref().or(good.map(|settings| settings.realm.name.as_str()));
        let database = match app {
            Some(app) => Some(facts::inside(app, realm).await),
            None => None,
        };
        let mut authorities = good.map(|settings| settings.outbound.authorities.clone()).unwrap_or_default();
        if let Some(file) = &self.ca {
            authorities.extend(outbound::authorities(file).map_err(|what| usage(format!("--ca: {what}")))?);
        }
        let mail = match good {
            Some(settings) => facts::mail(settings).await,
            None => None,
        };
        let mut facts = Facts { now, settings, database, mail, outside: None };
        let url = self.url.clone().or_else(|| facts.issuer().and_then(|issuer| Url::parse(issuer).ok()));
        if let Some(url) = url {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(usage("--url: write an address that begins with https or http"));
            }
            facts.outside = Some(facts::outside(url, facts.realm(), &authorities, now).await?);
        }
        Ok(facts)
    }

    fn report(&self, facts: &Facts) -> Result<(), Failure> {
        let findings = examine(facts);
        let count = |state| findings.iter().filter(|(_, finding)| finding.state == state).count();
        let failed = count(State::Fail);
        let checks: Vec<_> = findings
            .iter()
            .map(|(check, finding)| {
                json!({ "id": check.id, "state": finding.state, "about": check.about, "found": finding.found,
                        "advice": finding.advice })
            })
            .collect();
        let width = findings.iter().map(|(check, _)| check.id.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (check, finding) in &findings {
            text.push_str(&format!("{:<4}  {:<width$}  {}\n", finding.state.text(), check.id, finding.found));
            if !finding.advice.is_empty() {
                text.push_str(&format!("{:6}{:<width$}  -> {}\n", "", "", finding.advice));
            }
        }
        let counts =
            json!({ "ok": count(State::Ok), "warn": count(State::Warn), "fail": failed, "skip": count(State::Skip) });
        answer(self.json, &json!({ "checks": checks, "counts": counts }), &text)?;
        match failed {
            0 => Ok(()),
            1 => Err("one check failed".into()),
            n => Err(format!("{n} checks failed").into()),
        }
    }
}

/// The database of the settings as it is: neither made nor migrated.
async fn open(settings: &Settings) -> Result<Arc<App>, NoDatabase> {
    let file = settings.database.url.expose().strip_prefix("sqlite://");
    if let Some(file) = file.filter(|file| !Path::new(file).exists()) {
        return Err(NoDatabase::Unreachable(format!("{file} does not exist: idp serve makes it")));
    }
    serve::open(settings, &listen::Options::default(), false).await.map_err(|error| match error {
        StartError::Store(idp_store::Error::Schema(why)) => NoDatabase::Schema(why),
        StartError::Store(error) => NoDatabase::Unreachable(chain(&error)),
        other => NoDatabase::Unreachable(chain(&other)),
    })
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
