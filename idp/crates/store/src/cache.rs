//! Cached reads of the configuration: realms, clients, signing keys. Everything else is read when it is needed.
//!
//! An entry lives as long as the configuration's generation, so starting a sign-in asks the database nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use idp_core::client::Client;
use idp_core::id::{ClientId, RealmId};
use idp_core::realm::Realm;

use crate::error::Result;
use crate::store::Store;
use idp_core::jose::keyset::StoredKey;

/// Clients kept at most; beyond, the cache starts over.
const CLIENTS: usize = 10_000;

/// All realms of a database.
#[derive(Debug, Default)]
pub struct Realms {
    /// In the order they were made.
    pub all: Vec<Arc<Realm>>,
    by_host: HashMap<String, Arc<Realm>>,
}

impl Realms {
    fn new(all: Vec<Realm>) -> Self {
        let all: Vec<_> = all.into_iter().map(Arc::new).collect();
        let hosts = |realm: &Arc<Realm>| {
            let hosts = realm.relying_parties.iter().flat_map(|rp| &rp.hosts);
            hosts.map(|host| (host.to_ascii_lowercase(), Arc::clone(realm))).collect::<Vec<_>>()
        };
        let by_host = all.iter().flat_map(hosts).collect();
        Self { all, by_host }
    }

    /// The realm that answers for a `Host` header, port included as there.
    pub fn by_host(&self, host: &str) -> Option<&Arc<Realm>> {
        match self.by_host.get(host) {
            None => self.by_host.get(&host.to_ascii_lowercase()),
            found => found,
        }
    }

    /// The realm of a number.
    pub fn by_id(&self, id: RealmId) -> Option<&Arc<Realm>> {
        self.all.iter().find(|realm| realm.id == id)
    }
}

#[derive(Default)]
pub(crate) struct Cache {
    realms: Map<(), Arc<Realms>>,
    clients: Map<(RealmId, ClientId), Arc<Client>>,
    keys: Map<RealmId, Arc<Vec<StoredKey>>>,
}

/// Entries of one generation.
struct Map<K, V>(RwLock<(u64, HashMap<K, V>)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(RwLock::new((0, HashMap::new())))
    }
}

impl<K: Hash + Eq, V: Clone> Map<K, V> {
    fn find(&self, generation: u64, key: &K) -> Option<V> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if entries.0 == generation { entries.1.get(key).cloned() } else { None }
    }

    /// `generation` is the one from before the value was read: a change meanwhile makes the entry worthless.
    fn insert(&self, generation: u64, key: K, value: V, limit: usize) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.0 > generation {
            return;
        }
        if entries.0 < generation || entries.1.len() >= limit {
            *entries = (generation, HashMap::new());
        }
        entries.1.insert(key, value);
    }
}

impl Store {
    /// All realms.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cached_realms(&self) -> Result<Arc<Realms>> {
        let (generation, cache) = (self.generation(), &self.cache().realms);
        if let Some(realms) = cache.find(generation, &()) {
            return Ok(realms);
        }
        let realms = Arc::new(Realms::new(self.list_realms().await?));
        cache.insert(generation, (), Arc::clone(&realms), 1);
        Ok(realms)
    }

    /// The realm that answers for a `Host` header.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cached_realm_by_host(&self, host: &str) -> Result<Option<Arc<Realm>>> {
        Ok(self.cached_realms().await?.by_host(host).cloned())
    }

    /// A client. What is not there is not kept, so that guessed names cannot fill the memory.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cached_client(&self, realm: RealmId, id: &ClientId) -> Result<Option<Arc<Client>>> {
        let (generation, cache) = (self.generation(), &self.cache().clients);
        let key = (realm, id.clone());
        if let Some(client) = cache.find(generation, &key) {
            return Ok(Some(client));
        }
        let Some(client) = self.find_client(realm, id).await?.map(Arc::new) else { return Ok(None) };
        cache.insert(generation, key, Arc::clone(&client), CLIENTS);
        Ok(Some(client))
    }

    /// All signing keys of a realm, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cached_signing_keys(&self, realm: RealmId) -> Result<Arc<Vec<StoredKey>>> {
        let (generation, cache) = (self.generation(), &self.cache().keys);
        if let Some(keys) = cache.find(generation, &realm) {
            return Ok(keys);
        }
        let keys = Arc::new(self.list_signing_keys(realm).await?);
        cache.insert(generation, realm, Arc::clone(&keys), CLIENTS);
        Ok(keys)
    }
}
