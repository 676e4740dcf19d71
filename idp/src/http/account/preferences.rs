//! `POST /account/security/ask-passkey`: under mode `optional` its owner may want the passkey asked after the password.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::passkey::policy::Mode;
use idp_store::accounts::{Preference, SetPreference};
use serde_json::json;

use super::fresh;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;

/// What the switch stands at; none where it has nothing to say.
pub fn ask_passkey(visitor: &Visitor, has_passkey: bool) -> Option<bool> {
    let asked = visitor.policy.mode == Mode::Optional && visitor.account.password_hash.is_some() && has_passkey;
    asked.then_some(visitor.account.preferences.ask_passkey)
}

/// Sets the switch; off is as much a change of factors as on.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    let on = form.one("on") == Some("1");
    let has_passkey = fresh::has_passkey(&x, &visitor, &passkeys);
    if ask_passkey(&visitor, has_passkey).is_none() {
        return Err(Problem::api(403, "not_yours_to_choose", "here the policy decides what is asked"));
    }
    let detail = json!({ "state": if on { "on" } else { "off" } });
    let audit = x.audit(AuditEvent::SecondFactorChanged, Actor::Account(visitor.account.id), detail);
    let preference = Preference::AskPasskey(on);
    let op = SetPreference { realm: x.realm.id, account: visitor.account.id, preference, audit: Some(audit) };
    x.app.store.write(op).await?;
    x.go(&format!("/account/security?asks={}", u8::from(on)))
}
