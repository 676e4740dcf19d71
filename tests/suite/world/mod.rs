//! The stage of every test: a running product with a database of its own, a clock and a random source of ours.

pub mod acts;
mod browser;
mod clock;
mod groups;
pub mod hosts;
pub mod jwt;
mod operator;
mod outside;
mod person;
pub mod post;
mod rp;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};

use idp::app::App;
use idp::start::{self, Plan, RealmPlan, Running, Sockets};
use idp::system::Random;
use idp::{listen, outbound};
use idp_core::credential::blocklist::Blocklist;
use idp_core::id::RealmId;
use idp_core::secret::{Secret, sha256};
use idp_store::{Options, Store};

pub use browser::{Browser, Page};
pub use clock::TestClock;
pub use outside::{Outside, Reply};
pub use person::Person;
pub use post::Letter;
pub use rp::{ASSERTION_TYPE, Answer, Ask, Rp, Tokens, basic, encode, query_of};

/// Which database a world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    Postgres,
}

/// Runs each function once for each database: `both! { async fn a_sentence(db) { let w = World::start(db).await; … } }`.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn check($db: $crate::world::Db) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() { check($crate::world::Db::Sqlite).await }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() { check($crate::world::Db::Postgres).await }
        }
    )*};
}

/// The one address that the product may call.
pub const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The running product.
pub struct World {
    pub app: Arc<App>,
    /// `http://localhost:PORT`.
    pub issuer: String,
    pub realm: RealmId,
    pub clock: TestClock,
    /// Drawn next, instead of counted bytes, by whoever wants as many: so that the challenge of a ceremony is known before.
    pub loaded: Arc<Mutex<Option<Vec<u8>>>>,
    /// Address of the database.
    pub db_url: String,
    http: reqwest::Client,
    running: Option<Running>,
    folder: Option<tempfile::TempDir>,
    /// Where mails go.
    post: Option<tempfile::TempDir>,
}

impl World {
    /// Starts the product on an empty database, with one realm and its keys.
    pub async fn start(db: Db) -> Self {
        let (url, folder) = Self::database(db).await;
        Self { folder, ..Self::on(url).await }
    }

    /// The same with FIDO's metadata from somewhere.
    pub async fn start_with(db: Db, mds: idp::mds::Options) -> Self {
        let (url, folder) = Self::database(db).await;
        Self { folder, ..Self::open(url, None, mds).await }
    }

    /// A database of its own, and the folder it lies in.
    async fn database(db: Db) -> (String, Option<tempfile::TempDir>) {
        match db {
            Db::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("idp.db").display()), Some(folder))
            }
            Db::Postgres => {
                static CLUSTER: OnceLock<idp_pg::Cluster> = OnceLock::new();
                let url = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(idp_pg::Cluster::start).url("suite"));
                (url.await.unwrap(), None)
            }
        }
    }

    /// On SQLite, for tests that do not depend on the database.
    pub async fn sqlite() -> Self {
        Self::start(Db::Sqlite).await
    }

    /// On a database that exists: another replica, or the same product started again.
    pub async fn on(db_url: String) -> Self {
        Self::open(db_url, None, idp::mds::Options::default()).await
    }

    async fn open(db_url: String, mail: Option<idp::mail::Options>, mds: idp::mds::Options) -> Self {
        let queues = mail.is_some();
        Self::opened(db_url, (mail, queues), mds).await
    }

    /// `queues`: mails are queued also where nobody sends them.
    async fn opened(
        db_url: String,
        (mail, queues): (Option<idp::mail::Options>, bool),
        mds: idp::mds::Options,
    ) -> Self {
        let options = Options { max_connections: 8, mails: queues, ..Options::default() };
        let store = Store::open(&db_url, &options).await.unwrap();
        let main = start::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = main.local_addr().unwrap();
        let issuer = format!("http://localhost:{}", address.port());
        let (clock, loaded) = (TestClock::new(), Arc::<Mutex<Option<Vec<u8>>>>::default());
        let options = listen::Options::default();
        // One key for one database: what one installation seals, another cannot open.
        let keys = (Secret::new(sha256(db_url.as_bytes())), None);
        // One address of this machine stands for the world, all others for what is not to be reached.
        let outbound = outbound::Options { allow: vec![OUTSIDE.into()], ..outbound::Options::default() };
        let plan = Plan {
            store,
            keys,
            theme_dir: None,
            outbound,
            mds,
            mail,
            blocklist: Blocklist::default(),
            clock: clock.source(),
            random: random_source(Arc::clone(&loaded)),
        };
        let app = start::build(plan, Arc::clone(&options.open)).unwrap();
        let realm = RealmPlan {
            name: "default".to_owned(),
            issuer: issuer.clone(),
            display_name: "The Realm".to_owned(),
            relying_parties: None,
            rewrite: true,
        };
        let realm = start::ensure_realm(&app, realm).await.unwrap().id;
        let running = start::serve(app, main, Sockets { main: address, health: None, options }).unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = hosts::NAMES.iter().fold(http, |http, name| http.resolve(name, address)).build().unwrap();
        let app = Arc::clone(&running.app);
        Self { app, issuer, realm, clock, loaded, db_url, http, running: Some(running), folder: None, post: None }
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.http.clone(), &self.issuer)
    }

    /// Commits so far, as the store counts them.
    pub fn commits(&self) -> u64 {
        self.app.store.counts().commits
    }

    /// Stops the product and closes its database; a second start would be by [`World::on`].
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Folder of an SQLite database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("an SQLite world").path()
    }
}

/// A number that no other part of the test run gets.
pub fn number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Relaxed)
}

/// Random bytes by counting: never the same twice in a run, and the same in each run that draws in the same order.
fn random_source(loaded: Arc<Mutex<Option<Vec<u8>>>>) -> Random {
    Arc::new(move |buffer| {
        if let Some(bytes) = loaded.lock().unwrap().take_if(|bytes| bytes.len() == buffer.len()) {
            return buffer.copy_from_slice(&bytes);
        }
        for chunk in buffer.chunks_mut(32) {
            let block = sha256(&number().to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    })
}
