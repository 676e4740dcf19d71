//! Whether mails are queued, and the bell that wakes whoever sends them.

use std::sync::Arc;

use tokio::sync::Notify;

/// What a connection knows of the outbox.
#[derive(Clone)]
pub(crate) struct Outbox {
    /// Without a way to send mails none is queued.
    pub(crate) on: bool,
    /// This transaction queued one.
    pub(crate) queued: bool,
    bell: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, queued: false, bell: Arc::new(Notify::new()) }
    }

    /// After a commit: rings if something was queued. Before it nobody would find the mail.
    pub(crate) fn committed(&mut self) {
        if std::mem::take(&mut self.queued) {
            self.bell.notify_one();
        }
    }

    /// Waits for the next ring.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}
