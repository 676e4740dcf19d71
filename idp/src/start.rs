//! Starting: database, realm, keys, and the listeners in front of the application.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::ScopedJoinHandle;

use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::client::SigningAlg;
use idp_core::credential::blocklist::Blocklist;
use idp_core::encoding::base64url;
use idp_core::jose::keyset::{KeyError, KeyState};
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::Policy;
use idp_core::realm::{Realm, RealmSettings, RelyingParty};
use idp_core::secret::{Secret, sha256};
use idp_store::Store;
use idp_store::keys::EnsureKeys;
use idp_store::passes::IssuePass;
use idp_store::realms::{CreateRealm, RealmCreated, RealmUpdated, UpdateRealm};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, BuildError, Parts};
use crate::http::app_endpoint;
use crate::keys::{self, KeysError};
use crate::system::{Clock, Random};
use crate::{health, jobs, listen, mail, mds, outbound};

/// Life of a set-up link in seconds.
pub const SETUP_LIFETIME_S: i64 = 24 * 3600;

/// Why the product does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the database cannot be used")]
    Store(#[from] idp_store::Error),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("cannot listen on {address}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Tls(#[from] listen::TlsError),
    #[error(
        "the realm \"{name}\" in the database has another {field} than the settings ({stored} instead of {set}). \
         Users' passkeys are bound to it. To change it on purpose: idp realm update {name} --config FILE"
    )]
    RealmDiffers { name: String, field: &'static str, stored: String, set: String },
    #[error("another realm has this issuer, name or host already: {0}")]
    RealmTaken(String),
}

/// The realm that the settings describe.
pub struct RealmPlan {
    pub name: String,
    pub issuer: String,
    pub display_name: String,
    /// `None`: at first the issuer's host alone, later whatever the database has.
    pub relying_parties: Option<Vec<RelyingParty>>,
    /// Write changed settings into the database (`dev`) instead of refusing to start (`serve`).
    pub rewrite: bool,
}

/// What opening needs.
pub struct Plan {
    pub store: Store,
    pub keys: (Secret<[u8; 32]>, Option<Secret<[u8; 32]>>),
    pub theme_dir: Option<PathBuf>,
    pub outbound: outbound::Options,
    /// Passwords nobody may choose.
    pub blocklist: Blocklist,
    pub mds: mds::Options,
    /// `None`: no mails are sent; the store must then not queue any.
    pub mail: Option<mail::Options>,
    pub clock: Clock,
    pub random: Random,
}

/// Where to listen.
pub struct Sockets {
    pub main: SocketAddr,
    pub health: Option<SocketAddr>,
    pub options: listen::Options,
}

/// Builds the application on a database.
///
/// # Errors
/// [`StartError`].
pub fn build(plan: Plan, connections: Arc<AtomicUsize>) -> Result<Arc<App>, StartError> {
    let Plan { store, keys, theme_dir, outbound, blocklist, mds, mail, clock, random } = plan;
    Ok(App::build(Parts { store, keys, theme_dir, outbound, blocklist, mds, mail, clock, random, connections })?)
}

/// Makes the realm at first start and compares it later; makes its keys where it has none.
///
/// # Errors
/// [`StartError::RealmDiffers`] under `serve` when the settings changed.
pub async fn ensure_realm(app: &App, plan: RealmPlan) -> Result<Arc<Realm>, StartError> {
    let name = plan.name.clone();
    match app.store.find_realm(&name).await? {
        Some(realm) => adopt(app, realm, plan).await?,
        None => {
            let op = CreateRealm {
                name: plan.name,
                issuer: plan.issuer.clone(),
                display_name: plan.display_name,
                relying_parties: plan.relying_parties.unwrap_or_else(|| vec![RelyingParty::alone(&plan.issuer)]),
                settings: RealmSettings::default(),
                policy: Policy::default(),
                now: app.now(),
                audit: audit(app, AuditEvent::RealmCreated, json!({ "issuer": plan.issuer })),
            };
            // Another process may have been faster: then its realm counts.
            if let RealmCreated::Taken(_) = app.store.write(op).await?
                && app.store.find_realm(&name).await?.is_none()
            {
                return Err(StartError::RealmTaken(plan.issuer));
            }
        }
    }
    let realm = app.store.find_realm(&name).await?.ok_or(StartError::RealmTaken(name))?;
    ensure_keys(app, &realm).await?;
    Ok(Arc::new(realm))
}

async fn adopt(app: &App, mut realm: Realm, plan: RealmPlan) -> Result<(), StartError> {
    let parties = |p: &[RelyingParty]| serde_json::to_string(p).unwrap_or_default();
    let stored = parties(&realm.relying_parties);
    let difference = if realm.issuer != plan.issuer {
        Some(("issuer", realm.issuer.clone(), plan.issuer.clone()))
    } else {
        let set = plan.relying_parties.as_deref().map(parties).filter(|set| *set != stored);
        set.map(|set| ("relying_parties", stored, set))
    };
    let Some((field, stored, set)) = difference else { return Ok(()) };
    if !plan.rewrite {
        return Err(StartError::RealmDiffers { name: plan.name, field, stored, set });
    }
    realm.issuer.clone_from(&plan.issuer);
    realm.relying_parties = plan.relying_parties.unwrap_or_else(|| vec![RelyingParty::alone(&plan.issuer)]);
    let audit = audit(app, AuditEvent::RealmChanged, json!({ "issuer": plan.issuer }));
    match app.store.write(UpdateRealm { realm, audit }).await? {
        RealmUpdated::Updated => Ok(()),
        RealmUpdated::Taken(_) | RealmUpdated::NamesClash(_) | RealmUpdated::Gone => {
            Err(StartError::RealmTaken(plan.issuer))
        }
    }
}

async fn ensure_keys(app: &App, realm: &Realm) -> Result<(), StartError> {
    let existing = app.store.list_signing_keys(realm.id).await?;
    let missing =
        SigningAlg::ALL.iter().filter(|alg| !existing.iter().any(|k| k.alg == **alg && k.state == KeyState::Active));
    // An RSA key takes tens of milliseconds: each on a thread of its own, since somebody waits for the first start.
    let made = std::thread::scope(|scope| {
        let make = |&alg| scope.spawn(move || keys::make(alg, realm.id, app.sealer(), app.random(), app.now()));
        let threads: Vec<_> = missing.map(make).collect();
        let join = |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or(Err(KeysError::Key(KeyError)));
        threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    if !made.is_empty() {
        let kids: Vec<_> = made.iter().map(|k| k.kid.clone()).collect();
        let audit = audit(app, AuditEvent::KeyCreated, json!({ "kids": kids }));
        app.store.write(EnsureKeys { realm: realm.id, keys: made, audit }).await?;
    }
    // A wrong key-encryption key is found now, not at the first sign-in.
    app.keys(realm.id).await?;
    Ok(())
}

/// A set-up link for the first owner, if the realm has no owner yet.
///
/// # Errors
/// Only when the store fails.
pub async fn setup_link(app: &App, realm: &Realm) -> Result<Option<String>, StartError> {
    if app.store.count_owners(realm.id).await? > 0 {
        return Ok(None);
    }
    let secret = base64url(app.random::<32>());
    let now = app.now();
    let pass = Pass {
        hash: sha256(secret.as_bytes()),
        kind: PassKind::Setup,
        account_id: None,
        created: now,
        expires: now.plus_s(SETUP_LIFETIME_S),
        used: None,
        browser: None,
    };
    let audit = audit(app, AuditEvent::PassIssued, json!({ "kind": "setup" }));
    app.store.write(IssuePass { realm: realm.id, pass, audit }).await?;
    Ok(Some(setup_url(realm, &secret)))
}

/// The link of a pass.
pub fn setup_url(realm: &Realm, secret: &str) -> String {
    format!("{}/setup?token={secret}", realm.issuer)
}

/// An audit row for what an operator does.
pub fn audit(app: &App, event: AuditEvent, detail: Value) -> Audit {
    app.audit(event, Actor::Operator, "command", detail)
}

/// A running product.
pub struct Running {
    pub app: Arc<App>,
    /// The bound address; its port is real where 0 was asked.
    pub address: SocketAddr,
    pub health: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Lets running requests finish, stops jobs and closes the database.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::warn!(%error, "a task ended badly");
            }
        }
        self.app.store.close().await;
    }
}

/// Binds a listener.
///
/// # Errors
/// [`StartError::Bind`].
pub fn bind(address: SocketAddr) -> Result<tokio::net::TcpListener, StartError> {
    listen::bind(address).map_err(|source| StartError::Bind { address, source })
}

/// Serves an application on bound sockets until [`Running::stop`].
///
/// # Errors
/// [`StartError::Bind`].
pub fn serve(app: Arc<App>, main: tokio::net::TcpListener, sockets: Sockets) -> Result<Running, StartError> {
    let (stop, stopped) = watch::channel(false);
    let address = main.local_addr().map_err(|source| StartError::Bind { address: sockets.main, source })?;
    let mut tasks = Vec::new();
    let mut bound_health = None;
    if let Some(wanted) = sockets.health {
        let listener = bind(wanted)?;
        bound_health = listener.local_addr().ok();
        let store = app.store.clone();
        let ready: health::Ready = Arc::new(move || {
            let store = store.clone();
            Box::pin(async move { store.ping().await.map_err(|e| e.to_string()) })
        });
        let endpoint = health::app(ready, Arc::clone(&app.metrics));
        tasks.push(tokio::spawn(listen::serve(listener, listen::Options::default(), endpoint, stopped.clone())));
    }
    let endpoint = app_endpoint(&app);
    tasks.push(tokio::spawn(listen::serve(main, sockets.options, endpoint, stopped.clone())));
    tasks.push(tokio::spawn(jobs::keys::rotate(Arc::clone(&app), stopped.clone())));
    tasks.push(tokio::spawn(jobs::logout::deliver(Arc::clone(&app), stopped.clone())));
    tasks.push(tokio::spawn(jobs::mds::refresh(Arc::clone(&app), stopped.clone())));
    tasks.push(tokio::spawn(jobs::mail::send(Arc::clone(&app), stopped.clone())));
    tasks.push(tokio::spawn(jobs::sweep(Arc::clone(&app), stopped)));
    Ok(Running { app, address, health: bound_health, stop, tasks })
}
