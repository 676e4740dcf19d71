//! Keys of a client and what it signs with them: every part of a JWT can be bent.
//! RFC 7515, RFC 7517, RFC 7518 §3.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use idp_core::encoding::base64url;
use idp_core::secret::sha256;
use serde_json::{Value, json};

/// A private key with its name.
pub struct Key {
    pair: Pair,
    pub kid: String,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Ps256(RsaKeyPair),
}

impl Key {
    pub fn es256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { pair: Pair::Es256(pair), kid: kid.to_owned() }
    }

    pub fn ps256(kid: &str) -> Self {
        Self { pair: Pair::Ps256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()), kid: kid.to_owned() }
    }

    pub fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Ps256(_) => "PS256",
        }
    }

    /// The public key as it is registered, or as a proof carries it without `kid`, `alg` and `use`.
    pub fn public(&self) -> Value {
        match &self.pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..65]) })
            }
            Pair::Ps256(pair) => {
                let public = pair.public_key();
                let part = |bytes: &[u8]| base64url(bytes);
                json!({
                    "kty": "RSA",
                    "n": part(public.modulus().big_endian_without_leading_zero()),
                    "e": part(public.exponent().big_endian_without_leading_zero()),
                })
            }
        }
    }

    pub fn jwks(&self) -> Value {
        let mut key = self.public();
        key["kid"] = self.kid.as_str().into();
        key["alg"] = self.alg().into();
        key["use"] = "sig".into();
        json!({ "keys": [key] })
    }

    /// The private half as a JWK, which no proof may carry.
    pub fn private(&self) -> Value {
        let mut key = self.public();
        if let Pair::Es256(pair) = &self.pair {
            let secret: aws_lc_rs::encoding::EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
            key["d"] = base64url(secret.as_ref()).into();
        }
        key
    }

    /// RFC 7638 §3.
    pub fn thumbprint(&self) -> String {
        let key = self.public();
        let text = match self.pair {
            Pair::Es256(_) => format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]),
            Pair::Ps256(_) => format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"]),
        };
        base64url(sha256(text.as_bytes()))
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ps256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = if alg == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A JWT before it is signed.
#[derive(Clone, Debug)]
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
}

impl Jwt {
    /// A client assertion as RFC 7523 §3 has it, for `aud`, good for a minute.
    pub fn assertion(client_id: &str, key: &Key, aud: &str, now: i64) -> Self {
        let header = json!({ "alg": key.alg(), "kid": key.kid });
        let jti = format!("assertion-{}", crate::world::number());
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": aud, "jti": jti, "iat": now, "exp": now + 60,
        });
        Self { header, claims }
    }

    /// A DPoP proof as RFC 9449 §4.2 has it.
    pub fn proof(key: &Key, (method, address): (&str, &str), now: i64) -> Self {
        let header = json!({ "typ": "dpop+jwt", "alg": key.alg(), "jwk": key.public() });
        let jti = format!("proof-{}", crate::world::number());
        Self { header, claims: json!({ "jti": jti, "htm": method, "htu": address, "iat": now }) }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    #[must_use]
    pub fn header_without(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self
    }

    /// Signed as the header says.
    pub fn sign(&self, key: &Key) -> String {
        let alg = self.header["alg"].as_str().unwrap_or_default();
        let input = self.unsigned();
        let signature = key.sign(alg, input.as_bytes());
        format!("{input}.{}", base64url(signature))
    }

    /// Header and claims.
    pub fn unsigned(&self) -> String {
        format!("{}.{}", base64url(self.header.to_string()), base64url(self.claims.to_string()))
    }
}

/// The same JWT with another signature.
pub fn bent(jwt: &str) -> String {
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    let mut bytes = idp_core::encoding::from_base64url(signature).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x5A);
    format!("{input}.{}", base64url(bytes))
}
