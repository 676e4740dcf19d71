//! What a realm's owners are told of other people's accounts, by mail.
//!
//! NIST SP 800-63B-4 §4.6 (notices).

use idp_core::account::Account;
use idp_core::mail::{Mail, MailTemplate, NOTICE_LIFETIME_S};
use serde_json::json;

use super::exchange::Exchange;
use super::letter::letter;
use super::problem::Problem;

/// One mail for each owner but `of`, whom the audit row tells: to be queued in the commit of the act.
///
/// # Errors
/// Only when the store fails.
pub async fn told(x: &Exchange, of: &Account, template: MailTemplate) -> Result<Vec<Mail>, Problem> {
    let owners = x.app.store.list_owners(x.realm.id).await?;
    let others = owners.iter().filter(|owner| owner.id != of.id);
    let detail = json!({ "user": of.username });
    let tell = |owner: &Account| letter(x, (owner.id, template), NOTICE_LIFETIME_S, detail.clone(), None);
    others.map(tell).collect()
}
