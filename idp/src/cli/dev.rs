//! `idp dev`: everything on this machine, with a demo application.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use idp_core::credential::blocklist::Blocklist;
use idp_core::secret::Secret;
use idp_store::{Options, Store};
use serde_json::json;

use super::{Failure, Stop, runtime};
use crate::settings::Telemetry;
use crate::start::{self, Plan, RealmPlan, Sockets};
use crate::system::{system_clock, system_random};
use crate::{demo, listen, mail, mds, outbound, telemetry};

/// Try it: everything on this machine, with a demo application. Not for production.
#[derive(Args)]
pub struct Dev {
    /// Where the provider listens; a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the demo application listens; a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    demo_listen: SocketAddr,
    /// Database and key; kept between starts.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Print one line of JSON when ready.
    #[arg(long)]
    json: bool,
}

impl Dev {
    /// Serves until Ctrl-C.
    ///
    /// # Errors
    /// A port that is taken, a directory that cannot be written.
    pub fn run(self) -> Result<(), Failure> {
        for address in [self.listen, self.demo_listen] {
            if !address.ip().is_loopback() {
                let text = "dev listens on loopback only: plain http and a printed set-up link are not for a network";
                return Err(format!("{address}: {text}. For anything else: idp serve").into());
            }
        }
        let level = if std::env::var_os("RUST_LOG").is_some() { std::env::var("RUST_LOG")? } else { "warn".to_owned() };
        let telemetry = telemetry::init(&Telemetry { log_level: level, ..Telemetry::default() })?;
        let outcome = runtime()?.block_on(self.serve());
        telemetry.shutdown();
        outcome
    }

    async fn serve(self) -> Result<(), Failure> {
        let mut stop = Stop::catch()?;
        fs::create_dir_all(&self.data)?;
        let random = system_random();
        let key = data_key(&self.data, || {
            let mut key = [0; 32];
            random(&mut key);
            key
        })?;
        let options = Options { mails: true, ..Options::default() };
        let store = Store::open(&format!("sqlite:{}", self.data.join("idp.db").display()), &options).await?;
        let main = start::bind(self.listen)?;
        let demo_listener = start::bind(self.demo_listen)?;
        // A browser takes passkeys for `localhost`, not for an address.
        let issuer = format!("http://localhost:{}", main.local_addr()?.port());
        let demo_url = format!("http://localhost:{}", demo_listener.local_addr()?.port());
        let options = listen::Options::default();
        // Nobody but this machine reaches what listens here, and the applications under development are here.
        let outbound = outbound::Options { allow: outbound::LOOPBACK.to_vec(), ..outbound::Options::default() };
        let plan = Plan {
            store,
            keys: (key, None),
            theme_dir: None,
            outbound,
            blocklist: Blocklist::default(),
            mds: mds::Options::default(),
            mail: Some(mail::Options::folder(self.data.join("mail"))?),
            clock: system_clock(),
            random: Arc::clone(&random),
        };
        let app = start::build(plan, Arc::clone(&options.open))?;
        let realm = start::ensure_realm(&app, realm_plan(&issuer)).await?;
        let client = demo::ensure_client(&app, &realm, &demo_url).await?;
        let setup_url = start::setup_link(&app, &realm).await?;
        let running = start::serve(app, main, Sockets { main: self.listen, health: None, options })?;
        let demo = demo::serve(Arc::clone(&running.app), &issuer, &demo_url, client, demo_listener);

        announce(&self, &issuer, &demo_url, setup_url.as_deref())?;
        stop.asked().await;
        demo.stop().await;
        running.stop().await;
        Ok(())
    }
}

fn realm_plan(issuer: &str) -> RealmPlan {
    RealmPlan {
        name: "default".to_owned(),
        issuer: issuer.to_owned(),
        display_name: "idp".to_owned(),
        relying_parties: None,
        rewrite: true,
    }
}

/// The key-encryption key of a data directory; made at the first start, readable by its owner alone.
fn data_key(data: &Path, fresh: impl FnOnce() -> [u8; 32]) -> Result<Secret<[u8; 32]>, Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = data.join("key");
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let key = fresh();
            file.write_all(&key)?;
            file.sync_all()?;
            Ok(Secret::new(key))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let bytes = fs::read(&path)?;
            let key = bytes.try_into().map_err(|_| {
                format!(
                    "{} is not a key of 32 bytes: restore it, or delete {} to start anew",
                    path.display(),
                    data.display()
                )
            })?;
            Ok(Secret::new(key))
        }
        Err(error) => Err(error.into()),
    }
}

fn announce(dev: &Dev, issuer: &str, demo_url: &str, setup_url: Option<&str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if dev.json {
        let ready = json!({
            "issuer": issuer,
            "setup_url": setup_url,
            "demo_url": demo_url,
            "data": dev.data.display().to_string(),
            "pid": std::process::id(),
        });
        writeln!(out, "{ready}")?;
        return out.flush();
    }
    writeln!(out, "Ready.")?;
    match setup_url {
        Some(url) => {
            writeln!(out, "  1. Make the owner's passkey (the link works once, for 24 hours):\n     {url}")?;
            writeln!(out, "  2. Sign in to the demo application:\n     {demo_url}")?;
        }
        None => {
            writeln!(out, "  Demo application:  {demo_url}")?;
            writeln!(out, "  Your account:      {issuer}/account/security")?;
        }
    }
    writeln!(out, "  Mails are not sent, but kept in {}.", dev.data.join("mail").display())?;
    writeln!(out, "  Data in {}. If a passkey acts up, try a private window. Stop with Ctrl-C.", dev.data.display())?;
    out.flush()
}
