//! Signing in with a passkey: the options, and the checks on what comes back.
//!
//! WebAuthn L3 §7.2.

use super::authenticator_data::AuthenticatorData;
use super::cose::PublicKey;
use super::options::{RequestOptions, TIMEOUT_MS};
use super::policy::{PasskeyType, Policy, Requirement};
use super::record::Passkey;
use super::wire::AuthenticationResponse;
use super::{Ceremony, Expected, Reason, Refused, check_client_data};
use crate::id::AccountId;
use crate::rule::Rule;
use crate::secret::{same, sha256};
use crate::session::PasskeyProof;
use crate::time::Timestamp;

/// The checks of [`verify`], in its order.
pub const RULES: &[Rule] = &[
    rule(
        "webauthn.assertion.malformed_response",
        "WebAuthn L3 §5.1.8",
        "the response has the members of AuthenticationResponseJSON, none of them longer than it may be",
    ),
    rule(
        "webauthn.assertion.ceremony_expired",
        "WebAuthn L3 §13.4.3",
        "the challenge was issued less than 5 minutes ago",
    ),
    rule("webauthn.assertion.credential_type", "WebAuthn L3 §5.10.2", "type is public-key"),
    rule("webauthn.assertion.id_mismatch", "WebAuthn L3 §5.1", "id and rawId are the same bytes"),
    rule(
        "webauthn.assertion.credential_not_allowed",
        "WebAuthn L3 §7.2 step 5",
        "the credential is one of allowCredentials, if that was not empty",
    ),
    rule(
        "webauthn.assertion.unknown_credential",
        "WebAuthn L3 §7.2 step 6",
        "a passkey of the realm has this credential id",
    ),
    rule(
        "webauthn.assertion.user_mismatch",
        "WebAuthn L3 §7.2 step 6",
        "the passkey belongs to the account that is signing in and userHandle is its handle; it may be absent only if the account was known before",
    ),
    rule(
        "webauthn.assertion.client_data",
        "WebAuthn L3 §7.2 step 9",
        "clientDataJSON is JSON with type, challenge and origin",
    ),
    rule("webauthn.assertion.ceremony_type", "WebAuthn L3 §7.2 step 10", "type of the client data is webauthn.get"),
    rule(
        "webauthn.assertion.challenge_mismatch",
        "WebAuthn L3 §7.2 step 11",
        "the challenge is the one of this ceremony",
    ),
    rule(
        "webauthn.assertion.origin_mismatch",
        "WebAuthn L3 §7.2 step 12",
        "the origin is byte for byte one of the realm's",
    ),
    rule("webauthn.assertion.cross_origin", "WebAuthn L3 §7.2 step 13", "the page was not framed by another origin"),
    rule("webauthn.assertion.top_origin", "WebAuthn L3 §7.2 step 14", "there is no topOrigin"),
    rule(
        "webauthn.assertion.authenticator_data",
        "WebAuthn L3 §6.1",
        "the authenticator data are complete and nothing follows them",
    ),
    rule(
        "webauthn.assertion.rp_id_mismatch",
        "WebAuthn L3 §7.2 step 15",
        "rpIdHash is the hash of the RP ID, for which the passkey was made",
    ),
    rule("webauthn.assertion.user_not_present", "WebAuthn L3 §7.2 step 16", "UP is set"),
    rule("webauthn.assertion.user_not_verified", "WebAuthn L3 §7.2 step 17", "UV is set where the policy requires it"),
    rule("webauthn.assertion.backup_state", "WebAuthn L3 §7.2 step 18", "BS is not set without BE"),
    rule(
        "webauthn.assertion.backup_eligibility_changed",
        "WebAuthn L3 §7.2 step 19",
        "BE is what it was at registration",
    ),
    rule("webauthn.assertion.public_key", "WebAuthn L3 §7.2 step 21", "the stored key can be read"),
    rule(
        "webauthn.assertion.signature",
        "WebAuthn L3 §7.2 step 21",
        "the stored key verifies the signature over authenticator data and client data hash",
    ),
];

const fn rule(id: &'static str, spec: &'static str, text: &'static str) -> Rule {
    Rule { id, spec, text }
}

/// The options for `navigator.credentials.get()` (WebAuthn L3 §5.5). `allowed` stays empty until a factor was
/// verified: a typed name must not reveal credential ids (WebAuthn L3 §14.6.3).
pub fn options(rp_id: &str, challenge: &[u8], allowed: &[Passkey], policy: &Policy) -> RequestOptions {
    let allowed: Vec<&Passkey> = allowed.iter().filter(|p| p.rp_id == rp_id).collect();
    let user_verification = if allowed.is_empty() {
        policy.user_verification.ask(&policy.allowed_types.iter().collect::<Vec<_>>())
    } else {
        policy.user_verification.ask_each(allowed.iter().map(|p| p.passkey_type()))
    };
    RequestOptions {
        challenge: challenge.to_vec(),
        timeout: TIMEOUT_MS,
        rp_id: rp_id.to_owned(),
        allow_credentials: allowed.into_iter().map(Into::into).collect(),
        user_verification,
        hints: policy.hints.clone(),
    }
}

/// What was asked for, and whose sign-in this may be.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub ceremony: Expected<'a>,
    /// `allowCredentials` of the options; empty: any.
    pub allowed: &'a [Vec<u8>],
    /// The account, if it was named or verified before the ceremony.
    pub account: Option<AccountId>,
}

/// The passkey found under the response's id, and its owner's handle.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub passkey: &'a Passkey,
    pub user_handle: &'a [u8],
}

/// What the signature counter says (WebAuthn L3 §6.1.1, §7.2 step 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Both zero: the authenticator keeps none.
    None,
    /// Greater than the stored one.
    Advanced,
    /// Not greater, but the challenge was issued before the stored one was written: two tabs out of order.
    OutOfOrder,
    /// Not greater: perhaps two copies of the key are in use. What follows is the policy's `clone_response`.
    CloneSignal,
}

/// An assertion that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub user_verified: bool,
    pub backup_eligible: bool,
    pub backup_state: bool,
    pub counter: Counter,
    /// The counter to store: never lower than before, so that a copy is noticed each time it is used.
    pub new_counter: u32,
}

impl Verified {
    /// What a session keeps of it.
    pub fn proof(&self, passkey: &Passkey) -> PasskeyProof {
        PasskeyProof::of(passkey, self.user_verified, self.backup_state)
    }
}

/// Checks an assertion in the order of WebAuthn L3 §7.2; steps 1 to 4 are the browser's and the caller's.
/// An id that no passkey has is refused by the caller: [`Reason::Unknown`].
///
/// # Errors
/// [`Refused`] with the first check that does not hold.
pub fn verify(
    asked: &Asked<'_>,
    found: Found<'_>,
    response: &AuthenticationResponse,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let refuse = |reason| Refused::new(Ceremony::Assertion, reason);
    let ensure = |holds: bool, reason| if holds { Ok(()) } else { Err(refuse(reason)) };
    let Asked { ceremony: expected, allowed, account } = asked;
    let Found { passkey, user_handle } = found;
    let id = &response.raw_id;

    ensure(expected.is_open(now), Reason::Expired)?;
    ensure(response.type_ == "public-key", Reason::CredentialType)?;
    ensure(response.id == *id, Reason::Id)?;

    // Step 5.
    ensure(allowed.is_empty() || allowed.contains(id), Reason::NotAllowed)?;
    // Step 6: the owner, by two independent ways if the account was known before, else by the handle.
    ensure(passkey.credential_id == *id, Reason::Unknown)?;
    ensure(account.is_none_or(|account| account == passkey.account_id), Reason::User)?;
    match &response.response.user_handle {
        Some(handle) => ensure(same(handle, user_handle), Reason::User)?,
        None => ensure(account.is_some(), Reason::User)?,
    }

    // Steps 7 to 14, 20: type, challenge, origin, crossOrigin and topOrigin.
    let client_data_hash = check_client_data(expected, Ceremony::Assertion, &response.response.client_data_json)?;

    // Step 15: asked for this RP ID, and the record is of this RP ID.
    let data = AuthenticatorData::parse(&response.response.authenticator_data)
        .map_err(|e| refuse(Reason::AuthenticatorData).because(&e))?;
    ensure(data.rp_id_hash == sha256(expected.rp_id.as_bytes()), Reason::RpId)?;
    ensure(passkey.rp_id == expected.rp_id, Reason::RpId)?;
    // Step 16.
    ensure(data.flags.user_present(), Reason::UserPresent)?;
    // Step 17: by the policy for this type of passkey.
    let uv_required = policy.user_verification.of(passkey.passkey_type()) == Requirement::Required;
    ensure(data.flags.user_verified() || !uv_required, Reason::UserVerified)?;
    // Steps 18, 19: BE is fixed for life, so a flip means another key or a broken authenticator.
    ensure(data.flags.backup_eligible() || !data.flags.backup_state(), Reason::BackupState)?;
    ensure(data.flags.backup_eligible() == passkey.backup_eligible, Reason::BackupEligible)?;

    // Step 21.
    let message = [response.response.authenticator_data.as_slice(), &client_data_hash].concat();
    let key = PublicKey::parse(&passkey.public_key).map_err(|e| refuse(Reason::PublicKey).because(&e))?;
    ensure(key.verifies(&message, &response.response.signature), Reason::Signature)?;

    // Step 22; steps 23 to 25 (what to store) are the caller's.
    Ok(Verified {
        user_verified: data.flags.user_verified(),
        backup_eligible: data.flags.backup_eligible(),
        backup_state: data.flags.backup_state(),
        counter: judge_counter(data.counter, passkey, expected.issued),
        new_counter: data.counter.max(passkey.counter),
    })
}

fn judge_counter(received: u32, passkey: &Passkey, issued: Timestamp) -> Counter {
    match (received, passkey.counter) {
        (0, 0) => Counter::None,
        (received, stored) if received > stored => Counter::Advanced,
        _ if issued < passkey.counter_at => Counter::OutOfOrder,
        _ => Counter::CloneSignal,
    }
}

impl Passkey {
    /// The type as far as the browser's unsigned word told at registration.
    pub fn passkey_type(&self) -> Option<PasskeyType> {
        super::policy::passkey_type(&self.transports, self.attachment.as_deref())
    }
}
