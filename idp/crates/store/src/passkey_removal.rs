//! Passkeys that go: removed by their owner, set aside by a rule. What they opened ends.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::mail::Mail;

use crate::error::Result;
use crate::held::WayIn;
use crate::sql::Conn;
use crate::write::Write;
use crate::{audit, mails, passkeys, sessions, vals};

/// What became of removing or suspending a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRemoved {
    /// Done, and so many sessions it had opened were ended.
    Done { sessions: u64 },
    /// Nothing that is left would let the account in or recover it.
    LastWayIn,
    /// The account has no such passkey, or it was suspended before.
    Gone,
}

/// Removes a passkey, ends the sessions it opened and revokes what was granted in them.
#[derive(Clone, Debug)]
pub struct RemovePasskey {
    pub realm: RealmId,
    pub account: AccountId,
    pub credential_id: Vec<u8>,
    /// What must remain; `None`: an operator knows why.
    pub way_in: Option<WayIn>,
    pub audit: Audit,
}

impl Write for RemovePasskey {
    type Out = PasskeyRemoved;

    async fn run(&self, c: &mut Conn) -> Result<PasskeyRemoved> {
        const DELETE: &str = "DELETE FROM passkeys WHERE realm_id = $1 AND account_id = $2 AND credential_id = $3";
        // Two who remove the last two passkeys at once queue here.
        if !passkeys::lock_account(c, self.realm, &self.account).await?
            || c.exec(DELETE, vals![self.realm, &self.account, &self.credential_id]).await? == 0
        {
            return Ok(PasskeyRemoved::Gone);
        }
        if let Some(way_in) = &self.way_in
            && !way_in.remains(c, self.realm, &self.account).await?
        {
            return Ok(PasskeyRemoved::LastWayIn);
        }
        let sessions =
            sessions::end_opened_by(c, self.realm, &self.account, &self.credential_id, self.audit.at).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasskeyRemoved::Done { sessions })
    }

    fn keeps(out: &PasskeyRemoved) -> bool {
        matches!(out, PasskeyRemoved::Done { .. })
    }
}

/// Sets a passkey aside, for instance after its counter went back; ends the sessions it opened.
#[derive(Clone, Debug)]
pub struct SuspendPasskey {
    pub realm: RealmId,
    pub account: AccountId,
    pub credential_id: Vec<u8>,
    /// Why, for machines: `counter`, `mds:REVOKED`.
    pub reason: String,
    /// To others than its owner, whom the audit row tells.
    pub tell: Vec<Mail>,
    pub audit: Audit,
}

impl Write for SuspendPasskey {
    type Out = PasskeyRemoved;

    async fn run(&self, c: &mut Conn) -> Result<PasskeyRemoved> {
        const SQL: &str = "UPDATE passkeys SET state = 'suspended', suspended_reason = $4 \
             WHERE realm_id = $1 AND account_id = $2 AND credential_id = $3 AND state = 'active'";
        if !passkeys::lock_account(c, self.realm, &self.account).await?
            || c.exec(SQL, vals![self.realm, &self.account, &self.credential_id, &self.reason]).await? == 0
        {
            return Ok(PasskeyRemoved::Gone);
        }
        let sessions =
            sessions::end_opened_by(c, self.realm, &self.account, &self.credential_id, self.audit.at).await?;
        for mail in &self.tell {
            mails::insert_for(c, self.realm, mail).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasskeyRemoved::Done { sessions })
    }

    fn keeps(out: &PasskeyRemoved) -> bool {
        matches!(out, PasskeyRemoved::Done { .. })
    }
}
