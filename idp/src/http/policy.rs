//! The passkey policy that counts for somebody: a group's or the realm's, met by the demands of a client.

use std::borrow::Cow;
use std::sync::Arc;

use idp_core::account::Account;
use idp_core::client::Client;
use idp_core::id::AccountId;
use idp_core::passkey::policy::{Holds, Policy, has_passkey};
use idp_core::passkey::record::Passkey;

use super::exchange::Exchange;
use super::problem::Problem;

/// The policy of an account.
///
/// # Errors
/// Only when the store fails.
pub async fn of(x: &Exchange, account: &AccountId) -> Result<Arc<Policy>, Problem> {
    Ok(x.app.policy_of(&x.realm, account).await?)
}

/// What to ask of a browser before anybody is known.
pub fn of_strangers(x: &Exchange) -> Arc<Policy> {
    match idp_core::passkey::policy::of_strangers(&x.realm.policy, &x.realm.group_policies) {
        Cow::Borrowed(_) => Arc::clone(&x.realm.policy),
        Cow::Owned(policy) => Arc::new(policy),
    }
}

/// Every policy that somebody may turn out to have.
pub fn all(x: &Exchange) -> impl Iterator<Item = &Policy> {
    std::iter::once(&*x.realm.policy).chain(x.realm.group_policies.iter().map(|of| &*of.policy))
}

/// A policy with the demands of a client.
pub fn met(policy: Arc<Policy>, client: Option<&Client>) -> Arc<Policy> {
    match client.map(|client| &client.settings.policy).filter(|demands| !demands.is_empty()) {
        Some(demands) => Arc::new(demands.meet(&policy)),
        None => policy,
    }
}

/// What an account has to sign in with at the hosts of the realm.
pub fn holds(x: &Exchange, policy: &Policy, account: &Account, passkeys: &[Passkey]) -> Holds {
    Holds {
        passkey: has_passkey(passkeys, &x.realm.relying_parties, (account, policy)),
        password: account.password_hash.is_some(),
        totp: account.totp.is_some(),
        asks_passkey: account.preferences.ask_passkey,
        grace: policy.enrolment.in_grace(&account.preferences, x.now),
    }
}
