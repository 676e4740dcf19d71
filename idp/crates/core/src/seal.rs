//! Seals: state that travels through browsers and clients instead of being stored.
//!
//! AES-256-GCM-SIV (RFC 8452), because random nonces of plain GCM run out under anonymous load.
//! One key per purpose by HKDF-SHA-256 (RFC 5869); realm, purpose and version are associated data.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::encoding::{base64url, from_base64url};
use crate::id::RealmId;
use crate::secret::Secret;

macro_rules! purposes {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// What a sealed value is for. A value sealed for one purpose never opens as another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Purpose { $($(#[$meta])* $name,)* }

        impl Purpose {
            const ALL: &[Self] = &[$(Self::$name,)*];

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

purposes! {
    /// A validated authorization request on its way through the pages.
    Request = "request",
    /// An authorization code.
    Code = "code",
    /// An access token for our own endpoints.
    AccessToken = "access_token",
    /// A WebAuthn ceremony.
    Ceremony = "ceremony",
    /// Factors passed before the final one, in the login cookie.
    Login = "login",
    /// A sign-in that leaves the issuer's host for a passkey of another RP ID.
    Errand = "errand",
    /// The passkey it comes back with.
    Handoff = "handoff",
    /// A browser that signed in before: its throttle bucket is its own.
    Known = "known",
    /// Requests for which a browser entered a device's user code, in a cookie.
    Device = "device",
    /// A logout request posted from another site.
    Logout = "logout",
    /// A recovery on its way, in a cookie.
    Recovery = "recovery",
    /// The secrets of authenticator apps, at rest and while they are confirmed.
    Totp = "totp",
    /// Signing keys at rest.
    SigningKey = "signing_key",
    /// The code or token of a mail that waits to be sent.
    Mail = "mail",
    /// An address that a mailed code is to prove.
    Address = "address",
    /// A code that confirms who makes a first passkey, in a cookie.
    Confirmation = "confirmation",
    /// Keyed hashes (CSRF tokens, throttle buckets); never opened.
    Mac = "mac",
}

/// A sealed value that does not open: tampered with, for another purpose or realm, or sealed with a forgotten key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this value was not sealed here")]
pub struct NotSealedHere;

/// Version of the format; part of the key and of the associated data.
const VERSION: u8 = 1;

/// The keys of one key-encryption key, derived once: one per purpose.
struct Keys {
    aead: Vec<LessSafeKey>,
    mac: hmac::Key,
}

impl Keys {
    fn derive(master: &[u8; 32]) -> Result<Self, NotSealedHere> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"idp").extract(master);
        let bytes = |purpose: Purpose| -> Result<[u8; 32], NotSealedHere> {
            let mut out = [0; 32];
            let info = [&[VERSION], purpose.text().as_bytes()];
            let okm = prk.expand(&info, hkdf::HKDF_SHA256).map_err(|_| NotSealedHere)?;
            okm.fill(&mut out).map_err(|_| NotSealedHere)?;
            Ok(out)
        };
        let aead = Purpose::ALL
            .iter()
            .map(|&p| Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &bytes(p)?).map_err(|_| NotSealedHere)?)))
            .collect::<Result<_, NotSealedHere>>()?;
        Ok(Self { aead, mac: hmac::Key::new(hmac::HMAC_SHA256, &bytes(Purpose::Mac)?) })
    }

    fn aead(&self, purpose: Purpose) -> Result<&LessSafeKey, NotSealedHere> {
        self.aead.get(purpose as usize).ok_or(NotSealedHere)
    }
}

/// Seals and opens values. Seals with the current key; opens with the current and the previous one.
pub struct Sealer {
    current: Keys,
    previous: Option<Keys>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// From 32-byte key-encryption keys.
    ///
    /// # Errors
    /// When the cryptographic library refuses to derive, which it does not for 32 bytes.
    pub fn new(current: &Secret<[u8; 32]>, previous: Option<&Secret<[u8; 32]>>) -> Result<Self, NotSealedHere> {
        Ok(Self {
            current: Keys::derive(current.expose())?,
            previous: previous.map(|k| Keys::derive(k.expose())).transpose()?,
        })
    }

    /// Seals bytes: `version ‖ nonce ‖ ciphertext ‖ tag`. `nonce` must be fresh random bytes.
    ///
    /// # Errors
    /// Only for inputs beyond the cipher's limit (2³⁶ bytes).
    pub fn seal_bytes(
        &self,
        purpose: Purpose,
        realm: RealmId,
        nonce: [u8; NONCE_LEN],
        plain: &[u8],
    ) -> Result<Vec<u8>, NotSealedHere> {
        let mut out = Vec::with_capacity(1 + NONCE_LEN + plain.len() + 16);
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.current
            .aead(purpose)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(purpose, realm), &mut body)
            .map_err(|_| NotSealedHere)?;
        out.append(&mut body);
        Ok(out)
    }

    /// Opens what [`Self::seal_bytes`] made.
    ///
    /// # Errors
    /// [`NotSealedHere`] for anything else, without saying why.
    pub fn open_bytes(&self, purpose: Purpose, realm: RealmId, sealed: &[u8]) -> Result<Vec<u8>, NotSealedHere> {
        let (&version, rest) = sealed.split_first().ok_or(NotSealedHere)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(NotSealedHere)?;
        if version != VERSION {
            return Err(NotSealedHere);
        }
        for keys in [Some(&self.current), self.previous.as_ref()].into_iter().flatten() {
            let mut body = body.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            if let Ok(plain) = keys.aead(purpose)?.open_in_place(nonce, aad(purpose, realm), &mut body) {
                return Ok(plain.to_vec());
            }
        }
        Err(NotSealedHere)
    }

    /// Seals a value as base64url text.
    ///
    /// # Errors
    /// Only when the value cannot be encoded.
    pub fn seal<T: Serialize>(
        &self,
        purpose: Purpose,
        realm: RealmId,
        nonce: [u8; NONCE_LEN],
        value: &T,
    ) -> Result<String, NotSealedHere> {
        let plain = postcard::to_allocvec(value).map_err(|_| NotSealedHere)?;
        Ok(base64url(self.seal_bytes(purpose, realm, nonce, &plain)?))
    }

    /// Opens what [`Self::seal`] made. Strict: one text per value.
    ///
    /// # Errors
    /// [`NotSealedHere`] for anything else, without saying why.
    pub fn open<T: DeserializeOwned>(&self, purpose: Purpose, realm: RealmId, text: &str) -> Result<T, NotSealedHere> {
        let sealed = from_base64url(text).ok_or(NotSealedHere)?;
        let plain = self.open_bytes(purpose, realm, &sealed)?;
        match postcard::take_from_bytes(&plain) {
            Ok((value, [])) => Ok(value),
            _ => Err(NotSealedHere),
        }
    }

    /// HMAC-SHA-256 over `label` and `parts`, each preceded by its length, with a key used for nothing else.
    pub fn mac(&self, realm: RealmId, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.current.mac);
        context.update(&realm.0.to_be_bytes());
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

fn aad(purpose: Purpose, realm: RealmId) -> Aad<Vec<u8>> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&realm.0.to_be_bytes());
    bytes.extend_from_slice(purpose.text().as_bytes());
    Aad::from(bytes)
}
