//! Clock and random source: the only place that reads them, so that tests can put their own in.

use std::sync::Arc;

use idp_core::time::Timestamp;

/// The time of day.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let now = std::time::SystemTime::now();
        let since_epoch = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The system's random source.
pub fn system_random() -> Random {
    Arc::new(|buffer| {
        #[expect(clippy::expect_used, reason = "without randomness no secret is safe: nothing may go on")]
        #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
        aws_lc_rs::rand::fill(buffer).expect("the system's random source answers");
    })
}
