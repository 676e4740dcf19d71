//! A new password from a form: judged, hashed. NIST SP 800-63B-4 §3.1.1.2.

use idp_core::account::Account;
use idp_core::credential::password::{PasswordRules, WeakPassword, check_new, least};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::policy::Policy;
use idp_core::secret::Secret;

use super::exchange::Exchange;
use super::problem::Problem;
use crate::views::PasswordNotice;

/// What a form's new password comes to: its hash, or why the form comes back.
pub type Judged = Result<Secret<String>, PasswordNotice>;

/// Judges `password` of a form for an account under its policy. A password that keeps the rules and is easy to guess
/// comes back with advice once; sent again with `anyway` it is taken.
///
/// # Errors
/// 400 for one that is too long; 503 when too many hashes are waiting.
pub async fn judge(x: &Exchange, account: &Account, policy: &Policy, form: &RawParams) -> Result<Judged, Problem> {
    let password = form.one("password").unwrap_or_default();
    let email = account.profile.email.as_deref().unwrap_or_default();
    let names = [account.username.as_str(), email, x.realm.display_name.as_str()];
    let least = least(&x.realm.settings, policy);
    match check_new(password, &PasswordRules { least, names: &names, blocklist: &x.app.blocklist }) {
        Ok(()) => {}
        Err(WeakPassword::Short { .. }) => return Ok(Err(PasswordNotice::TooShort)),
        Err(weak @ WeakPassword::Long) => return Err(Problem::bad("password_too_long", &weak.to_string())),
        Err(WeakPassword::Name) => return Ok(Err(PasswordNotice::Name)),
        Err(WeakPassword::Pattern) => return Ok(Err(PasswordNotice::Pattern)),
        Err(WeakPassword::Common) => return Ok(Err(PasswordNotice::Common)),
    }
    let password = Secret::new(password.to_owned());
    if form.one("anyway").is_none() {
        let names = names.map(str::to_owned).to_vec();
        let advice = x.app.passwords.advise(password.clone(), names).await?;
        if !advice.is_empty() {
            return Ok(Err(PasswordNotice::Advice { advice }));
        }
    }
    Ok(Ok(x.app.passwords.hash(password, x.app.random()).await?))
}
