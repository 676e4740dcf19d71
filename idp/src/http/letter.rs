//! A mail to somebody, with a code or a link's secret sealed in it.
//!
//! NIST SP 800-63B-4 §4.6: what is queued is told to the address of the account.

use idp_core::id::{AccountId, MailId};
use idp_core::mail::{Mail, MailTemplate};
use idp_core::seal::Purpose;
use serde_json::Value;

use super::exchange::Exchange;
use super::problem::Problem;

/// A mail to an account, at the address that the store knows of it.
///
/// # Errors
/// Only when the secret cannot be sealed.
pub fn letter(
    x: &Exchange,
    (account, template): (AccountId, MailTemplate),
    lifetime_s: i64,
    detail: Value,
    secret: Option<&str>,
) -> Result<Mail, Problem> {
    let seal = |text: &str| x.app.sealer().seal_bytes(Purpose::Mail, x.realm.id, x.app.random(), text.as_bytes());
    Ok(Mail {
        id: MailId::new(x.now, x.app.random()),
        account_id: Some(account),
        address: String::new(),
        template,
        detail,
        secret_sealed: secret.map(seal).transpose().map_err(Problem::internal)?,
        created: x.now,
        expires: x.now.plus_s(lifetime_s),
    })
}
