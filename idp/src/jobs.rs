//! Work that nobody waits for: sweeping what is over, in bounded batches.

pub mod keys;
pub mod logout;
pub mod mail;
pub mod mds;

use std::sync::Arc;
use std::time::Duration;

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::throttle::WINDOW_S;
use idp_core::oauth::registration::policy::UNUSED_DAYS;
use idp_store::registrations::SweepRegistrations;
use idp_store::sweep::Sweep;
use serde_json::json;
use tokio::sync::watch;

use crate::app::App;

/// Time between sweeps.
const EVERY: Duration = Duration::from_secs(60);
/// Rows of a kind deleted in one commit.
const BATCH: i64 = 500;
/// How long ended sessions are kept for the account page, in seconds.
const KEEP_S: i64 = 7 * 24 * 3600;

/// Deletes what is over, every minute, until `stopped` becomes true. What is over is never served in between:
/// each query asks for the time itself.
pub async fn sweep(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    for round in 0_u64.. {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if round % 60 == 0
            && let Err(error) = registrations(&app).await
        {
            tracing::warn!(%error, "unused clients were not swept; it is tried again in an hour");
        }
        loop {
            let op = Sweep { now: app.now(), batch: BATCH, keep_s: KEEP_S, throttle_window_s: WINDOW_S };
            match app.store.write(op).await {
                Ok(swept) if swept.is_full() => tokio::task::yield_now().await,
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "sweeping failed; it is tried again in a minute");
                    break;
                }
            }
        }
    }
}

/// Deletes clients that registered themselves and that nobody ever agreed to.
async fn registrations(app: &App) -> Result<(), idp_store::Error> {
    let before = app.now().plus_s(-UNUSED_DAYS * 86_400);
    for realm in app.store.list_realms().await? {
        let audit = app.audit(AuditEvent::ClientDeleted, Actor::System, "job", json!({}));
        app.store.write(SweepRegistrations { realm: realm.id, before, audit }).await?;
    }
    Ok(())
}
