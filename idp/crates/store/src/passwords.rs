//! Passwords of accounts: set, removed, set by a pass. What rested on the old one ends.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId, Sid};
use idp_core::secret::{Hash, Secret};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::Conn;
use crate::write::Write;
use crate::{audit, passes, passkeys, sessions, vals};

/// What became of setting a password; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordSet {
    Done,
    /// The password was changed since its version was seen, or the account is gone.
    Changed,
    /// The pass was used or ended meanwhile.
    PassGone,
    /// Nothing but this password lets the account in.
    LastWayIn,
}

impl PasswordSet {
    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Sets or removes a password; ends the account's other sessions and revokes what was granted in them.
#[derive(Clone, Debug)]
pub struct SetPassword {
    pub realm: RealmId,
    pub account: AccountId,
    /// Argon2id in PHC form; `None` removes the password.
    pub hash: Option<Secret<String>>,
    /// `password_version` of the account that was seen.
    pub seen_version: i64,
    /// The session of whoever does it, to stay.
    pub keep: Option<Sid>,
    /// Refuse to remove it unless a passkey is left.
    pub keep_one: bool,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for SetPassword {
    type Out = PasswordSet;

    async fn run(&self, c: &mut Conn) -> Result<PasswordSet> {
        const SQL: &str = "UPDATE accounts SET password_hash = $3, password_version = password_version + 1, \
             updated_ms = $4 WHERE realm_id = $1 AND account_id = $2 AND password_version = $5";
        let hash = self.hash.as_ref().map(|hash| hash.expose().as_str());
        let values = vals![self.realm, &self.account, hash, self.now, self.seen_version];
        // This update locks the account's row, so the passkeys counted next stay.
        if c.exec(SQL, values).await? == 0 {
            return Ok(PasswordSet::Changed);
        }
        if hash.is_none() && self.keep_one && !passkeys::has_active(c, self.realm, &self.account).await? {
            return Ok(PasswordSet::LastWayIn);
        }
        sessions::end_all(c, self.realm, &self.account, self.keep.as_ref(), self.now).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasswordSet::Done)
    }

    fn keeps(out: &PasswordSet) -> bool {
        out.is_done()
    }
}

/// Uses up a pass to set a password; ends all sessions of the account.
#[derive(Clone, Debug)]
pub struct UsePassForPassword {
    pub realm: RealmId,
    pub account: AccountId,
    /// Hash of the pass.
    pub pass: Hash,
    /// Argon2id in PHC form.
    pub hash: Secret<String>,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for UsePassForPassword {
    type Out = PasswordSet;

    async fn run(&self, c: &mut Conn) -> Result<PasswordSet> {
        const SQL: &str = "UPDATE accounts SET password_hash = $3, password_version = password_version + 1, \
             updated_ms = $4 WHERE realm_id = $1 AND account_id = $2 AND state = 'active'";
        if !passes::use_up(c, self.realm, &self.pass, Some(&self.account), self.now).await? {
            return Ok(PasswordSet::PassGone);
        }
        if c.exec(SQL, vals![self.realm, &self.account, self.hash.expose(), self.now]).await? == 0 {
            return Ok(PasswordSet::Changed);
        }
        sessions::end_all(c, self.realm, &self.account, None, self.now).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasswordSet::Done)
    }

    fn keeps(out: &PasswordSet) -> bool {
        out.is_done()
    }
}
