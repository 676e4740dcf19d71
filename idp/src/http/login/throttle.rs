//! Throttling of guesses at passwords and user codes, and of registrations: which buckets a guess heats, and whether it is looked at.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use idp_core::account::{Account, name_key};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::throttle::{BucketKind, Heat, WINDOW_S, bucket, wait_s};
use idp_core::id::AccountId;
use idp_core::seal::Purpose;
pub use idp_store::throttles::RecordFailure;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::cookies::CookieKind;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// Guesses being checked right now, by bucket: parallel ones count before their outcome is known.
/// Bounded by the requests in work.
#[derive(Default)]
pub struct InFlight(Mutex<HashMap<i64, i64>>);

/// A guess under way; counts until it is dropped.
pub struct Guess {
    /// The address's, then the account's or this browser's own.
    buckets: Vec<i64>,
    all: Arc<InFlight>,
}

impl Guess {
    /// What a right password clears. Not the address: an account of one's own must not buy another spray of names.
    pub fn of_name(&self) -> Vec<i64> {
        self.buckets.iter().skip(1).copied().collect()
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        let mut counts = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        for bucket in &self.buckets {
            if let Some(count) = counts.get_mut(bucket) {
                *count -= 1;
                if *count <= 0 {
                    counts.remove(bucket);
                }
            }
        }
    }
}

/// What the `known` cookie holds: this browser signed in to this account before.
#[derive(Serialize, Deserialize)]
struct Known {
    account: AccountId,
    browser: [u8; 16],
}

/// Begins a guess at the password of `username`.
///
/// # Errors
/// 429 with the seconds to wait, the same for names that exist and names that do not.
pub async fn begin(x: &Exchange, username: &str, account: Option<AccountId>) -> Result<Guess, Problem> {
    look(x, buckets(x, username, account).to_vec()).await
}

/// Begins a guess at the user code of a device, by whoever is signed in with this browser.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_code(x: &Exchange, account: Option<AccountId>) -> Result<Guess, Problem> {
    let mac = |label: &str, bytes: &[u8]| x.app.sealer().mac(x.realm.id, label, &[bytes]);
    let mut buckets = vec![(BucketKind::CodeAddress, mac("throttle.code.address", &network(x.address)))];
    buckets.extend(account.map(|id| (BucketKind::CodeAccount, mac("throttle.code.account", id.as_bytes()))));
    look(x, buckets.into_iter().map(|(kind, hash)| (kind, bucket(kind, hash))).collect()).await
}

/// Begins a guess at the code of an account's authenticator app. A browser that signed in before has guesses of its
/// own, and none of them stops a passkey.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_totp(x: &Exchange, account: AccountId) -> Result<Guess, Problem> {
    let browser = known(x).filter(|k| k.account == account).map(|k| k.browser).unwrap_or_default();
    let of = x.app.sealer().mac(x.realm.id, "throttle.totp", &[account.as_bytes(), &browser]);
    look(x, vec![at_address(x, BucketKind::TotpAddress), (BucketKind::Totp, bucket(BucketKind::Totp, of))]).await
}

/// Begins to ask for a recovery, or a guess at its codes.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_recovery(x: &Exchange, asks: bool) -> Result<Guess, Problem> {
    let kind = if asks { BucketKind::AskAddress } else { BucketKind::RecoveryAddress };
    look(x, vec![at_address(x, kind)]).await
}

/// Begins to mail a code to `username`.
///
/// # Errors
/// 429 with the seconds to wait, the same for names that exist and names that do not.
pub async fn begin_recovery_mail(x: &Exchange, username: &str) -> Result<Guess, Problem> {
    let of = x.app.sealer().mac(x.realm.id, "throttle.recovery", &[name_key(username).as_bytes()]);
    look(x, vec![at_address(x, BucketKind::AskAddress), (BucketKind::Ask, bucket(BucketKind::Ask, of))]).await
}

/// A kind's bucket of this address.
fn at_address(x: &Exchange, kind: BucketKind) -> (BucketKind, i64) {
    let here = x.app.sealer().mac(x.realm.id, "throttle.place", &[&[kind as u8], &network(x.address)]);
    (kind, bucket(kind, here))
}

/// Where guesses at the password of an account are counted, strangers' and this browser's: its owner came in by
/// another way, so they are forgotten.
pub fn of_names(x: &Exchange, account: &Account) -> Vec<i64> {
    let names = [Some(account.username.as_str()), account.profile.email.as_deref()].into_iter().flatten();
    let mac = |parts: &[&[u8]]| x.app.sealer().mac(x.realm.id, "throttle.account", parts);
    let of_names = names.map(|name| bucket(BucketKind::Account, mac(&[name_key(name).as_bytes()])));
    let [_, (_, own)] = buckets(x, &account.username, Some(account.id));
    let mut all: Vec<i64> = of_names.chain([own]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Begins a registration or change of a client, by whoever is at this address.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_registration(x: &Exchange) -> Result<Guess, Problem> {
    let kind = BucketKind::Registration;
    let hash = x.app.sealer().mac(x.realm.id, "throttle.registration", &[&network(x.address)]);
    look(x, vec![(kind, bucket(kind, hash))]).await
}

/// Begins to mail a code to the address of an account.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_mail_code(x: &Exchange, account: AccountId) -> Result<Guess, Problem> {
    let hash = x.app.sealer().mac(x.realm.id, "throttle.mail_code", &[account.as_bytes()]);
    look(x, vec![(BucketKind::MailCode, bucket(BucketKind::MailCode, hash))]).await
}

/// Begins a guess at such a code.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_code_guess(x: &Exchange, account: AccountId) -> Result<Guess, Problem> {
    let hash = x.app.sealer().mac(x.realm.id, "throttle.code_guess", &[account.as_bytes()]);
    look(x, vec![(BucketKind::CodeGuess, bucket(BucketKind::CodeGuess, hash))]).await
}

/// Begins to make an account, by whoever is at this address.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn begin_sign_up(x: &Exchange) -> Result<Guess, Problem> {
    let kind = BucketKind::SignUp;
    let hash = x.app.sealer().mac(x.realm.id, "throttle.sign_up", &[&network(x.address)]);
    look(x, vec![(kind, bucket(kind, hash))]).await
}

/// Looks at the buckets of a guess, and counts it as under way.
async fn look(x: &Exchange, buckets: Vec<(BucketKind, i64)>) -> Result<Guess, Problem> {
    let numbers: Vec<i64> = buckets.iter().map(|(_, number)| *number).collect();
    let stored = x.app.store.find_throttles(x.realm.id, &numbers).await?;
    let all = Arc::clone(&x.app.guesses);
    let mut counts = all.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (kind, number) in &buckets {
        let under_way = counts.get(number).copied().unwrap_or(0);
        let before = stored.iter().find(|t| t.bucket == *number);
        let heat = Heat {
            failures: before.map_or(0, |t| t.failures) + under_way,
            updated: before.filter(|_| under_way == 0).map_or(x.now, |t| t.updated),
        };
        if let Some(seconds) = wait_s(*kind, Some(heat), x.now) {
            return Err(Problem::Wait { status: 429, code: "throttled", seconds });
        }
    }
    for number in &numbers {
        *counts.entry(*number).or_insert(0) += 1;
    }
    drop(counts);
    Ok(Guess { buckets: numbers, all })
}

/// The write that counts a guess by a method as wrong.
pub fn failure(x: &Exchange, guess: &Guess, account: Option<AccountId>, method: &str) -> RecordFailure {
    let actor = account.map_or(Actor::Anonymous, Actor::Account);
    let audit = x.audit(AuditEvent::SignInFailed, actor, json!({ "method": method }));
    RecordFailure { audit: Some(audit), ..counted(x, guess) }
}

/// The write that counts it, without an audit row.
pub fn counted(x: &Exchange, guess: &Guess) -> RecordFailure {
    RecordFailure { realm: x.realm.id, buckets: guess.buckets.clone(), window_s: WINDOW_S, now: x.now, audit: None }
}

/// Remembers on this browser that the account signed in here.
///
/// # Errors
/// Only when it cannot be sealed.
pub fn remember(x: &mut Exchange, account: AccountId) -> Result<(), Problem> {
    if known(x).is_some_and(|k| k.account == account) {
        return Ok(());
    }
    let known = Known { account, browser: x.app.random() };
    let sealed = x.seal(Purpose::Known, &known)?;
    x.set_cookie(CookieKind::Known, &sealed);
    Ok(())
}

fn known(x: &Exchange) -> Option<Known> {
    x.cookie(CookieKind::Known).and_then(|sealed| x.open(Purpose::Known, sealed))
}

/// The buckets of a guess: the address first, then the account or this browser's own.
fn buckets(x: &Exchange, username: &str, account: Option<AccountId>) -> [(BucketKind, i64); 2] {
    let mac = |label: &str, parts: &[&[u8]]| x.app.sealer().mac(x.realm.id, label, parts);
    let address = (BucketKind::Address, mac("throttle.address", &[&network(x.address)]));
    let of_name = match known(x).filter(|k| Some(k.account) == account) {
        Some(k) => (BucketKind::KnownBrowser, mac("throttle.browser", &[k.account.as_bytes(), &k.browser])),
        // By what was typed: one bucket for name and address would tell which address belongs to whom.
        None => (BucketKind::Account, mac("throttle.account", &[name_key(username).as_bytes()])),
    };
    [address, of_name].map(|(kind, hash)| (kind, bucket(kind, hash)))
}

/// What counts as one place: a household or host has a /64, and each of its addresses must not get guesses of its own.
pub fn network(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().iter().take(8).copied().collect(),
    }
}
