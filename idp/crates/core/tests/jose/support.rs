//! A party with a key of its own, who can sign any header and any payload.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::jose::jwk::JwkSet;
use idp_core::jose::keyset::{SigningKey, generate};
use idp_core::secret::Secret;
use idp_core::time::Timestamp;
use serde_json::{Value, json};

/// The moment of every test.
pub const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_500);

pub struct Party {
    pub alg: SigningAlg,
    pkcs8: Secret<Vec<u8>>,
    /// The public key, with `kid`, `alg`, `use`.
    pub jwk: Value,
}

impl Party {
    pub fn new(alg: SigningAlg) -> Self {
        let pkcs8 = generate(alg).unwrap();
        let jwk = SigningKey::parse(alg, &pkcs8).unwrap().public_jwk().unwrap();
        Self { alg, pkcs8, jwk }
    }

    pub fn kid(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    pub fn set(&self) -> JwkSet {
        set(&[&self.jwk])
    }

    /// `{"alg","kid","typ"}`.
    pub fn header(&self, typ: &str) -> Value {
        json!({ "alg": self.alg.text(), "kid": self.kid(), "typ": typ })
    }

    /// A compact JWS over these texts, whatever they are.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", base64url(header), base64url(payload));
        let (key, random) = (self.pkcs8.expose(), SystemRandom::new());
        let rsa = |encoding| {
            let pair = RsaKeyPair::from_pkcs8(key).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &random, message.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match self.alg {
            SigningAlg::RS256 => rsa(&RSA_PKCS1_SHA256),
            SigningAlg::PS256 => rsa(&RSA_PSS_SHA256),
            SigningAlg::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).unwrap();
                pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
            }
            SigningAlg::EdDSA => Ed25519KeyPair::from_pkcs8(key).unwrap().sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", base64url(signature))
    }
}

pub fn set(keys: &[&Value]) -> JwkSet {
    JwkSet::parse(&json!({ "keys": keys }).to_string()).unwrap()
}

/// `value` with these members set, or, where the new one is null, without them.
pub fn with(value: &Value, members: Value) -> Value {
    let mut value = value.clone();
    for (name, member) in members.as_object().unwrap() {
        if member.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = member.clone();
        }
    }
    value
}
