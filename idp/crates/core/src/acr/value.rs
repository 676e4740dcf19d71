//! The acr values and how they are spelled.
//!
//! OpenID EAP ACR Values 1.0, NIST SP 800-63B-4, REFEDS MFA and SFA Profiles.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Authentication context class; as JSON its value on the wire, or an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// Phishing-resistant, hardware-protected (OpenID EAP ACR Values 1.0 §2).
    Phrh,
    /// Phishing-resistant.
    Phr,
    /// NIST SP 800-63B-4 §2.3.
    Aal3,
    /// REFEDS MFA Profile.
    RefedsMfa,
    /// NIST SP 800-63B-4 §2.2.
    Aal2,
    /// NIST SP 800-63B-4 §2.1.
    Aal1,
    /// REFEDS SFA Profile. Emitted only where it was asked for.
    RefedsSfa,
}

impl Acr {
    /// The order of a realm that has not chosen its own.
    pub const DEFAULT_ORDER: [Self; 6] = [Self::Phrh, Self::Phr, Self::Aal3, Self::RefedsMfa, Self::Aal2, Self::Aal1];

    /// Reads a value of the wire or an alias; `None`: not a value we know.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "phrh" => Self::Phrh,
            "phr" => Self::Phr,
            "http://idmanagement.gov/ns/assurance/aal/3" | "aal3" => Self::Aal3,
            "https://refeds.org/profile/mfa" => Self::RefedsMfa,
            "http://idmanagement.gov/ns/assurance/aal/2" | "aal2" => Self::Aal2,
            "http://idmanagement.gov/ns/assurance/aal/1" | "aal1" => Self::Aal1,
            "https://refeds.org/profile/sfa" => Self::RefedsSfa,
            _ => return None,
        })
    }

    /// The value emitted unless the client asked by an alias.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Phrh => "phrh",
            Self::Phr => "phr",
            Self::Aal3 => "http://idmanagement.gov/ns/assurance/aal/3",
            Self::RefedsMfa => "https://refeds.org/profile/mfa",
            Self::Aal2 => "http://idmanagement.gov/ns/assurance/aal/2",
            Self::Aal1 => "http://idmanagement.gov/ns/assurance/aal/1",
            Self::RefedsSfa => "https://refeds.org/profile/sfa",
        }
    }
}

impl Serialize for Acr {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.wire())
    }
}

impl<'de> Deserialize<'de> for Acr {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an acr value"))
    }
}
