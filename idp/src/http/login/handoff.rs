//! `GET /login/handoff`: back at the issuer's host with a passkey that was used at another one.
//! docs/decisions/0012-handoff.md.

use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::handoff::{Arrival, Errand, HANDOFF_LIFETIME_S, Handoff, accept};
use idp_core::place;
use idp_core::seal::Purpose;
use idp_core::session::Method;
use idp_store::sign_in::PasskeyUse;
use idp_store::used_once::Once;
use serde_json::json;

use super::away::browser_hash;
use super::finish::finish;
use super::partial::Partial;
use super::proved::Proved;
use super::stand::{Stand, next_url};
use crate::event;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;

/// Sends a passkey that passed every check here to the issuer's host. Nothing is written yet: there the sign-in is one
/// commit, as any other.
///
/// # Errors
/// Only when it cannot be sealed.
pub fn give(x: Exchange, errand: Errand, proved: Proved, request: Option<&AuthorizationRequest>) -> Outcome {
    let (Method::Passkey(proof), Some(passkey), Some(challenge)) = (proved.method, proved.passkey, proved.challenge)
    else {
        return Err(Problem::internal("a handoff without a passkey"));
    };
    let handoff = Handoff {
        errand,
        account: proved.account.id,
        proof,
        counter: passkey.counter,
        doubtful: proved.doubtful,
        client: passkey.client,
        challenge: challenge.hash,
        challenge_expires: challenge.expires,
        expires: x.now.plus_s(HANDOFF_LIFETIME_S),
    };
    let mut next = format!("{}/login/handoff?handoff={}", x.realm.issuer, x.seal(Purpose::Handoff, &handoff)?);
    if let Some(request) = request {
        next.push_str(&format!("&request={}", authorize::seal(&x, request)?));
    }
    x.reply(200, &json!({ "status": "handoff", "next": next }))
}

/// `GET /login/handoff`: a GET, because the cookies of this host come along with no `POST` from another one.
pub async fn get(mut x: Exchange) -> Outcome {
    let query = x.query();
    let request = authorize::reopen_some(&x, query.one("request")).await?;
    let handoff = query.one("handoff").and_then(|sealed| x.open::<Handoff>(Purpose::Handoff, sealed));
    let handoff =
        handoff.ok_or_else(|| Problem::bad("handoff_invalid", "this sign-in was not begun here: start again"))?;
    let flow = request.as_ref().map(|r| r.id);
    let browser = browser_hash(&mut x);
    let waiting = Partial::read(&x, flow).map(|partial| partial.account);
    if let Err(rule) = accept(&handoff, Arrival { flow, browser: &browser, waiting, now: x.now }) {
        event::note(|e| e.rule = Some(rule.id));
        return Err(refused(&x, request.as_ref())?);
    }
    let account = x.app.store.find_account(x.realm.id, &handoff.account).await?;
    let account = account.ok_or_else(|| Problem::api(403, "account_changed", "the account was changed meanwhile"))?;
    let proved = proved(&x, handoff, account);
    let stand = finish(&mut x, proved, request.as_ref()).await?;
    if stand == Stand::PasskeyNeeded {
        let text = "a passkey alone does not let in here: sign in with your password first";
        return Err(Problem::api(403, "policy_refused", text));
    }
    let next = next_url(&x, stand, request.as_ref())?;
    x.go(&next)
}

fn proved(x: &Exchange, handoff: Handoff, account: idp_core::account::Account) -> Proved {
    Proved {
        account,
        passkey: Some(PasskeyUse {
            credential_id: handoff.proof.credential_id.clone(),
            counter: handoff.counter,
            backup_state: handoff.proof.backup_state,
            user_verified: handoff.proof.user_verified,
            client: handoff.client,
            place: Some(place::of(x.address)),
        }),
        method: Method::Passkey(handoff.proof),
        challenge: Some(Once { hash: handoff.challenge, expires: handoff.challenge_expires }),
        totp: None,
        clear: Vec::new(),
        doubtful: handoff.doubtful,
    }
}

/// Which rule it was is in the log alone: whoever holds somebody else's handoff learns nothing.
fn refused(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<Problem, Problem> {
    let sealed = request.map(|r| authorize::seal(x, r)).transpose()?;
    Ok(Problem::Request {
        status: 403,
        code: "handoff_refused",
        detail: "this sign-in took too long or was begun in another browser: start again".to_owned(),
        next: Some(sealed.map_or("/login".to_owned(), |sealed| format!("/login?request={sealed}"))),
    })
}
