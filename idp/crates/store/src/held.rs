//! Whether enough remains when a factor of an account goes.

use idp_core::account::Account;
use idp_core::credential::held::Held;
use idp_core::credential::recovery::{Recovery, is_ready};
use idp_core::id::{AccountId, RealmId};
use idp_core::passkey::policy::{EnrolmentRequires, Policy, usable_in};

use crate::accounts::select_accounts;
use crate::error::Result;
use crate::sql::Conn;
use crate::store::Store;
use crate::{passkeys, realms, vals};

/// Recovery codes of an account's newest set that were not used.
const CODES: &str = "SELECT COUNT(*) FROM recovery_codes WHERE realm_id = $1 AND account_id = $2 AND used_ms IS NULL \
     AND created_ms = (SELECT MAX(created_ms) FROM recovery_codes WHERE realm_id = $1 AND account_id = $2)";

impl Store {
    /// How many recovery codes an account has left.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_recovery_codes(&self, realm: RealmId, account: &AccountId) -> Result<i64> {
        Ok(self.one(CODES, vals![realm, account]).await?.unwrap_or(0))
    }
}

/// What must still let an account in, or recover it, when one of its factors goes.
#[derive(Clone, Debug)]
pub struct WayIn {
    /// The policy of the account.
    pub policy: Policy,
    /// What recovers accounts of the realm.
    pub recovery: Recovery,
}

impl WayIn {
    /// Whether what is held lets in or recovers, and the recovery leads to something that lets in.
    pub fn is_left(&self, held: &Held) -> bool {
        held.let_in(&self.policy) || (is_ready(self.recovery, held) && self.recovery_leads_in())
    }

    /// Whether somebody who has nothing else can make a passkey by a recovery, or come in by a new password.
    fn recovery_leads_in(&self) -> bool {
        let policy = &self.policy;
        let password = Held { password: true, ..Held::default() };
        let passkey = policy.enabled && policy.allow_registration;
        (passkey && policy.enrolment_requires != EnrolmentRequires::AccessPass) || password.let_in(policy)
    }

    /// Whether enough remains. The caller holds the lock of the account's row.
    pub(crate) async fn remains(&self, c: &mut Conn, realm: RealmId, id: &AccountId) -> Result<bool> {
        const ACCOUNT: &str = select_accounts!("WHERE a.realm_id = $1 AND a.account_id = $2");
        let Some(account) = c.one::<Account>(ACCOUNT, vals![realm, id]).await? else { return Ok(false) };
        let passkeys = passkeys::of(c, realm, id).await?;
        let parties = realms::relying_parties(c, realm).await?.unwrap_or_default();
        let codes = c.one::<i64>(CODES, vals![realm, id]).await?.unwrap_or(0);
        let held = Held::of(&account, &passkeys, (usable_in(&passkeys, &parties, &self.policy), &self.policy), codes);
        Ok(self.is_left(&held))
    }
}
