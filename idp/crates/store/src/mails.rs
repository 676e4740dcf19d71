//! The outbox of mails: queued in the commit of the act they tell of, taken by one process, gone when sent.

use idp_core::account::{AccountState, Profile, name_key};
use idp_core::audit::{Audit, AuditEvent, detail_of};
use idp_core::id::{AccountId, MailId, RealmId};
use idp_core::mail::{MOST_WINDOW_S, Mail, MailKind, MailTemplate, Most, NOTICE_LIFETIME_S, impersonal};
use idp_core::secret::sha256;
use idp_core::time::Timestamp;

use crate::error::{Error, Result};
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::used_once::{self, Once};
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, vals};

/// Where an account has its mails sent.
struct Reader {
    address: String,
    /// Somebody showed to read mail there.
    proved: bool,
    active: bool,
}

impl FromRow for Reader {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let address = row.text()?.to_owned();
        let profile: Profile = row.json("accounts.profile")?;
        Ok(Self { address, proved: profile.email_verified, active: row.text()? == AccountState::Active.word() })
    }
}

async fn find_reader(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<Option<Reader>> {
    const SQL: &str = "SELECT email_key, profile, state FROM accounts \
         WHERE realm_id = $1 AND account_id = $2 AND email_key IS NOT NULL";
    c.one(SQL, vals![realm, account]).await
}

/// Takes a place among the few mails of a day that go to an address nobody proved to read: anybody may type anybody's.
/// First one of the account's, so that it fills no other's address once it had its own. `false`: none is left.
pub(crate) async fn take_place(
    c: &mut Conn,
    realm: RealmId,
    (account, address): (&AccountId, &str),
    most: Most,
    now: Timestamp,
) -> Result<bool> {
    let day = now.plus_s(MOST_WINDOW_S);
    for (whose, who) in [("account", account.as_bytes().as_slice()), ("address", name_key(address).as_bytes())] {
        let mut free = false;
        for place in 0..most.count() {
            let parts = [most.text().as_bytes(), whose.as_bytes(), &[place], who];
            let hash = sha256(&parts.join(&0));
            if used_once::insert_again(c, realm, &Once { hash, expires: day }, now).await? {
                free = true;
                break;
            }
        }
        if !free {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Queues the notice of an act for the account it happened to, where it has an address. Also one that nobody proved
/// to read: it is the only one there is, the notice holds no secret, and an attacker who could silence it by leaving
/// an address unproved would. But few of them, and with nothing in it that somebody chose: the address may be that of
/// somebody else, who never asked for mails.
pub(crate) async fn insert_notice(c: &mut Conn, realm: RealmId, audit: &Audit, event: AuditEvent) -> Result<()> {
    let (Some(template), Some(account), true) = (event.mail(), audit.account_id, c.outbox.on) else { return Ok(()) };
    let Some(reader) = find_reader(c, realm, &account).await? else { return Ok(()) };
    let mail = Mail {
        id: MailId::from_bytes(*audit.id.as_bytes()),
        account_id: Some(account),
        address: String::new(),
        template,
        detail: detail_of(audit),
        secret_sealed: None,
        created: audit.at,
        expires: audit.at.plus_s(NOTICE_LIFETIME_S),
    };
    insert_to(c, realm, &mail, (&account, reader)).await
}

/// Queues a mail for its reader, unless nobody proved the address and it had enough.
async fn insert_to(c: &mut Conn, realm: RealmId, mail: &Mail, (account, reader): (&AccountId, Reader)) -> Result<()> {
    let mut mail = Mail { address: reader.address, ..mail.clone() };
    if !reader.proved {
        if !take_place(c, realm, (account, &mail.address), Most::Notices, mail.created).await? {
            return Ok(());
        }
        mail.detail = impersonal(&mail.detail);
    }
    insert(c, realm, &mail).await
}

/// Queues a mail inside of another write; nothing where mails are not sent.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, mail: &Mail) -> Result<()> {
    const SQL: &str = "INSERT INTO mails (realm_id, mail_id, account_id, address, template, detail, secret_sealed, \
         created_ms, due_ms, expires_ms, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 0) \
         ON CONFLICT DO NOTHING";
    if !c.outbox.on {
        return Ok(());
    }
    let detail = json(&mail.detail, "mails.detail")?;
    let values = vals![
        realm,
        &mail.id,
        mail.account_id.as_ref(),
        &mail.address,
        mail.template.text(),
        &detail,
        mail.secret_sealed.as_deref(),
        mail.created,
        mail.expires,
    ];
    c.outbox.queued |= c.exec(SQL, values).await? > 0;
    Ok(())
}

/// Queues a mail for an account, where there is one that may sign in and has an address. A code costs the same where
/// there is none; it is for a proved address.
pub(crate) async fn insert_for(c: &mut Conn, realm: RealmId, mail: &Mail) -> Result<()> {
    const SQL: &str = "INSERT INTO mails (realm_id, mail_id, account_id, address, template, detail, secret_sealed, \
         created_ms, due_ms, expires_ms, attempts) \
         SELECT a.realm_id, $2, a.account_id, a.email_key, $4, $5, $6, $7, $7, $8, 0 FROM accounts a \
         WHERE a.realm_id = $1 AND a.account_id = $3 AND a.state = 'active' AND a.email_key IS NOT NULL \
         ON CONFLICT DO NOTHING";
    if !c.outbox.on {
        return Ok(());
    }
    // Owners asked for theirs, and nobody else makes one.
    let to_owner = matches!(mail.template, MailTemplate::RecoveryOfUser | MailTemplate::PasskeyClonedOfUser);
    let counted = mail.template.kind() != MailKind::Code && !to_owner;
    if let (Some(account), true) = (&mail.account_id, counted) {
        return match find_reader(c, realm, account).await?.filter(|reader| reader.active) {
            Some(reader) => insert_to(c, realm, mail, (account, reader)).await,
            None => Ok(()),
        };
    }
    let detail = json(&mail.detail, "mails.detail")?;
    let (account, secret) = (mail.account_id.as_ref(), mail.secret_sealed.as_deref());
    let values = vals![realm, &mail.id, account, mail.template.text(), &detail, secret, mail.created, mail.expires];
    c.outbox.queued |= c.exec(SQL, values).await? > 0;
    Ok(())
}

/// Queues a mail that no other write tells of.
#[derive(Clone, Debug)]
pub struct QueueMail {
    pub realm: RealmId,
    pub mail: Mail,
    pub audit: Option<Audit>,
}

impl Write for QueueMail {
    type Out = ();

    async fn run(&self, c: &mut Conn) -> Result<()> {
        insert(c, self.realm, &self.mail).await?;
        match &self.audit {
            Some(audit) => audit::insert(c, self.realm, audit).await,
            None => Ok(()),
        }
    }
}

/// A mail that somebody took to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    pub realm: RealmId,
    pub mail: Mail,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

impl FromRow for TakenMail {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            realm: RealmId(row.i64()?),
            mail: Mail {
                id: row.id("mails.mail_id")?,
                account_id: row.id_or_null("mails.account_id")?,
                address: row.text()?.to_owned(),
                template: MailTemplate::parse(row.text()?).ok_or(Error::Corrupt("mails.template"))?,
                detail: row.json("mails.detail")?,
                secret_sealed: row.blob_or_null()?.map(<[u8]>::to_vec),
                created: row.time()?,
                expires: row.time()?,
            },
            attempts: row.i64()?,
        })
    }
}

impl Store {
    /// Whether mails are queued here; otherwise nobody is told anything.
    pub fn queues_mail(&self) -> bool {
        self.outbox().on
    }

    /// Waits until a mail was queued by this process.
    pub async fn mail_queued(&self) {
        self.outbox().rung().await;
    }

    /// Whether a mail is due.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn has_due_mail(&self, now: Timestamp) -> Result<bool> {
        const SQL: &str = "SELECT realm_id FROM mails WHERE due_ms <= $1 LIMIT 1";
        Ok(!self.look::<i64>(SQL, vals![now]).await?.is_empty())
    }
}

/// Takes mails that are due, those that wait longest first. They are due again at `until`: whoever dies meanwhile
/// loses none, and no other process takes them before.
#[derive(Clone, Copy, Debug)]
pub struct ClaimMails {
    pub now: Timestamp,
    pub until: Timestamp,
    pub most: i64,
}

impl Write for ClaimMails {
    type Out = Vec<TakenMail>;

    async fn run(&self, c: &mut Conn) -> Result<Vec<TakenMail>> {
        // The outer condition on time is asked again of a row that another process was taking.
        const SQL: &str = "UPDATE mails SET due_ms = $2, attempts = attempts + 1 \
             WHERE due_ms <= $1 AND (realm_id, mail_id) IN \
             (SELECT realm_id, mail_id FROM mails WHERE due_ms <= $1 ORDER BY due_ms, mail_id LIMIT $3) \
             RETURNING realm_id, mail_id, account_id, address, template, detail, secret_sealed, created_ms, \
             expires_ms, attempts";
        c.all(SQL, vals![self.now, self.until, self.most]).await
    }

    fn keeps(taken: &Vec<TakenMail>) -> bool {
        !taken.is_empty()
    }
}

/// Ends a mail that was sent or given up, or puts it off. `false`: another process took it since; nothing is written.
#[derive(Clone, Debug)]
pub struct SettleMail {
    pub realm: RealmId,
    pub id: MailId,
    /// Those of the mail that was taken.
    pub attempts: i64,
    /// When to try again; `None`: never.
    pub again: Option<Timestamp>,
    pub audit: Option<Audit>,
}

impl Write for SettleMail {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const DELETE: &str = "DELETE FROM mails WHERE realm_id = $1 AND mail_id = $2 AND attempts = $3";
        const LATER: &str = "UPDATE mails SET due_ms = $4 WHERE realm_id = $1 AND mail_id = $2 AND attempts = $3";
        let settled = match self.again {
            None => c.exec(DELETE, vals![self.realm, &self.id, self.attempts]).await?,
            Some(again) => c.exec(LATER, vals![self.realm, &self.id, self.attempts, again]).await?,
        };
        if settled == 0 {
            return Ok(false);
        }
        if let Some(audit) = &self.audit {
            audit::insert(c, self.realm, audit).await?;
        }
        Ok(true)
    }

    fn keeps(settled: &bool) -> bool {
        *settled
    }
}
