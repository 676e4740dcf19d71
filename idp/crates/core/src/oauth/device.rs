//! Device authorization: a device without a browser asks, a person answers on another one.
//! RFC 8628 §3.1 to §3.3, §5 and §6.1.

use serde::{Deserialize, Serialize};

use crate::client::{Client, GrantType};
use crate::grant::AuthContext;
use crate::id::{AccountId, ClientId, FlowId, Sid};
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::authorize::rules::scope;
use crate::oauth::authorize::{AcrDemand, Addressed, AuthorizationRequest, Input, Prompt};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::params::RawParams;
use crate::oauth::resource;
use crate::oauth::scope::Scopes;
use crate::realm::Realm;
use crate::rule::Rule;
use crate::secret::Hash;
use crate::time::Timestamp;

/// Life of a device code and its user code, in seconds.
pub const LIFETIME_S: i64 = 600;
/// Seconds between two polls at first, and by how much `slow_down` lengthens them (RFC 8628 §3.5).
pub const INTERVAL_S: i64 = 5;
/// Requests that wait for an answer at most: of one address, whatever the client; of one client, whatever the address.
pub const MOST_WAITING: (i64, i64) = (50, 10_000);

/// No vowels, so that no words arise, and nothing that looks like a digit (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 34.5 bits, for ten minutes and few guesses.
const LENGTH: usize = 8;

/// The rules of the endpoint and of the pages where somebody answers.
pub const RULES: &[Rule] = &[
    Rule { id: "device.params", spec: "RFC 8628 §3.1", text: "No parameter but `resource` comes twice." },
    Rule {
        id: "device.allowed",
        spec: "RFC 8628 §3.1",
        text: "The client is set up for the device grant; else `unauthorized_client`.",
    },
    Rule {
        id: "device.waiting",
        spec: "RFC 8628 §5.2",
        text: "At most 50 requests of one address and 10000 of one client wait for an answer; more are told to come \
               back.",
    },
    Rule {
        id: "device.guesses",
        spec: "RFC 8628 §5.1",
        text: "Wrong user codes are counted by address and by account; unknown, expired and used ones are answered alike.",
    },
    Rule {
        id: "device.entered",
        spec: "RFC 8628 §5.4",
        text: "Only a browser in which the code was entered may answer; an address with the code in it fills in the \
               field and no more.",
    },
    Rule {
        id: "device.signed_in",
        spec: "RFC 8628 §5.4",
        text: "Whoever answers has signed in for this very request, as the policy wants it.",
    },
    Rule {
        id: "device.acr",
        spec: "RFC 8176 §2",
        text: "An answer on another device adds `mca` and is never phishing-resistant: REFEDS MFA at most.",
    },
];

/// Where a device authorization stands. It leaves `Waiting` once and `Approved` once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has answered yet.
    Waiting,
    /// Somebody said yes; the device may fetch its tokens.
    Approved,
    /// Somebody said no.
    Denied,
    /// The tokens were fetched.
    Used,
}

/// What a device asked for; nothing is looked up by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    pub scope: Scopes,
    /// Resource servers asked for (RFC 8707 §2.1).
    pub resources: Vec<String>,
    /// The address it came from, for people to compare.
    pub address: String,
}

/// Who said yes, and how they had signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub account_id: AccountId,
    pub sid: Sid,
    pub auth: AuthContext,
}

/// One device authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// SHA-256 of the device code.
    pub hash: Hash,
    /// Eight letters, without a hyphen.
    pub user_code: String,
    pub client_id: ClientId,
    pub request: DeviceRequest,
    pub state: DeviceState,
    /// From `Approved` on.
    pub approval: Option<Approval>,
    /// Seconds between two polls now.
    pub interval_s: i64,
    /// The last poll while waiting.
    pub polled: Option<Timestamp>,
    pub expires: Timestamp,
}

impl DeviceCode {
    /// Whether somebody may still answer.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == DeviceState::Waiting && now < self.expires
    }
}

/// Decides about a request of an authenticated client: what it asks for.
///
/// # Errors
/// The rule that refuses.
pub fn parse(params: &RawParams, client: &Client, realm: &Realm) -> Result<(Scopes, Vec<String>), OAuthError> {
    if let Some(name) = params.doubled() {
        let text = format!("the parameter {name} came twice");
        return Err(OAuthError::naming(ErrorCode::InvalidRequest, "device.params", &text));
    }
    if !client.settings.grant_types.contains(&GrantType::DeviceCode) {
        let text = "this client is not set up for device authorization";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "device.allowed", text));
    }
    let scope = scope::parse(&Input { params, client, realm, pushed: false, by_object: false, hint: None })?;
    Ok((scope, resource::parse(params, client, &realm.issuer)?))
}

/// The way through the pages that ends in an answer: an authorization request to which the device, not the browser, gets
/// the answer. It always asks for a new sign-in, so that a session left open gives nothing away.
pub fn authorization_request(
    device: &DeviceCode,
    client: &Client,
    issuer: &str,
    id: FlowId,
    now: Timestamp,
) -> AuthorizationRequest {
    AuthorizationRequest {
        id,
        issued: now,
        to: Addressed::of_device(client.id.clone(), issuer, device.hash),
        scope: device.request.scope.clone(),
        nonce: None,
        code_challenge: None,
        prompt: Prompt { login: true, ..Prompt::default() },
        max_age_s: None,
        acr: AcrDemand {
            values: client.settings.default_acr_values.clone(),
            essential: client.settings.acr_binding && !client.settings.default_acr_values.is_empty(),
        },
        claims: ClaimsRequest::default(),
        resources: device.request.resources.clone(),
        jkt: None,
        ui_locales: None,
        login_hint: None,
        hinted: None,
        pushed: None,
        selected: None,
        step_up_declined: false,
        enrolment_put_off: false,
    }
}

/// A user code made of random bytes; far more of them than letters, so that all codes are as likely.
pub fn user_code(random: [u8; 16]) -> String {
    let mut rest = u128::from_be_bytes(random);
    let mut code = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let at = usize::try_from(rest % LETTERS.len() as u128).unwrap_or_default();
        code.push(LETTERS.get(at).copied().map_or('B', char::from));
        rest /= LETTERS.len() as u128;
    }
    code
}

/// A user code as people read it: `WDJB-MJHT`.
pub fn shown(code: &str) -> String {
    match code.split_at_checked(LENGTH / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => code.to_owned(),
    }
}

/// Reads a user code as people type it: any case, with hyphens, spaces or neither. `None`: it cannot be one.
pub fn typed(text: &str) -> Option<String> {
    let letters = text.chars().take(64).filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'));
    let code: String = letters.map(|c| c.to_ascii_uppercase()).collect();
    (code.len() == LENGTH && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{LETTERS, shown, typed, user_code};
    use crate::secret::sha256;

    #[test]
    fn user_codes_have_eight_letters_of_which_each_occurs() {
        let random = |n: u32| <[u8; 16]>::try_from(&sha256(&n.to_be_bytes())[..16]).unwrap();
        let codes: Vec<String> = (0..200).map(|n| user_code(random(n))).collect();
        assert!(codes.iter().all(|code| typed(code).as_ref() == Some(code)));
        let letters: BTreeSet<u8> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(letters, BTreeSet::from(*LETTERS));
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 200);
    }

    #[test]
    fn reads_a_code_however_it_is_typed() {
        for text in ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "WdJb - mJhT", "wdjb\u{2011}mjht"] {
            assert_eq!(typed(text).as_deref(), Some("WDJBMJHT"), "{text}");
        }
        for text in ["", "WDJB-MJH", "WDJB-MJHTX", "ADJB-MJHT", "WDJB_MJHT", "WDJB-MJH0", "ＷDJBMJH"] {
            assert_eq!(typed(text), None, "{text}");
        }
        assert_eq!(typed(&"-".repeat(1_000_000)), None);
        assert_eq!(shown("WDJBMJHT"), "WDJB-MJHT");
    }
}
