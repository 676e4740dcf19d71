//! What an account holds besides passkeys and password, and whether enough remains when a factor goes.

use idp_core::account::Account;
use idp_core::credential::held::Held;
use idp_core::credential::recovery;
use idp_core::id::{AccountId, RealmId};
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::Passkey;
use idp_core::realm::RealmSettings;
use idp_core::time::Timestamp;

use crate::accounts::select_accounts;
use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::{passkeys, vals};

/// Authenticator app and recovery codes of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherFactors {
    /// When the app was set up.
    pub totp: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes: i64,
}

impl FromRow for OtherFactors {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { totp: row.time_or_null()?, recovery_codes: row.i64()? })
    }
}

const OTHER: &str = "SELECT (SELECT created_ms FROM totp WHERE realm_id = $1 AND account_id = $2), \
     (SELECT COUNT(*) FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND used_ms IS NULL)";

impl Store {
    /// Authenticator app and recovery codes of an account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_other_factors(&self, realm: RealmId, account: &AccountId) -> Result<OtherFactors> {
        Ok(self.one(OTHER, vals![realm, account]).await?.unwrap_or_default())
    }
}

impl OtherFactors {
    /// All the factors of an account whose passkeys these are, at one host.
    pub fn held(&self, account: &Account, passkeys: &[Passkey], at: (&str, &Policy)) -> Held {
        let codes = usize::try_from(self.recovery_codes).unwrap_or(0);
        Held::of(account, passkeys, self.totp.is_some(), codes, at)
    }
}

/// What must still let an account in, or recover it, when one of its factors goes.
#[derive(Clone, Debug)]
pub struct WayIn {
    /// The host at hand: passkeys of others are of no use there.
    pub rp_id: String,
    /// The policy of the account.
    pub policy: Policy,
    pub settings: RealmSettings,
}

impl WayIn {
    /// Whether it does. The caller holds the lock of the account's row.
    pub(crate) async fn remains(&self, c: &mut Conn, realm: RealmId, id: &AccountId) -> Result<bool> {
        const ACCOUNT: &str = select_accounts!("WHERE a.realm_id = $1 AND a.account_id = $2");
        let Some(account) = c.one::<Account>(ACCOUNT, vals![realm, id]).await? else { return Ok(false) };
        let passkeys = passkeys::of(c, realm, id).await?;
        let other: OtherFactors = c.one(OTHER, vals![realm, id]).await?.unwrap_or_default();
        let held = other.held(&account, &passkeys, (&self.rp_id, &self.policy));
        Ok(held.let_in(&self.policy) || recovery::is_ready(&self.settings, &held))
    }
}
