//! Whose a passkey is, as authenticators are told. WebAuthn L3 §5.4.3.

use idp_core::account::{Account, Profile};
use idp_core::id::AccountId;
use idp_core::passkey::record::Passkey;

use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// Whom the passkey is for.
pub struct Owner {
    pub account: AccountId,
    pub user_handle: Vec<u8>,
    pub username: String,
    pub display_name: String,
    pub passkeys: Vec<Passkey>,
}

/// An account with what authenticators are told of it.
///
/// # Errors
/// Only when the store fails.
pub async fn owner(x: &Exchange, account: Account) -> Result<Owner, Problem> {
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
    Ok(Owner { passkeys, ..named(x, account.id, account.user_handle, (&account.username, &account.profile)) })
}

/// What the authenticator shows.
pub fn named(x: &Exchange, account: AccountId, user_handle: Vec<u8>, (username, profile): (&str, &Profile)) -> Owner {
    let naming = x.realm.settings.naming();
    Owner {
        account,
        user_handle,
        username: naming.name(username, profile),
        display_name: naming.display_name(username, profile),
        passkeys: Vec::new(),
    }
}
