//! A code that confirms who makes a first passkey: sealed in a cookie of the browser that asked, never stored.
//! NIST SP 800-63B-4 §3.1.3.1.

use idp_core::account::Account;
use idp_core::account::verification::Verification;
use idp_core::credential::recovery_code::mailed;
use idp_core::seal::Purpose;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;
use idp_store::used_once::Once;
use serde::{Deserialize, Serialize};

use crate::http::cookies::CookieKind;
use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// How long a code is good for, and then the leave to make a passkey, in seconds.
pub const LIFETIME_S: i64 = idp_core::account::verification::LIFETIME_S;

/// A code on its way, or typed in.
#[derive(Serialize, Deserialize)]
pub struct Confirmation {
    pub mailed: Verification,
    /// The browser that asked.
    browser: Hash,
    /// When it was typed in.
    confirmed: Option<Timestamp>,
}

impl Confirmation {
    /// A new code for this browser.
    pub fn begin(x: &mut Exchange, account: &Account, email: String) -> Self {
        let code = mailed(x.app.random());
        let mailed = Verification { account: account.id, email, code, issued: x.now };
        Self { mailed, browser: x.browser_hash(), confirmed: None }
    }

    /// What this browser has for an account and what is still its address.
    fn read(x: &Exchange, account: &Account) -> Option<Self> {
        let read: Self = x.cookie(CookieKind::Confirmation).and_then(|sealed| x.open(Purpose::Confirmation, sealed))?;
        (read.mailed.is_of(account) && x.is_browser(&read.browser)).then_some(read)
    }

    /// The code that waits to be typed in here.
    pub fn waiting(x: &Exchange, account: &Account) -> Option<Self> {
        Self::read(x, account).filter(|read| read.confirmed.is_none() && read.mailed.is_open(account, x.now))
    }

    /// Whether a code was typed in here lately enough.
    pub fn is_done(x: &Exchange, account: &Account) -> bool {
        let young = |at| (0..LIFETIME_S * 1000).contains(&x.now.ms_since(at));
        Self::read(x, account).and_then(|read| read.confirmed).is_some_and(young)
    }

    /// What of it works once.
    pub fn once(&self, x: &Exchange) -> Once {
        let Verification { account, code, issued, .. } = &self.mailed;
        let parts: [&[u8]; 3] = [account.as_bytes(), &issued.ms().to_be_bytes(), code.as_bytes()];
        Once { hash: x.app.sealer().mac(x.realm.id, "confirmation.once", &parts), expires: issued.plus_s(LIFETIME_S) }
    }

    /// It was typed in.
    pub fn confirm(self, now: Timestamp) -> Self {
        Self { confirmed: Some(now), ..self }
    }

    /// Keeps it in this browser.
    ///
    /// # Errors
    /// Only when it cannot be sealed.
    pub fn keep(&self, x: &mut Exchange) -> Result<(), Problem> {
        let sealed = x.seal(Purpose::Confirmation, self)?;
        x.set_cookie(CookieKind::Confirmation, &sealed);
        Ok(())
    }
}
