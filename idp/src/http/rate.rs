//! How often what writes before anybody signed in may happen: counters of a minute, flat in memory.
//!
//! They are this process's own: with n replicas it may happen n times as often, which still bounds what is written.

use std::sync::{Mutex, PoisonError};

use idp_core::time::Timestamp;

/// Counters; a power of two. What shares one by chance shares its limit for a minute.
const SLOTS: usize = 1 << 16;

/// Length of a window in seconds.
pub const WINDOW_S: i64 = 60;

/// Counters of the current minute.
pub struct Rates(Mutex<Vec<Slot>>);

#[derive(Clone, Copy, Default)]
struct Slot {
    /// Which minute it counts.
    window: i64,
    count: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self(Mutex::new(vec![Slot::default(); SLOTS]))
    }
}

impl Rates {
    /// Counts one act of whoever `keyed_hash` stands for. `Err`: there were `most` in this minute; seconds until the
    /// next.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn admit(&self, keyed_hash: [u8; 32], most: u32, now: Timestamp) -> Result<(), i64> {
        let [a, b, ..] = keyed_hash;
        let window = now.secs().div_euclid(WINDOW_S);
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(usize::from(u16::from_be_bytes([a, b]))) else { return Ok(()) };
        if slot.window != window {
            *slot = Slot { window, count: 0 };
        }
        if slot.count >= most {
            return Err(WINDOW_S - now.secs().rem_euclid(WINDOW_S));
        }
        slot.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Rates;
    use idp_core::time::Timestamp;

    #[test]
    fn admits_so_many_a_minute_and_says_how_long_to_wait() {
        let rates = Rates::default();
        let at = |s: i64| Timestamp::from_ms(s * 1000);
        for _ in 0..3 {
            assert_eq!(rates.admit([1; 32], 3, at(130)), Ok(()));
        }
        assert_eq!(rates.admit([1; 32], 3, at(131)), Err(49));
        assert_eq!(rates.admit([2; 32], 3, at(131)), Ok(()), "another one");
        assert_eq!(rates.admit([1; 32], 3, at(180)), Ok(()));
    }
}
