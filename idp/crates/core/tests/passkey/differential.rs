//! webauthn-rs-core as the second opinion: over honest and bent ceremonies both verifiers must say the same,
//! but for the differences listed here with their reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use idp_core::encoding::{base64url, from_base64_lenient, from_base64url};
use idp_core::passkey::Ceremony::{self, Assertion, Registration};
use idp_core::passkey::Reason;
use idp_core::passkey::assertion::Counter;
use idp_core::passkey::policy::Policy;
use idp_softkey::{Alg, Attestation, Faults, Maker, Options, SoftKey};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs_core::WebauthnCore;

use webauthn_rs_core::proto::{
    AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential, RegistrationState,
};

use crate::support::*;

/// A listed difference: where, what is refused and why the other side does not.
struct Difference<T> {
    ceremony: Ceremony,
    what: T,
    /// Holds for the responses the difference is about.
    when: fn(&Value) -> bool,
    why: &'static str,
}

const fn row<T: Copy>(ceremony: Ceremony, what: T, when: fn(&Value) -> bool, why: &'static str) -> Difference<T> {
    Difference { ceremony, what, when, why }
}

/// Where we refuse and the oracle does not.
const STRICTER: &[Difference<Reason>] = &[
    row(Assertion, Reason::CrossOrigin, any, "the oracle looks at crossOrigin in registrations only"),
    row(Assertion, Reason::TopOrigin, any, "the oracle does not know topOrigin"),
    row(Registration, Reason::TopOrigin, any, "the oracle does not know topOrigin"),
    row(Assertion, Reason::User, any, "the oracle leaves userHandle to its caller"),
    row(Assertion, Reason::Id, any, "the oracle never looks at id, only at rawId"),
    row(Registration, Reason::Id, any, "the oracle looks at neither id nor rawId of a registration"),
    row(Assertion, Reason::CredentialType, any, "the oracle never looks at the credential's type"),
    row(Registration, Reason::CredentialType, any, "the oracle never looks at the credential's type"),
    row(Assertion, Reason::Origin, same_url, "the oracle compares parsed URLs, not texts"),
    row(Registration, Reason::Origin, same_url, "the oracle compares parsed URLs, not texts"),
    row(Assertion, Reason::Challenge, same_challenge, "the oracle takes other base64 spellings of the challenge"),
    row(Registration, Reason::Challenge, same_challenge, "the oracle takes other base64 spellings of the challenge"),
    row(Assertion, Reason::AuthenticatorData, any, "the oracle ignores bytes after the authenticator data"),
    row(Registration, Reason::AuthenticatorData, any, "the oracle ignores bytes after the authenticator data"),
    row(Registration, Reason::CredentialIdLength, any, "the oracle takes credential ids of up to 4096 bytes"),
    row(Registration, Reason::Attestation, any, "the oracle does not ask a none statement to be empty"),
    row(Registration, Reason::PublicKey, any, "the oracle takes an EC key under the algorithm of another curve"),
];

/// Where the oracle refuses, by a part of its error, and we do not.
const LAXER: &[Difference<&str>] = &[
    row(Assertion, "CredentialPossibleCompromise", any, "a counter that did not grow is judged by the policy"),
    row(Registration, "AttestationNotSupported", any, "a statement of unknown format counts as none"),
    row(Registration, "AttestationStatementSigInvalid", any, "a certificate's key of another kind counts as none"),
    row(
        Registration,
        "COSEKeyInvalidAlgorithm",
        any,
        "a statement by an algorithm that is not verified counts as none",
    ),
    row(
        Registration,
        "AttestationCertificate",
        any,
        "a certificate is read less strictly; no root vouches for it then",
    ),
    row(Registration, "X509DerInvalid", any, "a certificate is read less strictly; no root vouches for it then"),
    row(Registration, "SshPublicKeyEDUnsupported", any, "the oracle does not know EdDSA"),
    row(Registration, "ParseJSONFailure", token_binding, "tokenBinding is a member like any other since Level 3"),
    row(Assertion, "ParseJSONFailure", token_binding, "tokenBinding is a member like any other since Level 3"),
];

const fn any(_: &Value) -> bool {
    true
}

fn client_data(response: &Value, member: &str) -> Value {
    let bytes = from_base64url(response["response"]["clientDataJSON"].as_str().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()[member].take()
}

fn token_binding(response: &Value) -> bool {
    !client_data(response, "tokenBinding").is_null()
}

fn same_url(response: &Value) -> bool {
    Url::parse(client_data(response, "origin").as_str().unwrap())
        .is_ok_and(|url| origins().contains(&url.origin().ascii_serialization()))
}

fn same_challenge(response: &Value) -> bool {
    from_base64_lenient(client_data(response, "challenge").as_str().unwrap().trim_end_matches('=')).as_deref()
        == Some(CHALLENGE)
}

/// xorshift64*: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len())].clone()
    }

    fn origin(&mut self) -> String {
        let others = [
            "https://login.example.org:444",
            "http://login.example.org",
            "https://a.login.example.org",
            "https://evil-login.example.org",
            "https://login.example.org.evil.test",
            "https://example.org",
            "https://LOGIN.example.org",
            "https://login.example.org/",
            "https://login.example.org:443",
            "https://login.example.org@evil.test",
            "null",
            "",
        ];
        if self.roll(6) == 0 { self.pick(&others).to_owned() } else { ORIGIN.to_owned() }
    }

    /// What an authenticator or browser could sign: consistent, but not honest.
    fn faults(&mut self) -> Faults {
        let mut faults = Faults::default();
        let text = |t: &str| Some(t.to_owned());
        match self.roll(16) {
            0 => faults.challenge = Some(base64url([self.roll(256) as u8; 32])),
            1 => faults.challenge = text(&format!("{}=", base64url(CHALLENGE))),
            2 => faults.ceremony_type = text(self.pick(&["webauthn.get", "webauthn.create", "payment.get", ""])),
            3 => faults.cross_origin = Some(true),
            4 => faults.top_origin = text("https://evil.test"),
            5 => faults.rp_id = text(self.pick(&["example.org", "login.example.org.", "LOGIN.example.org", ""])),
            6..=8 => faults.flip_flags = self.pick(&[0x01, 0x04, 0x08, 0x10, 0x18, 0x1c, 0x40, 0x80, 0x02, 0x20]),
            9 => faults.counter = Some(self.roll(12) as u32),
            10 => faults.trailing = vec![self.roll(256) as u8; 1 + self.roll(4)],
            11 => faults.id = Some(vec![self.roll(256) as u8; 32]),
            12 => faults.raw_id = Some(vec![self.roll(256) as u8; 32]),
            13 => faults.credential_type = text("password"),
            14 => faults.user_handle = Some(self.pick(&[None, Some(vec![1; 64])])),
            _ => {
                let value = self.pick(&[json!(1), json!(null), json!({ "a": [] }), json!("x")]);
                let name = self.pick(&["tokenBinding", "extra", "androidPackageName", "crossOrigin", "type", "origin"]);
                faults.client_data.insert(name.to_owned(), value);
            }
        }
        if self.roll(20) == 0 {
            faults.break_signature = true;
        }
        if self.roll(20) == 0 {
            faults.key_alg = Some(self.pick(&[-35, -8, -257, -47, 0]));
        }
        if self.roll(30) == 0 {
            faults.fmt = Some(self.pick(&["none", "packed", "tpm", "apple", "fido-u2f", "x"]).to_owned());
        }
        faults
    }

    /// Damage after signing, anywhere in a binary member: a bit, a cut, more bytes, a doubled byte.
    fn damage(&mut self, response: Value, members: &[&str]) -> Value {
        let path = format!("/response/{}", self.pick(members));
        with_bytes(response, &path, |bytes| {
            let at = self.roll(bytes.len());
            match self.roll(8) {
                0..=4 => bytes[at] ^= 1 << self.roll(8),
                5 => bytes.truncate(at),
                6 => bytes.extend(vec![self.roll(256) as u8; 1 + self.roll(3)]),
                _ => bytes.insert(at, bytes[at]),
            }
        })
    }
}

struct Oracle(WebauthnCore);

impl Oracle {
    fn new() -> Self {
        let origins = origins().iter().map(|o| Url::parse(o).unwrap()).collect();
        let day = Duration::from_secs(86_400);
        Self(WebauthnCore::new_unsafe_experts_only("Example", RP_ID, origins, day, Some(false), Some(false)))
    }

    /// Its challenge is its own secret; a state read back from JSON has ours.
    fn register(&self, response: &Value, uv: &str) -> Result<Credential, String> {
        let state: RegistrationState = serde_json::from_value(json!({
            "policy": uv, "exclude_credentials": [], "challenge": base64url(CHALLENGE),
            "credential_algorithms": ["ES256", "EDDSA", "ES384", "ES521", "RS256"],
            "require_resident_key": false, "authenticator_attachment": null, "extensions": {},
            "allow_synchronised_authenticators": true,
        }))
        .unwrap();
        let response: RegisterPublicKeyCredential =
            serde_json::from_value(response.clone()).map_err(|e| format!("Json({e})"))?;
        self.0.register_credential(&response, &state, None).map_err(|e| format!("{e:?}"))
    }

    fn authenticate(&self, response: &Value, credential: &Value, uv: &str) -> Result<u32, String> {
        let state: AuthenticationState = serde_json::from_value(json!({
            "credentials": [credential], "policy": uv, "challenge": base64url(CHALLENGE), "appid": null,
            "allow_backup_eligible_upgrade": false,
        }))
        .unwrap();
        let response: PublicKeyCredential =
            serde_json::from_value(response.clone()).map_err(|e| format!("Json({e})"))?;
        self.0.authenticate_credential(&response, &state).map(|r| r.counter()).map_err(|e| format!("{e:?}"))
    }
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    differed: BTreeMap<String, usize>,
    unlisted: Vec<String>,
}

impl Tally {
    fn count<T, U>(
        &mut self,
        ceremony: Ceremony,
        response: &Value,
        ours: &Result<T, idp_core::passkey::Refused>,
        theirs: &Result<U, String>,
    ) {
        let listed = match (ours, theirs) {
            (Ok(_), Ok(_)) => return self.accepted += 1,
            (Err(_), Err(_)) => return self.refused += 1,
            (Err(refused), Ok(_)) => {
                let is_it = |row: &&Difference<Reason>| (row.ceremony, row.what) == (ceremony, refused.reason);
                let row = STRICTER.iter().find(|row| is_it(row) && (row.when)(response));
                row.map(|row| format!("{ceremony:?}, refused here ({}): {}", refused.code(), row.why))
            }
            (Ok(_), Err(error)) => {
                let is_it = |row: &&Difference<&str>| row.ceremony == ceremony && error.contains(row.what);
                let row = LAXER.iter().find(|row| is_it(row) && (row.when)(response));
                row.map(|row| format!("{ceremony:?}, refused there ({}): {}", row.what, row.why))
            }
        };
        match listed {
            Some(why) => *self.differed.entry(why).or_default() += 1,
            None => {
                let theirs = theirs.as_ref().err();
                self.unlisted.push(format!("{ceremony:?}: ours {:?}, theirs {theirs:?}", ours.as_ref().err()));
            }
        }
    }

    fn report(&self, what: &str) {
        let differed: usize = self.differed.values().sum();
        println!(
            "{what}: agreed {} ({} accepted, {} refused), differed {}",
            self.accepted + self.refused,
            self.accepted,
            self.refused,
            differed + self.unlisted.len()
        );
        for (why, count) in &self.differed {
            println!("  {count:4} × {why}");
        }
        assert!(self.unlisted.is_empty(), "differences without a listed reason:\n{}", self.unlisted.join("\n"));
        assert!(self.accepted > 50 && self.refused > 200, "the mutations do not reach both sides");
    }
}

fn policies() -> [(&'static str, Policy); 2] {
    [("required", policy(&[("algorithms", "-7,-8,-35,-36,-257")])), ("discouraged", lenient())]
}

#[test]
fn registrations_are_judged_as_the_oracle_judges_them() {
    let (oracle, mut dice, mut tally) = (Oracle::new(), Dice(0x5eed_0001), Tally::default());
    let maker = Maker::new("Maker");
    let u2f = Attestation::U2f(Arc::new(maker.leaf(None)));
    let statements = [Attestation::None, Attestation::PackedSelf, Attestation::Packed(maker.clone()), u2f];
    for round in 0..1500 {
        let mut options = dice.pick(&[Options::platform(), Options::synced(), Options::security_key(), Options::u2f()]);
        options.attestation = dice.pick(&statements);
        options.id_len = dice.pick(&[16, 32, 64, 1023, 1024]);
        let (uv, policy) = dice.pick(&policies());
        let u2f = matches!(options.attestation, Attestation::U2f(_));
        let mut key = SoftKey::new(if !u2f && dice.roll(16) == 0 { Alg::Ed25519 } else { Alg::Es256 }, options);
        let response = match round % 10 {
            0 => key.create(&creation_options(&policy), ORIGIN),
            1..=5 => key.create_with(&creation_options(&policy), &dice.origin(), &dice.faults()),
            _ => {
                let honest = key.create(&creation_options(&policy), ORIGIN);
                dice.damage(honest, &["clientDataJSON", "attestationObject", "attestationObject"])
            }
        };
        let (ours, theirs) = (verify_registration(&response, &policy), oracle.register(&response, uv));
        tally.count(Registration, &response, &ours, &theirs);
        if let (Ok(ours), Err(error)) = (&ours, &theirs)
            && ["Attestation", "X509", "COSEKey"].iter().any(|part| error.contains(part))
        {
            assert!(ours.statement.root_among([maker.root()], NOW).is_none(), "verified here, but there: {error}");
        }
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            assert_eq!(ours.credential_id, theirs.cred_id.as_slice());
            assert_eq!(
                (ours.counter, ours.user_verified, ours.backup_eligible, ours.backup_state),
                (theirs.counter, theirs.user_verified, theirs.backup_eligible, theirs.backup_state)
            );
        }
    }
    tally.report("registrations");
}

#[test]
fn assertions_are_judged_as_the_oracle_judges_them() {
    let (oracle, mut dice, mut tally) = (Oracle::new(), Dice(0x5eed_0002), Tally::default());
    for round in 0..1500 {
        let (uv, policy) = dice.pick(&policies());
        let mut options = dice.pick(&[Options::platform(), Options::synced(), Options::security_key()]);
        options.uv = uv == "required" || dice.roll(2) == 0;
        let mut bench = Bench::under(policy, Alg::Es256, options);
        let registration = bench.key.create(&creation_options(&bench.policy), ORIGIN);
        let mut credential = serde_json::to_value(oracle.register(&registration, uv).unwrap()).unwrap();
        if bench.key.options.counting {
            bench.passkey.counter = 5;
            bench.key.counter = 5;
            credential["counter"] = json!(5);
        }
        let asked = request_options(&bench.policy);
        let response = match round % 10 {
            0 => bench.key.get(&asked, ORIGIN),
            1..=6 => bench.key.get_with(&asked, &dice.origin(), &dice.faults()),
            _ => {
                let honest = bench.key.get(&asked, ORIGIN);
                dice.damage(honest, &["clientDataJSON", "authenticatorData", "signature"])
            }
        };
        let ours = verify_assertion(&response, &bench.passkey, &bench.policy);
        let theirs = oracle.authenticate(&response, &credential, uv);
        tally.count(Assertion, &response, &ours, &theirs);
        let clone = ours.is_ok_and(|verified| verified.counter == Counter::CloneSignal);
        let compromise = theirs.is_err_and(|error| error.starts_with("CredentialPossibleCompromise"));
        assert!(!clone || compromise, "a clone signal is one for both");
    }
    tally.report("assertions");
}
