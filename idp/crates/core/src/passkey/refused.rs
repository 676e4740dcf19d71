//! Why a ceremony was refused: a reason for machines, a sentence for people, a detail for the log.
//!
//! WebAuthn L3 §7.1 and §7.2; one reason for each way a check there can fail.

use std::fmt;

use super::{assertion, registration};
use crate::rule::Rule;

/// The two ceremonies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// WebAuthn L3 §7.1.
    Registration,
    /// WebAuthn L3 §7.2.
    Assertion,
}

impl Ceremony {
    /// `type` of its client data.
    pub const fn client_data_type(self) -> &'static str {
        match self {
            Self::Registration => super::client_data::CREATE,
            Self::Assertion => super::client_data::GET,
        }
    }
}

/// What did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The response is not the JSON that WebAuthn L3 §5.1.8 describes.
    Malformed,
    /// The ceremony is older than its challenge lives.
    Expired,
    /// `type` of the credential is not `public-key`.
    CredentialType,
    /// `id` and `rawId` differ.
    Id,
    /// The credential is not one that was asked for.
    NotAllowed,
    /// No passkey of this realm has this id.
    Unknown,
    /// The passkey belongs to somebody else than was signing in.
    User,
    /// `clientDataJSON` cannot be read.
    ClientData,
    /// The response is from the other ceremony.
    Type,
    /// The challenge is not the one that was sent.
    Challenge,
    /// The page is not one of this realm's.
    Origin,
    /// The page was in a frame of another origin.
    CrossOrigin,
    /// The page was under a page of another origin.
    TopOrigin,
    /// The attestation object cannot be read.
    AttestationObject,
    /// The authenticator data cannot be read.
    AuthenticatorData,
    /// The passkey was made for another RP ID.
    RpId,
    /// Nobody touched the authenticator.
    UserPresent,
    /// The authenticator did not verify its user.
    UserVerified,
    /// Backed up, but not eligible for it.
    BackupState,
    /// The passkey's eligibility for backup changed.
    BackupEligible,
    /// The key's algorithm was not asked for.
    Algorithm,
    /// The public key cannot be used.
    PublicKey,
    /// The attestation statement is wrong.
    Attestation,
    /// The credential id is longer than 1023 bytes.
    CredentialIdLength,
    /// The credential id is registered already.
    Registered,
    /// The signature is not the passkey's.
    Signature,
}

impl Reason {
    /// Machine-readable code for problem+json; stable. Also the last part of the rule's id.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    /// A sentence for the person in front of the browser, who may act on it.
    pub const fn public(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        const AGAIN: &str = "The passkey's answer could not be read. Please try again, or use another browser.";
        const STALE: &str = "This attempt is no longer valid. Please start again.";
        const PLACE: &str = "The passkey was used on a page that does not belong to this service. \
                             Please check the address and start again from the sign-in page.";
        const DEVICE: &str = "This authenticator gave an answer that cannot be accepted. Please use another passkey.";
        match self {
            Self::Malformed => ("malformed_response", AGAIN),
            Self::Expired => ("ceremony_expired", STALE),
            Self::CredentialType => ("credential_type", AGAIN),
            Self::Id => ("id_mismatch", AGAIN),
            Self::NotAllowed => ("credential_not_allowed", "Please use one of the passkeys that were asked for."),
            Self::Unknown => (
                "unknown_credential",
                "This passkey is not known here. It may have been removed: please use another one.",
            ),
            Self::User => ("user_mismatch", "This passkey belongs to another account than the one signing in."),
            Self::ClientData => ("client_data", AGAIN),
            Self::Type => ("ceremony_type", AGAIN),
            Self::Challenge => ("challenge_mismatch", STALE),
            Self::Origin => ("origin_mismatch", PLACE),
            Self::CrossOrigin => ("cross_origin", PLACE),
            Self::TopOrigin => ("top_origin", PLACE),
            Self::AttestationObject => ("attestation_object", DEVICE),
            Self::AuthenticatorData => ("authenticator_data", DEVICE),
            Self::RpId => ("rp_id_mismatch", "This passkey was made for another address. Please use another one."),
            Self::UserPresent => ("user_not_present", "Please touch or confirm on your authenticator and try again."),
            Self::UserVerified => (
                "user_not_verified",
                "Please unlock your passkey by PIN, fingerprint or face. If your authenticator has none of them set up, \
                 set one up or use another passkey.",
            ),
            Self::BackupState => ("backup_state", DEVICE),
            Self::BackupEligible => ("backup_eligibility_changed", DEVICE),
            Self::Algorithm => (
                "algorithm_not_allowed",
                "This authenticator makes keys of a kind that is not accepted here. Please use another one.",
            ),
            Self::PublicKey => ("public_key", DEVICE),
            Self::Attestation => ("attestation", DEVICE),
            Self::CredentialIdLength => ("credential_id_length", DEVICE),
            Self::Registered => ("already_registered", "This passkey is registered already: you can sign in with it."),
            Self::Signature => ("signature", DEVICE),
        }
    }
}

/// A refused ceremony. `Display` is the detail for the log; people get [`Refused::public`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub ceremony: Ceremony,
    pub reason: Reason,
    /// What exactly was found; never sent to the browser.
    pub detail: String,
}

impl Refused {
    /// Refuses a ceremony; also for what only the store knows ([`Reason::Unknown`], [`Reason::Registered`]).
    pub const fn new(ceremony: Ceremony, reason: Reason) -> Self {
        Self { ceremony, reason, detail: String::new() }
    }

    /// With what was found, cut to a length that suits a log.
    #[must_use]
    pub fn because(mut self, found: &dyn fmt::Display) -> Self {
        self.detail = found.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        self
    }

    /// Machine-readable code; stable.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// A sentence for people.
    pub const fn public(&self) -> &'static str {
        self.reason.public()
    }

    /// The rule that did not hold.
    pub fn rule(&self) -> Option<&'static Rule> {
        let rules = match self.ceremony {
            Ceremony::Registration => registration::RULES,
            Ceremony::Assertion => assertion::RULES,
        };
        rules.iter().find(|rule| rule.id.rsplit('.').next() == Some(self.code()))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule().map_or(self.code(), |rule| rule.id))?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Refused {}
