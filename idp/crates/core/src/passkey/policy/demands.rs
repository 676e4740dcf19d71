//! How the demands of a client are set and shown: some fields of the policy, and `minimum_acr`.
//!
//! passkey policy. Whether anybody could meet them is [`crate::passkey::reach::problems`]'s to say.

use serde_json::{Map, Value, json};

use super::fields::{Problem, words};
use super::{ClientPolicy, FIELDS};

/// The least acr of a client's tokens: a demand that no realm or group makes.
pub const MINIMUM_ACR: &str = "minimum_acr";
const ACR_VALUES: &str = "phrh, phr, aal3, https://refeds.org/profile/mfa, aal2 or aal1";

/// What a client may demand, in the order in which it is shown.
pub const DEMANDS: &[&str] = &[
    "mode",
    "allowed_types",
    "deny_synced",
    "user_verification",
    "attestation_trust",
    "aaguid_allow",
    "aaguid_deny",
    "mds_refuse_status",
    "mds_min_certification",
    MINIMUM_ACR,
];

impl ClientPolicy {
    /// Sets one demand from words or JSON, as [`super::Policy::set`] does.
    ///
    /// # Errors
    /// [`Problem`]: nothing that a client may demand, or not one of its values. The demands are unchanged then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        demand(name)?;
        let field = FIELDS.iter().find(|field| field.name == name);
        let values = field.map_or(ACR_VALUES, |field| field.values);
        let value = words(text.trim(), field.is_some_and(|field| field.list));
        let mut demands = self.values();
        // What `Policy` reads `none` as would be no demand at all.
        demands.insert(name.to_owned(), if value == json!([]) { json!("none") } else { value });
        let refused = |_| Problem::new(name, format!("`{text}` cannot be set; values are {values}"));
        *self = serde_json::from_value(Value::Object(demands)).map_err(refused)?;
        Ok(())
    }

    /// Takes one demand away.
    ///
    /// # Errors
    /// [`Problem`]: nothing that a client may demand.
    pub fn unset(&mut self, name: &str) -> Result<(), Problem> {
        demand(name)?;
        let mut demands = self.values();
        demands.remove(name);
        *self = serde_json::from_value(Value::Object(demands)).unwrap_or_default();
        Ok(())
    }

    /// The demands as they are stored; what is not demanded is not there.
    pub fn values(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(demands)) => demands,
            _ => Map::new(),
        }
    }
}

fn demand(name: &str) -> Result<(), Problem> {
    if DEMANDS.contains(&name) {
        return Ok(());
    }
    Err(Problem::new(name, format!("no client can demand this; there are {}", DEMANDS.join(", "))))
}
