//! Where a sign-in stands, and where the browser goes from there.

use idp_core::oauth::authorize::AuthorizationRequest;

use crate::http::exchange::Exchange;
use crate::http::oauth::authorize;
use crate::http::problem::Problem;

/// Where a sign-in stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Signed in.
    Complete,
    /// Signed in, and a recovery of the account was stopped by that.
    RecoveryStopped,
    /// Signed in, and the browser may make a passkey without a dialogue on the way.
    Upgrade,
    /// Signed in, for no application; a passkey is asked for. Where there is one, the dispatcher asks.
    Asked,
    /// One more factor is asked.
    SecondFactor,
    /// A passkey is to be made first.
    Enrol,
    /// The policy closes this way; a passkey is needed that the account does not have.
    PasskeyNeeded,
}

impl Stand {
    /// `status` for callers that read JSON.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Complete | Self::RecoveryStopped | Self::Upgrade | Self::Asked => "complete",
            Self::Enrol => "enrol",
            Self::SecondFactor | Self::PasskeyNeeded => "second_factor",
        }
    }
}

/// Where the browser goes after a sign-in.
///
/// # Errors
/// Only when the request cannot be sealed again.
pub fn next_url(x: &Exchange, stand: Stand, request: Option<&AuthorizationRequest>) -> Result<String, Problem> {
    let sealed = request.map(|r| authorize::seal(x, r)).transpose()?;
    Ok(match (stand, sealed) {
        (Stand::Complete | Stand::Upgrade | Stand::Asked, Some(sealed)) => authorize::resume_url(&sealed),
        (Stand::Complete, None) => "/account/security".to_owned(),
        (Stand::RecoveryStopped, Some(sealed)) => format!("/login/recovery/stopped?request={sealed}"),
        (Stand::RecoveryStopped, None) => "/login/recovery/stopped".to_owned(),
        (Stand::Enrol, Some(sealed)) => format!("/login/enrol?request={sealed}"),
        // Whether a passkey is still wanted after an upgrade is decided there.
        (Stand::Enrol | Stand::Upgrade | Stand::Asked, None) => "/login/enrol".to_owned(),
        (Stand::SecondFactor | Stand::PasskeyNeeded, Some(sealed)) => format!("/login/second-factor?request={sealed}"),
        (Stand::SecondFactor | Stand::PasskeyNeeded, None) => "/login/second-factor".to_owned(),
    })
}
