//! The injected clock: stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use idp::system::Clock;
use idp_core::time::Timestamp;

/// A clock that tests set.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A day in November 2025.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_763_600_000_000)))
    }

    /// What the product reads.
    pub fn source(&self) -> Clock {
        let ms = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_ms(ms.load(SeqCst)))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(SeqCst))
    }

    /// Moves the clock; negative seconds go back.
    pub fn advance(&self, seconds: i64) {
        self.advance_ms(seconds * 1000);
    }

    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, SeqCst);
    }
}
