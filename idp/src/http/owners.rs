//! What a realm's owners are told of other people's accounts, by mail.
//!
//! NIST SP 800-63B-4 §4.6 (notices).

use idp_core::account::Account;
use idp_core::id::MailId;
use idp_core::mail::{Mail, MailTemplate, NOTICE_LIFETIME_S};
use serde_json::json;

use super::exchange::Exchange;
use super::problem::Problem;

/// One mail for each owner but `of`, whom the audit row tells: to be queued in the commit of the act.
///
/// # Errors
/// Only when the store fails.
pub async fn told(x: &Exchange, of: &Account, template: MailTemplate) -> Result<Vec<Mail>, Problem> {
    let owners = x.app.store.list_owners(x.realm.id).await?;
    let others = owners.iter().filter(|owner| owner.id != of.id);
    let tell = |owner: &Account| Mail {
        id: MailId::new(x.now, x.app.random()),
        account_id: Some(owner.id),
        // The account's own, which the store knows.
        address: String::new(),
        template,
        detail: json!({ "user": of.username }),
        secret_sealed: None,
        created: x.now,
        expires: x.now.plus_s(NOTICE_LIFETIME_S),
    };
    Ok(others.map(tell).collect())
}
