//! `POST /webauthn/authenticate/options`. Nothing is written; the challenge travels sealed.

use std::sync::Arc;

use idp_core::id::AccountId;
use idp_core::interact::{Factor, Step};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::assertion;
use idp_core::passkey::ceremony::CeremonyPurpose;
use idp_core::passkey::policy::{Policy, usable};
use idp_core::passkey::record::Passkey;
use serde::Deserialize;
use serde_json::json;

use super::{signals, state};
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::away;
use crate::http::login::partial::Partial;
use crate::http::login::password::named;
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;

/// The account of a name that does not exist: no passkey is ever its own.
const NOBODY: AccountId = AccountId::from_bytes([0; 16]);

#[derive(Deserialize)]
struct Body {
    username: Option<String>,
    mediation: Option<String>,
    request: Option<String>,
    /// At another host than the issuer's: what it is done for.
    errand: Option<String>,
}

/// `{"ceremony", "csrf", "publicKey"}`.
pub async fn post(mut x: Exchange) -> Outcome {
    x.check_origin()?;
    let body: Body = x.json().await?;
    if !matches!(body.mediation.as_deref(), None | Some("conditional" | "optional" | "required")) {
        return Err(Problem::bad("mediation_unknown", "mediation is conditional, or left out"));
    }
    let request = authorize::reopen_some(&x, body.request.as_deref()).await?;
    let errand = match body.errand.as_deref() {
        Some(sealed) => Some(away::open(&mut x, sealed, request.as_ref())?),
        None if x.is_home() => None,
        None => return Err(Problem::wrong_host(&x.realm)),
    };
    let verified = match &errand {
        Some(errand) => errand.account,
        None => verified_account(&x, request.as_ref()).await?,
    };
    let own = match &verified {
        Some(account) => policy::of(&x, account).await?,
        None => policy::of_strangers(&x),
    };
    let policy = authorize::policy_at(&x, Arc::clone(&own), request.as_ref()).await?;
    if !policy.enabled || !(policy.allow_login || policy.allow_second_factor) {
        return Err(Problem::api(403, "passkeys_off", "passkeys are switched off here: sign in another way"));
    }
    let flow = request.as_ref().map(|r| r.id);
    // Ids are listed only for an account that proved a factor; a typed name alone reveals none.
    let allowed: Vec<Passkey> = match verified {
        Some(account) => {
            let passkeys = x.app.store.list_passkeys(x.realm.id, &account).await?;
            let fit = |policy: &Policy| usable(&passkeys, &x.rp.rp_id, policy).cloned().collect::<Vec<_>>();
            // Where none of them fits the application, one lets in all the same, and a better one is made then.
            Some(fit(&policy)).filter(|fit| !fit.is_empty()).unwrap_or_else(|| fit(&own))
        }
        None => Vec::new(),
    };
    let account = match (verified, body.username.as_deref().map(str::trim).filter(|u| !u.is_empty())) {
        (Some(account), _) => Some(account),
        (None, Some(username)) => Some(named(&x, username).await?.map_or(NOBODY, |a| a.id)),
        (None, None) => None,
    };
    let purpose = CeremonyPurpose::Authenticate { account, listed: !allowed.is_empty(), flow, errand };
    let (begun, ceremony) = state::begin(&mut x, purpose)?;
    let options = assertion::options(&begun.rp_id, &begun.challenge, &allowed, &policy);
    let csrf = x.csrf();
    let signals = signals::allowed(&x);
    x.reply(200, &json!({ "ceremony": ceremony, "csrf": csrf, "publicKey": options, "signals": signals }))
}

/// The account that proved a factor in this browser and is now asked for its passkey: by a password just now, or by
/// a session that is stepped up. A session that merely signs in again may do so as anybody.
async fn verified_account(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<Option<AccountId>, Problem> {
    if let Some(partial) = Partial::read(x, request.map(|r| r.id)) {
        return Ok(Some(partial.account));
    }
    let (Some(request), Some(visitor)) = (request, x.visitor().await?) else { return Ok(None) };
    let client = authorize::client_of(x, request).await?;
    let step = authorize::decide(x, request, &client, Some(&visitor)).await?;
    let stepped_up = matches!(step, Step::StepUp { factor: Factor::Passkey, .. });
    Ok(stepped_up.then_some(visitor.account.id))
}
