//! Packed attestation. WebAuthn L3 §8.2.

use x509_parser::prelude::{X509Certificate, X509Version};

use super::{Claim, Found, Members, Wrong, check, check_aaguid, leaf, x509};

pub(super) fn verify(members: &Members<'_>, claim: &Claim<'_>) -> Result<Found, Wrong> {
    let (alg, sig) = (members.alg()?, members.sig()?);
    // ECDAA was taken out of the specification; nobody can verify it.
    if members.find("ecdaaKeyId").is_some() {
        return Ok(Found::Unverified);
    }
    if members.find("x5c").is_none() {
        // Self attestation: the algorithm of the key, signed by the key.
        let is_own = alg == claim.key.alg() && claim.key.verifies(&claim.signed(), sig);
        return if is_own { Ok(Found::SelfSigned) } else { Err(Wrong("sig is not the new key's")) };
    }
    let chain = members.x5c()?;
    let leaf = leaf(&chain)?;
    if check(&leaf, alg, &claim.signed(), sig)?.is_none() {
        return Ok(Found::Unverified);
    }
    check_requirements(&leaf)?;
    check_aaguid(&leaf, claim.aaguid)?;
    drop(leaf);
    Ok(Found::Certified { chain, hardware: false })
}

/// WebAuthn L3 §8.2.1.
fn check_requirements(leaf: &X509Certificate<'_>) -> Result<(), Wrong> {
    let subject = leaf.subject();
    let named = subject.iter_country().next().is_some()
        && subject.iter_organization().next().is_some()
        && subject.iter_common_name().next().is_some();
    let mut units = subject.iter_organizational_unit();
    let holds = [
        (leaf.version() == X509Version::V3, "the attestation certificate is not of version 3"),
        (named, "the attestation certificate's subject lacks C, O or CN"),
        (
            units.next().and_then(|unit| unit.as_str().ok()) == Some("Authenticator Attestation"),
            "the attestation certificate's OU is not Authenticator Attestation",
        ),
        (x509::is_ca(leaf) == Some(false), "the attestation certificate is not said to be no authority"),
    ];
    holds.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(Wrong(why)))
}
