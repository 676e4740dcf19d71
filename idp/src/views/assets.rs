//! What lies under `/assets/`: stylesheets, scripts, icons.
//!
//! Every link carries the version of what it names, so that a browser may keep it for ever (RFC 9111 §5.2, RFC 8246).

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use super::brand;

/// A file as it goes to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub bytes: bytes::Bytes,
    pub content_type: &'static str,
    /// Quoted, strong (RFC 9110 §8.8.3).
    pub etag: String,
    /// What `?v=` says in our links: where it matches, the answer may be `immutable`.
    pub version: String,
}

/// The assets of a theme.
#[derive(Debug)]
pub struct Assets(BTreeMap<String, Asset>);

impl Assets {
    /// Takes `assets/*` from the files of a theme.
    pub fn new(files: &BTreeMap<String, Cow<'static, [u8]>>) -> Self {
        let named = |path: &str| path.strip_prefix("assets/").map(str::to_owned);
        let mut all: BTreeMap<_, _> = files
            .iter()
            .filter_map(|(path, bytes)| Some((named(path)?, asset(path, bytes.clone().into_owned().into())?)))
            .collect();
        // A module names those it imports without a version: give it the one of today, or a browser mixes releases.
        // What is imported comes before who imports it, so that a change reaches every address above it.
        for shared in ["causes.js", "signals.js", "passkey.js"] {
            let Some(version) = all.get(shared).map(|asset| asset.version.clone()) else { continue };
            for (path, module) in all.iter_mut().filter(|(path, _)| path.ends_with(".js")) {
                let text = String::from_utf8_lossy(&module.bytes);
                let versioned = text.replace(&format!("'./{shared}'"), &format!("'./{shared}?v={version}'"));
                if let Some(rewritten) = asset(path, versioned.into_bytes().into()) {
                    *module = rewritten;
                }
            }
        }
        Self(all)
    }

    /// The asset at `path` below `/assets/`; `brand/rrggbb.css` is made on the spot.
    pub fn find(&self, path: &str) -> Option<Asset> {
        if let Some(color) = path.strip_prefix("brand/").and_then(|name| name.strip_suffix(".css")) {
            return asset(path, brand::css(brand::parse(color)?).into_bytes().into());
        }
        self.0.get(path).cloned()
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The address to link `path` by.
    pub fn href(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|asset| format!("/assets/{path}?v={}", asset.version))
    }
}

/// Nothing for a kind of file a browser has no use for here.
fn asset(path: &str, bytes: bytes::Bytes) -> Option<Asset> {
    let content_type = match path.rsplit('.').next()? {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => return None,
    };
    let version: String = digest(&SHA256, &bytes).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(Asset { bytes, content_type, etag: format!("\"{version}\""), version })
}
