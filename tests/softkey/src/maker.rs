//! A maker of authenticators: its root, and the certificates that attest its models.
//!
//! WebAuthn L3 §8.2.1 (packed), §8.6 (U2F); FIDO MDS §3.2 (the BLOB a test's metadata service publishes).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use serde_json::{Value, json};

use crate::b64;

/// Somebody with a root certificate. Cheap to clone.
#[derive(Clone)]
pub struct Maker(Arc<Inner>);

struct Inner {
    issuer: Issuer<'static, KeyPair>,
    root: Vec<u8>,
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maker")
    }
}

/// A certificate under the root and its key.
#[derive(Debug)]
pub struct Leaf {
    /// DER.
    pub certificate: Vec<u8>,
    key: KeyPair,
}

impl Maker {
    /// A root of this name.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).expect("a root").der().to_vec();
        Self(Arc::new(Inner { issuer: Issuer::new(params, key), root }))
    }

    /// The root, DER.
    pub fn root(&self) -> &[u8] {
        &self.0.root
    }

    /// The root in PEM, as policies and settings take it.
    pub fn pem(&self) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(self.root()))
    }

    /// A certificate for attestations, naming its model if there is one.
    ///
    /// # Panics
    /// As [`Maker::new`].
    pub fn leaf(&self, aaguid: Option<[u8; 16]>) -> Leaf {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject("A batch", Some("Authenticator Attestation"));
        params.is_ca = IsCa::ExplicitNoCa;
        if let Some(aaguid) = aaguid {
            let content = [&[4, 16], aaguid.as_slice()].concat();
            let oid = [1, 3, 6, 1, 4, 1, 45724, 1, 1, 4];
            params.custom_extensions = vec![CustomExtension::from_oid_content(&oid, content)];
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0.issuer).expect("a certificate").der().to_vec();
        Leaf { certificate, key }
    }

    /// A metadata BLOB signed under this root.
    ///
    /// # Panics
    /// As [`Maker::new`].
    pub fn blob(&self, number: i64, next_update: &str, entries: &[Value]) -> String {
        let leaf = self.leaf(None);
        let x5c = [STANDARD.encode(&leaf.certificate)];
        let header = json!({ "alg": "ES256", "typ": "JWT", "x5c": x5c }).to_string();
        let payload = json!({ "legalHeader": "a test", "no": number, "nextUpdate": next_update, "entries": entries });
        let signed = format!("{}.{}", b64(header.as_bytes()), b64(payload.to_string().as_bytes()));
        let signature = leaf.sign_by(&ECDSA_P256_SHA256_FIXED_SIGNING, signed.as_bytes());
        format!("{signed}.{}", b64(&signature))
    }

    /// An entry of a BLOB: a model of this maker's, whose keys sit in hardware.
    pub fn entry(&self, aaguid: [u8; 16], statuses: &[&str]) -> Value {
        let hex: String = aaguid.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut uuid = hex;
        for at in [20, 16, 12, 8] {
            uuid.insert(at, '-');
        }
        let reports: Vec<_> = statuses.iter().map(|s| json!({ "status": s, "effectiveDate": "2020-01-01" })).collect();
        json!({
            "aaguid": uuid,
            "metadataStatement": {
                "description": "Soft Key",
                "aaguid": uuid,
                "keyProtection": ["hardware", "secure_element"],
                "attestationRootCertificates": [STANDARD.encode(self.root())],
            },
            "statusReports": reports,
            "timeOfLastStatusChange": "2020-01-01",
        })
    }
}

impl Leaf {
    /// A signature as certificates have it.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&ECDSA_P256_SHA256_ASN1_SIGNING, message)
    }

    /// How metadata name U2F keys (`attestationCertificateKeyIdentifiers`).
    pub fn key_id(&self) -> String {
        let id = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.key.der_bytes());
        id.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sign_by(&self, algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.key.serialize_der()).expect("a P-256 key");
        key.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }
}

fn subject(name: &str, unit: Option<&str>) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, DnValue::PrintableString("CH".try_into().expect("a country")));
    subject.push(DnType::OrganizationName, "Soft Keys");
    if let Some(unit) = unit {
        subject.push(DnType::OrganizationalUnitName, unit);
    }
    subject.push(DnType::CommonName, name);
    subject
}
