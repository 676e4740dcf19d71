//! Passwords of accounts: set, removed, set by a pass. What rested on the old one ends: sessions, recovery codes that it
//! alone could make, a recovery that waits.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId, Sid};
use idp_core::secret::{Hash, Secret};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::held::WayIn;
use crate::sql::Conn;
use crate::write::Write;
use crate::{audit, passes, recoveries, recovery_codes, sessions, throttles, totp, vals};

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

/// Which sessions of an account outlive a change of its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of them: their owner asked for it.
    All,
    /// The one of whoever changes it.
    One(Sid),
    None,
}

/// Ends what whoever knew the old password could have prepared with it.
async fn end_what_it_bought(c: &mut Conn, realm: RealmId, account: &AccountId, now: Timestamp) -> Result<()> {
    recovery_codes::remove_of_password(c, realm, account).await?;
    recoveries::end(c, realm, account, now).await.map(drop)
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
    /// Which sessions stay, with what was granted in them.
    pub keep: Keep,
    /// What must remain when it is removed; `None`: an operator knows why.
    pub way_in: Option<WayIn>,
    /// Throttle buckets that the change clears.
    pub clear: Vec<i64>,
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
        if let Some(way_in) = &self.way_in
            && hash.is_none()
            && !way_in.remains(c, self.realm, &self.account).await?
        {
            return Ok(PasswordSet::LastWayIn);
        }
        match &self.keep {
            Keep::All => {}
            Keep::One(sid) => _ = sessions::end_all(c, self.realm, &self.account, Some(sid), self.now).await?,
            Keep::None => _ = sessions::end_all(c, self.realm, &self.account, None, self.now).await?,
        }
        end_what_it_bought(c, self.realm, &self.account, self.now).await?;
        throttles::clear(c, self.realm, &self.clear).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasswordSet::Done)
    }

    fn keeps(out: &PasswordSet) -> bool {
        out.is_done()
    }
}

/// Uses up a pass to set a password; ends all sessions of the account. By a recovery it takes the place of the
/// authenticator app, too, whose code would be asked for next.
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
        if passes::is_recovery(c, self.realm, &self.pass).await? {
            totp::remove(c, self.realm, &self.account).await?;
        }
        end_what_it_bought(c, self.realm, &self.account, self.now).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasswordSet::Done)
    }

    fn keeps(out: &PasswordSet) -> bool {
        out.is_done()
    }
}
