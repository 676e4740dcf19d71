//! The public keys that clients publish at their `jwks_uri`, fetched when needed and kept for a while.
//! OIDC Core §10.1.1; RFC 7517 §5.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idp_core::jose::jwk::{InvalidJwk, JwkSet};
use idp_core::time::Timestamp;

use crate::outbound::{Outbound, OutboundError};

/// How long a set is taken for current, in seconds.
const FRESH_S: i64 = 5 * 60;
/// How long an old set serves where a new one cannot be had.
const STALE_S: i64 = 60 * 60;
/// Least time between two calls to one address: whoever names an unknown key makes us call.
const PAUSE_S: i64 = 30;
/// Addresses remembered at most.
const MOST: usize = 1000;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    #[error("cannot be fetched: {0}")]
    Outbound(#[from] OutboundError),
    #[error("{0}")]
    Invalid(#[from] InvalidJwk),
}

impl NoKeys {
    /// One word for the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Outbound(error) => error.reason(),
            Self::Invalid(_) => "invalid_keys",
        }
    }
}

/// A set as it was fetched.
struct Fetched {
    set: Arc<JwkSet>,
    at: Timestamp,
}

/// What is known of one address. Whoever holds its lock is the one that calls.
#[derive(Default)]
struct Entry {
    fetched: Option<Fetched>,
    /// The last call, and how it failed if it did.
    tried: Option<(Timestamp, Option<Arc<NoKeys>>)>,
}

/// Seconds from `then` to `now`; a clock that went back counts as a long time.
fn age_s(then: Timestamp, now: Timestamp) -> i64 {
    if then > now { i64::MAX } else { now.secs() - then.secs() }
}

impl Entry {
    /// The set, if it is current and answers for the key.
    fn current(&self, kid: Option<&str>, now: Timestamp) -> Option<Arc<JwkSet>> {
        let fresh = self.fetched.as_ref().filter(|fetched| age_s(fetched.at, now) < FRESH_S);
        let answers = fresh.filter(|fetched| kid.is_none_or(|kid| fetched.set.has(kid)));
        answers.map(|fetched| Arc::clone(&fetched.set))
    }

    /// What is to be answered, if no call is due.
    fn known(&self, kid: Option<&str>, now: Timestamp) -> Option<Result<Arc<JwkSet>, Arc<NoKeys>>> {
        if let Some(set) = self.current(kid, now) {
            return Some(Ok(set));
        }
        let (at, error) = self.tried.as_ref()?;
        (age_s(*at, now) < PAUSE_S).then(|| self.at_hand(error.clone(), now))
    }

    /// The set even if it is old; the error where there is none.
    fn at_hand(&self, error: Option<Arc<NoKeys>>, now: Timestamp) -> Result<Arc<JwkSet>, Arc<NoKeys>> {
        let usable = self.fetched.as_ref().filter(|fetched| age_s(fetched.at, now) < STALE_S);
        match (usable, error) {
            (Some(fetched), _) => Ok(Arc::clone(&fetched.set)),
            (None, error) => Err(error.unwrap_or_else(|| Arc::new(OutboundError::Timeout.into()))),
        }
    }
}

/// One address: what is known of it, and who calls.
#[derive(Default)]
struct Place {
    known: Mutex<Entry>,
    /// Held by the one that calls.
    calling: tokio::sync::Mutex<()>,
}

impl Place {
    fn entry(&self) -> MutexGuard<'_, Entry> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sets of all clients, by address.
#[derive(Default)]
pub struct ClientKeys(Mutex<HashMap<String, Arc<Place>>>);

impl ClientKeys {
    /// The key set at `uri`. It is fetched at most every five minutes, or, when `kid` is not in it, every thirty
    /// seconds; requests that wait for the same address share one call, and nobody waits whose key is known.
    ///
    /// # Errors
    /// How the last call failed, where no set of the last hour is at hand.
    pub async fn of(
        &self,
        outbound: &Outbound,
        uri: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, Arc<NoKeys>> {
        let place = self.place(uri);
        if let Some(set) = place.entry().current(kid, now) {
            return Ok(set);
        }
        let _calling = place.calling.lock().await;
        if let Some(known) = place.entry().known(kid, now) {
            return known;
        }
        // Noted before the call: whoever asks and hangs up has used up the pause as well.
        place.entry().tried = Some((now, None));
        let error = match fetch(outbound, uri).await {
            Ok(set) => {
                place.entry().fetched = Some(Fetched { set: Arc::new(set), at: now });
                None
            }
            Err(error) => {
                tracing::warn!(host = host(uri), reason = error.reason(), %error, "no keys from a client's jwks_uri");
                Some(Arc::new(error))
            }
        };
        let mut entry = place.entry();
        entry.tried = Some((now, error.clone()));
        entry.at_hand(error, now)
    }

    fn place(&self, uri: &str) -> Arc<Place> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(uri) {
            return Arc::clone(entry);
        }
        if entries.len() >= MOST {
            // Any that nobody waits for: what is needed comes back with one call.
            let idle = entries.iter().find(|(_, entry)| Arc::strong_count(entry) == 1).map(|(uri, _)| uri.clone());
            if let Some(uri) = idle {
                entries.remove(&uri);
            }
        }
        Arc::clone(entries.entry(uri.to_owned()).or_default())
    }
}

async fn fetch(outbound: &Outbound, uri: &str) -> Result<JwkSet, NoKeys> {
    Ok(JwkSet::parse(&outbound.get_json(uri).await?.to_string())?)
}

/// The host of an address, for the log.
pub fn host(uri: &str) -> Option<String> {
    url::Url::parse(uri).ok()?.host_str().map(str::to_owned)
}
