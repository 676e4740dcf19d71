//! The configuration's generation: a number that caches compare, kept in step between processes.
//!
//! Our own changes advance it before they are answered. Those of others arrive by `NOTIFY` from PostgreSQL; on SQLite
//! a task looks four times a second whether another connection committed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::error::Result;
use crate::sql::postgres::Listener;
use crate::sql::sqlite::Watch;

const LOOK_EVERY: Duration = Duration::from_millis(250);
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(crate) struct Generation(AtomicU64);

impl Generation {
    pub(crate) fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

pub(crate) fn watch_sqlite(path: &Path, generation: Arc<Generation>) -> Result<AbortHandle> {
    let mut watch = Watch::new(path)?;
    let task = tokio::spawn(async move {
        let mut clock = tokio::time::interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            // An error says nothing about the configuration, so it counts as a change.
            if watch.changed().unwrap_or(true) {
                generation.advance();
            }
        }
    });
    Ok(task.abort_handle())
}

pub(crate) async fn watch_postgres(url: &str, generation: Arc<Generation>) -> Result<AbortHandle> {
    let mut listener = Listener::open(url).await?;
    let url = url.to_owned();
    let task = tokio::spawn(async move {
        loop {
            if let Err(error) = listener.changed().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the listening connection was lost");
                listener = reconnect(&url, &generation).await;
            }
            generation.advance();
        }
    });
    Ok(task.abort_handle())
}

/// While nothing can be heard, everything may have changed: caches live half a second.
async fn reconnect(url: &str, generation: &Generation) -> Listener {
    loop {
        generation.advance();
        tokio::time::sleep(RECONNECT_AFTER).await;
        match Listener::open(url).await {
            Ok(listener) => return listener,
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "cannot listen yet"),
        }
    }
}
