//! Claims about the user behind a grant, loaded as far as a token tells them. OIDC Core §5.4.

use idp_core::account::Account;
use idp_core::client::{Client, SubjectType};
use idp_core::id::AccountId;
use idp_core::oidc::claims::Wanted;
use idp_core::oidc::standard::Facts;
use idp_core::oidc::subject;
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
    Ok(wanted.read(&Facts { client: &client.settings, account, groups: &groups }))
}

/// Names of the groups of an account.
///
/// # Errors
/// Only when the store fails.
pub async fn groups(x: &Exchange, account: &Account) -> Result<Vec<String>, Problem> {
    let groups = x.app.store.list_groups_of(x.realm.id, &account.id).await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

/// `sub` of the user of a grant as its client knows it, the account loaded only where it takes that. `None`: the client
/// acts for itself, or the account is gone.
///
/// # Errors
/// Only when the store fails.
pub async fn subject(x: &Exchange, client: &Client, account: Option<&AccountId>) -> Result<Option<String>, Problem> {
    let Some(id) = account else { return Ok(None) };
    if client.settings.subject_type == SubjectType::Public {
        return Ok(Some(id.to_string()));
    }
    let account = x.app.store.find_account(x.realm.id, id).await?;
    Ok(account.map(|account| subject::of(client, &account)))
}
