//! The FIDO metadata once a day, where a source is set.

use std::sync::Arc;
use std::time::Duration;

use idp_core::time::Timestamp;
use tokio::sync::watch;

use crate::app::App;
use crate::mds::{self, MdsError, Outcome};

/// Time from the start to the first look: whatever starts has other things to do.
const FIRST: Duration = Duration::from_secs(90);
/// Time between looks at whether a refresh is due.
const EVERY: Duration = Duration::from_secs(600);
/// Time between refreshes, in seconds.
const DAY_S: i64 = 24 * 3600;
/// Time to the next try after one that failed, in seconds.
const AGAIN_S: i64 = 3600;

/// Refreshes the metadata once a day until `stopped` becomes true.
pub async fn refresh(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    if app.mds.source.is_none() {
        return;
    }
    let (mut pause, mut due) = (FIRST, Timestamp::from_ms(0));
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        pause = EVERY;
        due = turn(&app, due).await;
    }
}

/// Refreshes if that is due; when it is the next time: after a day, or after an hour where it failed.
pub async fn turn(app: &App, due: Timestamp) -> Timestamp {
    if app.now() < due {
        return due;
    }
    let outcome = mds::refresh(app).await;
    tell(&outcome);
    app.now().plus_s(if outcome.is_ok() { DAY_S } else { AGAIN_S })
}

fn tell(outcome: &Result<Outcome, MdsError>) {
    match outcome {
        Ok(Outcome::Same { number }) => tracing::debug!(number, "the FIDO metadata are current"),
        Ok(Outcome::Accepted { number, models, skipped, suspended }) => {
            tracing::info!(number, models, skipped, suspended, "new FIDO metadata");
        }
        Ok(Outcome::Held { number, because }) => {
            tracing::warn!(number, because, "new FIDO metadata wait for `idp mds release`");
        }
        Err(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, cause, "no new FIDO metadata; what is known still counts");
        }
    }
}
