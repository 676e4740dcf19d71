//! Passkeys: the ceremonies' checks, the policy, the record.
//!
//! WebAuthn L3. `registration` and `assertion` are straight lists of checks in the order of §7.1 and §7.2;
//! the other modules parse what they look at or say what a realm asks for.

pub mod assertion;
pub mod attestation;
pub mod authenticator_data;
mod cbor;
pub mod ceremony;
pub mod client_data;
pub mod cose;
pub mod enrolment;
pub mod explain;
pub mod handoff;
pub mod mds;
pub mod naming;
pub mod options;
pub mod policy;
pub mod provider;
pub mod reach;
pub mod record;
pub mod refused;
pub mod registration;
pub mod simulate;
pub mod standing;
pub mod wire;

use crate::encoding::base64url;
use crate::secret::{Hash, sha256};
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
    /// It creates by conditional mediation: nobody is asked, so nobody proves to be there.
    pub conditional: bool,
}

impl Expected<'_> {
    /// Whether the ceremony is younger than [`CEREMONY_LIFETIME_S`].
    pub fn is_open(&self, now: Timestamp) -> bool {
        now.ms_since(self.issued) < CEREMONY_LIFETIME_S * 1000
    }
}

/// The checks on client data, which both ceremonies share. Answers their hash.
fn check_client_data(expected: &Expected<'_>, ceremony: Ceremony, json: &[u8]) -> Result<Hash, Refused> {
    let refuse = |reason| Refused::new(ceremony, reason);
    let ensure = |holds: bool, reason| if holds { Ok(()) } else { Err(refuse(reason)) };

    // §7.1 steps 5, 6; §7.2 steps 8, 9: UTF-8 and JSON.
    let data = client_data::ClientData::parse(json).map_err(|e| refuse(Reason::ClientData).because(&e))?;
    // §7.1 step 7; §7.2 step 10: the other ceremony's signatures do not count here.
    ensure(data.type_ == ceremony.client_data_type(), Reason::Type)?;
    // §7.1 step 8; §7.2 step 11: this ceremony, not an earlier one or somebody else's.
    ensure(data.challenge == base64url(expected.challenge), Reason::Challenge)?;
    // §7.1 step 9; §7.2 step 12: byte for byte; a suffix or another port is another site.
    if !expected.origins.contains(&data.origin) {
        return Err(refuse(Reason::Origin).because(&data.origin));
    }
    // §7.1 steps 10, 11; §7.2 steps 13, 14: no page of ours expects to be framed by others.
    ensure(data.cross_origin != Some(true), Reason::CrossOrigin)?;
    ensure(data.top_origin.is_none(), Reason::TopOrigin)?;
    // §7.1 step 12; §7.2 step 20.
    Ok(sha256(json))
}
