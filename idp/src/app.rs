//! The application: everything a request needs, built once at start.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::credential::blocklist::Blocklist;
use idp_core::id::{AccountId, AuditId, RealmId};
use idp_core::passkey::policy::Policy;
use idp_core::realm::Realm;
use idp_core::seal::{NotSealedHere, Purpose, Sealer};
use idp_core::secret::Secret;
use idp_core::time::Timestamp;
use idp_store::Store;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;

use crate::client_keys::ClientKeys;
use crate::http::{InFlight, Rates};
use crate::keys::{KeyRing, KeyRings, KeysError};
use crate::mail::{self, Mailer};
use crate::mds;
use crate::metrics::{DbCounts, DbReader, Metrics};
use crate::outbound::{self, Outbound};
use crate::password::PasswordPool;
use crate::system::{Clock, Random};
use crate::views::Views;

/// What an [`App`] is made of.
pub struct Parts {
    pub store: Store,
    /// Key-encryption key and its predecessor.
    pub keys: (Secret<[u8; 32]>, Option<Secret<[u8; 32]>>),
    pub theme_dir: Option<PathBuf>,
    pub outbound: outbound::Options,
    /// Passwords nobody may choose.
    pub blocklist: Blocklist,
    pub mds: mds::options::Options,
    /// `None`: no mails are sent.
    pub mail: Option<mail::Options>,
    pub clock: Clock,
    pub random: Random,
    /// Open connections, counted by the listener.
    pub connections: Arc<AtomicUsize>,
}

/// Why an application could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Theme(#[from] crate::views::ViewError),
    #[error(transparent)]
    Seal(#[from] NotSealedHere),
    #[error("[mail] cannot be used")]
    Mail(#[from] mail::MailError),
    #[error(transparent)]
    Password(#[from] crate::password::PoolError),
}

/// Everything a request needs.
pub struct App {
    pub store: Store,
    pub views: Views,
    pub passwords: PasswordPool,
    /// Passwords nobody may choose.
    pub blocklist: Blocklist,
    pub metrics: Arc<Metrics>,
    /// Calls to servers of others.
    pub outbound: Outbound,
    /// Where FIDO's metadata come from.
    pub mds: mds::options::Options,
    /// `None`: no mails are sent.
    pub mailer: Option<Mailer>,
    /// The keys that clients publish.
    pub client_keys: ClientKeys,
    /// Rung when a session ended here, so that clients are told at once.
    pub session_ended: Notify,
    keys: KeyRings,
    /// Password guesses under way.
    pub guesses: Arc<InFlight>,
    /// Writes before anybody signed in.
    pub rates: Rates,
    sealer: Sealer,
    clock: Clock,
    random: Random,
}

impl App {
    /// Builds the application.
    ///
    /// # Errors
    /// A faulty theme, or a cryptographic library that does not work.
    pub fn build(parts: Parts) -> Result<Arc<Self>, BuildError> {
        let (current, previous) = &parts.keys;
        let store = parts.store.clone();
        let db: DbReader = Arc::new(move || {
            let counts = store.counts();
            DbCounts { commits: counts.commits, statements: counts.statements }
        });
        Ok(Arc::new(Self {
            views: Views::new(parts.theme_dir)?,
            passwords: PasswordPool::new(&parts.random)?,
            blocklist: parts.blocklist,
            metrics: Arc::new(Metrics::new(parts.connections, db)),
            outbound: Outbound::new(parts.outbound),
            mds: parts.mds,
            mailer: parts.mail.as_ref().map(Mailer::new).transpose()?,
            client_keys: ClientKeys::default(),
            session_ended: Notify::new(),
            keys: KeyRings::default(),
            guesses: Arc::default(),
            rates: Rates::default(),
            sealer: Sealer::new(current, previous.as_ref())?,
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
        }))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// The random source itself.
    pub const fn random_source(&self) -> &Random {
        &self.random
    }

    /// An audit row for what happens outside of requests: `by` is the command or the job.
    pub fn audit(&self, event: AuditEvent, actor: Actor, by: &str, detail: Value) -> Audit {
        let now = self.now();
        Audit {
            id: AuditId::new(now, self.random()),
            at: now,
            event,
            actor,
            account_id: None,
            client_id: None,
            request_id: by.to_owned(),
            detail,
        }
    }

    /// Seals a value for a purpose.
    ///
    /// # Errors
    /// Only when the value cannot be encoded.
    pub fn seal<T: Serialize>(&self, purpose: Purpose, realm: RealmId, value: &T) -> Result<String, NotSealedHere> {
        self.sealer.seal(purpose, realm, self.random(), value)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// When it was not sealed here for this purpose.
    pub fn open<T: DeserializeOwned>(&self, purpose: Purpose, realm: RealmId, text: &str) -> Result<T, NotSealedHere> {
        self.sealer.open(purpose, realm, text)
    }

    /// The policy of an account. Its groups are only asked for where one of the realm has a policy.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn policy_of(&self, realm: &Realm, account: &AccountId) -> idp_store::Result<Arc<Policy>> {
        if realm.group_policies.is_empty() {
            return Ok(Arc::clone(&realm.policy));
        }
        let groups = self.store.list_groups_of(realm.id, account).await?;
        let names: Vec<String> = groups.into_iter().map(|group| group.name).collect();
        Ok(Arc::clone(realm.policy_of(&names)))
    }

    /// The signing keys of a realm.
    ///
    /// # Errors
    /// When they cannot be read or unsealed.
    pub async fn keys(&self, realm: RealmId) -> Result<Arc<KeyRing>, KeysError> {
        self.keys.of(&self.store, &self.sealer, realm).await
    }

    /// The seals themselves, for bytes and keyed hashes.
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }
}
