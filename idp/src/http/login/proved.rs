//! A factor between its verification and the end of the sign-in.

use idp_core::account::Account;
use idp_core::session::Method;
use idp_store::sign_in::PasskeyUse;
use idp_store::totp::TotpUse;
use idp_store::used_once::Once;

/// A factor that was verified just now.
pub struct Proved {
    pub account: Account,
    pub method: Method,
    pub passkey: Option<PasskeyUse>,
    pub challenge: Option<Once>,
    pub totp: Option<TotpUse>,
    /// Throttle buckets that this success clears.
    pub clear: Vec<i64>,
    /// The passkey's counter went back and the policy wants a secret on top.
    pub doubtful: bool,
}
