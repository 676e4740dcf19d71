//! Claims about the user behind a grant, loaded as far as a token tells them. OIDC Core §5.4.

use idp_core::account::Account;
use idp_core::client::Client;
use idp_core::oidc::claims::{Facts, Wanted};
use serde_json::{Map, Value};

use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// The claims of `wanted` that `account` has.
///
/// # Errors
/// Only when the store fails.
pub async fn claims(
    x: &Exchange,
    client: &Client,
    account: &Account,
    wanted: &Wanted<'_>,
) -> Result<Map<String, Value>, Problem> {
    let groups = if wanted.reads_groups() { groups(x, account).await? } else { Vec::new() };
    Ok(wanted.read(&Facts { realm: &x.realm.settings, client: &client.settings, account, groups: &groups }))
}

/// Names of the groups of an account.
///
/// # Errors
/// Only when the store fails.
pub async fn groups(x: &Exchange, account: &Account) -> Result<Vec<String>, Problem> {
    let groups = x.app.store.list_groups_of(x.realm.id, &account.id).await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}
