//! A sign-in that leaves the issuer's host for one at which passkeys of another RP ID work, and comes back.
//!
//! WebAuthn L3 §5.1.2 (a passkey works where its RP ID does), RFC 6265bis §4.1.3.2 (`__Host-` cookies stay at their
//! host), RFC 9700 §4.7 (a sign-in belongs to the browser that began it).

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, FlowId};
use crate::rule::Rule;
use crate::secret::{Hash, same};
use crate::session::PasskeyProof;
use crate::time::Timestamp;

/// How long somebody may look for their passkey at the other host, in seconds: as long as the request may take.
pub const ERRAND_LIFETIME_S: i64 = 3600;
/// How long the way back may take, in seconds.
pub const HANDOFF_LIFETIME_S: i64 = 60;

/// The rules of the way back, in the order in which they are looked at; the last one is the store's.
pub const RULES: &[Rule] = &[AGE, REQUEST, BROWSER, FACTOR, ONCE];

const AGE: Rule = Rule { id: "handoff.age", spec: "RFC 9700 §4.7", text: "A handoff is accepted for 60 seconds." };
const REQUEST: Rule = Rule {
    id: "handoff.request",
    spec: "RFC 9700 §4.7",
    text: "A handoff counts for the authorization request with which the browser left.",
};
const BROWSER: Rule = Rule {
    id: "handoff.browser",
    spec: "RFC 9700 §4.7",
    text: "A handoff counts in the browser that left the issuer's host, told by a cookie of that host.",
};
const FACTOR: Rule = Rule {
    id: "handoff.factor",
    spec: "passkey policy",
    text: "A passkey that was used as a second factor comes back to the first one.",
};
const ONCE: Rule = Rule {
    id: "handoff.once",
    spec: "WebAuthn L3 §13.4.3",
    text: "A handoff signs in once: its challenge is used up.",
};

/// Sealed by the issuer's host when the browser leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Whose passkeys are to be asked for.
    pub rp_id: String,
    /// The authorization request; `None` for a sign-in that began at `/login`.
    pub flow: Option<FlowId>,
    /// Keyed hash of the cookie of the browser that leaves.
    pub browser: Hash,
    /// The account that proved a factor before: its passkeys may be listed, and one of them must be used.
    pub account: Option<AccountId>,
    /// That factor waits in the browser's login cookie, so the passkey is the second one.
    pub second: bool,
    pub expires: Timestamp,
}

/// Sealed by the other host when a passkey passed every check there. Nothing was written yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    pub errand: Errand,
    pub account: AccountId,
    /// As JSON inside: the sealed form has no room for members that may be left out.
    #[serde(with = "json_text")]
    pub proof: PasskeyProof,
    /// Signature counter to store.
    pub counter: u32,
    /// The counter went back, and the policy wants more.
    pub doubtful: bool,
    /// Browser and system, in words.
    pub client: Option<String>,
    /// Hash of the challenge that was answered, and until when it is remembered as used.
    pub challenge: Hash,
    pub challenge_expires: Timestamp,
    pub expires: Timestamp,
}

/// What the issuer's host knows when the browser comes back.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub flow: Option<FlowId>,
    /// Keyed hash of the cookie of the browser at hand.
    pub browser: &'a Hash,
    /// The account whose first factor waits in this browser.
    pub waiting: Option<AccountId>,
    pub now: Timestamp,
}

/// Judges a handoff.
///
/// # Errors
/// The first rule that does not hold.
pub fn accept(handoff: &Handoff, arrival: Arrival<'_>) -> Result<(), &'static Rule> {
    let errand = &handoff.errand;
    let holds = [
        arrival.now < handoff.expires,
        errand.flow == arrival.flow,
        same(&errand.browser, arrival.browser),
        !errand.second || arrival.waiting == Some(handoff.account),
    ];
    RULES.iter().zip(holds).find(|(_, holds)| !holds).map_or(Ok(()), |(rule, _)| Err(rule))
}

/// serde helper: a value as JSON text.
mod json_text {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}
