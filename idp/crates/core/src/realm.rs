//! A realm: one issuer with its own hosts, keys, users, clients and policy.

pub mod native_apps;
pub mod relying_party;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::acr::value::Acr;
use crate::client::{ClientSettings, GrantType};
use crate::credential::password::{LEAST_ALONE, LEAST_BESIDES};
use crate::credential::recovery::Recovery;
use crate::id::RealmId;
use crate::oauth::scope;
use crate::oidc::mapping::{self, CustomScope};
use crate::passkey::naming::{Naming, Pattern};
use crate::passkey::policy::{GroupPolicy, Policy, resolve};
use crate::user_schema::UserSchema;

pub use native_apps::NativeApps;
pub use relying_party::RelyingParty;

/// Who may register a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Admins alone.
    #[default]
    Off,
    /// Whoever holds an initial access token.
    Token,
    /// Anybody.
    Open,
}

/// Who may make an account of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfRegistration {
    /// Operators alone make accounts.
    #[default]
    Off,
    /// Anybody.
    Open,
    /// Whoever says to have an e-mail address at one of these domains. Only a mailed code proves it, later.
    #[serde(untagged)]
    Domains(Vec<String>),
}

/// Where browsers are told which passkeys are kept (WebAuthn L3 §5.1.10). Off for a while after a restore: a signal
/// deletes passkeys that the backup did not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signals {
    Off,
    /// Where the RP ID is the host; a parent domain may be shared with other sites.
    #[default]
    Host,
    Always,
}

/// What a client gets that asks for no scope.
const REGISTRATION_SCOPES: &[&str] = &["openid", "profile", "email", "address", "phone", "offline_access"];

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
    /// Longest life of a refresh token and its successors in seconds, however often it is used.
    pub refresh_token_lifetime_s: i64,
    /// A refresh token not used for this long is over, in seconds.
    pub refresh_token_idle_s: i64,
    /// A DPoP proof holds a nonce of ours (RFC 9449 §8), so that none can be made in advance.
    pub dpop_nonce_required: bool,
    /// How long a key signs, in days; 0: until a command says otherwise.
    pub key_rotation_days: i64,
    /// Every authorization request is pushed first (RFC 9126 §5), whatever the client.
    pub require_par: bool,
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
    /// Scopes of the realm's own, besides the standard ones.
    pub scopes: Vec<CustomScope>,
    /// Who may register a client.
    pub registration: Registration,
    /// Scopes that a client may register for itself; all of them where it names none.
    pub registration_scopes: Vec<String>,
    /// Applications for phones that may use the realm's passkeys.
    pub native_apps: NativeApps,
    /// Where browsers are told which passkeys are kept.
    pub signals: Signals,
    /// Fewest characters of a new password; 15 at least wherever the policy lets a password in alone.
    pub password_min_length: usize,
    /// What may recover an account.
    pub recovery: Recovery,
    /// Hours until a recovery opens whose proof is weaker than the account's strongest factor.
    pub recovery_wait_h: i64,
    /// The realm's owners are mailed of each recovery, too; its user is always.
    pub recovery_tells_owners: bool,
    /// Who may make an account of their own.
    pub self_registration: SelfRegistration,
    /// What the traits of users are; `None`: flat, and free.
    pub user_schema: Option<UserSchema>,
    /// What a passkey's account is called in the authenticator; unique among users.
    pub passkey_username_pattern: Pattern,
    /// What authenticators show beside it.
    pub passkey_display_name_pattern: Pattern,
}

impl Default for RealmSettings {
    fn default() -> Self {
        Self {
            session_lifetime_s: 12 * 3600,
            session_idle_s: 12 * 3600,
            access_token_lifetime_s: 600,
            id_token_lifetime_s: 600,
            refresh_token_lifetime_s: 30 * 24 * 3600,
            refresh_token_idle_s: 14 * 24 * 3600,
            require_par: false,
            dpop_nonce_required: true,
            key_rotation_days: 90,
            acr_order: Acr::DEFAULT_ORDER.map(|acr| acr.wire().to_owned()).to_vec(),
            hwk_requires_attestation: false,
            phr_requires_uv: true,
            uv_counts_as_second_factor: true,
            brand_color: None,
            scopes: Vec::new(),
            registration: Registration::Off,
            registration_scopes: REGISTRATION_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            native_apps: NativeApps::default(),
            signals: Signals::Host,
            password_min_length: LEAST_ALONE,
            recovery: Recovery::Either,
            recovery_wait_h: 24,
            recovery_tells_owners: false,
            self_registration: SelfRegistration::Off,
            user_schema: None,
            passkey_username_pattern: Pattern::of_claim("email"),
            passkey_display_name_pattern: Pattern::of_claim("name"),
        }
    }
}

/// The fields of [`RealmSettings`] and what can be set, in words.
pub const FIELDS: &[(&str, &str)] = &[
    ("session_lifetime_s", "300 to 86400 seconds"),
    ("session_idle_s", "60 seconds to session_lifetime_s"),
    ("access_token_lifetime_s", "60 to 3600 seconds"),
    ("id_token_lifetime_s", "60 to 3600 seconds"),
    ("refresh_token_lifetime_s", "3600 to 31536000 seconds"),
    ("refresh_token_idle_s", "600 seconds to refresh_token_lifetime_s"),
    ("dpop_nonce_required", "true or false"),
    ("key_rotation_days", "0 (by command only) or 2 to 3650 days"),
    ("require_par", "true or false"),
    ("acr_order", "acr values or their aliases, strongest first, separated by commas"),
    ("hwk_requires_attestation", "true or false"),
    ("phr_requires_uv", "true or false"),
    ("uv_counts_as_second_factor", "true or false"),
    ("brand_color", "#rrggbb or none"),
    ("scopes", "a JSON list of scopes with their claims; `idp realm scope` sets them one by one"),
    ("registration", "off, token or open"),
    ("registration_scopes", "scopes of the realm, `openid` among them, separated by commas"),
    (
        "native_apps",
        r#"{"android":[{"package":"org.example.app","sha256":["AB:CD:…"]}],"apple":["TEAM123456.org.example.app"]}"#,
    ),
    ("signals", "off, host (where the RP ID is the host) or always"),
    ("password_min_length", "8 to 64 characters; at least 15 where the policy lets a password in alone"),
    ("recovery", "off, email_code, recovery_code, either or both"),
    ("recovery_wait_h", "0 to 720 hours"),
    ("recovery_tells_owners", "true or false"),
    ("self_registration", "off, open, or domains of e-mail addresses, separated by commas"),
    ("user_schema", "none or a JSON Schema of the traits; `idp realm schema set FILE` sets it"),
    ("passkey_username_pattern", "text with {{ user.email }}, {{ user.username }} or {{ traits.NAME }}"),
    ("passkey_display_name_pattern", "text with {{ user.name }}, {{ user.username }} or {{ traits.NAME }}"),
];

impl RealmSettings {
    /// Every scope of the realm, in the order in which answers name them.
    pub fn all_scopes(&self) -> impl Iterator<Item = &str> {
        scope::STANDARD.iter().copied().chain(self.scopes.iter().map(|scope| scope.name.as_str()))
    }

    /// The scopes a client may ask for: those set for it, else the standard ones.
    pub fn scopes_for(&self, client: &ClientSettings) -> Vec<&str> {
        let set = |scope: &&str| match &client.scopes {
            Some(set) => set.iter().any(|s| s == scope),
            None => scope::STANDARD.contains(scope),
        };
        // Ignored without a refresh token to use it with (OIDC Core §11).
        let of_use = |scope: &&str| *scope != scope::OFFLINE || client.grant_types.contains(&GrantType::RefreshToken);
        self.all_scopes().filter(set).filter(of_use).collect()
    }

    /// Sets one field from words. Only its form is judged; before saving, [`RealmSettings::check`] judges the whole.
    ///
    /// # Errors
    /// A sentence that names the field and what can be set. The settings are unchanged then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let Some((_, values)) = FIELDS.iter().find(|(field, _)| *field == name) else {
            let names: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
            return Err(format!("{name}: there is no such setting; there are {}", names.join(", ")));
        };
        let refused = || format!("{name}: `{text}` cannot be set; values are {values}");
        let value = match name {
            "acr_order" => text.split(',').map(|acr| acr.trim().to_owned()).collect(),
            "registration_scopes" => text.split(',').map(|scope| scope.trim().to_owned()).collect(),
            "registration" | "recovery" | "signals" => Value::String(text.to_owned()),
            "brand_color" | "user_schema" if text == "none" => Value::Null,
            "self_registration" if !matches!(text, "off" | "open") => {
                text.split(',').map(|domain| domain.trim().to_ascii_lowercase()).collect()
            }
            "self_registration" => Value::String(text.to_owned()),
            "passkey_username_pattern" | "passkey_display_name_pattern" => {
                let pattern = Pattern::try_from(text.to_owned()).map_err(|problem| format!("{name}: {problem}"))?;
                Value::String(pattern.into())
            }
            "brand_color" => Value::String(text.to_ascii_lowercase()),
            _ => serde_json::from_str(text).map_err(|_| refused())?,
        };
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&*self) else { return Err(refused()) };
        fields.insert(name.to_owned(), value);
        *self = serde_json::from_value(Value::Object(fields)).map_err(|_| refused())?;
        Ok(())
    }

    /// Everything that keeps these settings from being saved, each a sentence that names its field.
    pub fn check(&self) -> Vec<String> {
        let known = |order: &[String]| order.iter().filter_map(|acr| Acr::parse(acr)).collect::<Vec<_>>();
        let order = known(&self.acr_order);
        let twice = order.iter().enumerate().any(|(i, acr)| order.iter().skip(i + 1).any(|other| other == acr));
        let color = |text: &str| {
            text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let registers = |name: &str| self.registration_scopes.iter().any(|scope| scope == name);
        let known = self.registration_scopes.iter().all(|name| self.all_scopes().any(|scope| scope == name));
        let holds = [
            ("session_lifetime_s", (300..=86_400).contains(&self.session_lifetime_s)),
            ("session_idle_s", (60..=self.session_lifetime_s).contains(&self.session_idle_s)),
            ("access_token_lifetime_s", (60..=3600).contains(&self.access_token_lifetime_s)),
            ("id_token_lifetime_s", (60..=3600).contains(&self.id_token_lifetime_s)),
            ("refresh_token_lifetime_s", (3600..=31_536_000).contains(&self.refresh_token_lifetime_s)),
            ("refresh_token_idle_s", (600..=self.refresh_token_lifetime_s).contains(&self.refresh_token_idle_s)),
            ("key_rotation_days", self.key_rotation_days == 0 || (2..=3650).contains(&self.key_rotation_days)),
            ("acr_order", !order.is_empty() && order.len() == self.acr_order.len() && !twice),
            ("brand_color", self.brand_color.as_deref().is_none_or(color)),
            ("registration_scopes", known && registers("openid")),
            ("native_apps", self.native_apps.is_well_formed()),
            ("password_min_length", (LEAST_BESIDES..=64).contains(&self.password_min_length)),
            ("recovery_wait_h", (0..=720).contains(&self.recovery_wait_h)),
            ("self_registration", self.self_registration.is_well_formed()),
        ];
        let values = |name: &str| FIELDS.iter().find(|(field, _)| *field == name).map_or("", |(_, values)| values);
        let wrong = holds.into_iter().filter(|(_, holds)| !holds);
        let scopes = mapping::problems(&self.scopes).into_iter().map(|problem| format!("scopes: {problem}"));
        let schema = self.user_schema.iter().flat_map(UserSchema::check).map(|said| format!("user_schema: {said}"));
        wrong.map(|(name, _)| format!("{name}: must be {}", values(name))).chain(scopes).chain(schema).collect()
    }

    /// The schema of the traits: the realm's, else the standard one.
    pub fn schema(&self) -> &UserSchema {
        self.user_schema.as_ref().unwrap_or_else(|| UserSchema::standard())
    }

    /// How passkeys are named.
    pub fn naming(&self) -> Naming<'_> {
        Naming {
            name: &self.passkey_username_pattern,
            display_name: &self.passkey_display_name_pattern,
            schema: self.schema(),
        }
    }
}

impl SelfRegistration {
    fn is_well_formed(&self) -> bool {
        let label = |label: &str| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        match self {
            Self::Off | Self::Open => true,
            Self::Domains(domains) => {
                (1..=64).contains(&domains.len()) && domains.iter().all(|domain| domain.split('.').all(label))
            }
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
    pub policy: Arc<Policy>,
    /// Policies of groups that have one of their own, by priority, highest first.
    pub group_policies: Vec<GroupPolicy>,
}

impl Realm {
    /// The relying party that serves `host` (as the browser sent it), if any; of several at one host the first.
    pub fn relying_party(&self, host: &str) -> Option<&RelyingParty> {
        self.relying_parties.iter().find(|rp| rp.answers(host))
    }

    /// The relying party of an RP ID.
    pub fn relying_party_of(&self, rp_id: &str) -> Option<&RelyingParty> {
        self.relying_parties.iter().find(|rp| rp.rp_id == rp_id)
    }

    /// Scheme and host of the issuer, with port unless it is the default one. Applications and people are led there,
    /// whatever host they came by.
    pub fn home(&self) -> (&str, &str) {
        self.issuer.split_once("://").unwrap_or(("https", &self.issuer))
    }

    /// Whether a `Host` value is the issuer's.
    pub fn is_home(&self, host: &str) -> bool {
        self.home().1.eq_ignore_ascii_case(host)
    }

    /// The policy of somebody in `groups`: of the group with the highest priority, else the realm's.
    pub fn policy_of(&self, groups: &[String]) -> &Arc<Policy> {
        resolve(&self.policy, &self.group_policies, groups, None).base
    }

    /// Whether cookies need `Secure` and the `__Host-` prefix: everywhere but on a loopback http issuer.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, RealmSettings};

    #[test]
    fn names_every_field_and_takes_its_default() {
        let default = RealmSettings::default();
        let fields = serde_json::to_value(&default).unwrap();
        let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        let mut stored: Vec<_> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        stored.sort_by_key(|name| names.iter().position(|n| n == name));
        assert_eq!(stored, names);
        assert_eq!(default.check(), Vec::<String>::new());
    }

    #[test]
    fn refuses_what_is_out_of_bounds_and_says_the_bounds() {
        let mut settings = RealmSettings::default();
        assert!(settings.set("session_lifetime_s", "long").unwrap_err().contains("300 to 86400"));
        assert!(settings.set("registration", "on").unwrap_err().contains("off, token or open"));
        assert!(settings.set("session_lifetime", "300").unwrap_err().contains("there are session_lifetime_s"));
        for (name, text) in [
            ("session_lifetime_s", "90000"),
            ("session_idle_s", "43201"),
            ("access_token_lifetime_s", "0"),
            ("acr_order", "phr,gold"),
            ("acr_order", "phr,phr"),
            ("brand_color", "red"),
            ("registration_scopes", "email"),
            ("registration_scopes", "openid,payments"),
            ("password_min_length", "7"),
            ("recovery_wait_h", "721"),
            ("self_registration", "on@example.org"),
            ("user_schema", r#"{ "properties": { "a": { "$ref": "https://example.org/" } } }"#),
        ] {
            let mut settings = RealmSettings::default();
            settings.set(name, text).unwrap();
            assert!(settings.check().iter().any(|p| p.starts_with(name)), "{name}={text}");
        }
        assert!(settings.set("passkey_username_pattern", "{{ user.shoe }}").unwrap_err().contains("user.username"));
        assert!(settings.set("user_schema", "{").unwrap_err().contains("idp realm schema set"));
        for (name, text) in [
            ("acr_order", "phr, aal2"),
            ("brand_color", "#A0b1C2"),
            ("brand_color", "none"),
            ("registration", "open"),
            ("self_registration", "Example.org, lab.example.org"),
            ("self_registration", "open"),
            ("user_schema", r#"{ "type": "object" }"#),
            ("user_schema", "none"),
            ("passkey_username_pattern", "{{ user.username }}"),
        ] {
            settings.set(name, text).unwrap();
            assert_eq!(settings.check(), Vec::<String>::new(), "{name}={text}");
        }
    }
}
