//! Signing keys of a realm: made once, sealed at rest, parsed once, published as a JWK set.
//! RFC 7517 §5, RFC 7518 §6, RFC 7638 (the `kid` is the thumbprint).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::SigningAlg;
use crate::encoding::base64url;
use crate::secret::{Secret, sha256};
use crate::time::Timestamp;

/// Life of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Signs and is published.
    Active,
    /// Published ahead of its time, so that caches know it before it signs.
    Next,
    /// No longer signs; still published and still verifies.
    Retired,
}

/// A signing key as the store keeps it.
#[derive(Clone)]
pub struct StoredKey {
    pub kid: String,
    pub alg: SigningAlg,
    pub state: KeyState,
    /// Public JWK (JSON).
    pub public_jwk: String,
    /// PKCS #8, sealed.
    pub private_sealed: Vec<u8>,
    pub created: Timestamp,
    pub retired: Option<Timestamp>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("StoredKey");
        f.field("kid", &self.kid).field("alg", &self.alg).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A key could not be made, read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used")]
pub struct KeyError;

/// A new private key in PKCS #8 form. Key generation draws from the cryptographic library's own random source:
/// the one place where randomness is not an argument.
///
/// # Errors
/// [`KeyError`] when the library fails.
pub fn generate(alg: SigningAlg) -> Result<Secret<Vec<u8>>, KeyError> {
    let pkcs8 = match alg {
        SigningAlg::RS256 => {
            let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError)?;
            pair.as_der().map_err(|_| KeyError)?.as_ref().to_vec()
        }
        SigningAlg::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError)?
            .as_ref()
            .to_vec(),
    };
    Ok(Secret::new(pkcs8))
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
}

/// A parsed key pair, ready to sign; parsing costs more than signing.
pub struct SigningKey {
    pub alg: SigningAlg,
    pub kid: String,
    pair: Pair,
    random: SystemRandom,
    /// `{"alg","kid","typ"}` encoded, with the dot behind it: the same for every token of this key.
    header: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl SigningKey {
    /// Parses a PKCS #8 key.
    ///
    /// # Errors
    /// [`KeyError`] when it is not a key of this algorithm.
    pub fn parse(alg: SigningAlg, pkcs8: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        let pair = match alg {
            SigningAlg::RS256 => Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| KeyError)?)),
            SigningAlg::ES256 => Pair::Ec(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose()).map_err(|_| KeyError)?,
            ),
        };
        let mut key = Self { alg, kid: String::new(), pair, random: SystemRandom::new(), header: String::new() };
        key.kid = base64url(sha256(key.thumbprint_input()?.as_bytes()));
        let header = json!({ "alg": alg.text(), "kid": key.kid, "typ": "JWT" });
        key.header = format!("{}.", base64url(header.to_string()));
        Ok(key)
    }

    /// Signs claims as a compact JWS (RFC 7515 §7.1).
    ///
    /// # Errors
    /// [`KeyError`] when the library fails.
    pub fn sign(&self, claims: &Value) -> Result<String, KeyError> {
        let mut token = self.header.clone();
        token.push_str(&base64url(claims.to_string()));
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, token.as_bytes(), &mut signature).map_err(|_| KeyError)?;
                signature
            }
            Pair::Ec(pair) => pair.sign(&self.random, token.as_bytes()).map_err(|_| KeyError)?.as_ref().to_vec(),
        };
        token.push('.');
        token.push_str(&base64url(signature));
        Ok(token)
    }

    /// The public JWK, with `kid`, `alg` and `use`.
    ///
    /// # Errors
    /// [`KeyError`] when the public key cannot be read.
    pub fn public_jwk(&self) -> Result<Value, KeyError> {
        let mut jwk: Value = serde_json::from_str(&self.thumbprint_input()?).map_err(|_| KeyError)?;
        let members = jwk.as_object_mut().ok_or(KeyError)?;
        members.insert("kid".to_owned(), self.kid.clone().into());
        members.insert("alg".to_owned(), self.alg.text().into());
        members.insert("use".to_owned(), "sig".into());
        Ok(jwk)
    }

    /// The required members in lexicographic order without blanks (RFC 7638 §3).
    fn thumbprint_input(&self) -> Result<String, KeyError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let n = base64url(public.modulus().big_endian_without_leading_zero());
                let e = base64url(public.exponent().big_endian_without_leading_zero());
                Ok(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
            }
            Pair::Ec(pair) => {
                // Uncompressed point: 0x04 ‖ x ‖ y (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..65).ok_or(KeyError)?.split_at(32);
                Ok(format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(x), base64url(y)))
            }
        }
    }
}
