//! Passkeys: the ceremonies' checks, the policy, the record.
//!
//! WebAuthn L3. `registration` and `assertion` are straight lists of checks in the order of §7.1 and §7.2;
//! the other modules parse what they look at or say what a realm asks for.

pub mod assertion;
pub mod authenticator_data;
mod cbor;
pub mod ceremony;
pub mod client_data;
pub mod cose;
pub mod options;
pub mod policy;
pub mod record;
pub mod refused;
pub mod registration;
pub mod wire;

use crate::time::Timestamp;

pub use refused::{Ceremony, Reason, Refused};

/// How long a challenge is good for, in seconds; also the browser's `timeout`.
pub const CEREMONY_LIFETIME_S: i64 = 300;

/// What the server remembers of the options it sent: the response is held against it.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The random challenge of this ceremony.
    pub challenge: &'a [u8],
    /// Origins that may have run it, in the serialised form of the browser; compared byte for byte.
    pub origins: &'a [String],
    /// The RP ID of the host that served the page.
    pub rp_id: &'a str,
    /// When the challenge was issued.
    pub issued: Timestamp,
}

impl Expected<'_> {
    /// Whether the ceremony is younger than [`CEREMONY_LIFETIME_S`].
    pub fn is_open(&self, now: Timestamp) -> bool {
        now.ms_since(self.issued) < CEREMONY_LIFETIME_S * 1000
    }
}
