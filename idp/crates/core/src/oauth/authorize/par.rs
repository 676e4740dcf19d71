//! Pushed authorization requests: the client hands its parameters over before the browser comes.
//! RFC 9126, FAPI 2.0 §5.3.2.2.

use serde::{Deserialize, Serialize};

use super::{AuthorizationRequest, Unaddressed};
use crate::client::Client;
use crate::encoding::{base64url, from_base64url};
use crate::id::{AccountId, ClientId, FlowId};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::rule::Rule;
use crate::secret::{Hash, sha256};
use crate::time::Timestamp;

/// The rules, besides those of every authorization request.
pub const RULES: &[Rule] = &[
    Rule {
        id: "par.key",
        spec: "RFC 9449 §10.1",
        text: "A DPoP proof that comes with a push binds the code to its key, as `dpop_jkt` does; both are one key.",
    },
    Rule { id: "par.size", spec: "RFC 9126 §2.3", text: "A pushed request takes at most 16 KiB to keep." },
    Rule {
        id: "par.rate",
        spec: "RFC 9126 §2.3",
        text: "An address and a client push so many requests a minute, then wait (429).",
    },
    Rule {
        id: "par.bound",
        spec: "RFC 9126 §2.2",
        text: "A `request_uri` is opened by the client that pushed it; the other parameters beside it do not count.",
    },
    Rule { id: "par.fresh", spec: "RFC 9126 §2.2", text: "A `request_uri` is opened within 90 seconds." },
    Rule {
        id: "par.once",
        spec: "FAPI 2.0 §5.3.2.2",
        text: "A `request_uri` may be opened again until its code is issued, and buys one code.",
    },
];

/// How long a `request_uri` can be opened, in seconds. A redirect takes less than a second, but an app that first has
/// to start a browser, or a person who has to unlock a phone for it, takes a minute; FAPI 2.0 §5.3.2.2 allows 600.
pub const LIFETIME_S: i64 = 90;

/// Most bytes of a request at rest.
const MOST_BYTES: usize = 16 * 1024;

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` for fresh random bytes.
pub fn request_uri(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", base64url(secret))
}

/// What a `request_uri` of ours is kept under; `None`: none of ours.
pub fn hash_of(request_uri: &str) -> Option<Hash> {
    request_uri.strip_prefix(PREFIX).map(|secret| sha256(&from_base64url(secret).unwrap_or_default()))
}

/// Binds a pushed request to the key that its push proved, and makes it fit to be kept.
///
/// # Errors
/// `invalid_request` when it names another key or is too long.
pub fn kept(mut request: AuthorizationRequest, proved: Option<Hash>) -> Result<String, OAuthError> {
    let refuse = |rule, text| OAuthError::new(ErrorCode::InvalidRequest, rule, text);
    match (request.jkt, proved) {
        (Some(named), Some(proved)) if named != proved => {
            return Err(refuse("par.key", "dpop_jkt is not the key of the DPoP proof"));
        }
        (named, proved) => request.jkt = named.or(proved),
    }
    let text = serde_json::to_string(&request).unwrap_or_default();
    if (1..=MOST_BYTES).contains(&text.len()) { Ok(text) } else { Err(refuse("par.size", "the request is too long")) }
}

/// A pushed request as it was found.
#[derive(Clone, Debug)]
pub struct Pushed {
    pub client_id: ClientId,
    /// What [`kept`] made of it.
    pub request: String,
    /// Its code was issued.
    pub used: bool,
}

impl Pushed {
    fn request(&self) -> Result<AuthorizationRequest, Unaddressed> {
        // A text that does not read was written by another version of this program.
        serde_json::from_str(&self.request).ok().filter(|_| !self.used).ok_or(Unaddressed::RequestUri)
    }

    /// The request, opened by `client` with a browser: a flow of its own each time.
    ///
    /// # Errors
    /// [`Unaddressed::RequestUri`]: another client's, too old, used.
    pub fn open(&self, client: &Client, id: FlowId, now: Timestamp) -> Result<AuthorizationRequest, Unaddressed> {
        let request = self.request()?;
        if self.client_id != client.id || now.ms_since(request.issued) > LIFETIME_S * 1000 {
            return Err(Unaddressed::RequestUri);
        }
        Ok(AuthorizationRequest { id, issued: now, ..request })
    }
}

/// What travels through the pages of a request that was pushed: which one it is, and what happened since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    hash: Hash,
    id: FlowId,
    issued: Timestamp,
    selected: Option<AccountId>,
    step_up_declined: bool,
    enrolment_put_off: bool,
}

impl Reference {
    /// Stands for an open request.
    pub const fn to(hash: Hash, request: &AuthorizationRequest) -> Self {
        let AuthorizationRequest { id, issued, selected, step_up_declined, enrolment_put_off, .. } = request;
        Self {
            hash,
            id: *id,
            issued: *issued,
            selected: *selected,
            step_up_declined: *step_up_declined,
            enrolment_put_off: *enrolment_put_off,
        }
    }

    /// What the request is kept under.
    pub const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The request it stands for.
    ///
    /// # Errors
    /// [`Unaddressed::RequestUri`] when its code was issued meanwhile.
    pub fn request(self, found: &Pushed) -> Result<AuthorizationRequest, Unaddressed> {
        let Self { hash, id, issued, selected, step_up_declined, enrolment_put_off } = self;
        let request = found.request()?;
        let pushed = Some(hash);
        Ok(AuthorizationRequest { id, issued, pushed, selected, step_up_declined, enrolment_put_off, ..request })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AuthorizationRequest, hash_of, kept, request_uri};
    use crate::secret::sha256;

    fn request() -> AuthorizationRequest {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let to = json!({ "client_id": "app", "redirect_uri": "https://a.example/cb", "mode": "Query", "state": null });
        let prompt = json!({ "none": false, "login": false, "consent": false, "select_account": false });
        let request = json!({
            "id": id, "issued": 0, "to": to, "scope": "openid", "nonce": null, "code_challenge": null,
            "prompt": prompt, "max_age_s": null, "acr": { "values": [], "essential": false }, "claims": {},
            "resources": [], "jkt": null, "ui_locales": null, "login_hint": null, "hinted": null, "pushed": null,
            "selected": null, "step_up_declined": false, "enrolment_put_off": false,
        });
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn binds_the_code_to_the_key_that_the_push_proved() {
        let (one, other) = (sha256(b"one"), sha256(b"other"));
        let named = |jkt| AuthorizationRequest { jkt, ..request() };
        for (in_request, proved, expected) in [
            (None, None, Some(None)),
            (Some(one), None, Some(Some(one))),
            (None, Some(one), Some(Some(one))),
            (Some(one), Some(one), Some(Some(one))),
            (Some(one), Some(other), None),
        ] {
            let result = kept(named(in_request), proved);
            let bound = |text: &String| serde_json::from_str::<AuthorizationRequest>(text).unwrap().jkt;
            assert_eq!(result.as_ref().ok().map(bound), expected);
            assert!(result.err().is_none_or(|e| e.rule == "par.key"));
        }
    }

    #[test]
    fn reads_its_own_request_uri_alone() {
        assert_eq!(hash_of(&request_uri(&[7; 32])), Some(sha256(&[7; 32])));
        assert_eq!(hash_of("https://app.example/request.jwt"), None);
        assert_ne!(hash_of("urn:ietf:params:oauth:request_uri:x y"), None, "ours in form, never in the store");
    }
}
