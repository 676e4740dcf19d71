//! Password hashes: Argon2id on a bounded pool that sheds load before it starves sign-ins.
//! NIST SP 800-63B-4 §3.1.1.2, RFC 9106 §4.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use idp_core::credential::normal_form::normalise;
use idp_core::secret::Secret;
use tokio::sync::Semaphore;

use crate::advice::{self, Advice};
use crate::system::Random;

/// Hashes worked on at once: each takes 19 MiB and a core for some 20 ms.
const AT_ONCE: usize = 2;
/// Hashes waiting; beyond this the answer is 503 at once.
const WAITING: usize = 32;

/// The hashing library refused its parameters.
#[derive(Debug, thiserror::Error)]
#[error("password hashing cannot be set up")]
pub struct PoolError;

/// Too many password checks are waiting.
#[derive(Debug, thiserror::Error)]
#[error("too many password checks are waiting")]
pub struct Overloaded;

/// Checks and makes password hashes.
pub struct PasswordPool {
    work: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    argon: Argon2<'static>,
    /// Checked for accounts without a password and names that do not exist, so that time tells nothing.
    dummy: Secret<String>,
    hashes: AtomicU64,
}

impl PasswordPool {
    /// A pool with the parameters OWASP gives first for Argon2id: 19 MiB, two passes, one lane.
    ///
    /// # Errors
    /// When the library refuses them.
    pub fn new(random: &Random) -> Result<Self, PoolError> {
        let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| PoolError)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut salt = [0; 16];
        random(&mut salt);
        let salt = SaltString::encode_b64(&salt).map_err(|_| PoolError)?;
        // Well formed, and no password hashes to it: the output is not a hash of anything.
        let dummy = format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${}", "A".repeat(43));
        Ok(Self {
            work: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            argon,
            dummy: Secret::new(dummy),
            hashes: AtomicU64::new(0),
        })
    }

    /// Whether `password` is the one behind `hash`. Without a hash the same work is done and the answer is no.
    ///
    /// # Errors
    /// [`Overloaded`] at once when too many are waiting.
    pub async fn verify(&self, password: Secret<String>, hash: Option<Secret<String>>) -> Result<bool, Overloaded> {
        self.hashes.fetch_add(1, Relaxed);
        let argon = self.argon.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let right = self
            .run(move || {
                PasswordHash::new(hash.expose())
                    .is_ok_and(|parsed| argon.verify_password(normalise(password.expose()).as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(known && right)
    }

    /// Hash of a new password in PHC form.
    ///
    /// # Errors
    /// [`Overloaded`] at once when too many are waiting.
    pub async fn hash(&self, password: Secret<String>, salt: [u8; 16]) -> Result<Secret<String>, Overloaded> {
        self.hashes.fetch_add(1, Relaxed);
        let argon = self.argon.clone();
        let made = self.run(move || {
            let salt = SaltString::encode_b64(&salt).ok()?;
            Some(argon.hash_password(normalise(password.expose()).as_bytes(), &salt).ok()?.to_string())
        });
        made.await?.map(Secret::new).ok_or(Overloaded)
    }

    /// How many hashes were worked out so far: what a stranger could tell names apart by.
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Relaxed)
    }

    /// What would make a new password harder to guess; nothing for a good one. `names`: what attackers know.
    ///
    /// # Errors
    /// [`Overloaded`] at once when too many are waiting.
    pub async fn advise(&self, password: Secret<String>, names: Vec<String>) -> Result<Vec<Advice>, Overloaded> {
        self.run(move || advice::on(&normalise(password.expose()), &names)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| Overloaded)?;
        let turn = Arc::clone(&self.work).acquire_owned().await.map_err(|_| Overloaded)?;
        tokio::task::spawn_blocking(move || {
            let out = work();
            drop((turn, place));
            out
        })
        .await
        .map_err(|_| Overloaded)
    }
}
