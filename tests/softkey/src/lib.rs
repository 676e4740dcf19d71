//! A software passkey authenticator, browser included, for tests and load generation.
//!
//! WebAuthn L3 §6.3.2, §6.3.3 (the authenticator) and §5.1.8 (what the browser makes of it). One [`SoftKey`]
//! holds one passkey. [`Faults`] bend a ceremony in ways that no honest browser or authenticator would.
//! The key stays parsed, so that an assertion costs one signature.

mod maker;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::{Map, Value, json};

pub use maker::{Leaf, Maker};

/// Algorithm of the passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alg {
    /// COSE -7.
    Es256,
    /// COSE -8.
    Ed25519,
    /// COSE -257, 2048 bits; slow to make.
    Rs256,
}

impl Alg {
    /// The COSE identifier.
    pub const fn cose(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Ed25519 => -8,
            Self::Rs256 => -257,
        }
    }
}

/// Attestation statement made at registration.
#[derive(Clone, Debug)]
pub enum Attestation {
    None,
    /// `packed`, signed by the new key itself.
    PackedSelf,
    /// `packed`, signed by a certificate of the maker's that names the AAGUID.
    Packed(Maker),
    /// `fido-u2f`, signed by this certificate.
    U2f(Arc<Leaf>),
}

/// What kind of authenticator it is.
#[derive(Clone, Debug)]
pub struct Options {
    /// UP flag.
    pub up: bool,
    /// UV flag.
    pub uv: bool,
    /// BE flag.
    pub be: bool,
    /// BS flag.
    pub bs: bool,
    /// Keeps a signature counter; without it every counter is 0.
    pub counting: bool,
    pub aaguid: [u8; 16],
    /// Kept in the authenticator with the user handle; else no handle is returned.
    pub discoverable: bool,
    pub transports: Vec<String>,
    pub attachment: Option<String>,
    pub attestation: Attestation,
    /// Length of the credential id in bytes.
    pub id_len: usize,
}

impl Options {
    /// A passkey of this device that does not leave it.
    pub fn platform() -> Self {
        Self {
            up: true,
            uv: true,
            be: false,
            bs: false,
            counting: false,
            aaguid: [0; 16],
            discoverable: true,
            transports: vec!["internal".to_owned()],
            attachment: Some("platform".to_owned()),
            attestation: Attestation::None,
            id_len: 32,
        }
    }

    /// A passkey of a password manager.
    pub fn synced() -> Self {
        let transports = vec!["hybrid".to_owned(), "internal".to_owned()];
        Self { be: true, bs: true, transports, ..Self::platform() }
    }

    /// A USB security key with PIN and counter.
    pub fn security_key() -> Self {
        let attachment = Some("cross-platform".to_owned());
        Self { counting: true, transports: vec!["usb".to_owned()], attachment, ..Self::platform() }
    }

    /// A phone that was reached by a QR code.
    pub fn phone() -> Self {
        Self { attachment: Some("cross-platform".to_owned()), ..Self::synced() }
    }

    /// A U2F-era key: no PIN, nothing kept on it.
    pub fn u2f() -> Self {
        Self { uv: false, discoverable: false, ..Self::security_key() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::platform()
    }
}

/// Rewrites bytes on their way.
pub type Bend = fn(Vec<u8>) -> Vec<u8>;

/// Deviations from an honest ceremony; the default has none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// `challenge` of the client data, as text.
    pub challenge: Option<String>,
    /// `type` of the client data.
    pub ceremony_type: Option<String>,
    pub cross_origin: Option<bool>,
    pub top_origin: Option<String>,
    /// Further members of the client data.
    pub client_data: Map<String, Value>,
    /// RP ID whose hash is signed.
    pub rp_id: Option<String>,
    /// Flags to flip: UP 1, UV 4, BE 8, BS 16.
    pub flip_flags: u8,
    /// Counter to send instead of the own one, which stays as it is.
    pub counter: Option<u32>,
    /// Bytes after the authenticator data, signed over.
    pub trailing: Vec<u8>,
    /// `id` of the response.
    pub id: Option<Vec<u8>>,
    /// `rawId` of the response.
    pub raw_id: Option<Vec<u8>>,
    /// `type` of the response.
    pub credential_type: Option<String>,
    /// `userHandle` of the response; `Some(None)`: left out.
    pub user_handle: Option<Option<Vec<u8>>>,
    /// Flip a bit of the signature.
    pub break_signature: bool,
    /// COSE algorithm that the key claims.
    pub key_alg: Option<i64>,
    /// Statement format that the attestation claims.
    pub fmt: Option<String>,
    /// AAGUID that the attestation certificate names.
    pub certified_aaguid: Option<[u8; 16]>,
    /// Of `clientDataJSON`, before it is signed over.
    pub bend_client_data: Option<Bend>,
    /// Of the new key as COSE_Key.
    pub bend_key: Option<Bend>,
    /// Of the authenticator data, before they are signed.
    pub bend_auth_data: Option<Bend>,
    /// Of the signature of an assertion.
    pub bend_signature: Option<Bend>,
    /// Of the whole attestation object.
    pub bend_object: Option<Bend>,
}

fn bent(bytes: Vec<u8>, bend: Option<Bend>) -> Vec<u8> {
    match bend {
        Some(bend) => bend(bytes),
        None => bytes,
    }
}

enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// One authenticator with one passkey.
pub struct SoftKey {
    pub options: Options,
    pub credential_id: Vec<u8>,
    /// Handle of the account it was registered for; empty before.
    pub user_handle: Vec<u8>,
    /// The counter of the next assertion is one more.
    pub counter: u32,
    key: Key,
}

impl SoftKey {
    /// Makes a key. Nothing is registered yet.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn new(alg: Alg, options: Options) -> Self {
        let mut credential_id = vec![0; options.id_len];
        SystemRandom::new().fill(&mut credential_id).expect("randomness");
        let key = match alg {
            Alg::Es256 => Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("P-256 key")),
            Alg::Ed25519 => Key::Ed25519(Ed25519KeyPair::generate().expect("Ed25519 key")),
            Alg::Rs256 => Key::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect("RSA key")),
        };
        Self { options, credential_id, user_handle: Vec::new(), counter: 0, key }
    }

    /// Algorithm of the key.
    pub const fn alg(&self) -> Alg {
        match self.key {
            Key::Es256(_) => Alg::Es256,
            Key::Ed25519(_) => Alg::Ed25519,
            Key::Rs256(_) => Alg::Rs256,
        }
    }

    /// Answers `PublicKeyCredentialCreationOptionsJSON` (or an object with it as `publicKey`) with a
    /// `RegistrationResponseJSON`.
    ///
    /// # Panics
    /// When the options lack `challenge`, `rp.id` or `user.id`.
    pub fn create(&mut self, options: &Value, origin: &str) -> Value {
        self.create_with(options, origin, &Faults::default())
    }

    /// The same with faults.
    ///
    /// # Panics
    /// As [`SoftKey::create`].
    pub fn create_with(&mut self, options: &Value, origin: &str, faults: &Faults) -> Value {
        let options = options.get("publicKey").unwrap_or(options);
        self.user_handle = decode(&options["user"]["id"]);
        let rp_id = options["rp"]["id"].as_str().expect("rp.id");
        let client_data = client_data("webauthn.create", options, origin, faults);

        let mut auth_data = self.auth_data(rp_id, 0x40, faults);
        auth_data.extend_from_slice(&self.options.aaguid);
        let length = u16::try_from(self.credential_id.len()).expect("a credential id of at most 65535 bytes");
        auth_data.extend_from_slice(&length.to_be_bytes());
        auth_data.extend_from_slice(&self.credential_id);
        auth_data.extend(bent(self.cose_key(faults.key_alg.unwrap_or(self.alg().cose())), faults.bend_key));
        auth_data.extend_from_slice(&faults.trailing);
        let auth_data = bent(auth_data, faults.bend_auth_data);

        let (fmt, statement) = match &self.options.attestation {
            Attestation::None => ("none", Vec::new()),
            Attestation::PackedSelf => {
                let alg = (Cbor::from("alg"), Cbor::from(self.alg().cose()));
                let sig = self.sign(&auth_data, &client_data, faults);
                ("packed", vec![alg, (Cbor::from("sig"), Cbor::from(sig))])
            }
            Attestation::Packed(maker) => {
                let leaf = maker.leaf(Some(faults.certified_aaguid.unwrap_or(self.options.aaguid)));
                let message = [auth_data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
                let alg = (Cbor::from("alg"), Cbor::from(Alg::Es256.cose()));
                let mut statement = certified(&leaf, broken(leaf.sign(&message), faults));
                statement.push(alg);
                ("packed", statement)
            }
            Attestation::U2f(leaf) => {
                let Key::Es256(key) = &self.key else { panic!("U2F knows P-256 alone") };
                let (rp_id_hash, client_data_hash) = (&auth_data[..32], digest(&SHA256, &client_data));
                let point = key.public_key().as_ref();
                let parts = [&[0], rp_id_hash, client_data_hash.as_ref(), &self.credential_id, point];
                ("fido-u2f", certified(leaf, broken(leaf.sign(&parts.concat()), faults)))
            }
        };
        let object = encode(&Cbor::Map(vec![
            (Cbor::from("fmt"), Cbor::from(faults.fmt.as_deref().unwrap_or(fmt))),
            (Cbor::from("attStmt"), Cbor::Map(statement)),
            (Cbor::from("authData"), Cbor::from(auth_data)),
        ]));
        let object = bent(object, faults.bend_object);
        let mut response = self.envelope(faults);
        response["clientExtensionResults"] = json!({ "credProps": { "rk": self.options.discoverable } });
        response["response"] = json!({
            "clientDataJSON": b64(&client_data),
            "attestationObject": b64(&object),
            "transports": self.options.transports,
        });
        response
    }

    /// Answers `PublicKeyCredentialRequestOptionsJSON` (or an object with it as `publicKey`) with an
    /// `AuthenticationResponseJSON`. The counter goes up if the authenticator keeps one.
    ///
    /// # Panics
    /// When the options lack `challenge` or `rpId`.
    pub fn get(&mut self, options: &Value, origin: &str) -> Value {
        self.get_with(options, origin, &Faults::default())
    }

    /// The same with faults.
    ///
    /// # Panics
    /// As [`SoftKey::get`].
    pub fn get_with(&mut self, options: &Value, origin: &str, faults: &Faults) -> Value {
        let options = options.get("publicKey").unwrap_or(options);
        let rp_id = options["rpId"].as_str().expect("rpId");
        if self.options.counting && faults.counter.is_none() {
            self.counter += 1;
        }
        let client_data = client_data("webauthn.get", options, origin, faults);
        let mut auth_data = self.auth_data(rp_id, 0, faults);
        auth_data.extend_from_slice(&faults.trailing);
        let auth_data = bent(auth_data, faults.bend_auth_data);
        let signature = bent(self.sign(&auth_data, &client_data, faults), faults.bend_signature);

        let handle = self.options.discoverable.then(|| self.user_handle.clone());
        let handle = faults.user_handle.clone().unwrap_or(handle);
        let mut response = self.envelope(faults);
        response["response"] = json!({
            "clientDataJSON": b64(&client_data),
            "authenticatorData": b64(&auth_data),
            "signature": b64(&signature),
            "userHandle": handle.map(|handle| b64(&handle)),
        });
        response
    }

    fn envelope(&self, faults: &Faults) -> Value {
        json!({
            "id": b64(faults.id.as_ref().unwrap_or(&self.credential_id)),
            "rawId": b64(faults.raw_id.as_ref().unwrap_or(&self.credential_id)),
            "type": faults.credential_type.as_deref().unwrap_or("public-key"),
            "authenticatorAttachment": self.options.attachment,
            "clientExtensionResults": {},
        })
    }

    /// Authenticator data up to the counter (WebAuthn L3 §6.1).
    fn auth_data(&self, rp_id: &str, more_flags: u8, faults: &Faults) -> Vec<u8> {
        let Options { up, uv, be, bs, counting, .. } = self.options;
        let flag = |on, bit| if on { bit } else { 0 };
        let flags = flag(up, 0x01) | flag(uv, 0x04) | flag(be, 0x08) | flag(bs, 0x10) | more_flags;
        let counter = faults.counter.unwrap_or(if counting { self.counter } else { 0 });
        let rp_id = faults.rp_id.as_deref().unwrap_or(rp_id);
        let mut out = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        out.push(flags ^ faults.flip_flags);
        out.extend_from_slice(&counter.to_be_bytes());
        out
    }

    fn cose_key(&self, alg: i64) -> Vec<u8> {
        let int = |n: i64| Cbor::from(n);
        let map = match &self.key {
            Key::Es256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (point[1..33].to_vec(), point[33..].to_vec());
                vec![(int(1), int(2)), (int(3), int(alg)), (int(-1), int(1)), (int(-2), x.into()), (int(-3), y.into())]
            }
            Key::Ed25519(key) => {
                let x = key.public_key().as_ref().to_vec();
                vec![(int(1), int(1)), (int(3), int(alg)), (int(-1), int(6)), (int(-2), x.into())]
            }
            Key::Rs256(key) => {
                let (n, e) = rsa_parts(key);
                vec![(int(1), int(3)), (int(3), int(alg)), (int(-1), n.into()), (int(-2), e.into())]
            }
        };
        encode(&Cbor::Map(map))
    }

    fn sign(&self, auth_data: &[u8], client_data: &[u8], faults: &Faults) -> Vec<u8> {
        let message = [auth_data, digest(&SHA256, client_data).as_ref()].concat();
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Es256(key) => key.sign(&random, &message).expect("ES256").as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(&message).as_ref().to_vec(),
            Key::Rs256(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut out).expect("RS256");
                out
            }
        };
        broken(signature, faults)
    }
}

/// `x5c` and `sig`.
fn certified(leaf: &Leaf, signature: Vec<u8>) -> Vec<(Cbor, Cbor)> {
    let x5c = Cbor::Array(vec![Cbor::from(leaf.certificate.clone())]);
    vec![(Cbor::from("x5c"), x5c), (Cbor::from("sig"), Cbor::from(signature))]
}

fn broken(mut signature: Vec<u8>, faults: &Faults) -> Vec<u8> {
    if faults.break_signature
        && let Some(last) = signature.last_mut()
    {
        *last ^= 1;
    }
    signature
}

/// The `clientDataJSON` of an honest browser, bent by `faults` (WebAuthn L3 §5.8.1.1).
fn client_data(ceremony: &str, options: &Value, origin: &str, faults: &Faults) -> Vec<u8> {
    let challenge = faults.challenge.as_deref().or(options["challenge"].as_str()).expect("challenge");
    let mut data = json!({
        "type": faults.ceremony_type.as_deref().unwrap_or(ceremony),
        "challenge": challenge,
        "origin": origin,
        "crossOrigin": faults.cross_origin.unwrap_or(false),
    });
    if let Some(top) = &faults.top_origin {
        data["topOrigin"] = json!(top);
    }
    for (name, value) in &faults.client_data {
        data[name] = value.clone();
    }
    bent(data.to_string().into_bytes(), faults.bend_client_data)
}

/// Modulus and exponent out of the DER `RSAPublicKey` (RFC 8017 §A.1.1), whose layout is fixed for 2048 bits and
/// the exponent 65537.
fn rsa_parts(key: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let der = key.public_key().as_ref();
    assert_eq!(der.len(), 270, "a 2048-bit RSA key");
    (der[9..265].to_vec(), der[267..].to_vec())
}

fn encode(value: &Cbor) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).expect("writing to memory");
    out
}

fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().expect("base64url text")).expect("base64url")
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
