//! The signing keys of each realm, unsealed and parsed once, made at first start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use idp_core::client::SigningAlg;
use idp_core::id::RealmId;
use idp_core::jose::keyset::{KeyState, SigningKey, StoredKey, generate};
use idp_core::jose::schedule::is_published;
use idp_core::seal::{Purpose, Sealer};
use idp_core::secret::Secret;
use idp_core::time::Timestamp;
use idp_store::Store;

/// Why a realm has no usable keys. All of them are faults of the installation.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the signing keys cannot be unsealed: is secrets.encryption_key the one they were made with?")]
    Sealed(#[from] idp_core::seal::NotSealedHere),
    #[error(transparent)]
    Key(#[from] idp_core::jose::keyset::KeyError),
    #[error(transparent)]
    Store(#[from] idp_store::Error),
    #[error("the realm has no active {0} key")]
    Missing(&'static str),
}

/// The keys of one realm, ready for use.
pub struct KeyRing {
    signing: Vec<SigningKey>,
    /// The list it was parsed from.
    source: Arc<Vec<StoredKey>>,
    /// Keys that are believed, retired ones too: what verifies tokens and hints.
    pub stored: Vec<StoredKey>,
}

impl KeyRing {
    fn parse(realm: RealmId, stored: Arc<Vec<StoredKey>>, sealer: &Sealer) -> Result<Self, KeysError> {
        let mut signing = Vec::new();
        for key in stored.iter().filter(|k| k.state == KeyState::Active) {
            let pkcs8 = Secret::new(sealer.open_bytes(Purpose::SigningKey, realm, &key.private_sealed)?);
            signing.push(SigningKey::parse(key.alg, &pkcs8)?);
        }
        let believed = stored.iter().filter(|k| k.state != KeyState::Revoked).cloned().collect();
        Ok(Self { signing, source: stored, stored: believed })
    }

    /// The JWK set (RFC 7517 §5).
    pub fn jwks(&self, now: Timestamp) -> String {
        let published = self.stored.iter().filter(|key| is_published(key, now));
        let keys: Vec<_> = published.map(|key| key.public_jwk.as_str()).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// The key that signs with `alg`.
    ///
    /// # Errors
    /// When the realm has none.
    pub fn signing(&self, alg: SigningAlg) -> Result<&SigningKey, KeysError> {
        self.signing.iter().find(|k| k.alg == alg).ok_or(KeysError::Missing(alg.text()))
    }
}

/// Parsed rings by realm. A ring is parsed again when the store hands out another list than it was parsed from.
#[derive(Default)]
pub struct KeyRings(Mutex<HashMap<RealmId, Arc<KeyRing>>>);

impl KeyRings {
    /// The ring of a realm.
    ///
    /// # Errors
    /// [`KeysError`].
    pub async fn of(&self, store: &Store, sealer: &Sealer, realm: RealmId) -> Result<Arc<KeyRing>, KeysError> {
        let stored = store.cached_signing_keys(realm).await?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&realm).cloned();
        if let Some(ring) = known.filter(|r| Arc::ptr_eq(&r.source, &stored)) {
            return Ok(ring);
        }
        let ring = Arc::new(KeyRing::parse(realm, stored, sealer)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(realm, Arc::clone(&ring));
        Ok(ring)
    }
}

/// A new key, sealed, ready to be stored.
///
/// # Errors
/// When the cryptographic library fails.
pub fn make(
    alg: SigningAlg,
    realm: RealmId,
    sealer: &Sealer,
    nonce: [u8; 12],
    now: Timestamp,
) -> Result<StoredKey, KeysError> {
    let pkcs8 = generate(alg)?;
    let key = SigningKey::parse(alg, &pkcs8)?;
    Ok(StoredKey {
        kid: key.kid.clone(),
        alg,
        state: KeyState::Active,
        public_jwk: key.public_jwk()?.to_string(),
        private_sealed: sealer.seal_bytes(Purpose::SigningKey, realm, nonce, pkcs8.expose())?,
        created: now,
        activated: Some(now),
        retired: None,
    })
}
