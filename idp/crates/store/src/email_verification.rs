//! Proof that somebody reads mail at their address: a mailed code, presented once. OIDC Core §5.1 (`email_verified`).

use idp_core::account::name_key;
use idp_core::id::AccountId;
use idp_core::mail::Most;

use crate::accounts::{AccountChange, UpdateAccount};
use crate::error::Result;
use crate::mails::{self, QueueMail};
use crate::sql::Conn;
use crate::throttles::RecordFailure;
use crate::used_once::{self, Once};
use crate::vals;
use crate::write::Write;

/// Mails a code, counted: whoever may type any address could else have it flooded. `false`: the account or the address
/// had as many as a day allows; nothing was written.
#[derive(Clone, Debug)]
pub struct MailCode {
    pub account: AccountId,
    pub mail: QueueMail,
    pub throttle: RecordFailure,
}

impl Write for MailCode {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        let QueueMail { realm, mail, .. } = &self.mail;
        if !mails::take_place(c, *realm, (&self.account, &mail.address), Most::Codes, mail.created).await? {
            return Ok(false);
        }
        self.throttle.run(c).await?;
        self.mail.run(c).await?;
        Ok(true)
    }

    fn keeps(mailed: &bool) -> bool {
        *mailed
    }
}

/// Keeps a profile whose address was proved. [`AccountChange::Changed`]: the code was used before, or the address is
/// another one by now.
#[derive(Clone, Debug)]
pub struct VerifyEmail {
    /// The profile with the mark.
    pub account: UpdateAccount,
    /// The code.
    pub once: Once,
}

impl Write for VerifyEmail {
    type Out = AccountChange;

    async fn run(&self, c: &mut Conn) -> Result<AccountChange> {
        const SAME: &str = "SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2 AND email_key = $3";
        let UpdateAccount { realm, id, profile, .. } = &self.account;
        let email = profile.email.as_deref().map(name_key);
        let same = c.one::<i64>(SAME, vals![*realm, id, email.as_deref()]).await?.is_some();
        if !same || !used_once::insert(c, *realm, &self.once).await? {
            return Ok(AccountChange::Changed);
        }
        self.account.run(c).await
    }

    fn keeps(out: &AccountChange) -> bool {
        matches!(out, AccountChange::Done)
    }
}
