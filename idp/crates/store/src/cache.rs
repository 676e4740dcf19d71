//! Cached reads of the configuration: realms, clients, signing keys. Everything else is read when it is needed.
//!
//! An entry lives as long as the configuration's generation, so starting a sign-in asks the database nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use idp_core::client::Client;
use idp_core::id::{ClientId, RealmId};
use idp_core::realm::Realm;

use idp_core::jose::keyset::StoredKey;

/// Clients kept at most; beyond, the cache starts over.
pub const CLIENTS: usize = 10_000;

/// All realms of a database.
#[derive(Debug, Default)]
pub struct Realms {
    /// In the order they were made.
    pub all: Vec<Arc<Realm>>,
    by_host: HashMap<String, Arc<Realm>>,
}

impl Realms {
    pub(crate) fn new(all: Vec<Realm>) -> Self {
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
    pub(crate) realms: Map<(), Arc<Realms>>,
    pub(crate) clients: Map<(RealmId, ClientId), Arc<Client>>,
    pub(crate) keys: Map<RealmId, Arc<Vec<StoredKey>>>,
}

/// Entries of one generation.
pub(crate) struct Map<K, V>(RwLock<(u64, HashMap<K, V>)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(RwLock::new((0, HashMap::new())))
    }
}

impl<K: Hash + Eq, V: Clone> Map<K, V> {
    pub(crate) fn find(&self, generation: u64, key: &K) -> Option<V> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if entries.0 == generation { entries.1.get(key).cloned() } else { None }
    }

    /// `generation` is the one from before the value was read: a change meanwhile makes the entry worthless.
    pub(crate) fn insert(&self, generation: u64, key: K, value: V, limit: usize) {
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
