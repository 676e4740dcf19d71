//! Section `mds` of the settings: where the metadata come from, who signs them, and how much they may do by themselves.

use std::path::PathBuf;

use idp_core::passkey::mds::blob::Signer;

/// How the metadata are taken.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where BLOBs come from; `None`: only by command.
    pub source: Option<Source>,
    pub signer: Signer,
    /// Share of a realm's passkeys that a BLOB may suspend by itself, in percent.
    pub hold_percent: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { source: None, signer: Signer::fido(), hold_percent: 5 }
    }
}

/// Where a BLOB is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Url(String),
    File(PathBuf),
}

impl Source {
    /// An https URL (http only where `outbound.allow` lists the address), else a path.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once("://") {
            Some(("https" | "http", _)) => url::Url::parse(text).is_ok().then(|| Self::Url(text.to_owned())),
            Some(_) => None,
            None => (!text.is_empty()).then(|| Self::File(PathBuf::from(text))),
        }
    }
}
