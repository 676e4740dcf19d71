//! What an application demands of a passkey beyond what the realm asks, in words.
//!
//! A template sees it as `page.demands`.

use idp_core::passkey::policy::{AllowedTypes, ClientPolicy, PasskeyType};
use serde::Serialize;

/// On pages that ask for a passkey in an application's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Demands {
    /// Kinds it takes; `None`: all.
    pub takes: Option<Takes>,
    /// It takes none that may leave their device.
    pub device_bound: bool,
}

/// The kinds that are taken where not all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    SecurityKey,
    Device,
    Phone,
    SecurityKeyOrDevice,
    SecurityKeyOrPhone,
    DeviceOrPhone,
}

impl Takes {
    fn of(types: &AllowedTypes) -> Option<Self> {
        let takes = |kind| types.contains(Some(kind));
        match (takes(PasskeyType::SecurityKey), takes(PasskeyType::Device), takes(PasskeyType::Phone)) {
            (true, false, false) => Some(Self::SecurityKey),
            (false, true, false) => Some(Self::Device),
            (false, false, true) => Some(Self::Phone),
            (true, true, false) => Some(Self::SecurityKeyOrDevice),
            (true, false, true) => Some(Self::SecurityKeyOrPhone),
            (false, true, true) => Some(Self::DeviceOrPhone),
            (true, true, true) | (false, false, false) => None,
        }
    }
}

impl From<&ClientPolicy> for Demands {
    fn from(policy: &ClientPolicy) -> Self {
        Self { takes: policy.allowed_types.as_ref().and_then(Takes::of), device_bound: policy.deny_synced }
    }
}
