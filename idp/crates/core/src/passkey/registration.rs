//! Registering a passkey: the options, and the checks on what comes back.
//!
//! WebAuthn L3 §7.1.

use std::fmt::Display;

use super::attestation::{self, AttestationObject, Claim, Statement};
use super::authenticator_data::{AuthenticatorData, MAX_CREDENTIAL_ID_LEN};
use super::cose::{KeyError, PublicKey};
use super::mds::{Entry, Model, ModelKey};
use super::options::{
    AuthenticatorSelection, CreationExtensions, CreationOptions, CredentialParameters, Kind, RelyingPartyEntity,
    TIMEOUT_MS, UserEntity,
};
use super::policy::{Conveyance, PasskeyType, Policy, Requirement, passkey_type};
use super::record::{Attestation, Passkey, PasskeyState};
use super::wire::RegistrationResponse;
use super::{Ceremony, Expected, Reason, Refused, check_client_data};
use crate::id::AccountId;
use crate::rule::Rule;
use crate::secret::{Hash, sha256};
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
    rule(
        "webauthn.registration.user_not_present",
        "WebAuthn L3 §7.1 step 15",
        "UP is set, unless the ceremony was begun without a dialogue (conditional mediation)",
    ),
    rule(
        "webauthn.registration.user_not_verified",
        "WebAuthn L3 §7.1 step 16",
        "UV is set where the policy requires it, unless the ceremony was begun without a dialogue",
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
        "a statement of a known format is right by that format's procedure (WebAuthn L3 §8); one of another format counts as none",
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
    /// Without a dialogue: conditional mediation.
    pub conditional: bool,
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
    // Nobody is there to unlock anything, to agree to attestation, or to type a user name later.
    let (resident_key, user_verification, attestation) = match request.conditional {
        true => (Requirement::Required, Requirement::Preferred, Conveyance::None),
        false => (policy.resident_key.ask(&types), policy.user_verification.ask(&types), policy.attestation),
    };
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
            user_verification,
        },
        hints: request.kind.map_or_else(|| policy.hints.clone(), |kind| vec![kind.passkey_type().hint()]),
        attestation: attestation.text(),
        extensions: CreationExtensions { cred_props: true },
    }
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
    /// Made without a dialogue: UV was not asked for.
    pub conditional: bool,
    pub backup_eligible: bool,
    pub backup_state: bool,
    /// `credProps.rk`, where the browser said so.
    pub discoverable: Option<bool>,
    pub transports: Vec<String>,
    pub attachment: Option<String>,
    /// A claim of the authenticator unless its attestation was verified.
    pub aaguid: [u8; 16],
    pub statement: Statement,
    /// SHA-256 of the root that the statement's chain leads to.
    pub attestation_root: Option<Hash>,
    /// What the metadata say of the model.
    pub model: Model,
}

impl Registered {
    /// The type as far as the browser's unsigned word tells.
    pub fn passkey_type(&self) -> Option<PasskeyType> {
        passkey_type(&self.transports, self.attachment.as_deref())
    }

    /// How the metadata name its model, if they can.
    pub fn model_key(&self) -> Option<ModelKey> {
        ModelKey::of(self.aaguid, self.statement.key_id())
    }

    /// Assesses the statement (WebAuthn L3 §7.1 steps 23, 24) by the metadata's roots for this model and by the policy's
    /// own. Whether that is enough the policy says afterwards.
    pub fn assess(&mut self, policy: &Policy, entry: Option<&Entry>, now: Timestamp) {
        let listed = entry.map(|entry| entry.roots.as_slice()).unwrap_or_default().iter().map(Vec::as_slice);
        self.attestation_root = self.statement.root_among(listed.chain(policy.attestation_trust.roots()), now);
        if self.attestation_root.is_some() {
            self.statement.attestation = Attestation::Verified;
        }
        self.model = entry.map(|entry| entry.model(self.attestation_root.as_ref())).unwrap_or_default();
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
            attestation_key_id: self.statement.key_id(),
            attestation_format: self.statement.format,
            attestation: self.statement.attestation,
            attestation_hardware: self.statement.hardware,
            attestation_root: self.attestation_root,
            model: self.model,
            name,
            state: PasskeyState::Active,
            suspended_reason: None,
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
    // Step 15. What the server did not begin as conditional has its user there.
    ensure(data.flags.user_present() || expected.conditional, Reason::UserPresent)?;
    // Step 16: by the policy for this type of passkey.
    let attachment = response.authenticator_attachment;
    let kind = passkey_type(&response.response.transports, attachment.as_deref());
    let uv_required = policy.user_verification.of(kind) == Requirement::Required;
    ensure(data.flags.user_verified() || !uv_required || expected.conditional, Reason::UserVerified)?;
    // Step 17; steps 18 and 19 (uses of BE and BS) are the policy's.
    ensure(data.flags.backup_eligible() || !data.flags.backup_state(), Reason::BackupState)?;

    // Step 20.
    let credential = data
        .attested_credential
        .ok_or_else(|| refuse(Reason::AuthenticatorData).because(&"there is no attested credential"))?;
    ensure(response.raw_id == credential.credential_id, Reason::Id)?;
    let key = acceptable_key(credential.public_key, policy)?;

    // Steps 21, 22; steps 23 and 24 are [`Registered::assess`].
    let claim = Claim {
        auth_data: &object.auth_data,
        client_data_hash: &client_data_hash,
        rp_id_hash: &data.rp_id_hash,
        aaguid: &credential.aaguid,
        credential_id: credential.credential_id,
        key: &key,
    };
    let statement = object
        .verify(&claim)
        .map_err(|wrong| refuse(Reason::Attestation).because(&format_args!("{}: {wrong}", object.fmt)))?;
    // Step 25.
    ensure(credential.credential_id.len() <= MAX_CREDENTIAL_ID_LEN, Reason::CredentialIdLength)?;

    Ok(Registered {
        credential_id: credential.credential_id.to_vec(),
        public_key: credential.public_key.to_vec(),
        alg: key.alg(),
        counter: data.counter,
        user_verified: data.flags.user_verified(),
        conditional: expected.conditional,
        backup_eligible: data.flags.backup_eligible(),
        backup_state: data.flags.backup_state(),
        discoverable: response.extensions.cred_props.rk,
        transports: response.response.transports,
        attachment,
        // What a U2F key signs does not cover the AAGUID: a genuine key must not lend its certificate to any model.
        aaguid: if object.fmt == attestation::U2F { [0; 16] } else { credential.aaguid },
        statement,
        attestation_root: None,
        model: Model::default(),
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
