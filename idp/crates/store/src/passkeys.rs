//! Passkeys: registered, renamed, set aside, removed. They are used in [`crate::sign_in`].

use idp_core::account::Account;
use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::passkey::record::Passkey;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::accounts::{self, NameTaken, Preference, account_columns};
use crate::error::{Error, Result};
use crate::passes;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Locking, Row, for_update};
use crate::store::Store;
use crate::used_once::{self, Once};
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, recovery_codes, sessions, totp, vals};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT credential_id, account_id, rp_id, public_key, alg, counter, counter_ms, uv_initialized, \
             discoverable, backup_eligible, backup_state, transports, attachment, aaguid, attestation_format, \
             attestation, attestation_root, attestation_key_id, attestation_hardware, model, name, state, \
             suspended_reason, created_ms, last_used_ms, last_used_client, last_used_place FROM passkeys WHERE realm_id = $1 AND ",
            $rest
        )
    };
}

pub(crate) use select;

impl FromRow for Passkey {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            credential_id: row.blob()?.to_vec(),
            account_id: row.id("passkeys.account_id")?,
            rp_id: row.text()?.to_owned(),
            public_key: row.blob()?.to_vec(),
            alg: row.i64()?,
            counter: u32::try_from(row.i64()?).map_err(|_| Error::Corrupt("passkeys.counter"))?,
            counter_at: row.time()?,
            uv_initialized: row.bool()?,
            discoverable: row.i64_or_null()?.map(|v| v != 0),
            backup_eligible: row.bool()?,
            backup_state: row.bool()?,
            transports: row.json("passkeys.transports")?,
            attachment: row.text_or_null()?.map(str::to_owned),
            aaguid: row.id("passkeys.aaguid")?,
            attestation_format: row.text()?.to_owned(),
            attestation: row.word("passkeys.attestation")?,
            attestation_root: row.hash_or_null("passkeys.attestation_root")?,
            attestation_key_id: row.id_or_null("passkeys.attestation_key_id")?,
            attestation_hardware: row.bool()?,
            model: row.json("passkeys.model")?,
            name: row.text()?.to_owned(),
            state: row.word("passkeys.state")?,
            suspended_reason: row.text_or_null()?.map(str::to_owned),
            created: row.time()?,
            last_used: row.time_or_null()?,
            last_used_client: row.text_or_null()?.map(str::to_owned),
            last_used_place: row.text_or_null()?.map(str::to_owned),
        })
    }
}

impl FromRow for (Passkey, Account) {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok((Passkey::from_row(row)?, Account::from_row(row)?))
    }
}

impl Store {
    /// A passkey by its credential id with the account it belongs to, whatever the state of either.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_passkey_with_account(
        &self,
        realm: RealmId,
        credential_id: &[u8],
    ) -> Result<Option<(Passkey, Account)>> {
        const SQL: &str = concat!(
            "SELECT p.*, ",
            account_columns!(),
            " FROM (",
            select!("credential_id = $2"),
            ") p JOIN accounts a ON a.realm_id = $1 AND a.account_id = p.account_id"
        );
        self.one(SQL, vals![realm, credential_id]).await
    }

    /// The passkeys of an account, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_passkeys(&self, realm: RealmId, account: &AccountId) -> Result<Vec<Passkey>> {
        self.few(select!("account_id = $2 ORDER BY created_ms, credential_id"), vals![realm, account]).await
    }

    /// The passkeys of accounts after one id up to another, by account and age.
    pub(crate) async fn list_passkeys_between(
        &self,
        realm: RealmId,
        (after, last): (&AccountId, &AccountId),
    ) -> Result<Vec<Passkey>> {
        const SQL: &str =
            select!("account_id > $2 AND account_id <= $3 ORDER BY account_id, created_ms, credential_id");
        self.list(SQL, vals![realm, after, last]).await
    }
}

const COUNT_HERE: &str = "SELECT COUNT(*) FROM passkeys \
     WHERE realm_id = $1 AND account_id = $2 AND state = 'active' AND rp_id = $3";

/// Writes that count passkeys queue at the account's row.
const LOCK_ACTIVE: Locking =
    for_update!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2 AND state = 'active'");
const LOCK_ANY: Locking = for_update!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2");

/// Locks the account's row, which decides about ways in; `false`: there is no such account.
pub(crate) async fn lock_account(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<bool> {
    c.lock(LOCK_ANY, vals![realm, account]).await
}

/// The passkeys of an account, inside a write.
pub(crate) async fn of(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<Vec<Passkey>> {
    c.all(select!("account_id = $2"), vals![realm, account]).await
}

/// Inserts a passkey; `false`: its credential id is taken (WebAuthn L3 §7.1 step 26).
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, passkey: &Passkey) -> Result<bool> {
    const SQL: &str = "INSERT INTO passkeys (realm_id, credential_id, account_id, rp_id, public_key, alg, counter, \
         counter_ms, uv_initialized, discoverable, backup_eligible, backup_state, transports, attachment, aaguid, \
         attestation_format, attestation, attestation_root, attestation_key_id, attestation_hardware, model, name, \
         state, suspended_reason, created_ms, last_used_ms, last_used_client, last_used_place) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25, $26, $27, $28) \
         ON CONFLICT DO NOTHING";
    let transports = json(&passkey.transports, "passkeys.transports")?;
    let model = json(&passkey.model, "passkeys.model")?;
    let values = vals![
        realm,
        &passkey.credential_id,
        &passkey.account_id,
        &passkey.rp_id,
        &passkey.public_key,
        passkey.alg,
        i64::from(passkey.counter),
        passkey.counter_at,
        passkey.uv_initialized,
        passkey.discoverable,
        passkey.backup_eligible,
        passkey.backup_state,
        &transports,
        passkey.attachment.as_deref(),
        &passkey.aaguid,
        &passkey.attestation_format,
        passkey.attestation.word(),
        passkey.attestation_root.as_ref(),
        passkey.attestation_key_id.as_ref(),
        passkey.attestation_hardware,
        &model,
        &passkey.name,
        passkey.state.word(),
        passkey.suspended_reason.as_deref(),
        passkey.created,
        passkey.last_used,
        passkey.last_used_client.as_deref(),
        passkey.last_used_place.as_deref(),
    ];
    Ok(c.exec(SQL, values).await? == 1)
}

/// What became of [`RegisterPasskey`]; only `Registered` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRegistered {
    Registered,
    ChallengeUsed,
    /// The pass that allowed it was used or ended meanwhile.
    PassGone,
    /// Some account has this credential.
    CredentialExists,
    TooMany,
    /// The account was deleted or switched off meanwhile.
    AccountGone,
}

/// Adds a passkey to an account. One that a recovery leads to ends all sessions and takes the place of
/// the authenticator app and of codes made on a password alone: whoever was in may be the reason.
#[derive(Clone, Debug)]
pub struct RegisterPasskey {
    pub realm: RealmId,
    pub passkey: Passkey,
    pub challenge: Once,
    /// Hash of the pass that allows it, to be used up; `None` when a session does.
    pub pass: Option<Hash>,
    /// Passkeys an account may have under one RP ID; suspended ones do not count.
    pub max_passkeys: i64,
    /// It was made without a dialogue: its owner may not know of it yet.
    pub automatic: bool,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for RegisterPasskey {
    type Out = PasskeyRegistered;

    async fn run(&self, c: &mut Conn) -> Result<PasskeyRegistered> {
        let account = &self.passkey.account_id;
        if !used_once::insert(c, self.realm, &self.challenge).await? {
            return Ok(PasskeyRegistered::ChallengeUsed);
        }
        if let Some(hash) = &self.pass
            && !passes::use_up(c, self.realm, hash, Some(account), self.now).await?
        {
            return Ok(PasskeyRegistered::PassGone);
        }
        if !c.lock(LOCK_ACTIVE, vals![self.realm, account]).await? {
            return Ok(PasskeyRegistered::AccountGone);
        }
        let here = c.one::<i64>(COUNT_HERE, vals![self.realm, account, self.passkey.rp_id.as_str()]).await?;
        // Of two browsers that make one without a dialogue at once, one does.
        let most = if self.automatic { self.max_passkeys.min(1) } else { self.max_passkeys };
        if here.unwrap_or(0) >= most {
            return Ok(PasskeyRegistered::TooMany);
        }
        if !insert(c, self.realm, &self.passkey).await? {
            return Ok(PasskeyRegistered::CredentialExists);
        }
        if let Some(hash) = &self.pass
            && passes::is_recovery(c, self.realm, hash).await?
        {
            sessions::end_all(c, self.realm, account, None, self.now).await?;
            totp::remove(c, self.realm, account).await?;
            recovery_codes::remove_of_password(c, self.realm, account).await?;
        }
        if self.automatic {
            accounts::set_preference(c, self.realm, account, Preference::PasskeyUpgraded(self.passkey.created)).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(PasskeyRegistered::Registered)
    }

    fn keeps(out: &PasskeyRegistered) -> bool {
        matches!(out, PasskeyRegistered::Registered)
    }
}

/// What became of [`SetUpOwner`]; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerSetUp {
    Done,
    ChallengeUsed,
    PassGone,
    CredentialExists,
    NameTaken(NameTaken),
}

/// Makes an owner with a passkey, by a set-up link.
#[derive(Clone, Debug)]
pub struct SetUpOwner {
    pub realm: RealmId,
    pub account: Account,
    pub passkey: Passkey,
    pub challenge: Once,
    /// Hash of the set-up link's secret.
    pub pass: Hash,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for SetUpOwner {
    type Out = OwnerSetUp;

    async fn run(&self, c: &mut Conn) -> Result<OwnerSetUp> {
        if !used_once::insert(c, self.realm, &self.challenge).await? {
            return Ok(OwnerSetUp::ChallengeUsed);
        }
        if !passes::use_up(c, self.realm, &self.pass, None, self.now).await?
            || accounts::has_owner(c, self.realm).await?
        {
            return Ok(OwnerSetUp::PassGone);
        }
        if let Some(taken) = accounts::insert(c, self.realm, &self.account).await? {
            return Ok(OwnerSetUp::NameTaken(taken));
        }
        if !insert(c, self.realm, &self.passkey).await? {
            return Ok(OwnerSetUp::CredentialExists);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(OwnerSetUp::Done)
    }

    fn keeps(out: &OwnerSetUp) -> bool {
        matches!(out, OwnerSetUp::Done)
    }
}

/// Renames a passkey of an account. `false`: it has no such passkey.
#[derive(Clone, Debug)]
pub struct RenamePasskey {
    pub realm: RealmId,
    pub account: AccountId,
    pub credential_id: Vec<u8>,
    pub name: String,
    pub audit: Audit,
}

impl Write for RenamePasskey {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str =
            "UPDATE passkeys SET name = $4 WHERE realm_id = $1 AND account_id = $2 AND credential_id = $3";
        if c.exec(SQL, vals![self.realm, &self.account, &self.credential_id, &self.name]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}
