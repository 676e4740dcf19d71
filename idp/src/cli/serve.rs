//! `idp serve` and `idp migrate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use idp_store::{Options, Store};

use super::{Failure, Stop, runtime};
use crate::app::App;
use crate::settings::Settings;
use crate::start::{self, Plan, RealmPlan, Sockets, StartError};
use crate::system::{system_clock, system_random};
use crate::{listen, telemetry};

/// Run in production.
#[derive(Args)]
pub struct Serve {
    /// The settings, a TOML file; every key can also be set as IDP_SECTION__KEY.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Serve {
    /// Serves until it is asked to stop.
    ///
    /// # Errors
    /// Every doubt about the settings, all at once; a database or a port that cannot be had.
    pub fn run(self) -> Result<(), Failure> {
        let settings = Settings::load(&self.config, std::env::vars())?;
        let telemetry = telemetry::init(&settings.telemetry)?;
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let outcome = runtime()?.block_on(serve(settings));
        telemetry.shutdown();
        outcome
    }
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let mut stop = Stop::catch()?;
    let server = &settings.server;
    let limits = listen::Limits {
        connections: usize::try_from(server.max_connections)?,
        connections_per_address: usize::try_from(server.max_connections_per_address)?,
        ..listen::Limits::default()
    };
    let options = listen::Options {
        tls: server.tls.as_ref().map(|t| listen::tls(&t.cert, &t.key)).transpose()?,
        trusted_proxies: server.trusted_proxies.clone(),
        limits,
        ..listen::Options::default()
    };
    let app = open(&settings, &options, true).await?;
    let realm = start::ensure_realm(&app, realm_plan(&settings, false)).await?;
    let sockets = Sockets { main: server.listen, health: Some(server.health_listen), options };
    let main = start::bind(server.listen)?;
    let running = start::serve(app, main, sockets)?;
    if settings.mail.is_none() {
        tracing::warn!(
            "no mails are sent: people are not told of changes to their accounts, and no codes can be mailed. Set [mail]"
        );
    }
    tracing::info!(issuer = realm.issuer, listen = %running.address, "serving");
    if running.app.store.count_owners(realm.id).await? == 0 {
        tracing::warn!("the realm has no owner yet: idp user create --owner --config FILE prints a set-up link");
    }
    stop.asked().await;
    tracing::info!("stopping: running requests may finish");
    running.stop().await;
    Ok(())
}

/// The application on the database of the settings.
///
/// # Errors
/// [`StartError`].
pub async fn open(settings: &Settings, listen: &listen::Options, migrate: bool) -> Result<Arc<App>, StartError> {
    let (max_connections, mails) = (settings.database.max_connections, settings.mail.is_some());
    let options = Options { max_connections, migrate, mails, ..Options::default() };
    let store = Store::open(settings.database.url.expose(), &options).await?;
    let plan = Plan {
        store,
        keys: (settings.secrets.encryption_key.clone(), settings.secrets.previous_encryption_key.clone()),
        theme_dir: settings.theme.dir.clone(),
        outbound: settings.outbound.clone(),
        blocklist: settings.passwords.blocklist.clone(),
        mds: settings.mds.clone(),
        mail: settings.mail.clone(),
        clock: system_clock(),
        random: system_random(),
    };
    start::build(plan, Arc::clone(&listen.open))
}

/// The realm of the settings.
pub fn realm_plan(settings: &Settings, rewrite: bool) -> RealmPlan {
    let realm = &settings.realm;
    RealmPlan {
        name: realm.name.clone(),
        issuer: realm.issuer.clone(),
        display_name: realm.display_name.clone(),
        relying_parties: realm.relying_parties.clone(),
        rewrite,
    }
}

/// Bring the database up to date.
#[derive(Args)]
pub struct Migrate {
    /// The settings.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Migrate {
    /// Applies the migrations that are missing.
    ///
    /// # Errors
    /// A database that cannot be reached, or is newer than this binary.
    pub fn run(self) -> Result<(), Failure> {
        let settings = Settings::load(Path::new(&self.config), std::env::vars())?;
        runtime()?.block_on(async {
            let store = Store::open(settings.database.url.expose(), &Options::default()).await?;
            store.close().await;
            Ok(())
        })
    }
}
