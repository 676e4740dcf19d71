//! The policy's fields about models of authenticators: what is asked, who is believed, which models are let in.
//!
//! WebAuthn L3 §5.4.7 (conveyance), §7.1 steps 23 and 24 (trust). Each value type can be met with another of its kind:
//! the outcome lets in what both let in.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AllowedTypes, Policy, Problem};
use crate::passkey::attestation::is_certificate;
use crate::passkey::mds::{Certification, Status};
use crate::passkey::record::{Attestation, Passkey};
use crate::secret::{Hash, sha256};

/// Which attestation the browser is asked for; weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conveyance {
    None,
    Indirect,
    Direct,
    Enterprise,
}

impl Conveyance {
    /// The value of `attestation` in the options.
    pub const fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Indirect => "indirect",
            Self::Direct => "direct",
            Self::Enterprise => "enterprise",
        }
    }

    /// What asks for enough under both.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Whose word about a model counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "TrustText")]
pub enum Trust {
    /// Nobody needs to vouch for a passkey: attestation may be missing.
    Any,
    /// The attestation of each passkey chains up to one of these.
    Only(Anchors),
}

/// Attestation roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// The roots that the FIDO MDS lists for the passkey's own model.
    pub mds: bool,
    /// Own roots in DER, by their SHA-256.
    pub roots: BTreeMap<Hash, Vec<u8>>,
}

impl Trust {
    /// Whether attestation must be verified at all.
    pub const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// Own roots in DER.
    pub fn roots(&self) -> impl Iterator<Item = &[u8]> {
        let own = match self {
            Self::Any => None,
            Self::Only(anchors) => Some(anchors.roots.values().map(Vec::as_slice)),
        };
        own.into_iter().flatten()
    }

    /// Whether the MDS is among what is believed.
    pub const fn believes_mds(&self) -> bool {
        matches!(self, Self::Only(Anchors { mds: true, .. }))
    }

    /// Whether a passkey is vouched for by one of the anchors, judged by what its record says now.
    pub fn accepts(&self, attestation: &Attested<'_>) -> bool {
        let Self::Only(anchors) = self else { return true };
        attestation.state == Attestation::Verified
            && ((anchors.mds && attestation.vouched)
                || attestation.root.is_some_and(|root| anchors.roots.contains_key(root)))
    }

    /// Only what both believe.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, trust) | (trust, Self::Any) => trust.clone(),
            (Self::Only(a), Self::Only(b)) => {
                let both = a.roots.iter().filter(|(hash, _)| b.roots.contains_key(*hash));
                let roots = both.map(|(hash, der)| (*hash, der.clone())).collect();
                Self::Only(Anchors { mds: a.mds && b.mds, roots })
            }
        }
    }

    /// In words, for people: certificates by their fingerprints.
    pub fn words(&self) -> String {
        let Self::Only(anchors) = self else { return "none".to_owned() };
        let root = |hash: &Hash| {
            let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("root sha256:{hex}…")
        };
        let words: Vec<_> =
            anchors.mds.then(|| "mds".to_owned()).into_iter().chain(anchors.roots.keys().map(root)).collect();
        if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
    }
}

/// What a record says of a passkey's attestation.
#[derive(Clone, Copy, Debug)]
pub struct Attested<'a> {
    pub state: Attestation,
    pub root: Option<&'a Hash>,
    /// The MDS lists that root for the passkey's model.
    pub vouched: bool,
}

impl<'a> Attested<'a> {
    /// Of a registered passkey.
    pub fn of(passkey: &'a Passkey) -> Self {
        Self { state: passkey.attestation, root: passkey.attestation_root.as_ref(), vouched: passkey.model.vouched }
    }
}

/// Models that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "AaguidsText", try_from = "AaguidsText")]
pub enum AaguidAllow {
    Any,
    Only(BTreeSet<Uuid>),
}

impl AaguidAllow {
    /// Whether a model is let in. The zero AAGUID, which is nobody's, never is where models are named.
    pub fn contains(&self, aaguid: &[u8; 16]) -> bool {
        match self {
            Self::Any => true,
            Self::Only(models) => *aaguid != [0; 16] && models.contains(&Uuid::from_bytes(*aaguid)),
        }
    }

    /// Models that both let in.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, allow) | (allow, Self::Any) => allow.clone(),
            (Self::Only(a), Self::Only(b)) => Self::Only(a & b),
        }
    }
}

/// Models that may not be used. Like the other sets of what is refused, two are met by their union.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AaguidDeny(pub BTreeSet<Uuid>);

impl AaguidDeny {
    /// Whether a model is refused; the zero AAGUID names none.
    pub fn contains(&self, aaguid: &[u8; 16]) -> bool {
        *aaguid != [0; 16] && self.0.contains(&Uuid::from_bytes(*aaguid))
    }

    /// Refused by either.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }
}

/// Statuses of the FIDO MDS under which a model is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefusedStatuses(pub BTreeSet<Status>);

impl RefusedStatuses {
    /// Whether none of a model's statuses is refused.
    pub fn accepts(&self, statuses: &BTreeSet<Status>) -> bool {
        self.0.is_disjoint(statuses)
    }

    /// Refused by either.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }
}

impl Default for RefusedStatuses {
    fn default() -> Self {
        Self(BTreeSet::from([
            Status::Revoked,
            Status::UserVerificationBypass,
            Status::AttestationKeyCompromise,
            Status::UserKeyRemoteCompromise,
            Status::UserKeyPhysicalCompromise,
        ]))
    }
}

impl Certification {
    /// The stronger demand.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        self.max(other)
    }
}

impl Policy {
    /// What [`Policy::check`] holds against the fields about models.
    pub(in crate::passkey) fn check_models(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut no = |holds: bool, field: &str, text: &str| {
            if !holds {
                problems.push(Problem::new(field, text));
            }
        };
        let trust = &self.attestation_trust;
        no(
            trust.is_any() || self.attestation != Conveyance::None,
            "attestation",
            "must be indirect, direct or enterprise where attestation_trust is set: nobody could register a passkey",
        );
        let believed = trust.is_any() || trust.believes_mds() || trust.roots().next().is_some();
        no(believed, "attestation_trust", "believes nobody: no passkey could be used");
        no(self.aaguid_allow != AaguidAllow::Only(BTreeSet::new()), "aaguid_allow", "must name one or more, or be any");
        let zero = |models: &BTreeSet<Uuid>| models.contains(&Uuid::nil());
        let names_zero = matches!(&self.aaguid_allow, AaguidAllow::Only(models) if zero(models));
        no(!names_zero, "aaguid_allow", "the zero AAGUID is no model: it never matches");
        no(!zero(&self.aaguid_deny.0), "aaguid_deny", "the zero AAGUID is no model: it never matches");
        let some_left = match &self.aaguid_allow {
            AaguidAllow::Any => true,
            AaguidAllow::Only(models) => models.is_empty() || !models.is_subset(&self.aaguid_deny.0),
        };
        no(some_left, "aaguid_deny", "names every model that aaguid_allow lets in");
        no(
            self.mds_min_certification == Certification::None || trust.believes_mds(),
            "mds_min_certification",
            "needs attestation_trust to contain mds: nobody else knows certifications",
        );
        problems
    }

    /// Whether passkeys are refused of which FIDO's metadata say nothing.
    pub fn rests_on_metadata(&self) -> bool {
        self.attestation_trust.believes_mds() || self.mds_min_certification != Certification::None
    }

    /// What can be saved but does not do all that it seems to, each a sentence for an admin.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut warnings = Vec::new();
        let mut warn = |field, text: &str| warnings.push(Problem::new(field, text));
        let names = |field| match field {
            "aaguid_allow" => self.aaguid_allow != AaguidAllow::Any,
            _ => self.aaguid_deny != AaguidDeny::default(),
        };
        for field in ["aaguid_allow", "aaguid_deny"].into_iter().filter(|field| names(field)) {
            if self.attestation_trust.is_any() {
                warn(
                    field,
                    "without attestation_trust the AAGUID is the authenticator's own word and can be forged: \
                     any software can claim to be a model of this list, or not to be",
                );
            } else if self.attestation < Conveyance::Direct {
                warn(
                    field,
                    "with attestation below direct, browsers may hide the AAGUID and good passkeys are refused",
                );
            }
        }
        if self.allowed_types != AllowedTypes::Any && self.attestation_trust.is_any() {
            warn(
                "allowed_types",
                "the type is the browser's word; it is certain only with attestation and FIDO's metadata",
            );
        }
        warnings
    }
}

/// `"any"` or a list.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum AaguidsText {
    Word(String),
    Only(BTreeSet<Uuid>),
}

impl From<AaguidAllow> for AaguidsText {
    fn from(allow: AaguidAllow) -> Self {
        match allow {
            AaguidAllow::Any => Self::Word("any".to_owned()),
            AaguidAllow::Only(models) => Self::Only(models),
        }
    }
}

impl TryFrom<AaguidsText> for AaguidAllow {
    type Error = &'static str;
    fn try_from(text: AaguidsText) -> Result<Self, Self::Error> {
        match text {
            AaguidsText::Word(word) if word == "any" => Ok(Self::Any),
            AaguidsText::Word(_) => Err("expected any or a list of AAGUIDs"),
            AaguidsText::Only(models) => Ok(Self::Only(models)),
        }
    }
}

/// `mds` and certificates in PEM, one or several to a text; an empty list is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum TrustText {
    One(String),
    Several(Vec<String>),
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl TryFrom<TrustText> for Trust {
    type Error = &'static str;
    fn try_from(text: TrustText) -> Result<Self, Self::Error> {
        let texts = match text {
            TrustText::One(text) if text.trim() == "none" => Vec::new(),
            TrustText::One(text) => vec![text],
            TrustText::Several(texts) => texts,
        };
        if texts.is_empty() {
            return Ok(Self::Any);
        }
        let mut anchors = Anchors::default();
        for text in &texts {
            if text.trim() == "mds" {
                anchors.mds = true;
                continue;
            }
            for der in certificates(text).ok_or("expected certificates in PEM")? {
                anchors.roots.insert(sha256(&der), der);
            }
        }
        Ok(Self::Only(anchors))
    }
}

impl From<Trust> for Vec<String> {
    fn from(trust: Trust) -> Self {
        let Trust::Only(anchors) = trust else { return Self::new() };
        let pem = |der: &Vec<u8>| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("{BEGIN}\n{text}\n{END}")
        };
        anchors.mds.then(|| "mds".to_owned()).into_iter().chain(anchors.roots.values().map(pem)).collect()
    }
}

/// The certificates of a PEM text (RFC 7468 §5), one or more; what is between them is not looked at.
pub fn certificates(pem: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for part in pem.split(BEGIN).skip(1) {
        let (body, _) = part.split_once(END)?;
        let text: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        found.push(is_certificate(&der).then_some(der)?);
    }
    (!found.is_empty()).then_some(found)
}
