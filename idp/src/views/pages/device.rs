//! What the pages are given where somebody answers for a device (RFC 8628 §3.3).
//!
//! A template sees it as `page.…`.

use idp_core::time::Timestamp;
use serde::Serialize;

use super::{Application, ConsentItem, Person};

/// `GET /device`: the field for the code that a device shows.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    pub csrf: String,
    /// As shown by the device, from an address that carries it, or as typed before.
    pub user_code: String,
    pub notice: Option<DeviceNotice>,
}

/// Why the field for a code is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeviceNotice {
    /// Unknown, expired or used; which of them is not said.
    WrongCode,
    /// Too many wrong codes.
    Throttled { minutes: u32 },
    /// The code was answered or expired while somebody looked at it.
    Over,
    /// The person left the sign-in.
    Cancelled,
    /// The application demands more than an approval on another device can prove.
    Refused,
}

/// `GET /device/confirm`: who asks, from where, for what.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceConfirm {
    pub csrf: String,
    pub request: String,
    pub application: Application,
    pub person: Person,
    pub items: Vec<ConsentItem>,
    /// To be compared with what the device shows.
    pub user_code: String,
    /// The network address of the device.
    pub address: String,
    /// When the device asked.
    pub started: Timestamp,
    /// "Not you?": the account chooser, with the same `request`.
    pub switch_href: String,
}
