//! Authenticator data: what the authenticator signed.
//!
//! WebAuthn L3 §6.1 and §6.5.1. Strict: every byte is accounted for.

use super::cbor;

/// Longest credential id (WebAuthn L3 §7.1 step 25).
pub const MAX_CREDENTIAL_ID_LEN: usize = 1023;

/// The flags byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// UP: somebody touched the authenticator.
    pub const fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }
    /// UV: the authenticator knew who touched it.
    pub const fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }
    /// BE: the key may be synced to other devices.
    pub const fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }
    /// BS: the key is synced now.
    pub const fn backup_state(self) -> bool {
        self.0 & 0x10 != 0
    }
    /// AT: attested credential data follow.
    pub const fn attested_credential(self) -> bool {
        self.0 & 0x40 != 0
    }
    /// ED: extension outputs follow.
    pub const fn extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// A new credential as its authenticator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedCredential<'a> {
    /// The authenticator's model; without a verified attestation only a claim.
    pub aaguid: [u8; 16],
    /// One byte or more; the upper bound is a check of the ceremony.
    pub credential_id: &'a [u8],
    /// The COSE_Key, byte for byte.
    pub public_key: &'a [u8],
}

/// Parsed authenticator data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorData<'a> {
    /// SHA-256 of the RP ID the authenticator was asked for.
    pub rp_id_hash: [u8; 32],
    pub flags: Flags,
    /// Signature counter; 0 where the authenticator keeps none.
    pub counter: u32,
    pub attested_credential: Option<AttestedCredential<'a>>,
    /// Extension outputs, a CBOR map.
    pub extensions: Option<&'a [u8]>,
}

/// Where authenticator data stopped making sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error("authenticator data end too early")]
    Short,
    #[error("the credential id is empty")]
    EmptyCredentialId,
    #[error("the credential public key is not CBOR")]
    PublicKey,
    #[error("the extension outputs are not a CBOR map")]
    Extensions,
    #[error("something follows the authenticator data")]
    Trailing,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads authenticator data that fill `bytes`.
    ///
    /// # Errors
    /// [`DataError`] when the bytes end early, a part is not what its flag promises, or bytes are left.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DataError> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(DataError::Short)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(DataError::Short)?;
        let (&counter, mut rest) = rest.split_first_chunk::<4>().ok_or(DataError::Short)?;
        let flags = Flags(flags);

        let mut attested_credential = None;
        if flags.attested_credential() {
            let (credential, after) = attested(rest)?;
            attested_credential = Some(credential);
            rest = after;
        }
        let mut extensions = None;
        if flags.extensions() {
            let (value, after) = cbor::read(rest).ok_or(DataError::Extensions)?;
            cbor::entries(value).ok_or(DataError::Extensions)?;
            extensions = rest.get(..rest.len() - after.len());
            rest = after;
        }
        if !rest.is_empty() {
            return Err(DataError::Trailing);
        }
        let counter = u32::from_be_bytes(counter);
        Ok(Self { rp_id_hash: *rp_id_hash, flags, counter, attested_credential, extensions })
    }
}

/// Attested credential data at the front of `bytes` (WebAuthn L3 §6.5.1), and what follows them.
fn attested(bytes: &[u8]) -> Result<(AttestedCredential<'_>, &[u8]), DataError> {
    let (&aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(DataError::Short)?;
    let (&length, rest) = rest.split_first_chunk::<2>().ok_or(DataError::Short)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length == 0 {
        return Err(DataError::EmptyCredentialId);
    }
    let (credential_id, rest) = rest.split_at_checked(length).ok_or(DataError::Short)?;
    let (_, after) = cbor::read(rest).ok_or(DataError::PublicKey)?;
    let public_key = rest.get(..rest.len() - after.len()).ok_or(DataError::PublicKey)?;
    Ok((AttestedCredential { aaguid, credential_id, public_key }, after))
}
