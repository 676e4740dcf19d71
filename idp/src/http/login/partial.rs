//! Factors that were right while the final one is missing: sealed in the login cookie, never stored.

use idp_core::account::Account;
use idp_core::id::{AccountId, FlowId};
use idp_core::seal::Purpose;
use idp_core::secret::Hash;
use idp_core::session::AuthEvent;
use idp_core::time::Timestamp;
use idp_store::sign_in::PasskeyUse;
use idp_store::totp::TotpUse;
use idp_store::used_once::Once;
use serde::{Deserialize, Serialize};

use super::proved::Proved;
use crate::http::cookies::CookieKind;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// How long a first factor waits for the second, in seconds.
const LIFETIME_S: i64 = 300;

/// A sign-in that lacks its final factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Partial {
    pub account: AccountId,
    /// The request it belongs to; another request starts anew.
    pub flow: Option<FlowId>,
    /// A password changed meanwhile makes the event worthless.
    password_version: i64,
    expires: Timestamp,
    /// The events as JSON: the sealed form has no room for tagged variants.
    events: String,
    /// The code of an authenticator app among them: step and sealed secret.
    totp: Option<(i64, Vec<u8>)>,
    /// A passkey among them, to be marked as used when the sign-in completes.
    passkey: Option<Used>,
}

/// What [`PasskeyUse`] and [`Once`] hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Used {
    credential_id: Vec<u8>,
    counter: u32,
    backup_state: bool,
    user_verified: bool,
    client: Option<String>,
    place: Option<String>,
    challenge: Hash,
    challenge_expires: Timestamp,
}

impl Partial {
    /// The partial sign-in of this browser for this request, if it is still good.
    pub fn read(x: &Exchange, flow: Option<FlowId>) -> Option<Self> {
        let sealed = x.cookie(CookieKind::Login)?;
        let partial: Self = x.open(Purpose::Login, sealed)?;
        (partial.flow == flow && x.now < partial.expires).then_some(partial)
    }

    /// Its events, if they are this account's and its password is still the one that was right.
    pub fn events_of(&self, account: &Account) -> Vec<AuthEvent> {
        let same = self.account == account.id && self.password_version == account.password_version;
        if same { serde_json::from_str(&self.events).unwrap_or_default() } else { Vec::new() }
    }

    /// The use of the passkey that came first.
    pub fn passkey_use(&self) -> Option<PasskeyUse> {
        let used = self.passkey.clone()?;
        Some(PasskeyUse {
            credential_id: used.credential_id,
            counter: used.counter,
            backup_state: used.backup_state,
            user_verified: used.user_verified,
            client: used.client,
            place: used.place,
        })
    }

    /// The code of an authenticator app that came before.
    pub fn totp(&self) -> Option<TotpUse> {
        self.totp.clone().map(|(step, sealed)| TotpUse { step, sealed })
    }

    /// The challenge that it answered.
    pub fn challenge(&self) -> Option<Once> {
        self.passkey.as_ref().map(|used| Once { hash: used.challenge, expires: used.challenge_expires })
    }

    /// Gives it more time, `seconds` from now: what it waits for comes by mail.
    ///
    /// # Errors
    /// Only when it cannot be sealed.
    pub fn prolong(x: &mut Exchange, flow: Option<FlowId>, seconds: i64) -> Result<(), Problem> {
        let Some(partial) = Self::read(x, flow) else { return Ok(()) };
        let expires = partial.expires.max(x.now.plus_s(seconds));
        let sealed = x.seal(Purpose::Login, &Self { expires, ..partial })?;
        x.set_cookie(CookieKind::Login, &sealed);
        Ok(())
    }

    /// Keeps events until the final factor comes.
    ///
    /// # Errors
    /// Only when they cannot be sealed.
    pub fn keep(x: &mut Exchange, proved: &Proved, flow: Option<FlowId>, events: &[AuthEvent]) -> Result<(), Problem> {
        let account = &proved.account;
        let used = proved.passkey.as_ref().zip(proved.challenge.as_ref());
        let passkey = used.map(|(passkey, challenge)| Used {
            credential_id: passkey.credential_id.clone(),
            counter: passkey.counter,
            backup_state: passkey.backup_state,
            user_verified: passkey.user_verified,
            client: passkey.client.clone(),
            place: passkey.place.clone(),
            challenge: challenge.hash,
            challenge_expires: challenge.expires,
        });
        let partial = Self {
            account: account.id,
            flow,
            password_version: account.password_version,
            expires: x.now.plus_s(LIFETIME_S),
            events: serde_json::to_string(events).map_err(Problem::internal)?,
            totp: proved.totp.as_ref().map(|totp| (totp.step, totp.sealed.clone())),
            passkey,
        };
        let sealed = x.seal(Purpose::Login, &partial)?;
        x.set_cookie(CookieKind::Login, &sealed);
        Ok(())
    }
}
