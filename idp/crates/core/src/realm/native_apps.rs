//! Applications for phones that may use a realm's passkeys, and the documents that say so to their systems.
//! Digital Asset Links §3 (Android), Apple "Supporting associated domains" (`webcredentials`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::encoding::base64url;

/// The applications of a realm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NativeApps {
    pub android: Vec<AndroidApp>,
    /// Application identifiers: `TEAM.BUNDLE`.
    pub apple: Vec<String>,
}

/// An Android application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AndroidApp {
    /// Such as `org.example.app`.
    pub package: String,
    /// SHA-256 of each certificate that signs it, as `keytool` prints it: 32 bytes, `AB:CD:…`.
    pub sha256: Vec<String>,
}

impl NativeApps {
    /// Whether every identifier has its form.
    pub fn is_well_formed(&self) -> bool {
        self.android.iter().all(|app| {
            is_name(&app.package, 2, |c| c == '_')
                && !app.sha256.is_empty()
                && app.sha256.iter().all(|text| fingerprint(text).is_some())
        }) && self.apple.iter().all(|id| {
            let team = |team: &str| team.len() == 10 && team.bytes().all(|b| b.is_ascii_alphanumeric());
            id.split_once('.').is_some_and(|(t, bundle)| team(t) && is_name(bundle, 1, |c| c == '-'))
        })
    }

    /// `/.well-known/assetlinks.json`. Android wants both relations of an application that uses passkeys.
    pub fn asset_links(&self) -> Value {
        const RELATIONS: [&str; 2] =
            ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"];
        let link = |app: &AndroidApp| {
            let target = json!({
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": app.sha256.iter().map(|f| f.to_ascii_uppercase()).collect::<Vec<_>>(),
            });
            json!({ "relation": RELATIONS, "target": target })
        };
        self.android.iter().map(link).collect()
    }

    /// `/.well-known/apple-app-site-association`.
    pub fn site_association(&self) -> Value {
        json!({ "webcredentials": { "apps": self.apple } })
    }

    /// The origins that the Android applications' ceremonies have; iOS applications have the web's.
    pub fn origins(&self) -> Vec<String> {
        let fingerprints = self.android.iter().flat_map(|app| &app.sha256).filter_map(|text| fingerprint(text));
        fingerprints.map(|hash| format!("android:apk-key-hash:{}", base64url(hash))).collect()
    }
}

/// Dotted parts of letters, digits and what `also` allows, each beginning with a letter or digit.
fn is_name(text: &str, least: usize, also: fn(char) -> bool) -> bool {
    let part = |part: &str| {
        part.chars().next().is_some_and(|c| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || also(c))
    };
    text.len() <= 255 && text.split('.').count() >= least && text.split('.').all(part)
}

/// The 32 bytes of `AB:CD:…`.
fn fingerprint(text: &str) -> Option<Vec<u8>> {
    let hex = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = |pair: &str| if hex(pair) { u8::from_str_radix(pair, 16).ok() } else { None };
    let bytes: Vec<u8> = text.split(':').map(byte).collect::<Option<_>>()?;
    (bytes.len() == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::NativeApps;
    use serde_json::json;

    const HASH: &str =
        "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5";

    fn apps(package: &str, hash: &str, apple: &str) -> NativeApps {
        serde_json::from_value(json!({ "android": [{ "package": package, "sha256": [hash] }], "apple": [apple] }))
            .unwrap()
    }

    #[test]
    fn says_who_may_use_the_passkeys() {
        let apps = apps("org.example.app", &HASH.to_lowercase(), "ABCDE12345.org.example.App-2");
        assert!(apps.is_well_formed());
        let links = apps.asset_links();
        assert_eq!(links[0]["target"]["package_name"], "org.example.app");
        assert_eq!(links[0]["target"]["sha256_cert_fingerprints"], json!([HASH]));
        assert_eq!(links[0]["relation"].as_array().unwrap().len(), 2);
        assert_eq!(apps.site_association()["webcredentials"]["apps"], json!(["ABCDE12345.org.example.App-2"]));
        assert_eq!(apps.origins(), ["android:apk-key-hash:FG3pg8VzBlDY7rmVLzT8ZBagg0LmHb6oigSWsj_PROU"]);
        assert_eq!(NativeApps::default().asset_links(), json!([]));
    }

    #[test]
    fn refuses_what_is_no_identifier() {
        let good = "ABCDE12345.org.example.app";
        for (package, hash, apple) in [
            ("app", HASH, good),
            ("org..app", HASH, good),
            ("org.example/app", HASH, good),
            ("org.example.app", "14:6D", good),
            ("org.example.app", &HASH.replace(':', ""), good),
            ("org.example.app", &HASH.replace("14:", "+4:"), good),
            ("org.example.app", HASH, "org.example.app"),
            ("org.example.app", HASH, "ABCDE12345"),
            ("org.example.app", HASH, "ABCDE12345.*"),
        ] {
            assert!(!apps(package, hash, apple).is_well_formed(), "{package} {hash} {apple}");
        }
    }
}
