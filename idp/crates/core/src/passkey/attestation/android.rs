//! Android key attestation. WebAuthn L3 §8.4; Android's `KeyDescription` schema.

use super::der::{Der, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, SET};
use super::{Claim, Found, Members, Wrong, check, leaf, x509};

/// `[1] purpose`, `[600] allApplications`, `[702] origin` of an AuthorizationList.
const PURPOSE: u32 = 0xa1;
const ALL_APPLICATIONS: u32 = 0xbf_84_58;
const ORIGIN: u32 = 0xbf_85_3e;

pub(super) fn verify(members: &Members<'_>, claim: &Claim<'_>) -> Result<Found, Wrong> {
    let (alg, sig, chain) = (members.alg()?, members.sig()?, members.x5c()?);
    let leaf = leaf(&chain)?;
    if check(&leaf, alg, &claim.signed(), sig)?.is_none() {
        return Ok(Found::Unverified);
    }
    if !x509::is_key_of(&leaf, claim.key) {
        return Err(Wrong("the certificate is for another key"));
    }
    let (value, _) = x509::extension(&leaf, "1.3.6.1.4.1.11129.2.1.17")
        .ok_or(Wrong("the certificate says nothing about its Android key"))?;
    let description = Description::read(value).ok_or(Wrong("the certificate's key description cannot be read"))?;
    if description.challenge != claim.client_data_hash {
        return Err(Wrong("the certificate's challenge is not of this ceremony"));
    }
    let (software, hardware) = (&description.software, &description.hardware);
    if software.all_applications || hardware.all_applications {
        return Err(Wrong("the key is for all applications"));
    }
    if [software, hardware].into_iter().any(|list| !list.origin.fits() || !list.purpose.fits()) {
        return Err(Wrong("the key was not generated in the device, or not for signing"));
    }
    let hardware = description.levels_are_hardware && hardware.origin == Field::Fits && hardware.purpose == Field::Fits;
    drop(leaf);
    Ok(Found::Certified { chain, hardware })
}

/// A field of a list: missing, as it must be, or something else.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Missing,
    Fits,
    Differs,
}

impl Field {
    fn fits(self) -> bool {
        self != Self::Differs
    }

    const fn of(fits: bool) -> Self {
        if fits { Self::Fits } else { Self::Differs }
    }
}

/// What somebody enforces.
#[derive(Default)]
struct List {
    all_applications: bool,
    /// KM_ORIGIN_GENERATED.
    origin: Field,
    /// KM_PURPOSE_SIGN alone.
    purpose: Field,
}

struct Description<'a> {
    challenge: &'a [u8],
    /// Attestation and keystore sit in a TEE (1) or StrongBox (2), not in software (0).
    levels_are_hardware: bool,
    software: List,
    hardware: List,
}

impl<'a> Description<'a> {
    fn read(value: &'a [u8]) -> Option<Self> {
        let mut der = Der(Der::only(value, SEQUENCE)?);
        der.expect(INTEGER)?;
        let attestation_level = der.expect(ENUMERATED)?;
        der.expect(INTEGER)?;
        let keystore_level = der.expect(ENUMERATED)?;
        let challenge = der.expect(OCTET_STRING)?;
        der.expect(OCTET_STRING)?;
        let levels = [attestation_level, keystore_level];
        Some(Self {
            challenge,
            levels_are_hardware: levels.iter().all(|level| matches!(level, [1 | 2])),
            software: List::read(der.expect(SEQUENCE)?)?,
            hardware: List::read(der.expect(SEQUENCE)?)?,
        })
    }
}

impl List {
    fn read(content: &[u8]) -> Option<Self> {
        let (mut der, mut list) = (Der(content), Self::default());
        while !der.0.is_empty() {
            match der.next()? {
                (ALL_APPLICATIONS, _) => list.all_applications = true,
                (ORIGIN, origin) => list.origin = Field::of(Der::only(origin, INTEGER)? == [0]),
                (PURPOSE, set) => list.purpose = Field::of(Der::only(Der::only(set, SET)?, INTEGER) == Some(&[2])),
                _ => {}
            }
        }
        Some(list)
    }
}
