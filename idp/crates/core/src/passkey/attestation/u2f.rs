//! FIDO U2F attestation. WebAuthn L3 §8.6.

use super::{Claim, Found, Members, Wrong, check, leaf, x509};
use crate::passkey::cose::{ES256, PublicKey};

pub(super) fn verify(members: &Members<'_>, claim: &Claim<'_>) -> Result<Found, Wrong> {
    let (chain, sig) = (members.x5c()?, members.sig()?);
    if chain.len() != 1 {
        return Err(Wrong("x5c of a U2F key holds one certificate"));
    }
    let leaf = leaf(&chain)?;
    if x509::kind(leaf.public_key()) != Some(x509::Kind::P256) {
        return Err(Wrong("the attestation certificate's key is not on P-256"));
    }
    let PublicKey::Ec2 { alg: ES256, point } = claim.key else { return Err(Wrong("the new key is not on P-256")) };
    // What U2F authenticators sign knows no authenticator data (FIDO U2F Raw Message Formats §4.3).
    let message = [&[0], claim.rp_id_hash.as_slice(), claim.client_data_hash, claim.credential_id, point].concat();
    if check(&leaf, ES256, &message, sig)?.is_none() {
        return Ok(Found::Unverified);
    }
    drop(leaf);
    Ok(Found::Certified { chain, hardware: false })
}
