//! Signing keys of a realm: made once, sealed at rest, parsed once, published as a JWK set.
//! RFC 7517 §5, RFC 7518 §6, RFC 8037 §2, RFC 7638 (the `kid` is the thumbprint).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::SigningAlg;
use crate::encoding::base64url;
use crate::jose::jwk::Numbers;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Life of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Signs and is published.
    Active,
    /// Published ahead of its time, so that caches know it before it signs.
    Next,
    /// No longer signs; still verifies, and is published until its tokens have ended.
    Retired,
    /// Perhaps known to others: neither published nor believed any more.
    Revoked,
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
    /// Since when it signs, or signed.
    pub activated: Option<Timestamp>,
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
        SigningAlg::RS256 | SigningAlg::PS256 => {
            let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError)?;
            pair.as_der().map_err(|_| KeyError)?.as_ref().to_vec()
        }
        SigningAlg::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError)?
            .as_ref()
            .to_vec(),
        SigningAlg::EdDSA => {
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError)?.as_ref().to_vec()
        }
    };
    Ok(Secret::new(pkcs8))
}

/// The `typ` of what is signed here, so that no token can be taken for one of another kind (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// ID token, signed userinfo.
    Jwt,
    /// Access token (RFC 9068 §2.1).
    AccessToken,
    /// Logout token (OIDC Back-Channel Logout §2.4).
    LogoutToken,
    /// Introspection answer (RFC 9701 §5).
    Introspection,
}

impl TokenType {
    const ALL: [Self; 4] = [Self::Jwt, Self::AccessToken, Self::LogoutToken, Self::Introspection];

    /// The header's `typ`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::Introspection => "token-introspection+jwt",
        }
    }
}

enum Pair {
    /// A key is for one padding alone: PKCS #1 v1.5 or PSS (RFC 8725 §3.1).
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A parsed key pair, ready to sign; parsing costs more than signing.
pub struct SigningKey {
    pub alg: SigningAlg,
    pub kid: String,
    pair: Pair,
    random: SystemRandom,
    /// `{"alg","kid","typ"}` encoded, with the dot behind it, by [`TokenType::ALL`]: the same for every token.
    headers: [String; 4],
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
        let rsa = |encoding| -> Result<Pair, KeyError> {
            Ok(Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| KeyError)?), encoding))
        };
        let pair = match alg {
            SigningAlg::RS256 => rsa(&RSA_PKCS1_SHA256)?,
            SigningAlg::PS256 => rsa(&RSA_PSS_SHA256)?,
            SigningAlg::ES256 => Pair::Ec(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose()).map_err(|_| KeyError)?,
            ),
            SigningAlg::EdDSA => Pair::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| KeyError)?),
        };
        let kid = base64url(pair.numbers()?.thumbprint());
        let headers = TokenType::ALL.map(|typ| {
            let header = json!({ "alg": alg.text(), "kid": kid, "typ": typ.text() });
            format!("{}.", base64url(header.to_string()))
        });
        Ok(Self { alg, kid, pair, random: SystemRandom::new(), headers })
    }

    /// Signs claims as a compact JWS (RFC 7515 §7.1) of type `typ`.
    ///
    /// # Errors
    /// [`KeyError`] when the library fails.
    pub fn sign(&self, typ: TokenType, claims: &Value) -> Result<String, KeyError> {
        let mut token = self.headers.get(typ as usize).ok_or(KeyError)?.clone();
        token.push_str(&base64url(claims.to_string()));
        let signature = match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &self.random, token.as_bytes(), &mut signature).map_err(|_| KeyError)?;
                signature
            }
            Pair::Ec(pair) => pair.sign(&self.random, token.as_bytes()).map_err(|_| KeyError)?.as_ref().to_vec(),
            Pair::Ed(pair) => pair.try_sign(token.as_bytes()).map_err(|_| KeyError)?.as_ref().to_vec(),
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
        let mut jwk: Value = serde_json::from_str(&self.pair.numbers()?.canonical()).map_err(|_| KeyError)?;
        let members = jwk.as_object_mut().ok_or(KeyError)?;
        members.insert("kid".to_owned(), self.kid.clone().into());
        members.insert("alg".to_owned(), self.alg.text().into());
        members.insert("use".to_owned(), "sig".into());
        Ok(jwk)
    }
}

impl Pair {
    /// The public key.
    fn numbers(&self) -> Result<Numbers, KeyError> {
        Ok(match self {
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                let n = base64url(public.modulus().big_endian_without_leading_zero());
                Numbers::Rsa { n, e: base64url(public.exponent().big_endian_without_leading_zero()) }
            }
            Self::Ec(pair) => {
                // Uncompressed point: 0x04 ‖ x ‖ y (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..65).ok_or(KeyError)?.split_at(32);
                Numbers::P256 { x: base64url(x), y: base64url(y) }
            }
            Self::Ed(pair) => Numbers::Ed25519 { x: base64url(pair.public_key().as_ref()) },
        })
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use serde_json::{Value, json};

    use super::{SigningKey, TokenType, generate};
    use crate::client::SigningAlg;

    #[test]
    fn signs_every_type_by_every_algorithm_as_the_published_key_verifies() {
        for &alg in SigningAlg::ALL {
            let key = SigningKey::parse(alg, &generate(alg).unwrap()).unwrap();
            let jwk: Jwk = serde_json::from_value(key.public_jwk().unwrap()).unwrap();
            let mut validation = Validation::new(alg.text().parse::<Algorithm>().unwrap());
            validation.required_spec_claims.clear();
            for typ in TokenType::ALL {
                let token = key.sign(typ, &json!({ "exp": 9_999_999_999_u64 })).unwrap();
                let read = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
                assert_eq!((read.header.typ.as_deref(), read.header.kid), (Some(typ.text()), Some(key.kid.clone())));
            }
        }
    }

    #[test]
    fn a_key_is_of_its_algorithm_alone() {
        for (alg, other) in [(SigningAlg::EdDSA, SigningAlg::ES256), (SigningAlg::ES256, SigningAlg::PS256)] {
            assert!(SigningKey::parse(other, &generate(alg).unwrap()).is_err());
        }
    }
}
