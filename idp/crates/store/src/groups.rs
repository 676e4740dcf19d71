//! Groups of accounts.

use idp_core::account::Account;
use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId};
use idp_core::time::Timestamp;

use crate::accounts::select_accounts;
use crate::error::Result;
use crate::sql::{Conn, FromRow, Locking, Row, for_share};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Short and stable: the value in the `groups` claim.
    pub name: String,
    pub display_name: String,
    pub created: Timestamp,
}

impl FromRow for Group {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { name: row.text()?.to_owned(), display_name: row.text()?.to_owned(), created: row.time()? })
    }
}

impl Store {
    /// All groups of a realm, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_groups(&self, realm: RealmId) -> Result<Vec<Group>> {
        const SQL: &str = "SELECT name, display_name, created_ms FROM groups WHERE realm_id = $1 ORDER BY name";
        self.list(SQL, vals![realm]).await
    }

    /// The groups of an account, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_groups_of(&self, realm: RealmId, account: &AccountId) -> Result<Vec<Group>> {
        const SQL: &str = "SELECT g.name, g.display_name, g.created_ms FROM group_members m \
             JOIN groups g ON g.realm_id = m.realm_id AND g.name = m.group_name \
             WHERE m.realm_id = $1 AND m.account_id = $2 ORDER BY g.name";
        self.few(SQL, vals![realm, account]).await
    }

    /// The members of a group, by user name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_group_members(&self, realm: RealmId, group: &str) -> Result<Vec<Account>> {
        const SQL: &str = select_accounts!(
            "JOIN group_members m ON m.realm_id = a.realm_id AND m.account_id = a.account_id \
             WHERE m.realm_id = $1 AND m.group_name = $2 ORDER BY a.username_key"
        );
        self.list(SQL, vals![realm, group]).await
    }
}

/// An account and the name of a group it is in.
struct Member(AccountId, String);

impl FromRow for Member {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self(row.id("group_members.account_id")?, row.text()?.to_owned()))
    }
}

impl Store {
    /// Who of the accounts after one id up to another is in which group, by account and name.
    pub(crate) async fn list_memberships_between(
        &self,
        realm: RealmId,
        (after, last): (&AccountId, &AccountId),
    ) -> Result<Vec<(AccountId, String)>> {
        const SQL: &str = "SELECT account_id, group_name FROM group_members \
             WHERE realm_id = $1 AND account_id > $2 AND account_id <= $3 ORDER BY account_id, group_name";
        let members: Vec<Member> = self.list(SQL, vals![realm, after, last]).await?;
        Ok(members.into_iter().map(|Member(account, group)| (account, group)).collect())
    }
}

/// Makes a group. `false`: the name is taken.
#[derive(Clone, Debug)]
pub struct CreateGroup {
    pub realm: RealmId,
    pub group: Group,
    pub audit: Audit,
}

impl Write for CreateGroup {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "INSERT INTO groups (realm_id, name, display_name, created_ms) \
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let group = &self.group;
        if c.exec(SQL, vals![self.realm, &group.name, &group.display_name, group.created]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(created: &bool) -> bool {
        *created
    }
}

/// Deletes a group; its members stay accounts. `false`: no such group.
#[derive(Clone, Debug)]
pub struct DeleteGroup {
    pub realm: RealmId,
    pub name: String,
    pub audit: Audit,
}

impl Write for DeleteGroup {
    type Out = bool;
    // Its policy goes with it.
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const GROUP: &str = "DELETE FROM groups WHERE realm_id = $1 AND name = $2";
        const MEMBERS: &str = "DELETE FROM group_members WHERE realm_id = $1 AND group_name = $2";
        if c.exec(GROUP, vals![self.realm, &self.name]).await? == 0 {
            return Ok(false);
        }
        c.exec(MEMBERS, vals![self.realm, &self.name]).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(deleted: &bool) -> bool {
        *deleted
    }
}

/// What became of a change of membership; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Done,
    /// It was so before.
    Already,
    /// The group or the account is gone.
    Gone,
}

/// Puts an account into a group.
#[derive(Clone, Debug)]
pub struct AddMember {
    pub realm: RealmId,
    pub group: String,
    pub account: AccountId,
    pub audit: Audit,
}

impl Write for AddMember {
    type Out = Membership;

    async fn run(&self, c: &mut Conn) -> Result<Membership> {
        // Locked, so that neither is deleted beside this and a membership of nothing stays.
        const ACCOUNT: Locking = for_share!("SELECT realm_id FROM accounts WHERE realm_id = $1 AND account_id = $2");
        const GROUP: Locking = for_share!("SELECT realm_id FROM groups WHERE realm_id = $1 AND name = $2");
        const INSERT: &str = "INSERT INTO group_members (realm_id, group_name, account_id) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING";
        if !c.lock(ACCOUNT, vals![self.realm, &self.account]).await?
            || !c.lock(GROUP, vals![self.realm, &self.group]).await?
        {
            return Ok(Membership::Gone);
        }
        if c.exec(INSERT, vals![self.realm, &self.group, &self.account]).await? == 0 {
            return Ok(Membership::Already);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(Membership::Done)
    }

    fn keeps(out: &Membership) -> bool {
        matches!(out, Membership::Done)
    }
}

/// Takes an account out of a group.
#[derive(Clone, Debug)]
pub struct RemoveMember {
    pub realm: RealmId,
    pub group: String,
    pub account: AccountId,
    pub audit: Audit,
}

impl Write for RemoveMember {
    type Out = Membership;

    async fn run(&self, c: &mut Conn) -> Result<Membership> {
        const SQL: &str = "DELETE FROM group_members WHERE realm_id = $1 AND group_name = $2 AND account_id = $3";
        if c.exec(SQL, vals![self.realm, &self.group, &self.account]).await? == 0 {
            return Ok(Membership::Already);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(Membership::Done)
    }

    fn keeps(out: &Membership) -> bool {
        matches!(out, Membership::Done)
    }
}
