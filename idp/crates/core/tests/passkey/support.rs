//! One account, one relying party, one software authenticator.

use idp_core::encoding::base64url;
use idp_core::id::AccountId;
use idp_core::passkey::assertion::{self, Asked, Found, Verified};
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::Passkey;
use idp_core::passkey::registration::{self, OptionsFor, Registered};
use idp_core::passkey::wire::{AuthenticationResponse, RegistrationResponse};
use idp_core::passkey::{Expected, Refused};
use idp_core::time::Timestamp;
use idp_softkey::{Alg, Faults, Options, SoftKey};
use serde_json::{Value, json};

pub const RP_ID: &str = "login.example.org";
pub const ORIGIN: &str = "https://login.example.org";
pub const CHALLENGE: &[u8] = &[0xfb; 32];
pub const HANDLE: &[u8] = &[0x5a; 64];
pub const ISSUED: Timestamp = Timestamp::from_ms(1_700_000_000_000);
pub const NOW: Timestamp = Timestamp::from_ms(1_700_000_010_000);

pub fn account() -> AccountId {
    AccountId::from_bytes([7; 16])
}

pub fn origins() -> Vec<String> {
    vec![ORIGIN.to_owned(), "https://login.example.org:8443".to_owned()]
}

pub fn expected(origins: &[String]) -> Expected<'_> {
    Expected { challenge: CHALLENGE, origins, rp_id: RP_ID, issued: ISSUED, conditional: false }
}

pub fn creation_options(policy: &Policy) -> Value {
    let request = OptionsFor {
        rp_id: RP_ID,
        rp_name: "Example",
        user_handle: HANDLE,
        username: "ada",
        display_name: "Ada Lovelace",
        challenge: CHALLENGE,
        kind: None,
        passkeys: &[],
        conditional: false,
    };
    serde_json::to_value(registration::options(&request, policy)).unwrap()
}

pub fn request_options(policy: &Policy) -> Value {
    serde_json::to_value(assertion::options(RP_ID, CHALLENGE, &[], policy)).unwrap()
}

pub fn verify_registration(response: &Value, policy: &Policy) -> Result<Registered, Refused> {
    let response = RegistrationResponse::from_json(response)?;
    registration::verify(&expected(&origins()), response, policy, NOW)
}

/// Somebody who was not known before the ceremony signs in.
pub fn verify_assertion(response: &Value, passkey: &Passkey, policy: &Policy) -> Result<Verified, Refused> {
    let origins = origins();
    verify_asked(&Asked { ceremony: expected(&origins), allowed: &[], account: None }, response, passkey, policy)
}

pub fn verify_asked(
    asked: &Asked<'_>,
    response: &Value,
    passkey: &Passkey,
    policy: &Policy,
) -> Result<Verified, Refused> {
    let response = AuthenticationResponse::from_json(response)?;
    assertion::verify(asked, Found { passkey, user_handle: HANDLE }, &response, policy, NOW)
}

/// A registered authenticator and its record; registered an hour ago.
pub struct Bench {
    pub key: SoftKey,
    pub passkey: Passkey,
    pub policy: Policy,
}

impl Bench {
    pub fn new(alg: Alg, options: Options) -> Self {
        Self::under(lenient(), alg, options)
    }

    pub fn under(policy: Policy, alg: Alg, options: Options) -> Self {
        let mut key = SoftKey::new(alg, options);
        let response = key.create(&creation_options(&policy), ORIGIN);
        let registered = verify_registration(&response, &policy).unwrap();
        let passkey = registered.into_passkey(account(), RP_ID, "my key".to_owned(), NOW.plus_s(-3600));
        Self { key, passkey, policy }
    }

    pub fn sign_in(&mut self, faults: &Faults) -> Result<Verified, Refused> {
        self.sign_in_from(ORIGIN, faults)
    }

    pub fn sign_in_from(&mut self, origin: &str, faults: &Faults) -> Result<Verified, Refused> {
        let response = self.key.get_with(&request_options(&self.policy), origin, faults);
        verify_assertion(&response, &self.passkey, &self.policy)
    }
}

/// The default policy, but UV is only preferred.
pub fn lenient() -> Policy {
    policy(&[("user_verification", "preferred"), ("resident_key", "preferred"), ("algorithms", "-7,-8,-35,-36,-257")])
}

/// The default policy with some fields set.
pub fn policy(fields: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    for (name, value) in fields {
        policy.set(name, value).unwrap();
    }
    assert_eq!(policy.check(), []);
    policy
}

pub fn other_challenge() -> Faults {
    Faults { challenge: Some(base64url([1; 32])), ..Faults::default() }
}

/// A binary member of a response changed.
pub fn with_bytes(mut response: Value, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let member = response.pointer_mut(path).unwrap();
    let mut bytes = idp_core::encoding::from_base64url(member.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *member = json!(base64url(bytes));
    response
}
