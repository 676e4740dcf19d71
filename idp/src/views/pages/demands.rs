//! What an application demands of a passkey beyond what the realm asks, in words.
//!
//! A template sees it as `page.demands`.

use idp_core::acr::Acr;
use idp_core::passkey::mds::Certification;
use idp_core::passkey::policy::{AaguidAllow, AllowedTypes, ClientPolicy, PasskeyType};
use serde::Serialize;

/// On pages that ask for a passkey in an application's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Demands {
    /// Kinds it takes; `None`: all.
    pub takes: Option<Takes>,
    /// It takes none that may leave their device.
    pub device_bound: bool,
    /// It takes those alone whose make somebody vouches for.
    pub attested: bool,
    /// It takes certain models alone.
    pub models: bool,
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
        let vouched = policy.attestation_trust.as_ref().is_some_and(|trust| !trust.is_any());
        let certified = policy.mds_min_certification.is_some_and(|least| least != Certification::None);
        // Both rest on a key that provably stays in hardware.
        let hardware = matches!(policy.minimum_acr, Some(Acr::Phrh | Acr::Aal3));
        Self {
            takes: policy.allowed_types.as_ref().and_then(Takes::of),
            device_bound: policy.deny_synced || hardware,
            attested: vouched || certified || hardware,
            models: policy.aaguid_allow.as_ref().is_some_and(|models| *models != AaguidAllow::Any),
        }
    }
}

#[cfg(test)]
mod tests {
    use idp_core::passkey::policy::ClientPolicy;

    use super::{Demands, Takes};

    #[test]
    fn says_what_is_demanded_and_nothing_else() {
        let said = |demands: &[(&str, &str)]| {
            let mut policy = ClientPolicy::default();
            demands.iter().for_each(|(name, value)| policy.set(name, value).unwrap());
            Demands::from(&policy)
        };
        let none = Demands::default();
        assert_eq!(said(&[]), none);
        assert_eq!(said(&[("mode", "passkey_only"), ("minimum_acr", "phr")]), none);
        let keys = Demands { takes: Some(Takes::SecurityKey), ..none };
        assert_eq!(said(&[("allowed_types", "security_key")]), keys);
        assert_eq!(said(&[("deny_synced", "true")]), Demands { device_bound: true, ..none });
        let attested = Demands { attested: true, ..none };
        assert_eq!(said(&[("attestation_trust", "mds")]), attested);
        assert_eq!(said(&[("mds_min_certification", "FIDO_CERTIFIED")]), attested);
        let hardware = Demands { device_bound: true, ..attested };
        assert_eq!((said(&[("minimum_acr", "phrh")]), said(&[("minimum_acr", "aal3")])), (hardware, hardware));
        let models = "f8a011f3-8c0a-4d15-8006-17111f9edc7d";
        assert_eq!(said(&[("aaguid_allow", models)]), Demands { models: true, ..none });
    }
}
