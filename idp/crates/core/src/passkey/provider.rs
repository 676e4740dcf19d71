//! Names of what keeps a passkey, by AAGUID: a small table of our own, extended from FIDO's metadata.
//!
//! For people to tell their passkeys apart; without attestation the AAGUID is the authenticator's own word, and nothing
//! rests on it. The values are those their makers publish.

use super::mds::Entry;

/// A neutral picture for each kind of keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A password manager that syncs.
    Manager,
    /// Kept by the device itself.
    Device,
    Phone,
    SecurityKey,
}

impl Icon {
    /// Its name among the theme's icons.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manager => "cloud",
            Self::Device => "laptop",
            Self::Phone => "phone",
            Self::SecurityKey => "stick",
        }
    }
}

/// What keeps a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub name: String,
    pub icon: Icon,
}

use Icon::{Device, Manager, SecurityKey};

/// AAGUIDs as their makers and the community's list give them.
const TABLE: &[(&str, &str, Icon)] = &[
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "iCloud Keychain", Manager),
    ("dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "iCloud Keychain (managed)", Manager),
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager", Manager),
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello", Device),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello", Device),
    ("6028b017-b1d4-4c02-b4b3-afcdafc96bb2", "Windows Hello", Device),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac", Device),
    ("771b48fd-d3d4-4f74-9232-fc157ab0507a", "Edge on Mac", Device),
    ("b5397666-4885-aa6b-cebf-e52262a439a2", "Chromium", Device),
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password", Manager),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden", Manager),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane", Manager),
    ("fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC", Manager),
    ("50726f74-6f6e-5061-7373-50726f746f6e", "Proton Pass", Manager),
    ("53414d53-554e-4700-0000-000000000000", "Samsung Pass", Manager),
    ("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6", "Keeper", Manager),
    ("b84e4048-15dc-4dd0-8640-f4f60813c8af", "NordPass", Manager),
    ("f3809540-7f14-49c1-a8b3-8f813b225541", "Enpass", Manager),
    ("cb69481e-8ff7-4039-93ec-0a2729a154a8", "YubiKey 5", SecurityKey),
    ("ee882879-721c-4913-9775-3dfcce97072a", "YubiKey 5", SecurityKey),
    ("fa2b99dc-9e39-4257-8f92-4a30d23c4118", "YubiKey 5 NFC", SecurityKey),
    ("2fc0579f-8113-47ea-b116-bb5a8db9202a", "YubiKey 5 NFC", SecurityKey),
    ("a25342c0-3cdc-4414-8e46-f4807fca511c", "YubiKey 5 NFC", SecurityKey),
    ("d7781e5d-e353-46aa-afe2-3ca49f13332a", "YubiKey 5 NFC", SecurityKey),
    ("c5ef55ff-ad9a-4b9f-b580-adebafe026d0", "YubiKey 5Ci", SecurityKey),
    ("42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3", "Google Titan Security Key", SecurityKey),
];

/// What keeps a passkey of this AAGUID: by our own table, else by the metadata's entry for its model. `None`: nobody
/// says, which for the zero AAGUID is the rule.
pub fn provider(aaguid: &[u8; 16], entry: Option<&Entry>) -> Option<Provider> {
    let text = uuid::Uuid::from_bytes(*aaguid).to_string();
    if let Some((_, name, icon)) = TABLE.iter().find(|(known, ..)| *known == text) {
        return Some(Provider { name: (*name).to_owned(), icon: *icon });
    }
    // Vendors' words go into pages and mails: short, and without control characters.
    let name: String = entry?.description.chars().filter(|c| !c.is_control()).take(60).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(Provider { name, icon: SecurityKey })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::passkey::mds::Certification;

    #[test]
    fn the_table_names_each_aaguid_once_and_never_zero() {
        let parsed: HashSet<_> = TABLE.iter().map(|(text, ..)| uuid::Uuid::parse_str(text).unwrap()).collect();
        assert_eq!(parsed.len(), TABLE.len());
        assert!(TABLE.iter().all(|(text, ..)| *text == text.to_lowercase()));
        assert_eq!(provider(&[0; 16], None), None);
    }

    #[test]
    fn our_own_name_goes_before_the_vendors() {
        let entry = |description: &str| Entry {
            description: description.to_owned(),
            statuses: [].into(),
            certification: Certification::None,
            hardware: false,
            roots: Vec::new(),
        };
        let hello = uuid::Uuid::parse_str("08987058-cadc-4b81-b6e1-30de50dcbe96").unwrap().into_bytes();
        let named = |aaguid: &[u8; 16], text: &str| provider(aaguid, Some(&entry(text))).map(|found| found.name);
        assert_eq!(named(&hello, "Windows Hello Hardware Authenticator").as_deref(), Some("Windows Hello"));
        assert_eq!(named(&[9; 16], "Soft\u{7} Key ").as_deref(), Some("Soft Key"));
        assert_eq!(named(&[9; 16], " ").as_deref(), None);
        assert_eq!(named(&[9; 16], &"x".repeat(500)).unwrap().len(), 60);
    }
}
