//! A realm: one issuer with its own hosts, keys, users, clients and policy.

use serde::{Deserialize, Serialize};

use crate::acr::Acr;
use crate::id::RealmId;
use crate::passkey::policy::Policy;

/// Hosts that share passkeys (WebAuthn L3 §5.1.2): one RP ID and where it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingParty {
    /// The RP ID: the host or a parent domain of it.
    pub rp_id: String,
    /// `Host` values that are answered, with port unless it is the scheme's default.
    pub hosts: Vec<String>,
    /// Origins whose ceremonies are accepted, in the serialised form of the browser.
    pub origins: Vec<String>,
}

/// Settings of a realm. Each field has a default, so an older row keeps its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RealmSettings {
    /// Longest life of a session in seconds; NIST SP 800-63B-4 §2.2.3 bounds it at 24 h for aal2.
    pub session_lifetime_s: i64,
    /// A session not used for this long is over, in seconds.
    pub session_idle_s: i64,
    /// Life of an access token in seconds.
    pub access_token_lifetime_s: i64,
    /// Life of an ID token in seconds.
    pub id_token_lifetime_s: i64,
    /// "Strongest" first, in the forms that [`Acr::parse`] reads: acr values are no ladder by themselves.
    pub acr_order: Vec<String>,
    /// `hwk` only where attestation verified the hardware.
    pub hwk_requires_attestation: bool,
    /// `phr` only where the passkey verified its user.
    pub phr_requires_uv: bool,
    /// `mfa` for a lone passkey that verified its user.
    pub uv_counts_as_second_factor: bool,
    /// The one colour of the realm's pages, `#rrggbb`; `None`: the theme's own.
    pub brand_color: Option<String>,
}

impl Default for RealmSettings {
    fn default() -> Self {
        Self {
            session_lifetime_s: 12 * 3600,
            session_idle_s: 12 * 3600,
            access_token_lifetime_s: 600,
            id_token_lifetime_s: 600,
            acr_order: Acr::DEFAULT_ORDER.map(|acr| acr.wire().to_owned()).to_vec(),
            hwk_requires_attestation: false,
            phr_requires_uv: true,
            uv_counts_as_second_factor: true,
            brand_color: None,
        }
    }
}

/// One realm.
#[derive(Clone, Debug)]
pub struct Realm {
    pub id: RealmId,
    /// Short name for commands.
    pub name: String,
    /// Issuer identifier, byte for byte (OIDC Discovery §3): scheme, host and port, no trailing slash.
    pub issuer: String,
    /// What people read on pages and in their authenticator.
    pub display_name: String,
    pub relying_parties: Vec<RelyingParty>,
    pub settings: RealmSettings,
    pub policy: Policy,
}

impl Realm {
    /// The relying party that serves `host` (as the browser sent it), if any.
    pub fn relying_party(&self, host: &str) -> Option<&RelyingParty> {
        self.relying_parties.iter().find(|rp| rp.hosts.iter().any(|h| h.eq_ignore_ascii_case(host)))
    }

    /// Whether cookies need `Secure` and the `__Host-` prefix: everywhere but on a loopback http issuer.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }
}
