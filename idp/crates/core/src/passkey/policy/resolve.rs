//! Whose policy counts: the group's with the highest priority, else the realm's, met by the client's.
//!
//! A group may be an exception in either direction; a client only ever restricts.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::trust::{AaguidAllow, AaguidDeny, RefusedStatuses, Trust};
use super::{AllowedTypes, Combination, Holds, Mode, PerType, Policy, Verdict, judge_record};
use crate::acr::Acr;
use crate::passkey::mds::Certification;
use crate::passkey::record::Passkey;

/// The policy of a group, and which counts where somebody is in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPolicy {
    /// Name of the group.
    pub group: String,
    /// The highest counts; no two groups of a realm share one.
    pub priority: i64,
    pub policy: Arc<Policy>,
}

/// What a client demands on top of the policy of its users. Nothing set: nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientPolicy {
    /// Only combinations that this mode accepts as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_types: Option<AllowedTypes>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deny_synced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_verification: Option<PerType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_trust: Option<Trust>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aaguid_allow: Option<AaguidAllow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aaguid_deny: Option<AaguidDeny>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mds_refuse_status: Option<RefusedStatuses>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mds_min_certification: Option<Certification>,
    /// Every token rests on factors that satisfy this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_acr: Option<Acr>,
}

impl ClientPolicy {
    /// Whether it demands nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it demands something of the passkeys themselves, so that they must be looked at.
    pub const fn judges_passkeys(&self) -> bool {
        self.allowed_types.is_some()
            || self.deny_synced
            || self.user_verification.is_some()
            || self.attestation_trust.is_some()
            || self.aaguid_allow.is_some()
            || self.aaguid_deny.is_some()
            || self.mds_refuse_status.is_some()
            || self.mds_min_certification.is_some()
    }

    /// The policy with this one's demands; never one that holds less against a passkey. Modes are met by
    /// [`Effective::verdict`], for no mode names the intersection of two.
    pub fn meet(&self, base: &Policy) -> Policy {
        let mut met = base.clone();
        if let Some(types) = &self.allowed_types {
            met.allowed_types = base.allowed_types.meet(types);
        }
        met.hints.retain(|hint| met.allowed_types.contains(Some(hint.passkey_type())));
        met.deny_synced |= self.deny_synced;
        if let Some(asked) = &self.user_verification {
            met.user_verification = base.user_verification.meet(asked);
        }
        if let Some(trust) = &self.attestation_trust {
            met.attestation_trust = base.attestation_trust.meet(trust);
        }
        if let Some(models) = &self.aaguid_allow {
            met.aaguid_allow = base.aaguid_allow.meet(models);
        }
        if let Some(models) = &self.aaguid_deny {
            met.aaguid_deny = base.aaguid_deny.meet(models);
        }
        if let Some(statuses) = &self.mds_refuse_status {
            met.mds_refuse_status = base.mds_refuse_status.meet(statuses);
        }
        if let Some(least) = self.mds_min_certification {
            met.mds_min_certification = base.mds_min_certification.meet(least);
        }
        met
    }
}

/// The policy that counts for somebody at a client.
#[derive(Clone, Debug)]
pub struct Effective<'a> {
    /// The group's or the realm's.
    pub base: &'a Arc<Policy>,
    /// The group it is from; `None`: the realm's.
    pub group: Option<&'a str>,
    /// Met by the client's demands.
    pub policy: Cow<'a, Policy>,
    pub client: Option<&'a ClientPolicy>,
}

/// Resolves the policy of somebody in `groups` at a client.
pub fn resolve<'a>(
    realm: &'a Arc<Policy>,
    of_groups: &'a [GroupPolicy],
    groups: &[String],
    client: Option<&'a ClientPolicy>,
) -> Effective<'a> {
    let of = of_groups.iter().filter(|of| groups.contains(&of.group)).max_by_key(|of| of.priority);
    let base = of.map_or(realm, |of| &of.policy);
    let client = client.filter(|client| !client.is_empty());
    let policy = client.map_or(Cow::Borrowed(&**base), |client| Cow::Owned(client.meet(base)));
    Effective { base, group: of.map(|of| of.group.as_str()), policy, client }
}

/// What to ask of a browser before anybody is known: whatever one of the realm's policies takes may be tried, and the
/// answer is judged by its owner's.
pub fn of_strangers<'a>(realm: &'a Policy, of_groups: &[GroupPolicy]) -> Cow<'a, Policy> {
    let mut asked = Cow::Borrowed(realm);
    for other in of_groups.iter().map(|of| &*of.policy).filter(|other| other.enabled) {
        if !asked.enabled {
            // Nothing of a policy without passkeys is asked.
            asked = Cow::Owned(other.clone());
            continue;
        }
        let asked = asked.to_mut();
        asked.allow_login |= other.allow_login;
        asked.allow_second_factor |= other.allow_second_factor;
        asked.user_verification = asked.user_verification.either(&other.user_verification);
        asked.allowed_types = asked.allowed_types.join(&other.allowed_types);
    }
    asked
}

impl Effective<'_> {
    /// What a combination leads to: what the user's own policy says, and where that lets in, what the client's says.
    /// `holds` answers what the account has under a policy, since a client may take fewer of its passkeys.
    pub fn verdict(&self, combination: Combination, holds: impl Fn(&Policy) -> Holds) -> Verdict {
        let base = self.base.verdict(combination, holds(self.base));
        match self.client {
            Some(client) if base == Verdict::In => {
                let mode = client.mode.unwrap_or(self.base.mode);
                self.policy.verdict_in(mode, combination, holds(&self.policy))
            }
            _ => base,
        }
    }

    /// Whether a combination lets in.
    pub fn accepts(&self, combination: Combination, holds: impl Fn(&Policy) -> Holds) -> bool {
        self.verdict(combination, holds) == Verdict::In
    }

    /// The least acr of each token.
    pub fn minimum_acr(&self) -> Option<Acr> {
        self.client.and_then(|client| client.minimum_acr)
    }

    /// Whether the client takes a sign-in with this passkey, which the user's own policy let in before.
    pub fn takes(&self, passkey: &Passkey, user_verified: bool) -> bool {
        let kind = passkey.passkey_type();
        let verified = user_verified || self.policy.user_verification.of(kind) != super::Requirement::Required;
        verified && judge_record(&self.policy, passkey).is_empty()
    }
}
