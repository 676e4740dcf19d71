//! Points in time as the store and the protocol keep them.

use serde::{Deserialize, Serialize};

/// A point in time in Unix milliseconds. Always passed in: core never reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From Unix milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Unix milliseconds, the form of every `*_ms` column.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole Unix seconds, the `NumericDate` of RFC 7519 §2.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time moved by `seconds` (negative: earlier), saturating.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` until this time; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
