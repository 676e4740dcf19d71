//! Work that nobody waits for: sweeping what is over, in bounded batches.

pub mod keys;
pub mod logout;

use std::sync::Arc;
use std::time::Duration;

use idp_core::credential::throttle::WINDOW_S;
use idp_store::sweep::Sweep;
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
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
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
