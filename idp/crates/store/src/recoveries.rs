//! Recoveries: codes that were mailed, proofs that were tried, and recoveries that wait for their hour.
//!
//! A name that does not exist runs the same statements, with an account that is not there.

use idp_core::audit::Audit;
use idp_core::credential::recovery_code::MAILED_TRIES;
use idp_core::id::{AccountId, RealmId};
use idp_core::mail::Mail;
use idp_core::pass::Pass;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::recovery_codes::Kept;
use crate::sql::{Conn, FromRow, Row, for_share};
use crate::store::Store;
use crate::throttles::RecordFailure;
use crate::write::Write;
use crate::{audit, mails, passes, recovery_codes, vals};

/// A recovery that was proved and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub account: AccountId,
    /// Hash of what the browser holds that proved it.
    pub hash: Hash,
    /// Hash of what the mail to the owner holds.
    pub cancel_hash: Hash,
    pub created: Timestamp,
    /// When it opens.
    pub ready: Timestamp,
    pub expires: Timestamp,
}

impl FromRow for Recovery {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            account: row.id("recoveries.account_id")?,
            hash: row.id("recoveries.hash")?,
            cancel_hash: row.id("recoveries.cancel_hash")?,
            created: row.time()?,
            ready: row.time()?,
            expires: row.time()?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account_id, hash, cancel_hash, created_ms, ready_ms, expires_ms FROM recoveries \
             WHERE realm_id = $1 AND expires_ms > $2 AND ",
            $rest
        )
    };
}

impl Store {
    /// The recovery of an account that waits or is ready.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_recovery(&self, realm: RealmId, account: &AccountId, now: Timestamp) -> Result<Option<Recovery>> {
        self.one(select!("account_id = $3"), vals![realm, now, account]).await
    }

    /// The recovery that a mailed link cancels.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_recovery_to_cancel(
        &self,
        realm: RealmId,
        cancel_hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<Recovery>> {
        self.one(select!("cancel_hash = $3"), vals![realm, now, cancel_hash]).await
    }
}

/// Somebody asks for a code by mail: it is counted, its hash kept in place of the one this browser had before, the mail
/// queued.
#[derive(Clone, Debug)]
pub struct MailRecoveryCode {
    pub realm: RealmId,
    /// Whom it is mailed; where there is nobody, an account that does not exist: then nothing is kept.
    pub account: AccountId,
    /// Keyed hash of the code.
    pub hash: Hash,
    /// The browser that asks.
    pub browser: Hash,
    pub expires: Timestamp,
    /// What the asking heats; with the audit row of the act.
    pub count: RecordFailure,
    /// The code on its way.
    pub mail: Mail,
}

impl Write for MailRecoveryCode {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "INSERT INTO mailed_codes (realm_id, account_id, hash, browser, tries, expires_ms) \
             SELECT realm_id, account_id, $3, $4, 0, $5 FROM accounts \
             WHERE realm_id = $1 AND account_id = $2 AND state = 'active' \
             ON CONFLICT (realm_id, account_id, browser) DO UPDATE SET hash = $3, tries = 0, expires_ms = $5";
        self.count.run(c).await?;
        let values = vals![self.realm, &self.account, &self.hash, &self.browser, self.expires];
        let kept = c.exec(SQL, values).await? == 1;
        mails::insert_for(c, self.realm, &self.mail).await?;
        Ok(kept)
    }
}

/// A proof that somebody brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Keyed hash of a mailed code.
    pub mailed: Option<Hash>,
    /// Hash of a kept code.
    pub kept: Option<Hash>,
}

/// Counts a try at the mailed code before it is compared, so that no flood gets more of them than there are; says which
/// of the two codes are right. Uses up neither.
#[derive(Clone, Debug)]
pub struct TryRecovery {
    pub realm: RealmId,
    /// Of an unknown name one that does not exist.
    pub account: AccountId,
    pub brought: Brought,
    /// The browser that brings it.
    pub browser: Hash,
    pub now: Timestamp,
}

/// Which codes were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    pub mailed: bool,
    /// The kept code; `None`: it was wrong.
    pub kept: Option<Kept>,
}

/// The hash of a mailed code.
struct MailedHash(Hash);

impl FromRow for MailedHash {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.id("mailed_codes.hash").map(Self)
    }
}

impl Write for TryRecovery {
    type Out = Tried;

    async fn run(&self, c: &mut Conn) -> Result<Tried> {
        const SQL: &str = "UPDATE mailed_codes SET tries = tries + 1 \
             WHERE realm_id = $1 AND account_id = $2 AND browser = $3 AND expires_ms > $4 AND tries < $5 RETURNING hash";
        let mut tried = Tried::default();
        if let Some(brought) = &self.brought.mailed {
            let values = vals![self.realm, &self.account, &self.browser, self.now, MAILED_TRIES];
            let kept: Option<MailedHash> = c.one(SQL, values).await?;
            tried.mailed = kept.is_some_and(|kept| idp_core::secret::same(&kept.0, brought));
        }
        if let Some(hash) = &self.brought.kept {
            tried.kept = recovery_codes::find_good(c, self.realm, &self.account, (hash, self.now)).await?;
        }
        Ok(tried)
    }
}

/// What becomes of an account whose recovery was proved.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An enrolment opens, by this pass.
    Open(Pass),
    /// It waits, in place of one that waited before; its owner is told how to stop it.
    Wait(Recovery, Mail),
}

/// Uses up the codes of a proof and opens the enrolment, or lets it wait.
#[derive(Clone, Debug)]
pub struct ProveRecovery {
    pub realm: RealmId,
    pub account: AccountId,
    /// The codes that were right.
    pub proof: Brought,
    pub outcome: Outcome,
    /// To the realm's owners, where they want to know.
    pub tell: Vec<Mail>,
    pub now: Timestamp,
    pub audit: Audit,
}

/// What became of a recovery; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    Done,
    /// A code was used meanwhile, the recovery was cancelled, or its hour has not come.
    Over,
    /// The account is gone or switched off.
    AccountGone,
}

/// Shared: the account must not be switched off meanwhile.
async fn is_active(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<bool> {
    let sql = for_share!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2 AND state = 'active'");
    c.lock(sql, vals![realm, account]).await
}

impl Write for ProveRecovery {
    type Out = Recovered;

    async fn run(&self, c: &mut Conn) -> Result<Recovered> {
        const MAILED: &str = "DELETE FROM mailed_codes WHERE realm_id = $1 AND account_id = $2 AND hash = $3";
        const WAIT: &str = "INSERT INTO recoveries \
             (realm_id, account_id, hash, cancel_hash, created_ms, ready_ms, expires_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (realm_id, account_id) DO UPDATE SET \
             hash = $3, cancel_hash = $4, created_ms = $5, ready_ms = $6, expires_ms = $7";
        if !is_active(c, self.realm, &self.account).await? {
            return Ok(Recovered::AccountGone);
        }
        if let Some(hash) = &self.proof.mailed
            && c.exec(MAILED, vals![self.realm, &self.account, hash]).await? == 0
        {
            return Ok(Recovered::Over);
        }
        if let Some(hash) = &self.proof.kept
            && !recovery_codes::use_up(c, self.realm, &self.account, hash, self.now).await?
        {
            return Ok(Recovered::Over);
        }
        match &self.outcome {
            Outcome::Open(pass) => passes::insert(c, self.realm, pass).await?,
            Outcome::Wait(wait, mail) => {
                mails::insert_for(c, self.realm, mail).await?;
                let values = vals![
                    self.realm,
                    &self.account,
                    &wait.hash,
                    &wait.cancel_hash,
                    wait.created,
                    wait.ready,
                    wait.expires,
                ];
                c.exec(WAIT, values).await? == 1
            }
        };
        for mail in &self.tell {
            mails::insert_for(c, self.realm, mail).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(Recovered::Done)
    }

    fn keeps(out: &Recovered) -> bool {
        matches!(out, Recovered::Done)
    }
}

/// Opens the enrolment of a recovery whose hour has come.
#[derive(Clone, Debug)]
pub struct OpenRecovery {
    pub realm: RealmId,
    pub account: AccountId,
    /// Hash of what the browser holds.
    pub hash: Hash,
    pub pass: Pass,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for OpenRecovery {
    type Out = Recovered;

    async fn run(&self, c: &mut Conn) -> Result<Recovered> {
        const SQL: &str = "DELETE FROM recoveries WHERE realm_id = $1 AND account_id = $2 AND hash = $3 \
             AND ready_ms <= $4 AND expires_ms > $4";
        if !is_active(c, self.realm, &self.account).await? {
            return Ok(Recovered::AccountGone);
        }
        if c.exec(SQL, vals![self.realm, &self.account, &self.hash, self.now]).await? == 0 {
            return Ok(Recovered::Over);
        }
        passes::insert(c, self.realm, &self.pass).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(Recovered::Done)
    }

    fn keeps(out: &Recovered) -> bool {
        matches!(out, Recovered::Done)
    }
}

/// Ends the recovery of an account that waits, and the enrolment that one opened in the last minutes; how many.
pub(crate) async fn end(c: &mut Conn, realm: RealmId, account: &AccountId, now: Timestamp) -> Result<u64> {
    const WAITING: &str = "DELETE FROM recoveries WHERE realm_id = $1 AND account_id = $2";
    const OPENED: &str = "UPDATE passes SET expires_ms = $3 WHERE realm_id = $1 AND account_id = $2 \
         AND browser IS NOT NULL AND used_ms IS NULL AND expires_ms > $3";
    let waiting = c.exec(WAITING, vals![realm, account]).await?;
    Ok(waiting + c.exec(OPENED, vals![realm, account, now]).await?)
}

/// Cancels the recovery of an account, and the enrolment that one opened in the last minutes. `false`: there is none.
#[derive(Clone, Debug)]
pub struct CancelRecovery {
    pub realm: RealmId,
    pub account: AccountId,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for CancelRecovery {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        let ended = end(c, self.realm, &self.account, self.now).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(ended > 0)
    }

    fn keeps(cancelled: &bool) -> bool {
        *cancelled
    }
}
