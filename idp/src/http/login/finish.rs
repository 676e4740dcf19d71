//! The end of every sign-in: what was proved meets the policy, and one commit makes or extends the session.

use idp_core::account::{Account, AccountState};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::encoding::base64url;
use idp_core::id::{EventId, FlowId, Sid};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::enrolment::has_two_factors;
use idp_core::passkey::policy::{Combination, Policy, Verdict};
use idp_core::passkey::record::Passkey;
use idp_core::place;
use idp_core::secret::sha256;
use idp_core::session::{AuthEvent, Method};
use idp_store::sign_in::{FinishSignIn, SignInSession, SignedIn};
use serde_json::json;

use super::partial::Partial;
use super::proved::Proved;
use super::stand::Stand;
use super::{ending, throttle};
use crate::event;
use crate::http::cookies::CookieKind;
use crate::http::exchange::{Exchange, Visitor};
use crate::http::policy;
use crate::http::problem::Problem;

/// Events of one session at most.
const MOST_EVENTS: usize = 16;

/// Judges a proved factor by the policy and writes the session when nothing is missing.
///
/// # Errors
/// 403 for an account that may not sign in, 409 for a ceremony that was used or outrun.
pub async fn finish(
    x: &mut Exchange,
    mut proved: Proved,
    request: Option<&AuthorizationRequest>,
) -> Result<Stand, Problem> {
    let account = &proved.account.clone();
    if account.state != AccountState::Active {
        return Err(Problem::api(403, "account_disabled", "this account is switched off: ask your administrator"));
    }
    let flow = request.map(|r| r.id);
    let partial = Partial::read(x, flow);
    let mut events = partial.as_ref().map(|p| p.events_of(account)).unwrap_or_default();
    // A passkey that came first is used up by the same write as the factor that completes it.
    if let Some(first) = partial.filter(|_| !events.is_empty()) {
        proved.passkey = proved.passkey.or_else(|| first.passkey_use());
        proved.challenge = proved.challenge.or_else(|| first.challenge());
        proved.totp = proved.totp.or_else(|| first.totp());
    }
    events.push(event(x, flow, proved.method.clone()));

    // One more factor for a session of the same account: the session was let in before.
    let (standing, other): (Option<Visitor>, Option<Visitor>) = match x.visitor().await? {
        Some(v) if v.account.id != account.id => (None, Some(v)),
        // A session with very many events starts over, so that choosing among them stays cheap.
        same => (same.filter(|v| v.session.events.len() < MOST_EVENTS), None),
    };
    let secret = events.iter().any(|e| matches!(e.method, Method::Password | Method::Totp));
    if proved.doubtful && !secret {
        Partial::keep(x, &proved, flow, &events)?;
        return Ok(Stand::SecondFactor);
    }
    // For an application the dispatcher asks for what is missing; here nobody else would.
    let lets_in = standing.is_some() && request.is_some();
    if !lets_in {
        match verdict(x, account, &events).await? {
            Verdict::In => {}
            // Whatever the policy says by now: the session was let in before.
            Verdict::Enrol | Verdict::Refused if standing.is_some() => {}
            Verdict::AskPasskey | Verdict::AskPassword | Verdict::AskTotp => {
                Partial::keep(x, &proved, flow, &events)?;
                return Ok(Stand::SecondFactor);
            }
            Verdict::Enrol => {
                Partial::keep(x, &proved, flow, &events)?;
                return Ok(Stand::Enrol);
            }
            Verdict::Refused => return Ok(Stand::PasskeyNeeded),
        }
    }
    let stops = account.recovery.is_some() && !is_weak(account, &events);
    let stand = match stops {
        true => Stand::RecoveryStopped,
        false => ending::ending(x, account, &events, request).await?,
    };
    let grace_begins = ending::grace_begins(x, account, &events).await?;
    write(x, proved, events, Around { standing, other, stops_recovery: stops, grace_begins }).await?;
    Ok(stand)
}

fn event(x: &Exchange, flow: Option<FlowId>, method: Method) -> AuthEvent {
    let place = Some(place::of(x.address));
    AuthEvent { id: EventId::new(x.now, x.app.random()), at: x.now, flow, client: x.client_words(), place, method }
}

/// The factors that were verified.
fn combination(events: &[AuthEvent]) -> Option<Combination> {
    let has = |is: fn(&Method) -> bool| events.iter().any(|e| is(&e.method));
    let passkey = has(|m| matches!(m, Method::Passkey(_)));
    Combination::of(has(|m| *m == Method::Password), passkey, has(|m| *m == Method::Totp))
}

/// Whether no more was proved than a password buys: with an app of today, too, which its thief may have set up.
fn is_weak(account: &Account, events: &[AuthEvent]) -> bool {
    let by_passkey = events.iter().any(|event| matches!(event.method, Method::Passkey(_)));
    !by_passkey && !has_two_factors(account, events)
}

/// What events amount to under the policy of their account.
///
/// # Errors
/// Only when the store fails.
pub async fn verdict(x: &Exchange, account: &Account, events: &[AuthEvent]) -> Result<Verdict, Problem> {
    let Some(combination) = combination(events) else { return Ok(Verdict::Refused) };
    let policy = policy::of(x, &account.id).await?;
    // What a passkey leads to does not depend on which others there are.
    let passkeys = match events.iter().any(|e| matches!(e.method, Method::Passkey(_))) {
        true => Vec::new(),
        false => x.app.store.list_passkeys(x.realm.id, &account.id).await?,
    };
    Ok(policy.verdict(combination, policy::holds(x, &policy, account, &passkeys)))
}

/// Whether what was proved leads to making a passkey.
pub fn is_to_enrol(
    x: &Exchange,
    policy: &Policy,
    (account, passkeys): (&Account, &[Passkey]),
    events: &[AuthEvent],
) -> bool {
    let holds = policy::holds(x, policy, account, passkeys);
    combination(events).is_some_and(|combination| policy.verdict(combination, holds) == Verdict::Enrol)
}

/// What this browser had before, and what happens besides.
struct Around {
    /// A session of the same account: it is strengthened and keeps its end, so that nothing prolongs it for ever.
    standing: Option<Visitor>,
    /// A session of somebody else: it ends.
    other: Option<Visitor>,
    /// A recovery of the account ends.
    stops_recovery: bool,
    /// The grace period of a required passkey begins.
    grace_begins: bool,
}

async fn write(x: &mut Exchange, proved: Proved, events: Vec<AuthEvent>, around: Around) -> Result<(), Problem> {
    let account = proved.account;
    let secret: [u8; 32] = x.app.random();
    let standing = around.standing.map(|v| v.session);
    let sid = standing.as_ref().map_or_else(|| Sid::new(x.now, x.app.random()), |s| s.sid);
    let lifetime_s = x.realm.settings.session_lifetime_s;
    let password = events.iter().any(|e| e.method == Method::Password);
    let method = match (password, proved.passkey.is_some(), proved.totp.is_some()) {
        (true, true, _) => "password_and_passkey",
        (true, false, true) => "password_and_totp",
        (true, false, false) => "password",
        (false, true, true) => "passkey_and_totp",
        (false, false, true) => "totp",
        (false, _, false) => "passkey",
    };
    let detail = json!({ "method": method, "sid": sid.to_string(), "step_up": standing.is_some() });
    let op = FinishSignIn {
        realm: x.realm.id,
        account: account.id,
        now: x.now,
        challenge: proved.challenge,
        passkey: proved.passkey,
        totp: proved.totp,
        password_version: password.then_some(account.password_version),
        session: SignInSession {
            sid,
            exists: standing.is_some(),
            cookie_hash: sha256(&secret),
            expires: standing.as_ref().map_or_else(|| x.now.plus_s(lifetime_s), |s| s.expires),
        },
        replaces: around.other.map(|v| (v.session.sid, v.account.id)),
        events,
        clear: proved.clear,
        stops_recovery: around
            .stops_recovery
            .then(|| x.audit(AuditEvent::RecoveryCancelled, Actor::Account(account.id), json!({ "by": "sign_in" }))),
        grace_begins: around.grace_begins,
        audit: x.audit(AuditEvent::SignIn, Actor::Account(account.id), detail),
    };
    match x.app.store.write(op).await? {
        SignedIn::Done(_) => {}
        SignedIn::Replayed => {
            return Err(Problem::api(409, "ceremony_used", "this sign-in was finished already: start again"));
        }
        SignedIn::PasskeyGone => {
            return Err(Problem::api(403, "passkey_gone", "this passkey was removed or set aside meanwhile"));
        }
        SignedIn::AccountGone => {
            return Err(Problem::api(403, "account_changed", "the account was changed meanwhile: sign in again"));
        }
        SignedIn::SessionGone => {
            return Err(Problem::api(409, "session_ended", "the session ended meanwhile: sign in again"));
        }
    }
    x.app.metrics.sign_in(method, "success");
    event::note(|e| {
        e.account = Some(account.id.to_string());
        e.outcome = Some("signed_in");
    });
    // Every value this browser held before is worth nothing now.
    x.set_cookie(CookieKind::Session, &base64url(secret));
    x.renew_browser();
    x.remove_cookie(CookieKind::Login);
    throttle::remember(x, account.id)
}
