//! Accounts: who can sign in. Passwords are in [`crate::passwords`].

use idp_core::account::{Account, AccountState, Preferences, Profile, Role, name_key, username_with};
use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::passkey::reach::Holder;
use idp_core::secret::Secret;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Locking, Row, for_update};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, passkey_names, sessions, vals};

/// The columns of an account, as [`Account`] reads them.
macro_rules! account_columns {
    () => {
        "a.account_id, a.username, a.profile, a.user_handle, a.role, a.state, a.password_hash, a.password_version, \
         a.preferences, \
         (SELECT t.created_ms FROM totp t WHERE t.realm_id = a.realm_id AND t.account_id = a.account_id), \
         (SELECT r.ready_ms FROM recoveries r WHERE r.realm_id = a.realm_id AND r.account_id = a.account_id), \
         a.created_ms, a.updated_ms"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", $crate::accounts::account_columns!(), " FROM accounts a ", $rest)
    };
}

pub(crate) use {account_columns, select as select_accounts};

impl FromRow for Account {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("accounts.account_id")?,
            username: row.text()?.to_owned(),
            profile: row.json("accounts.profile")?,
            user_handle: row.blob()?.to_vec(),
            role: row.word("accounts.role")?,
            state: row.word("accounts.state")?,
            password_hash: row.text_or_null()?.map(|hash| Secret::new(hash.to_owned())),
            password_version: row.i64()?,
            preferences: row.json("accounts.preferences")?,
            totp: row.time_or_null()?,
            recovery: row.time_or_null()?,
            created: row.time()?,
            updated: row.time()?,
        })
    }
}

impl Store {
    /// An account, whatever its state.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_account(&self, realm: RealmId, id: &AccountId) -> Result<Option<Account>> {
        self.one(select!("WHERE a.realm_id = $1 AND a.account_id = $2"), vals![realm, id]).await
    }

    /// The account of a user name, in any case and spelling that [`name_key`] makes one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_account_by_username(&self, realm: RealmId, username: &str) -> Result<Option<Account>> {
        let key = name_key(username);
        self.one(select!("WHERE a.realm_id = $1 AND a.username_key = $2"), vals![realm, &key]).await
    }

    /// The account of an e-mail address, compared by [`name_key`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_account_by_email(&self, realm: RealmId, email: &str) -> Result<Option<Account>> {
        let key = name_key(email);
        self.one(select!("WHERE a.realm_id = $1 AND a.email_key = $2"), vals![realm, &key]).await
    }

    /// A page of accounts by user name, from after `after` (a user name) on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_accounts(&self, realm: RealmId, after: &str, limit: i64) -> Result<Vec<Account>> {
        const SQL: &str = select!("WHERE a.realm_id = $1 AND a.username_key > $2 ORDER BY a.username_key LIMIT $3");
        let key = name_key(after);
        self.list(SQL, vals![realm, &key, limit]).await
    }

    /// The active owners of a realm.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_owners(&self, realm: RealmId) -> Result<Vec<Account>> {
        const SQL: &str =
            select!("WHERE a.realm_id = $1 AND a.role = 'owner' AND a.state = 'active' ORDER BY a.username_key");
        self.list(SQL, vals![realm]).await
    }

    /// A page of accounts by id, from after `after` on, each with its groups and passkeys: what policies are judged by.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_holders(&self, realm: RealmId, after: Option<&AccountId>, limit: i64) -> Result<Vec<Holder>> {
        const SQL: &str = select!("WHERE a.realm_id = $1 AND a.account_id > $2 ORDER BY a.account_id LIMIT $3");
        let after = after.copied().unwrap_or(AccountId::from_bytes([0; 16]));
        let accounts: Vec<Account> = self.list(SQL, vals![realm, &after, limit]).await?;
        let Some(last) = accounts.last().map(|account| account.id) else { return Ok(Vec::new()) };
        let mut passkeys = self.list_passkeys_between(realm, (&after, &last)).await?.into_iter().peekable();
        let mut groups = self.list_memberships_between(realm, (&after, &last)).await?.into_iter().peekable();
        // All three are in the order of ids; what belongs to nobody of the page came between the statements.
        let holder = |account: Account| {
            let mine = |id: &AccountId| *id == account.id;
            while passkeys.next_if(|passkey| passkey.account_id < account.id).is_some() {}
            while groups.next_if(|(id, _)| *id < account.id).is_some() {}
            Holder {
                passkeys: std::iter::from_fn(|| passkeys.next_if(|passkey| mine(&passkey.account_id))).collect(),
                groups: std::iter::from_fn(|| groups.next_if(|(id, _)| mine(id))).map(|(_, name)| name).collect(),
                account,
                mails: self.queues_mail(),
            }
        };
        Ok(accounts.into_iter().map(holder).collect())
    }

    /// How many active owners a realm has: none means that it must be set up.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_owners(&self, realm: RealmId) -> Result<i64> {
        Ok(self.one(COUNT_OWNERS, vals![realm]).await?.unwrap_or(0))
    }
}

const COUNT_OWNERS: &str = "SELECT COUNT(*) FROM accounts WHERE realm_id = $1 AND role = 'owner' AND state = 'active'";

/// Whether the realm has an active owner.
pub(crate) async fn has_owner(c: &mut Conn, realm: RealmId) -> Result<bool> {
    Ok(c.one::<i64>(COUNT_OWNERS, vals![realm]).await?.is_some_and(|owners| owners > 0))
}

/// Which unique name of an account somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameTaken {
    Username,
    Email,
    /// What authenticators would call it.
    PasskeyName,
}

/// Inserts an account, or says what is taken.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, account: &Account) -> Result<Option<NameTaken>> {
    const INSERT: &str = "INSERT INTO accounts \
         (realm_id, account_id, username, username_key, email_key, profile, user_handle, role, state, password_hash, \
          password_version, preferences, created_ms, updated_ms, passkey_name) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";
    let name = passkey_names::key(c, realm, &account.username, &account.profile).await?;
    let key = name_key(&account.username);
    let email = account.profile.email.as_deref().map(name_key);
    let profile = json(&account.profile, "accounts.profile")?;
    let preferences = json(&account.preferences, "accounts.preferences")?;
    let values = vals![
        realm,
        &account.id,
        &account.username,
        &key,
        email.as_deref(),
        &profile,
        &account.user_handle,
        account.role.word(),
        account.state.word(),
        account.password_hash.as_ref().map(|hash| hash.expose().as_str()),
        account.password_version,
        &preferences,
        account.created,
        account.updated,
        &name,
    ];
    if c.exec(INSERT, values).await? == 1 {
        return Ok(None);
    }
    let taken = passkey_names::taken(c, realm, &account.id, (&key, email.as_deref(), &name)).await?;
    // Whoever had it may have gone since.
    Ok(Some(taken.unwrap_or(NameTaken::Username)))
}

/// Makes an account. `Some`: it was not made.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    pub realm: RealmId,
    pub account: Account,
    pub audit: Audit,
}

impl Write for CreateAccount {
    type Out = Option<NameTaken>;

    async fn run(&self, c: &mut Conn) -> Result<Option<NameTaken>> {
        if let Some(taken) = insert(c, self.realm, &self.account).await? {
            return Ok(Some(taken));
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(None)
    }

    fn keeps(taken: &Option<NameTaken>) -> bool {
        taken.is_none()
    }
}

/// What became of a change to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    Done,
    /// Somebody changed it since it was seen.
    Changed,
    EmailTaken,
    /// The address is the user name, too: it is not given up, nor changed to one that cannot be a user name.
    NamedByAddress,
    /// Another account has what authenticators would call it.
    PasskeyNameTaken,
    /// It is the last active owner, without whom nobody could manage the realm.
    LastOwner,
    Gone,
}

impl AccountChange {
    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Changes the profile of an account. A user name that was its address goes along with it.
#[derive(Clone, Debug)]
pub struct UpdateAccount {
    pub realm: RealmId,
    pub id: AccountId,
    pub profile: Profile,
    /// `updated` of the account that was seen.
    pub seen: Timestamp,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for UpdateAccount {
    type Out = AccountChange;

    async fn run(&self, c: &mut Conn) -> Result<AccountChange> {
        const SQL: &str = "UPDATE accounts SET profile = $3, email_key = $4, updated_ms = $5, passkey_name = $7, \
             username = $8, username_key = $9 WHERE realm_id = $1 AND account_id = $2 AND updated_ms = $6";
        struct Names(String, Option<String>);
        impl FromRow for Names {
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(Self(row.text()?.to_owned(), row.text_or_null()?.map(str::to_owned)))
            }
        }
        const NAMES: &str = "SELECT username, email_key FROM accounts WHERE realm_id = $1 AND account_id = $2";
        let Some(Names(username, before)) = c.one(NAMES, vals![self.realm, &self.id]).await? else {
            return Ok(AccountChange::Gone);
        };
        let Ok(username) = username_with(username, before.as_deref(), self.profile.email.as_deref()) else {
            return Ok(AccountChange::NamedByAddress);
        };
        let email = self.profile.email.as_deref().map(name_key);
        let (key, name) = (name_key(&username), passkey_names::key(c, self.realm, &username, &self.profile).await?);
        match passkey_names::taken(c, self.realm, &self.id, (&key, email.as_deref(), &name)).await? {
            // A name that stays is nobody else's.
            Some(NameTaken::Username | NameTaken::Email) => return Ok(AccountChange::EmailTaken),
            Some(NameTaken::PasskeyName) => return Ok(AccountChange::PasskeyNameTaken),
            None => {}
        }
        let profile = json(&self.profile, "accounts.profile")?;
        // Never the same as before: two changes within a millisecond must not both succeed.
        let now = self.now.max(Timestamp::from_ms(self.seen.ms().saturating_add(1)));
        let values = vals![self.realm, &self.id, &profile, email.as_deref(), now, self.seen, &name, &username, &key];
        // First, so that a mail goes to the address there was.
        audit::insert(c, self.realm, &self.audit).await?;
        // Who takes a name between the look above and this makes PostgreSQL refuse it: it is run again and finds them.
        match c.exec(SQL, values).await? {
            0 => Ok(AccountChange::Changed),
            _ => Ok(AccountChange::Done),
        }
    }

    fn keeps(out: &AccountChange) -> bool {
        out.is_done()
    }
}

/// Whether another active owner remains when this account is none any more. Owners are locked, so that two who
/// demote each other at once do not both succeed.
async fn is_last_owner(c: &mut Conn, realm: RealmId, id: &AccountId) -> Result<bool> {
    struct Owner(AccountId);
    impl FromRow for Owner {
        fn from_row(row: &mut Row<'_>) -> Result<Self> {
            row.id("accounts.account_id").map(Owner)
        }
    }
    let sql = for_update!(
        "SELECT account_id FROM accounts WHERE realm_id = $1 AND role = 'owner' AND state = 'active' \
         ORDER BY account_id"
    );
    let owners: Vec<Owner> = c.lock_all(sql, vals![realm]).await?;
    Ok(owners.iter().any(|owner| owner.0 == *id) && owners.len() == 1)
}

/// One of an account's [`Preferences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// [`Preferences::ask_passkey`].
    AskPasskey(bool),
    /// [`Preferences::passkey_first_asked`], unless it was before.
    PasskeyAsked(Timestamp),
    /// A passkey was offered and put off at this moment, the first time perhaps.
    PasskeyPutOff(Timestamp),
    /// [`Preferences::passkey_upgraded`].
    PasskeyUpgraded(Timestamp),
}

/// Keeps one thing that a person chose for themselves or was asked, and leaves the others as they stand. `false`: no
/// such account.
#[derive(Clone, Debug)]
pub struct SetPreference {
    pub realm: RealmId,
    pub account: AccountId,
    pub preference: Preference,
    /// Of a choice; being asked leaves no trace there.
    pub audit: Option<Audit>,
}

impl Write for SetPreference {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        if !set_preference(c, self.realm, &self.account, self.preference).await? {
            return Ok(false);
        }
        if let Some(audit) = &self.audit {
            audit::insert(c, self.realm, audit).await?;
        }
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}

/// Changes one thing and leaves the others as they stand. `false`: no such account.
pub(crate) async fn set_preference(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    preference: Preference,
) -> Result<bool> {
    struct Stored(Preferences);
    impl FromRow for Stored {
        fn from_row(row: &mut Row<'_>) -> Result<Self> {
            row.json("accounts.preferences").map(Self)
        }
    }
    // Read under a lock: of two tabs neither undoes what the other one set.
    const READ: Locking = for_update!("SELECT preferences FROM accounts WHERE realm_id = $1 AND account_id = $2");
    const SQL: &str = "UPDATE accounts SET preferences = $3 WHERE realm_id = $1 AND account_id = $2";
    let Some(Stored(mut preferences)) = c.lock_all(READ, vals![realm, account]).await?.pop() else {
        return Ok(false);
    };
    match preference {
        Preference::AskPasskey(on) => preferences.ask_passkey = on,
        Preference::PasskeyAsked(now) => drop(preferences.passkey_first_asked.get_or_insert(now)),
        Preference::PasskeyPutOff(now) => {
            preferences.passkey_first_asked.get_or_insert(now);
            preferences.passkey_put_off = Some(now);
        }
        Preference::PasskeyUpgraded(made) => preferences.passkey_upgraded = Some(made),
    }
    let preferences = json(&preferences, "accounts.preferences")?;
    Ok(c.exec(SQL, vals![realm, account, &preferences]).await? == 1)
}

/// Sets the role of an account.
#[derive(Clone, Debug)]
pub struct SetRole {
    pub realm: RealmId,
    pub id: AccountId,
    pub role: Role,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for SetRole {
    type Out = AccountChange;

    async fn run(&self, c: &mut Conn) -> Result<AccountChange> {
        const SQL: &str = "UPDATE accounts SET role = $3, updated_ms = $4 WHERE realm_id = $1 AND account_id = $2";
        if self.role != Role::Owner && is_last_owner(c, self.realm, &self.id).await? {
            return Ok(AccountChange::LastOwner);
        }
        if c.exec(SQL, vals![self.realm, &self.id, self.role.word(), self.now]).await? == 0 {
            return Ok(AccountChange::Gone);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(AccountChange::Done)
    }

    fn keeps(out: &AccountChange) -> bool {
        out.is_done()
    }
}

/// Lets an account sign in or not. Leaving `Active` ends its sessions and revokes what was granted in them.
#[derive(Clone, Debug)]
pub struct SetAccountState {
    pub realm: RealmId,
    pub id: AccountId,
    pub state: AccountState,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for SetAccountState {
    type Out = AccountChange;

    async fn run(&self, c: &mut Conn) -> Result<AccountChange> {
        const SQL: &str = "UPDATE accounts SET state = $3, updated_ms = $4 WHERE realm_id = $1 AND account_id = $2";
        let active = self.state == AccountState::Active;
        if !active && is_last_owner(c, self.realm, &self.id).await? {
            return Ok(AccountChange::LastOwner);
        }
        if c.exec(SQL, vals![self.realm, &self.id, self.state.word(), self.now]).await? == 0 {
            return Ok(AccountChange::Gone);
        }
        if !active {
            sessions::end_all(c, self.realm, &self.id, None, self.now).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(AccountChange::Done)
    }

    fn keeps(out: &AccountChange) -> bool {
        out.is_done()
    }
}

/// Deletes an account with its passkeys, passes, groups and consents; ends its sessions, revokes its grants.
#[derive(Clone, Debug)]
pub struct DeleteAccount {
    pub realm: RealmId,
    pub id: AccountId,
    pub audit: Audit,
}

impl Write for DeleteAccount {
    type Out = AccountChange;

    async fn run(&self, c: &mut Conn) -> Result<AccountChange> {
        // First the account, whose row is the lock that registrations and sign-ins share.
        const DELETE: [&str; 9] = [
            "DELETE FROM accounts WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM passkeys WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM passes WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM group_members WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM consents WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM totp WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM recovery_codes WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM mailed_codes WHERE realm_id = $1 AND account_id = $2",
            "DELETE FROM recoveries WHERE realm_id = $1 AND account_id = $2",
        ];
        if is_last_owner(c, self.realm, &self.id).await? {
            return Ok(AccountChange::LastOwner);
        }
        // First, so that a mail finds the address.
        audit::insert(c, self.realm, &self.audit).await?;
        for (at, sql) in DELETE.into_iter().enumerate() {
            if c.exec(sql, vals![self.realm, &self.id]).await? == 0 && at == 0 {
                return Ok(AccountChange::Gone);
            }
        }
        sessions::end_all(c, self.realm, &self.id, None, self.audit.at).await?;
        Ok(AccountChange::Done)
    }

    fn keeps(out: &AccountChange) -> bool {
        out.is_done()
    }
}
