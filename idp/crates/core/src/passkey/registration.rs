//! Registering a passkey: the options, and the checks on what comes back.
//!
//! WebAuthn L3 §7.1.

use std::fmt::Display;

use ciborium::Value;

use super::authenticator_data::{AuthenticatorData, MAX_CREDENTIAL_ID_LEN};
use super::cose::{KeyError, PublicKey};
use super::options::{
    AuthenticatorSelection, CreationExtensions, CreationOptions, CredentialParameters, Kind, RelyingPartyEntity,
    TIMEOUT_MS, UserEntity,
};
use super::policy::{PasskeyType, Policy, Requirement, passkey_type};
use super::record::{Passkey, PasskeyState};
use super::wire::RegistrationResponse;
use super::{Ceremony, Expected, Reason, Refused, cbor, check_client_data};
use crate::id::AccountId;
use crate::rule::Rule;
use crate::secret::sha256;
use crate::time::Timestamp;

/// The checks of [`verify`], in its order.
pub const RULES: &[Rule] = &[
    rule(
        "webauthn.registration.malformed_response",
        "WebAuthn L3 §5.1.8",
        "the response has the members of RegistrationResponseJSON, none of them longer than it may be",
    ),
    rule(
        "webauthn.registration.ceremony_expired",
        "WebAuthn L3 §13.4.3",
        "the challenge was issued less than 5 minutes ago",
    ),
    rule("webauthn.registration.credential_type", "WebAuthn L3 §5.10.2", "type is public-key"),
    rule(
        "webauthn.registration.id_mismatch",
        "WebAuthn L3 §5.1",
        "id and rawId are the same bytes as the attested credential id",
    ),
    rule(
        "webauthn.registration.client_data",
        "WebAuthn L3 §7.1 step 6",
        "clientDataJSON is JSON with type, challenge and origin",
    ),
    rule(
        "webauthn.registration.ceremony_type",
        "WebAuthn L3 §7.1 step 7",
        "type of the client data is webauthn.create",
    ),
    rule(
        "webauthn.registration.challenge_mismatch",
        "WebAuthn L3 §7.1 step 8",
        "the challenge is the one of this ceremony",
    ),
    rule(
        "webauthn.registration.origin_mismatch",
        "WebAuthn L3 §7.1 step 9",
        "the origin is byte for byte one of the realm's",
    ),
    rule("webauthn.registration.cross_origin", "WebAuthn L3 §7.1 step 10", "the page was not framed by another origin"),
    rule("webauthn.registration.top_origin", "WebAuthn L3 §7.1 step 11", "there is no topOrigin"),
    rule(
        "webauthn.registration.attestation_object",
        "WebAuthn L3 §7.1 step 13",
        "the attestation object is one CBOR map of fmt, authData and attStmt",
    ),
    rule(
        "webauthn.registration.authenticator_data",
        "WebAuthn L3 §6.1",
        "the authenticator data are complete, hold a credential, and nothing follows them",
    ),
    rule("webauthn.registration.rp_id_mismatch", "WebAuthn L3 §7.1 step 14", "rpIdHash is the hash of the RP ID"),
    rule("webauthn.registration.user_not_present", "WebAuthn L3 §7.1 step 15", "UP is set"),
    rule(
        "webauthn.registration.user_not_verified",
        "WebAuthn L3 §7.1 step 16",
        "UV is set where the policy requires it",
    ),
    rule("webauthn.registration.backup_state", "WebAuthn L3 §7.1 step 17", "BS is not set without BE"),
    rule(
        "webauthn.registration.algorithm_not_allowed",
        "WebAuthn L3 §7.1 step 20",
        "the key's algorithm is one the policy lists",
    ),
    rule(
        "webauthn.registration.public_key",
        "WebAuthn L3 §6.5.1.1",
        "the key is a COSE_Key whose parameters belong to its algorithm",
    ),
    rule(
        "webauthn.registration.attestation",
        "WebAuthn L3 §7.1 step 22",
        "a none statement is empty, a packed self attestation is signed by the new key; other statements count as no attestation",
    ),
    rule(
        "webauthn.registration.credential_id_length",
        "WebAuthn L3 §7.1 step 25",
        "the credential id has at most 1023 bytes",
    ),
    rule(
        "webauthn.registration.already_registered",
        "WebAuthn L3 §7.1 step 26",
        "no passkey of the realm has this credential id",
    ),
];

const fn rule(id: &'static str, spec: &'static str, text: &'static str) -> Rule {
    Rule { id, spec, text }
}

/// Who registers, and where.
#[derive(Clone, Debug)]
pub struct OptionsFor<'a> {
    pub rp_id: &'a str,
    /// What the authenticator shows as the service.
    pub rp_name: &'a str,
    /// 64 random bytes, no personal data.
    pub user_handle: &'a [u8],
    pub username: &'a str,
    pub display_name: &'a str,
    /// Random bytes, 16 or more.
    pub challenge: &'a [u8],
    /// What the person chose to register, if the page asked.
    pub kind: Option<Kind>,
    /// The account's passkeys; those of this RP ID are not registered twice.
    pub passkeys: &'a [Passkey],
}

/// The options for `navigator.credentials.create()` (WebAuthn L3 §5.4).
pub fn options(request: &OptionsFor<'_>, policy: &Policy) -> CreationOptions {
    let types: Vec<PasskeyType> = match request.kind {
        Some(kind) => vec![kind.passkey_type()],
        None => policy.allowed_types.iter().collect(),
    };
    let platform = types.contains(&PasskeyType::Device);
    let roaming = types.iter().any(|t| *t != PasskeyType::Device);
    let authenticator_attachment = match (platform, roaming) {
        (true, false) => Some("platform"),
        (false, true) => Some("cross-platform"),
        _ => None,
    };
    let resident_key = policy.resident_key.ask(&types);
    let same_rp = request.passkeys.iter().filter(|p| p.rp_id == request.rp_id);
    CreationOptions {
        rp: RelyingPartyEntity { id: request.rp_id.to_owned(), name: request.rp_name.to_owned() },
        user: UserEntity {
            id: request.user_handle.to_vec(),
            name: request.username.to_owned(),
            display_name: request.display_name.to_owned(),
        },
        challenge: request.challenge.to_vec(),
        pub_key_cred_params: policy
            .algorithms
            .iter()
            .map(|alg| CredentialParameters { type_: "public-key", alg: *alg })
            .collect(),
        timeout: TIMEOUT_MS,
        exclude_credentials: same_rp.map(Into::into).collect(),
        authenticator_selection: AuthenticatorSelection {
            authenticator_attachment,
            resident_key,
            require_resident_key: resident_key == Requirement::Required,
            user_verification: policy.user_verification.ask(&types),
        },
        hints: request.kind.map_or_else(|| policy.hints.clone(), |kind| vec![kind.passkey_type().hint()]),
        // Attestation is not judged yet; asking for it would only bring prompts (WebAuthn L3 §5.4.7).
        attestation: "none",
        extensions: CreationExtensions { cred_props: true },
    }
}

/// What the attestation statement proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// No statement.
    None,
    /// Signed by the new key itself: proves possession, says nothing about the model (WebAuthn L3 §6.5.4).
    SelfSigned,
    /// A statement that was not verified: worth as much as none.
    Unverified,
}

/// A registration that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub credential_id: Vec<u8>,
    /// COSE_Key, byte for byte.
    pub public_key: Vec<u8>,
    pub alg: i64,
    pub counter: u32,
    pub user_verified: bool,
    pub backup_eligible: bool,
    pub backup_state: bool,
    /// `credProps.rk`, where the browser said so.
    pub discoverable: Option<bool>,
    pub transports: Vec<String>,
    pub attachment: Option<String>,
    /// A claim of the authenticator unless an attestation was verified, which none is yet.
    pub aaguid: [u8; 16],
    pub attestation_format: String,
    pub attestation: Attestation,
}

impl Registered {
    /// The type as far as the browser's unsigned word tells.
    pub fn passkey_type(&self) -> Option<PasskeyType> {
        passkey_type(&self.transports, self.attachment.as_deref())
    }

    /// The record to keep (WebAuthn L3 §7.1 step 27).
    pub fn into_passkey(self, account_id: AccountId, rp_id: &str, name: String, now: Timestamp) -> Passkey {
        Passkey {
            credential_id: self.credential_id,
            account_id,
            rp_id: rp_id.to_owned(),
            public_key: self.public_key,
            alg: self.alg,
            counter: self.counter,
            counter_at: now,
            uv_initialized: self.user_verified,
            discoverable: self.discoverable,
            backup_eligible: self.backup_eligible,
            backup_state: self.backup_state,
            transports: self.transports,
            attachment: self.attachment,
            aaguid: self.aaguid,
            attestation_format: self.attestation_format,
            name,
            state: PasskeyState::Active,
            created: now,
            last_used: None,
            last_used_client: None,
            last_used_place: None,
        }
    }
}

/// Checks a registration in the order of WebAuthn L3 §7.1; steps 1 to 4 are the browser's and the caller's.
/// Whether the credential id is new (step 26) the store finds out: [`Reason::Registered`].
///
/// # Errors
/// [`Refused`] with the first check that does not hold.
pub fn verify(
    expected: &Expected<'_>,
    response: RegistrationResponse,
    policy: &Policy,
    now: Timestamp,
) -> Result<Registered, Refused> {
    let refuse = |reason| Refused::new(Ceremony::Registration, reason);
    let ensure = |holds: bool, reason| if holds { Ok(()) } else { Err(refuse(reason)) };

    ensure(expected.is_open(now), Reason::Expired)?;
    ensure(response.type_ == "public-key", Reason::CredentialType)?;
    ensure(response.id == response.raw_id, Reason::Id)?;

    // Steps 5 to 12: type, challenge, origin, crossOrigin and topOrigin.
    let client_data_hash = check_client_data(expected, Ceremony::Registration, &response.response.client_data_json)?;

    // Step 13.
    let object = AttestationObject::parse(&response.response.attestation_object)
        .ok_or_else(|| refuse(Reason::AttestationObject))?;
    let data =
        AuthenticatorData::parse(&object.auth_data).map_err(|e| refuse(Reason::AuthenticatorData).because(&e))?;
    // Step 14: the authenticator was asked for this RP ID.
    ensure(data.rp_id_hash == sha256(expected.rp_id.as_bytes()), Reason::RpId)?;
    // Step 15. Conditional creation, which has no UP, is not offered.
    ensure(data.flags.user_present(), Reason::UserPresent)?;
    // Step 16: by the policy for this type of passkey.
    let attachment = response.authenticator_attachment;
    let kind = passkey_type(&response.response.transports, attachment.as_deref());
    let uv_required = policy.user_verification.of(kind) == Requirement::Required;
    ensure(data.flags.user_verified() || !uv_required, Reason::UserVerified)?;
    // Step 17; steps 18 and 19 (uses of BE and BS) are the policy's.
    ensure(data.flags.backup_eligible() || !data.flags.backup_state(), Reason::BackupState)?;

    // Step 20.
    let credential = data
        .attested_credential
        .ok_or_else(|| refuse(Reason::AuthenticatorData).because(&"there is no attested credential"))?;
    ensure(response.raw_id == credential.credential_id, Reason::Id)?;
    let key = acceptable_key(credential.public_key, policy)?;

    // Steps 21, 22; steps 23 and 24 (trust) have no roots to go by yet.
    let attestation =
        object.assess(&key, &client_data_hash).ok_or_else(|| refuse(Reason::Attestation).because(&object.fmt))?;
    // Step 25.
    ensure(credential.credential_id.len() <= MAX_CREDENTIAL_ID_LEN, Reason::CredentialIdLength)?;

    Ok(Registered {
        credential_id: credential.credential_id.to_vec(),
        public_key: credential.public_key.to_vec(),
        alg: key.alg(),
        counter: data.counter,
        user_verified: data.flags.user_verified(),
        backup_eligible: data.flags.backup_eligible(),
        backup_state: data.flags.backup_state(),
        discoverable: response.extensions.cred_props.rk,
        transports: response.response.transports,
        attachment,
        aaguid: credential.aaguid,
        attestation,
        attestation_format: object.fmt,
    })
}

/// Step 20: a key whose algorithm was asked for and that can verify something.
fn acceptable_key(cose_key: &[u8], policy: &Policy) -> Result<PublicKey, Refused> {
    let refuse = |reason, found: &dyn Display| Err(Refused::new(Ceremony::Registration, reason).because(found));
    match PublicKey::parse(cose_key) {
        Ok(key) if !policy.algorithms.contains(&key.alg()) => refuse(Reason::Algorithm, &key.alg()),
        Ok(key) if !key.is_valid() => refuse(Reason::PublicKey, &"the signature library refuses it"),
        Ok(key) => Ok(key),
        Err(e @ KeyError::Algorithm(_)) => refuse(Reason::Algorithm, &e),
        Err(e) => refuse(Reason::PublicKey, &e),
    }
}

/// Longest statement format identifier (WebAuthn L3 §8.1).
const MAX_FMT_LEN: usize = 32;

/// WebAuthn L3 §6.5.4.
struct AttestationObject {
    fmt: String,
    auth_data: Vec<u8>,
    statement: Vec<(Value, Value)>,
}

impl AttestationObject {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (value, rest) = cbor::read(bytes)?;
        if !rest.is_empty() {
            return None;
        }
        let mut map = cbor::entries(value)?;
        let fmt = cbor::take(&mut map, "fmt")?.into_text().ok()?;
        let auth_data = cbor::take(&mut map, "authData")?.into_bytes().ok()?;
        let statement = cbor::entries(cbor::take(&mut map, "attStmt")?)?;
        (fmt.len() <= MAX_FMT_LEN).then_some(Self { fmt, auth_data, statement })
    }

    /// What the statement proves; `None` when it is wrong.
    fn assess(&self, key: &PublicKey, client_data_hash: &[u8; 32]) -> Option<Attestation> {
        let member = |name: &str| self.statement.iter().find(|(k, _)| k.as_text() == Some(name)).map(|(_, v)| v);
        match self.fmt.as_str() {
            // WebAuthn L3 §8.7: an empty map.
            "none" => self.statement.is_empty().then_some(Attestation::None),
            // WebAuthn L3 §8.2, self attestation: no x5c, the algorithm of the key, signed by the key.
            "packed" if member("x5c").is_none() => {
                let alg = cbor::integer(member("alg")?)?;
                let signature = member("sig")?.as_bytes()?;
                let message = [self.auth_data.as_slice(), client_data_hash].concat();
                (alg == key.alg() && key.verifies(&message, signature)).then_some(Attestation::SelfSigned)
            }
            _ => Some(Attestation::Unverified),
        }
    }
}
