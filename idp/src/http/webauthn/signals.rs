//! `GET /webauthn/signals`: what this account has here, for a browser to tell its password manager.
//! WebAuthn L3 §5.1.10: signals delete passkeys, so they name all that are kept, suspended ones too.

use idp_core::encoding::base64url;
use idp_core::realm::Signals;
use idp_core::realm::relying_party::without_port;
use serde_json::json;

use super::owner::owner;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;

/// Whether signals are given at this host. A parent domain may be shared with other sites, whose passkeys we do not
/// know.
pub fn allowed(x: &Exchange) -> bool {
    match x.realm.settings.signals {
        Signals::Off => false,
        Signals::Host => x.rp.hosts.iter().all(|host| without_port(host) == x.rp.rp_id),
        Signals::Always => true,
    }
}

/// The arguments of `signalAllAcceptedCredentials` and `signalCurrentUserDetails`; 204 where none are given.
pub async fn get(x: Exchange) -> Outcome {
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    if !allowed(&x) {
        return x.reply(204, &serde_json::Value::Null);
    }
    let owner = owner(&x, visitor.account).await?;
    let here = owner.passkeys.iter().filter(|passkey| passkey.rp_id == x.rp.rp_id);
    let ids: Vec<_> = here.map(|passkey| base64url(&passkey.credential_id)).collect();
    let body = json!({
        "rpId": x.rp.rp_id,
        "userId": base64url(&owner.user_handle),
        "allAcceptedCredentialIds": ids,
        "name": owner.username,
        "displayName": owner.display_name,
    });
    x.reply(200, &body)
}
