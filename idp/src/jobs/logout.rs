//! Back-channel logout: tells clients that sessions ended, as the store's rows say.
//! OpenID Connect Back-Channel Logout 1.0 §2.5.
//!
//! Several processes share the rows: whoever takes one puts it off first, so that it is taken by one alone and comes
//! back if that one dies.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::client::{Client, SubjectType};
use idp_core::id::{ClientId, RealmId};
use idp_core::jose::keyset::TokenType;
use idp_core::oidc::backchannel::{self, Answer};
use idp_core::oidc::subject;
use idp_core::realm::Realm;
use idp_store::logout_deliveries::{ClaimLogoutDeliveries, LogoutDelivery, SettleLogoutDelivery};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::app::App;
use crate::client_keys::host;
use crate::keys::KeysError;
use crate::outbound::OutboundError;

/// Time between two looks for what another process wrote or what is due again.
const EVERY: Duration = Duration::from_secs(2);
/// Clients told at the same time.
const MOST_CLIENTS: usize = 16;
/// Sessions that one client is told of at the same time.
const MOST_AT_ONCE: i64 = 4;
/// Clients looked at, so that many that are down do not hide the others.
const MOST_LOOKED_AT: i64 = 256;
/// How long a delivery belongs to who took it, in seconds; a call takes ten at most.
const LEASE_S: i64 = 20;
/// How long a client that could not be reached is left alone.
const REST: Duration = Duration::from_secs(10);

type Recipient = (RealmId, ClientId);

/// Why a delivery could not even be tried; it is again after its lease.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(#[from] idp_store::Error),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("a logout token cannot be signed")]
    Sign(#[from] idp_core::jose::keyset::KeyError),
}

/// Delivers until `stopped` becomes true; what is under way then is delivered again by whoever comes next.
pub async fn deliver(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut tasks: JoinSet<bool> = JoinSet::new();
    let mut served: HashMap<Id, Recipient> = HashMap::new();
    let mut resting: HashMap<Recipient, Instant> = HashMap::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.session_ended.notified() => {}
            Some(ended) = tasks.join_next_with_id() => {
                let (id, reached) = ended.unwrap_or_else(|error| (error.id(), false));
                if let Some(recipient) = served.remove(&id).filter(|_| !reached) {
                    resting.insert(recipient, Instant::now() + REST);
                }
            }
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        resting.retain(|_, until| *until > Instant::now());
        let due = match app.store.list_due_logouts(app.now(), MOST_LOOKED_AT).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "what clients are to be told cannot be read; it is tried again");
                continue;
            }
        };
        let busy = |recipient: &Recipient| served.values().any(|s| s == recipient) || resting.contains_key(recipient);
        let free: Vec<_> =
            due.into_iter().filter(|r| !busy(r)).take(MOST_CLIENTS.saturating_sub(tasks.len())).collect();
        for recipient in free {
            let task = tasks.spawn(serve(Arc::clone(&app), recipient.clone()));
            served.insert(task.id(), recipient);
        }
    }
}

/// Tells one client of a few sessions; whether it could be reached.
async fn serve(app: Arc<App>, (realm, client): Recipient) -> bool {
    let told = async {
        let now = app.now();
        let op = ClaimLogoutDeliveries {
            realm,
            client: client.clone(),
            now,
            until: now.plus_s(LEASE_S),
            most: MOST_AT_ONCE,
        };
        let taken = app.store.write(op).await?;
        let realms = app.store.cached_realms().await?;
        let (known, realm) = (app.store.cached_client(realm, &client).await?, realms.by_id(realm).cloned());
        let told = taken.into_iter().map(|delivery| tell(&app, realm.as_deref(), known.as_deref(), &client, delivery));
        join_all(told).await.into_iter().collect::<Result<Vec<bool>, Fault>>()
    };
    match told.await {
        Ok(reached) => reached.into_iter().all(|reached| reached),
        Err(error) => {
            tracing::error!(client_id = %client, %error, "a client cannot be told of a logout; it is tried again");
            false
        }
    }
}

/// Tells a client of one session; whether it could be reached.
async fn tell(
    app: &App,
    realm: Option<&Realm>,
    client: Option<&Client>,
    id: &ClientId,
    delivery: LogoutDelivery,
) -> Result<bool, Fault> {
    let Some(realm) = realm else { return Ok(true) };
    let uri = client.and_then(|client| Some((client, client.settings.backchannel_logout_uri.as_deref()?)));
    let mut op =
        SettleLogoutDelivery { realm: realm.id, client: id.clone(), sid: delivery.sid, again: None, audit: None };
    // A client that was deleted, or hears by the front channel alone.
    let Some((client, uri)) = uri else { return Ok(app.store.write(op).await.map(|_| true)?) };
    let outcome = post(app, realm, client, uri, &delivery).await?;
    let (reached, reason) = match &outcome {
        Ok(status) => (true, status.to_string()),
        Err(error) => (false, error.reason().to_owned()),
    };
    let answer = outcome.as_ref().map_or(Answer::Again, |status| backchannel::answer(*status));
    let [random] = app.random();
    if answer == Answer::Again {
        op.again = backchannel::next_try(delivery.attempts, delivery.created, app.now(), random);
    }
    // The guard's refusal is said at once: whoever set the address up looks for it now, not tomorrow.
    let guarded = matches!(outcome, Err(OutboundError::Refused(_))) && delivery.attempts == 1;
    let (word, event) = match (answer, op.again) {
        (Answer::Done, _) => ("delivered", Some(AuditEvent::LogoutDelivered)),
        (Answer::Refused, _) => ("refused", Some(AuditEvent::LogoutUndelivered)),
        (Answer::Again, None) => ("given_up", Some(AuditEvent::LogoutUndelivered)),
        (Answer::Again, Some(_)) => ("put_off", guarded.then_some(AuditEvent::LogoutUndelivered)),
    };
    op.audit = event.map(|event| audit(app, event, client, &delivery, &reason));
    app.metrics.logout(word);
    if answer != Answer::Done {
        let (client_id, host, error) = (&client.id, host(uri), outcome.as_ref().err().map(ToString::to_string));
        tracing::warn!(%client_id, host, reason, error, attempts = delivery.attempts, outcome = word, "back-channel logout");
    }
    app.store.write(op).await?;
    Ok(reached)
}

/// Posts a fresh logout token.
async fn post(
    app: &App,
    realm: &Realm,
    client: &Client,
    uri: &str,
    delivery: &LogoutDelivery,
) -> Result<Result<u16, OutboundError>, Fault> {
    let subject = match client.settings.subject_type {
        SubjectType::Public => Some(delivery.account_id.to_string()),
        // It cannot be computed for an account that is gone; the session says enough.
        SubjectType::Pairwise => {
            let account = app.store.find_account(realm.id, &delivery.account_id).await?;
            account.map(|account| subject::of(client, &account))
        }
    };
    let sid = subject::sid(app.sealer(), realm.id, client, &delivery.sid);
    let claims = backchannel::claims(realm, client, (subject.as_deref(), &sid), app.random(), app.now());
    let keys = app.keys(realm.id).await?;
    let token = keys.signing(client.settings.id_token_alg)?.sign(TokenType::LogoutToken, &claims)?;
    Ok(app.outbound.post_form(uri, &[("logout_token", &token)]).await)
}

fn audit(app: &App, event: AuditEvent, client: &Client, delivery: &LogoutDelivery, reason: &str) -> Audit {
    let host = client.settings.backchannel_logout_uri.as_deref().and_then(host);
    let detail = json!({ "host": host, "reason": reason, "attempts": delivery.attempts });
    Audit {
        account_id: Some(delivery.account_id),
        client_id: Some(client.id.clone()),
        ..app.audit(event, Actor::System, "job", detail)
    }
}
