//! Passkey policies of groups. Realms bear them wherever they are read.

use std::sync::Arc;

use idp_core::audit::Audit;
use idp_core::id::RealmId;
use idp_core::passkey::policy::{GroupPolicy, Policy};

use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

/// A group's policy with its realm.
struct Of(RealmId, GroupPolicy);

impl FromRow for Of {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let realm = RealmId(row.i64()?);
        let (group, priority) = (row.text()?.to_owned(), row.i64()?);
        Ok(Self(realm, GroupPolicy { group, priority, policy: Arc::new(row.json("groups.policy")?) }))
    }
}

impl Store {
    /// Every group that has a policy, highest priority first.
    pub(crate) async fn list_group_policies(&self) -> Result<Vec<(RealmId, GroupPolicy)>> {
        const SQL: &str = "SELECT realm_id, name, priority, policy FROM groups \
             WHERE policy IS NOT NULL AND priority IS NOT NULL ORDER BY realm_id, priority DESC";
        let all: Vec<Of> = self.list(SQL, &[]).await?;
        Ok(all.into_iter().map(|Of(realm, of)| (realm, of)).collect())
    }
}

/// Sets the policy of a group, or takes it away.
#[derive(Clone, Debug)]
pub struct SetGroupPolicy {
    pub realm: RealmId,
    pub group: String,
    /// With its priority: the highest counts where somebody is in several groups.
    pub policy: Option<(i64, Policy)>,
    pub audit: Audit,
}

/// What became of [`SetGroupPolicy`]; only `Done` wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupPolicySet {
    Done,
    /// No such group.
    Gone,
    /// This group has that priority.
    PriorityTaken(String),
}

impl Write for SetGroupPolicy {
    type Out = GroupPolicySet;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<GroupPolicySet> {
        const TAKEN: &str = "SELECT name FROM groups WHERE realm_id = $1 AND priority = $2 AND name <> $3";
        const SQL: &str = "UPDATE groups SET priority = $3, policy = $4 WHERE realm_id = $1 AND name = $2";
        let priority = self.policy.as_ref().map(|(priority, _)| *priority);
        // Changes of configuration queue, so what is free now stays free until the commit.
        let taken = match priority {
            Some(priority) => c.one::<String>(TAKEN, vals![self.realm, priority, &self.group]).await?,
            None => None,
        };
        if let Some(group) = taken {
            return Ok(GroupPolicySet::PriorityTaken(group));
        }
        let policy = self.policy.as_ref().map(|(_, policy)| json(policy, "groups.policy")).transpose()?;
        if c.exec(SQL, vals![self.realm, &self.group, priority, policy.as_deref()]).await? == 0 {
            return Ok(GroupPolicySet::Gone);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(GroupPolicySet::Done)
    }

    fn keeps(out: &GroupPolicySet) -> bool {
        *out == GroupPolicySet::Done
    }
}
