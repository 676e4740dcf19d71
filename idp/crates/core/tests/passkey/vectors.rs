//! The test vectors of WebAuthn L3 §16, asked with UV discouraged and every algorithm that is verified.

use idp_core::encoding::from_base64url;
use idp_core::passkey::assertion::{self, Asked, Found};
use idp_core::passkey::registration::{self, Attestation, Registered};
use idp_core::passkey::wire::{AuthenticationResponse, RegistrationResponse};
use idp_core::passkey::{Expected, Reason, Refused};
use serde_json::{Value, json};

use crate::support::*;

/// What is refused, by a part of the vector's name: a provider is not framed, and Ed448 is not verified.
const REFUSED: &[(&str, Reason)] = &[
    ("\"crossOrigin\": true", Reason::CrossOrigin),
    ("\"topOrigin\"", Reason::CrossOrigin),
    ("Ed448", Reason::Algorithm),
];

struct Vector<'a>(&'a Value);

impl Vector<'_> {
    fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Value::as_str).unwrap()
    }

    fn register(&self) -> Result<Registered, Refused> {
        let id = self.text("/reg/credential_id");
        let response = json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": self.text("/reg/clientDataJSON"),
                "attestationObject": self.text("/reg/attestationObject"),
            } });
        let challenge = from_base64url(self.text("/reg/challenge")).unwrap();
        let origins = [self.text("/origin").to_owned()];
        let expected = Expected { challenge: &challenge, origins: &origins, rp_id: self.text("/rpId"), issued: ISSUED };
        registration::verify(&expected, RegistrationResponse::from_json(&response)?, &discouraged(), NOW)
    }

    fn sign_in(&self, registered: Registered) -> Result<assertion::Verified, Refused> {
        let id = self.text("/reg/credential_id");
        let response = json!({ "id": id, "rawId": id, "type": "public-key", "response": {
            "clientDataJSON": self.text("/auth/clientDataJSON"),
            "authenticatorData": self.text("/auth/authenticatorData"),
            "signature": self.text("/auth/signature"),
        } });
        let challenge = from_base64url(self.text("/auth/challenge")).unwrap();
        let origins = [self.text("/origin").to_owned()];
        let rp_id = self.text("/rpId");
        let ceremony = Expected { challenge: &challenge, origins: &origins, rp_id, issued: ISSUED };
        let asked = Asked { ceremony, allowed: &[], account: Some(account()) };
        let passkey = registered.into_passkey(account(), rp_id, String::new(), NOW.plus_s(-60));
        let found = Found { passkey: &passkey, user_handle: HANDLE };
        assertion::verify(&asked, found, &AuthenticationResponse::from_json(&response)?, &discouraged(), NOW)
    }
}

fn discouraged() -> idp_core::passkey::policy::Policy {
    policy(&[("user_verification", "discouraged"), ("algorithms", "-7,-8,-35,-36,-257")])
}

#[test]
fn accepts_every_vector_but_the_framed_ones_and_ed448() {
    let file: Value = serde_json::from_str(include_str!("../vectors/webauthn-l3.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 15);
    let mut refused = 0;
    for vector in vectors.iter().map(Vector) {
        let name = vector.text("/name");
        let outcome = vector.register().and_then(|registered| {
            let attestation = registered.attestation;
            vector.sign_in(registered).map(|verified| (attestation, verified))
        });
        match REFUSED.iter().find(|(part, _)| name.contains(part)) {
            Some((_, reason)) => {
                let found = outcome.unwrap_err();
                println!("refused   {name}: {}", found.code());
                assert_eq!(found.reason, *reason, "{name}");
                refused += 1;
            }
            None => {
                let (attestation, verified) = outcome.unwrap_or_else(|refused| panic!("{name}: {refused}"));
                println!("accepted  {name}: {attestation:?}, uv {}", verified.user_verified);
                let expected = match name {
                    _ if name.contains("Self") => Attestation::SelfSigned,
                    _ if name.contains("No Attestation") || name.contains("long") => Attestation::None,
                    _ => Attestation::Unverified,
                };
                assert_eq!(attestation, expected, "{name}");
            }
        }
    }
    assert_eq!(refused, 3);
}

#[test]
fn even_without_the_frame_the_top_origin_is_refused() {
    // In the vector crossOrigin is found first; alone, topOrigin must do.
    let mut bench = Bench::new(idp_softkey::Alg::Es256, idp_softkey::Options::platform());
    let faults = idp_softkey::Faults { top_origin: Some("https://example.com".to_owned()), ..Default::default() };
    assert_eq!(bench.sign_in(&faults).unwrap_err().reason, Reason::TopOrigin);
}
