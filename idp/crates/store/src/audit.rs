//! Audit rows: inserted by the verbs in the commit of the act, listed newest first.

use idp_core::audit::{Audit, AuditEvent};
use idp_core::id::{AccountId, AuditId, RealmId};
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{mails, vals};

/// Inserts the row of an act, and the mail that tells the account of it.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, audit: &Audit) -> Result<()> {
    insert_as(c, realm, audit, audit.event).await
}

/// Inserts the row of an act that turned out to be another: a redemption that was a reuse.
pub(crate) async fn insert_as(c: &mut Conn, realm: RealmId, audit: &Audit, event: AuditEvent) -> Result<()> {
    const SQL: &str = "INSERT INTO audit \
         (realm_id, audit_id, at_ms, event, actor, account_id, client_id, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let (actor, detail) = (audit.actor.text(), json(&audit.detail, "audit.detail")?);
    let values = vals![
        realm,
        &audit.id,
        audit.at,
        event.text(),
        &actor,
        audit.account_id.as_ref(),
        audit.client_id.as_ref(),
        &audit.request_id,
        &detail,
    ];
    c.exec(SQL, values).await?;
    mails::insert_notice(c, realm, audit, event).await
}

/// Records an act that changes nothing else.
#[derive(Clone, Debug)]
pub struct RecordAudit {
    pub realm: RealmId,
    pub audit: Audit,
}

impl Write for RecordAudit {
    type Out = ();
    async fn run(&self, c: &mut Conn) -> Result<()> {
        insert(c, self.realm, &self.audit).await
    }
}

/// One audit row as it is shown. Event and actor are texts: a newer program may have written ones we do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub id: AuditId,
    pub at: Timestamp,
    /// [`AuditEvent::text`].
    pub event: String,
    /// [`idp_core::audit::Actor::text`].
    pub actor: String,
    pub account_id: Option<AccountId>,
    pub client_id: Option<String>,
    pub request_id: String,
    pub detail: serde_json::Value,
}

impl FromRow for AuditRow {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("audit.audit_id")?,
            at: row.time()?,
            event: row.text()?.to_owned(),
            actor: row.text()?.to_owned(),
            account_id: row.id_or_null("audit.account_id")?,
            client_id: row.text_or_null()?.map(str::to_owned),
            request_id: row.text()?.to_owned(),
            detail: row.json("audit.detail")?,
        })
    }
}

/// Which audit rows to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    pub event: Option<AuditEvent>,
    pub account: Option<AccountId>,
    /// Only rows older than this one: the last of the page before.
    pub before: Option<AuditId>,
}

impl Store {
    /// What an account did and what happened to it, newest first: [`AuditEvent::is_activity`] alone, whose table the
    /// statement repeats; a test of the two holds them together.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_activity(
        &self,
        realm: RealmId,
        account: &AccountId,
        before: Option<&AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditRow>> {
        const SQL: &str = "SELECT audit_id, at_ms, event, actor, account_id, client_id, request_id, detail FROM audit \
             WHERE realm_id = $1 AND account_id = $2 AND ($3 IS NULL OR audit_id < $3) AND (event LIKE 'sign_in%' \
             OR event LIKE 'session.%' OR event LIKE 'consent.%' OR event IN ('device.approved', 'device.denied') \
             OR event LIKE 'passkey.%' OR event LIKE 'pass.%' OR event LIKE 'password.%' OR event LIKE 'totp.%' \
             OR event LIKE 'recovery%' OR event LIKE 'account.%') ORDER BY audit_id DESC LIMIT $4";
        self.list(SQL, vals![realm, account, before, limit]).await
    }

    /// Audit rows, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_audit(&self, realm: RealmId, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditRow>> {
        macro_rules! select {
            ($account:literal) => {
                concat!(
                    "SELECT audit_id, at_ms, event, actor, account_id, client_id, request_id, detail FROM audit \
                     WHERE realm_id = $1 AND ($2 IS NULL OR event = $2) AND ($3 IS NULL OR audit_id < $3) ",
                    $account,
                    " ORDER BY audit_id DESC LIMIT $4"
                )
            };
        }
        let (event, before) = (filter.event.map(AuditEvent::text), filter.before.as_ref());
        match &filter.account {
            None => self.list(select!(""), vals![realm, event, before, limit]).await,
            Some(account) => {
                self.list(select!("AND account_id = $5"), vals![realm, event, before, limit, account]).await
            }
        }
    }
}
