//! `POST /webauthn/authenticate`: an assertion becomes a session, in one commit.

use idp_core::account::Account;
use idp_core::audit::{Actor, AuditEvent};
use idp_core::mail::MailTemplate;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::assertion::{self, Asked, Counter, Found};
use idp_core::passkey::ceremony::{CeremonyPurpose, CeremonyState};
use idp_core::passkey::policy::{CloneResponse, Policy, SignIn, judge_sign_in};
use idp_core::passkey::record::Passkey;
use idp_core::passkey::wire::AuthenticationResponse;
use idp_core::passkey::{Ceremony, Reason, Refused};
use idp_core::place;
use idp_core::session::Method;
use idp_store::passkey_removal::SuspendPasskey;
use idp_store::sign_in::PasskeyUse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{state, wrong_host};
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::finish::finish;
use crate::http::login::handoff;
use crate::http::login::partial::Partial;
use crate::http::login::proved::Proved;
use crate::http::login::stand::{Stand, next_url};
use crate::http::login::throttle;
use crate::http::oauth::authorize;
use crate::http::owners;
use crate::http::policy;
use crate::http::problem::Problem;

#[derive(Deserialize)]
struct Body {
    ceremony: String,
    credential: Value,
    request: Option<String>,
}

/// `{"status", "next"}`.
pub async fn post(mut x: Exchange) -> Outcome {
    let body: Body = x.json().await?;
    let ceremony = state::reopen(&mut x, &body.ceremony)?;
    let request = authorize::reopen_some(&x, body.request.as_deref()).await?;
    let response = AuthenticationResponse::from_json(&body.credential)?;
    let (passkey, account) = find(&x, &response).await?;
    let proved = verify(&x, &ceremony, &response, (passkey, account), request.as_ref()).await?;
    if let CeremonyPurpose::Authenticate { errand: Some(errand), .. } = ceremony.purpose {
        return handoff::give(x, errand, proved, request.as_ref());
    }
    let stand = finish(&mut x, proved, request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        let text = "a passkey alone does not let in here: sign in with your password first";
        return Err(Problem::api(403, "policy_refused", text));
    }
    let next = next_url(&x, stand, request.as_ref())?;
    x.reply(200, &json!({ "status": stand.text(), "next": next }))
}

/// The passkey and its owner (WebAuthn L3 §7.2 step 6). An unknown id may be said: the browser can then forget it.
async fn find(x: &Exchange, response: &AuthenticationResponse) -> Result<(Passkey, Account), Problem> {
    let unknown = || Problem::from(Refused::new(Ceremony::Assertion, Reason::Unknown));
    x.app.store.find_passkey_with_account(x.realm.id, &response.raw_id).await?.ok_or_else(unknown)
}

async fn verify(
    x: &Exchange,
    ceremony: &CeremonyState,
    response: &AuthenticationResponse,
    (passkey, owner): (Passkey, Account),
    request: Option<&AuthorizationRequest>,
) -> Result<Proved, Problem> {
    let CeremonyPurpose::Authenticate { account, listed, flow, errand } = &ceremony.purpose else {
        return Err(Problem::bad("ceremony_invalid", "this ceremony registers a passkey; it cannot sign in"));
    };
    // A ceremony belongs to the request it was begun for, or it could answer another one's max_age.
    if *flow != request.map(|r| r.id) {
        return Err(Problem::bad("ceremony_invalid", "this ceremony was started for another sign-in"));
    }
    let policy = &*policy::of(x, &owner.id).await?;
    let allowed: Vec<Vec<u8>> = match account {
        // Whose ids were listed, not whose passkey came back.
        Some(account) if *listed => {
            let passkeys = x.app.store.list_passkeys(x.realm.id, account).await?;
            passkeys.into_iter().map(|p| p.credential_id).collect()
        }
        _ => Vec::new(),
    };
    let asked = Asked { ceremony: state::expected(x, ceremony), allowed: &allowed, account: *account };
    let found = Found { passkey: &passkey, user_handle: &owner.user_handle };
    let verified = match assertion::verify(&asked, found, response, policy, x.now) {
        Ok(verified) => verified,
        Err(refused) => return Err(wrong_host::told(x, refused, owner.id).await),
    };

    let second = match errand {
        Some(errand) => errand.second,
        None => Partial::read(x, *flow).is_some_and(|p| p.account == owner.id),
    };
    let sign_in = if second { SignIn::SecondFactor } else { SignIn::FirstFactor };
    let cloned = verified.counter == Counter::CloneSignal;
    if cloned {
        tell_clone(x, policy, (&passkey, &owner)).await?;
    }
    let doubtful = cloned && policy.clone_response.of(passkey.backup_eligible) == CloneResponse::StepUp;
    if let Some(violation) = judge_sign_in(policy, &passkey, &verified, sign_in).first() {
        return Err(Problem::api(403, violation.code(), violation.public()));
    }
    let proof = verified.proof(&passkey);
    // Whoever has the passkey is not whom a throttle is for; without a password there is none.
    let clear = if owner.password_hash.is_some() { throttle::of_names(x, &owner) } else { Vec::new() };
    Ok(Proved {
        account: owner,
        method: Method::Passkey(proof),
        passkey: Some(PasskeyUse {
            credential_id: passkey.credential_id,
            counter: verified.new_counter,
            backup_state: verified.backup_state,
            user_verified: verified.user_verified,
            client: x.client_words(),
            place: Some(place::of(x.address)),
        }),
        challenge: Some(state::used(ceremony)),
        totp: None,
        clear,
        doubtful,
    })
}

/// A counter that went back: the policy says whether the passkey is set aside, which the realm's owners are told, too;
/// whose passkey it is, is told in any case.
async fn tell_clone(x: &Exchange, policy: &Policy, (passkey, owner): (&Passkey, &Account)) -> Result<(), Problem> {
    let detail = json!({ "passkey": passkey.name, "stored_counter": passkey.counter });
    let audit = x.audit(AuditEvent::PasskeyCloned, Actor::Account(passkey.account_id), detail);
    if policy.clone_response.of(passkey.backup_eligible) == CloneResponse::Block {
        let op = SuspendPasskey {
            realm: x.realm.id,
            account: passkey.account_id,
            credential_id: passkey.credential_id.clone(),
            reason: "counter".to_owned(),
            tell: owners::told(x, owner, MailTemplate::PasskeyClonedOfUser).await?,
            audit,
        };
        x.app.store.write(op).await?;
        x.app.session_ended.notify_one();
    } else {
        x.app.store.write(idp_store::audit::RecordAudit { realm: x.realm.id, audit }).await?;
    }
    Ok(())
}
