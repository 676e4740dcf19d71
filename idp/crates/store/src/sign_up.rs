//! Signing up: an account and its first passkey, made by whoever completed the ceremony. NIST SP 800-63A-4 §2.

use idp_core::account::Account;
use idp_core::audit::Audit;
use idp_core::id::RealmId;
use idp_core::passkey::record::Passkey;

use crate::accounts::{self, NameTaken};
use crate::error::Result;
use crate::sql::Conn;
use crate::throttles::RecordFailure;
use crate::used_once::{self, Once};
use crate::write::Write;
use crate::{audit, passkeys};

/// What became of [`SignUp`]; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    Done,
    ChallengeUsed,
    NameTaken(NameTaken),
    /// Some account has this credential.
    CredentialExists,
}

/// Makes an account with a passkey.
#[derive(Clone, Debug)]
pub struct SignUp {
    pub realm: RealmId,
    pub account: Account,
    pub passkey: Passkey,
    pub challenge: Once,
    /// Counts the accounts that are made from one address.
    pub throttle: RecordFailure,
    pub audit: Audit,
}

impl Write for SignUp {
    type Out = SignedUp;

    async fn run(&self, c: &mut Conn) -> Result<SignedUp> {
        if !used_once::insert(c, self.realm, &self.challenge).await? {
            return Ok(SignedUp::ChallengeUsed);
        }
        if let Some(taken) = accounts::insert(c, self.realm, &self.account).await? {
            return Ok(SignedUp::NameTaken(taken));
        }
        if !passkeys::insert(c, self.realm, &self.passkey).await? {
            return Ok(SignedUp::CredentialExists);
        }
        self.throttle.run(c).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(SignedUp::Done)
    }

    fn keeps(out: &SignedUp) -> bool {
        matches!(out, SignedUp::Done)
    }
}
