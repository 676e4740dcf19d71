//! Authorization codes: redeemed once, burnt, found reused.
//!
//! The grant row is keyed by the random id inside the code's seal, so a second redemption meets the first
//! (RFC 6749 §4.1.2, RFC 9700 §4.5).

use idp_core::audit::{Audit, AuditEvent};
use idp_core::grant::Grant;
use idp_core::id::{GrantId, RealmId};

use crate::error::Result;
use crate::grants::{self, Guard};
use crate::refresh_tokens::{self, NewRefreshToken};
use crate::sql::Conn;
use crate::write::Write;
use crate::{audit, sessions, vals};

/// Redeems a code: inserts its grant, and its first refresh token where it gets one.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    pub realm: RealmId,
    /// As it shall be; its state is live and `created` is now.
    pub grant: Grant,
    pub refresh: Option<NewRefreshToken>,
    pub guard: Guard,
    /// [`AuditEvent::CodeRedeemed`]; becomes [`AuditEvent::CodeReused`] if it turns out to be that.
    pub audit: Audit,
}

/// What became of [`RedeemCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    Redeemed,
    /// The code came before: what it bought has been revoked, for ever.
    Reused,
    /// Account, session or client do not permit it any more; nothing was written.
    Gone,
}

impl Write for RedeemCode {
    type Out = Redeemed;

    async fn run(&self, c: &mut Conn) -> Result<Redeemed> {
        let (realm, g) = (self.realm, &self.grant);
        let live = sessions::touch(c, realm, g.sid.as_ref(), g.created, g.created).await?;
        if live && grants::insert(c, realm, g, self.guard).await? {
            if let Some(refresh) = &self.refresh {
                refresh_tokens::insert(c, realm, &g.id, refresh).await?;
            }
            audit::insert(c, realm, &self.audit).await?;
            return Ok(Redeemed::Redeemed);
        }
        let reused = revoke_reused(c, realm, &g.id, &self.audit).await?;
        Ok(if reused { Redeemed::Reused } else { Redeemed::Gone })
    }

    fn keeps(out: &Redeemed) -> bool {
        !matches!(out, Redeemed::Gone)
    }
}

/// Revokes a live grant whose code came again, and notes it once; whether there is such a grant at all.
async fn revoke_reused(c: &mut Conn, realm: RealmId, id: &GrantId, audit: &Audit) -> Result<bool> {
    const REVOKE: &str = "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND grant_id = $2 AND state = 'live'";
    const THERE: &str = "SELECT realm_id FROM grants WHERE realm_id = $1 AND grant_id = $2";
    if c.exec(REVOKE, vals![realm, id]).await? == 1 {
        audit::insert_as(c, realm, audit, AuditEvent::CodeReused).await?;
        return Ok(true);
    }
    Ok(c.one::<i64>(THERE, vals![realm, id]).await?.is_some())
}

/// Burns a code that came with a wrong client, redirect URI or verifier, so that it can never be redeemed; if it
/// was, what it bought is revoked.
#[derive(Clone, Debug)]
pub struct BurnCode {
    pub realm: RealmId,
    /// What the code would have granted; `expires` must not be before the code's own end.
    pub grant: Grant,
    /// [`AuditEvent::CodeBurnt`]; becomes [`AuditEvent::CodeReused`] if it turns out to be that.
    pub audit: Audit,
}

/// What became of [`BurnCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeBurnt {
    Burnt,
    /// It had been redeemed or burnt before; a grant has been revoked.
    Reused,
}

impl Write for BurnCode {
    type Out = CodeBurnt;

    async fn run(&self, c: &mut Conn) -> Result<CodeBurnt> {
        let (realm, g) = (self.realm, &self.grant);
        if grants::insert(c, realm, g, Guard::Nothing).await? {
            audit::insert(c, realm, &self.audit).await?;
            return Ok(CodeBurnt::Burnt);
        }
        revoke_reused(c, realm, &g.id, &self.audit).await?;
        Ok(CodeBurnt::Reused)
    }
}
