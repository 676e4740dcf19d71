//! The `claims` parameter: single claims asked for by name. OIDC Core §5.5.

use serde::{Deserialize, Serialize};

/// One claim asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    pub name: String,
    /// The client cannot do without it; never a reason to refuse, but for `acr` (OIDC Core §5.5.1).
    pub essential: bool,
    /// `value` or `values`, each as JSON text; empty: any.
    pub values: Vec<String>,
}

/// Claims asked for by name, and where they shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    pub id_token: Vec<ClaimRequest>,
    pub userinfo: Vec<ClaimRequest>,
}

impl ClaimsRequest {
    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }
}
