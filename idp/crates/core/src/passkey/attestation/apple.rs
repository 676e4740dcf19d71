//! Apple anonymous attestation. WebAuthn L3 §8.8.

use super::der::{Der, OCTET_STRING, SEQUENCE};
use super::{Claim, Found, Members, Wrong, leaf, x509};
use crate::secret::sha256;

pub(super) fn verify(members: &Members<'_>, claim: &Claim<'_>) -> Result<Found, Wrong> {
    let chain = members.x5c()?;
    let leaf = leaf(&chain)?;
    // SEQUENCE { [1] { OCTET STRING nonce } }
    let nonce = x509::extension(&leaf, "1.2.840.113635.100.8.2")
        .and_then(|(value, _)| Der::only(value, SEQUENCE))
        .and_then(|content| Der::only(content, 0xa1))
        .and_then(|content| Der::only(content, OCTET_STRING));
    if nonce != Some(&sha256(&claim.signed())) {
        return Err(Wrong("the certificate's nonce is not of this ceremony"));
    }
    if !x509::is_key_of(&leaf, claim.key) {
        return Err(Wrong("the certificate is for another key"));
    }
    drop(leaf);
    Ok(Found::Certified { chain, hardware: false })
}
