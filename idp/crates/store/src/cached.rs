//! Reads that are answered from memory until the configuration changes: realms, clients, keys.

use std::sync::Arc;

use idp_core::client::Client;
use idp_core::id::{ClientId, RealmId};
use idp_core::jose::keyset::StoredKey;
use idp_core::realm::Realm;

use crate::cache::{CLIENTS, Realms};
use crate::error::Result;
use crate::store::Store;

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
